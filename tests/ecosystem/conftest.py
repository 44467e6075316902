"""`haru serve` with a database of its own, as a process: what clients of any kind meet."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from sqlalchemy import make_url

from tests.conftest import run_sql

STARTING_SECONDS = 60
STOPPING_SECONDS = 20
TOKEN = re.compile(r"\((PLAYER|OPERATOR|ADMIN)\):\n\s+(\S+)")


@dataclass(frozen=True)
class Served:
    """A running server."""

    url: str
    """Without a path: http://127.0.0.1:8000."""

    tokens: dict[str, str]
    """Of the demo accounts, by role."""

    def new_player(self, external_id: str) -> str:
        """The token of a player who is new."""
        query = (
            "mutation ($id: String!) { issueToken(input: {externalId: $id}) { ... on IssuedToken { accessToken } } }"
        )
        headers = {"Authorization": f"Bearer {self.tokens['ADMIN']}"}
        body = {"query": query, "variables": {"id": external_id}}
        answer = httpx.post(f"{self.url}/graphql", json=body, headers=headers).json()
        token: str = answer["data"]["issueToken"]["accessToken"]
        return token


@pytest.fixture(scope="session")
def served(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server in the local environment on a day of the dice, far from midnight."""
    name = f"haru_clients_{os.getpid()}"
    url = make_url(server_url).set(database=name, drivername="postgresql").render_as_string(hide_password=False)
    asyncio.run(run_sql(server_url, f"DROP DATABASE IF EXISTS {name}", f"CREATE DATABASE {name}"))
    with serving(url, tmp_path_factory.mktemp("served") / "log") as running:
        yield running
    asyncio.run(run_sql(server_url, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))


@contextmanager
def serving(database_url: str, log: Path) -> Iterator[Served]:
    """Run `haru serve` on a free port until it is no longer needed."""
    port = _free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HARU_")} | {
        "PORT": str(port),
        "DATABASE_URL": database_url,
        "HARU_DEMO_TODAY": "DICE",
        "HARU_TIME_ZONE": _zone_of_noon(),
    }
    command = [sys.executable, "-c", "from server.cli import main; main()", "serve"]
    with log.open("w") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT)
    try:
        _wait_for(port, process, log)
        yield Served(f"http://127.0.0.1:{port}", dict(TOKEN.findall(log.read_text())))
    finally:
        process.terminate()
        process.wait(STOPPING_SECONDS)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


def _zone_of_noon() -> str:
    """A time zone in which it is about noon: no test meets midnight. Etc/GMT+3 is three hours behind UTC."""
    behind = dt.datetime.now(dt.UTC).hour - 12
    return f"Etc/GMT{behind:+d}"


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + STARTING_SECONDS
    while time.monotonic() < until and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    pytest.fail(f"haru serve did not start:\n{log.read_text()}")
