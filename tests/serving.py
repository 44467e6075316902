"""`haru serve` as operators run it: processes of their own, spoken to over HTTP."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from models import Role
from server.app import wall_clock
from server.auth import Tokens
from server.settings import EXAMPLE_SECRET, PROJECT
from tests.games import another_session
from tests.world import Client

START_SECONDS = 60.0
SERVE = "from server.cli import main; main(['serve'])"


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@dataclass
class Served:
    """A running `haru serve`: its address, its process, and what it printed."""

    url: str
    environment: dict[str, str]
    log: Path
    http: httpx.AsyncClient
    process: asyncio.subprocess.Process | None = None
    starts: int = 0
    tokens: Tokens = field(
        default_factory=lambda: Tokens(
            (EXAMPLE_SECRET,), issuer="haru", audience="haru", lifetime_seconds=3600, clock=wall_clock
        )
    )

    async def start(self) -> None:
        """Start it, and wait until it is ready."""
        self.starts += 1
        with self.log.open("ab") as output:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-c",
                SERVE,
                cwd=PROJECT,
                env=os.environ | self.environment,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        async with asyncio.timeout(START_SECONDS):
            while not await self._is_ready():
                assert self.process.returncode is None, self.log.read_text()[-3000:]
                await asyncio.sleep(0.05)

    async def _is_ready(self) -> bool:
        try:
            return (await self.http.get("/readyz")).status_code == 200
        except httpx.TransportError:
            return False

    async def kill(self) -> None:
        """Kill it and its workers at once (SIGKILL)."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> int:
        """Ask it to stop (SIGTERM); its exit code."""
        return await self._end(signal.SIGTERM)

    async def _end(self, with_signal: signal.Signals) -> int:
        assert self.process is not None
        if self.process.returncode is None:
            if with_signal is signal.SIGKILL:
                os.killpg(self.process.pid, with_signal)  # a session of its own: nobody else is in this group
            else:
                self.process.send_signal(with_signal)
        return await self.process.wait()

    async def players(self, count: int) -> list[Client]:
        """That many players with tokens."""
        async with another_session(self.url) as sql:
            rows = await sql.fetch(
                "INSERT INTO \"user\" (external_id, created_at) SELECT 'served ' || n, now()"
                " FROM generate_series(1, $1) AS n RETURNING id",
                count,
            )
        return [Client(self.http, self.tokens.issue(row["id"], Role.PLAYER).text, row["id"]) for row in rows]


@asynccontextmanager
async def serving(url: str, *, connections: int = 64, **environment: Any) -> AsyncIterator[Served]:
    """`haru serve` on the database at `url`, with the demo data, on a day of the dice that nobody limits."""
    port = free_port()
    settings = {"DATABASE_URL": url, "PORT": port, "HARU_DEMO_TODAY": "DICE", "HARU_LOG_LEVEL": "warning"}
    strings = {name: str(value) for name, value in (settings | environment).items()}
    limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
    with tempfile.TemporaryDirectory(prefix="haru-serve-") as directory:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", limits=limits, timeout=30) as http:
            served = Served(url, strings, Path(directory) / "log", http)
            try:
                await served.start()
                async with another_session(url) as sql:
                    await sql.execute("UPDATE dice_config SET max_daily_plays = 0")
                yield served
            finally:
                if served.process is not None:
                    await served.kill()
