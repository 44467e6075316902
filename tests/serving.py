"""Servers behind real sockets: `haru serve` as operators run it, and an application of this process."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import re
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from starlette.types import ASGIApp

from models import Role
from server.auth import Tokens
from server.clock import wall_clock
from server.http.protocols import HttpConnection, WebSocketConnection
from server.settings import EXAMPLE_SECRET, PROJECT
from tests.games import another_session
from tests.ports import reserved_port
from tests.roles import as_application
from tests.world import Client, forge

START_SECONDS = 120.0
PRINTED_TOKEN = re.compile(r"\((PLAYER|OPERATOR|ADMIN)\):\n\s+(\S+)")
SERVE = "from server.cli.main import main; main(['serve'])"


class _Server(uvicorn.Server):
    """A server that leaves the signals of this process alone."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def listening(
    app: ASGIApp, http: type[HttpConnection] = HttpConnection, ws: type[WebSocketConnection] = WebSocketConnection
) -> AsyncIterator[str]:
    """Serve an application, whose lifespan is its owner's, on a free loopback port: its address, without a path."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = _Server(uvicorn.Config(app, log_level="warning", lifespan="off", http=http, ws=ws))
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = server.force_exit = True
            await task


@dataclass
class Served:
    """A running `haru serve`: where it is, its process, and what it printed."""

    url: str
    """Without a path: http://127.0.0.1:8000."""

    database_url: str
    environment: dict[str, str]
    log: Path
    http: httpx.AsyncClient
    process: asyncio.subprocess.Process | None = None
    starts: int = 0
    issuer: Tokens = field(
        default_factory=lambda: Tokens(
            (EXAMPLE_SECRET,), issuer="haru", audience="haru", lifetime_seconds=3600, clock=wall_clock
        )
    )

    async def start(self) -> None:
        """Start it, and wait until it is ready."""
        self.starts += 1
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("HARU_")}
        with self.log.open("ab") as output:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-c",
                SERVE,
                cwd=PROJECT,
                env=inherited | self.environment,
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

    @property
    def tokens(self) -> dict[str, str]:
        """The tokens of the demo accounts that it printed, by role."""
        return dict(PRINTED_TOKEN.findall(self.log.read_text()))

    async def players(self, count: int) -> list[Client]:
        """That many players with tokens."""
        async with another_session(self.database_url) as sql:
            rows = await sql.fetch(
                "INSERT INTO \"user\" (external_id, created_at) SELECT 'served-' || gen_random_uuid(), now()"
                " FROM generate_series(1, $1) RETURNING id",
                count,
            )
        return [Client(self.http, self.issuer.issue(row["id"], Role.PLAYER).text, row["id"]) for row in rows]

    async def lift_daily_limit(self) -> None:
        """Let everybody play dice without end."""
        async with another_session(self.database_url) as sql:
            await forge(sql, "UPDATE dice_config SET max_daily_plays = 0")


@asynccontextmanager
async def serving(database_url: str, *, connections: int = 64, **environment: Any) -> AsyncIterator[Served]:
    """`haru serve` on a database of the owner's, as the application, with the demo data, about noon of a dice day.

    None takes a setting away.
    """
    settings = {
        "DATABASE_URL": as_application(database_url),
        "HARU_OWNER_URL": database_url,
        "HARU_DEMO_TODAY": "DICE",
        "HARU_TIME_ZONE": zone_of_noon(),
        "HARU_LOG_LEVEL": "warning",
    }
    limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
    with reserved_port() as port, tempfile.TemporaryDirectory(prefix="haru-serve-") as directory:
        url, given = f"http://127.0.0.1:{port}", settings | environment | {"PORT": port}
        strings = {name: str(value) for name, value in given.items() if value is not None}
        async with httpx.AsyncClient(base_url=url, limits=limits, timeout=30) as http:
            served = Served(url, database_url, strings, Path(directory) / "log", http)
            try:
                await served.start()
                yield served
            finally:
                if served.process is not None:
                    await served.kill()


def zone_of_noon() -> str:
    """A time zone in which it is about noon: no test meets midnight. Etc/GMT+3 is three hours behind UTC."""
    behind = dt.datetime.now(dt.UTC).hour - 12
    return f"Etc/GMT{behind:+d}"
