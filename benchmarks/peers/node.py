"""The Node server: whether it can be had here, and running it on the stage's database."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import orjson

from benchmarks import statement
from benchmarks.measure import texts
from benchmarks.stage import Served, Stage, free_port, running
from server.clock import wall_clock

HERE = Path(__file__).parent
SCHEMA = HERE.parent.parent / "schema.graphql"
MOVES = "-c haru.versions_moved=yes"
"""The session's setting that the statement moves the players' versions itself, as haru's own does."""


def missing() -> str | None:
    """What is missing to run it; nothing when it can be run."""
    if shutil.which("node") is None:
        return "there is no Node"
    if not (HERE / "node_modules" / "mercurius").is_dir():
        return "its packages are not installed (npm ci --prefix benchmarks/peers)"
    return None


@asynccontextmanager
async def node(stage: Stage) -> AsyncIterator[Served]:
    """The Node server, once haru has played: it writes texts as long as those of haru's plays."""
    port = free_port()
    offset = wall_clock().astimezone(stage.settings.zone).utcoffset()
    assert offset is not None
    options = {
        "port": port,
        "workers": stage.settings.workers,
        "secret": stage.settings.secret,
        "schema": str(SCHEMA),
        "database": {"host": stage.socket_directory, "user": "app", "database": "app", "options": MOVES},
        "play": statement.prepared(),
        "texts": await texts(stage),
        "utcOffsetSeconds": offset.total_seconds(),
    }
    with tempfile.TemporaryDirectory(prefix="haru-peer-") as directory:
        file = Path(directory) / "options.json"
        file.write_bytes(orjson.dumps(options))
        async with running(["node", str(HERE / "server.mjs"), str(file)], port, {}) as served:
            yield served
