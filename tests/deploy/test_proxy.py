"""deploy/haproxy.cfg as it stands, with the addresses of this machine: a rolling restart loses no request."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.deploy.haproxy import servers
from tests.faults.load import Load, check
from tests.outside import PROJECT, unavailable
from tests.ports import reserved_port
from tests.serving import Served, serving
from tests.world import Client

HAPROXY = shutil.which("haproxy", path="/usr/sbin:/usr/bin:/usr/local/sbin")
CONFIGURATION = PROJECT / "deploy" / "haproxy.cfg"
CLIENTS = 16


@dataclass(frozen=True)
class Proxy:
    """HAProxy before servers."""

    url: str
    socket: Path

    async def up(self) -> int:
        """How many servers it sends requests to; none before it is there."""
        try:
            return sum(status == "UP" for status in (await servers(self.socket)).values())
        except (FileNotFoundError, ConnectionRefusedError):
            return 0

    async def has(self, servers: int) -> None:
        """Wait until it sends requests to that many."""
        async with asyncio.timeout(60):
            while await self.up() != servers:
                await asyncio.sleep(0.05)


@asynccontextmanager
async def proxied(behind: list[Served], directory: Path) -> AsyncIterator[Proxy]:
    """HAProxy before these servers, by the configuration of deploy/."""
    if HAPROXY is None:
        unavailable("no haproxy")
    with reserved_port() as port, reserved_port() as metrics_port:
        (directory / "haproxy.cfg").write_text(configuration(behind, directory, port, metrics_port))
        process = await asyncio.create_subprocess_exec(HAPROXY, "-db", "-f", str(directory / "haproxy.cfg"))
        proxy = Proxy(f"http://127.0.0.1:{port}", directory / "socket")
        try:
            await proxy.has(len(behind))
            yield proxy
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


def configuration(behind: list[Served], directory: Path, port: int, metrics_port: int) -> str:
    """The one of deploy/, with the addresses of this machine."""
    there = iter([served.url.removeprefix("http://") for served in behind])
    text = CONFIGURATION.read_text().replace("bind :8080", f"bind 127.0.0.1:{port}")
    text = text.replace("bind :8405", f"bind 127.0.0.1:{metrics_port}")
    text = re.sub(r"(?m)^ +(user|group) haproxy\n", "", text)  # it is whoever runs the tests
    text = text.replace("maxconn 20000", "maxconn 1000")  # of files that may be open, this machine may allow few
    text = text.replace("/run/haproxy/admin.sock", str(directory / "socket"))
    return re.sub(
        r"(?m)^( +server \w+ )\S+", lambda line: line[1] + (next(there, None) or "127.0.0.1:1 disabled"), text
    )


async def test_a_rolling_restart_loses_no_request(empty_database: str, tmp_path: Path) -> None:
    async with (
        serving(empty_database, connections=CLIENTS) as one,
        serving(empty_database, connections=CLIENTS) as two,
        proxied([one, two], tmp_path) as proxy,
        httpx.AsyncClient(base_url=proxy.url, limits=httpx.Limits(max_connections=CLIENTS), timeout=30) as http,
    ):
        await one.lift_daily_limit()
        players, load = [Client(http, one.token, one.player_id) for one in await one.players(CLIENTS)], Load()
        load.up.set()
        playing = [asyncio.create_task(load.player(player)) for player in players]
        for server in (one, two):
            await _more(load, playing)
            assert await server.stop() == 0
            await _more(load, playing)
            await server.start()
            await proxy.has(2)
        load.ending = True
        await asyncio.gather(*playing)
        assert load.cut_off == 0
        await check(empty_database, load, players)


async def _more(load: Load, playing: list[asyncio.Task[None]]) -> None:
    """Wait until everybody has had the time for another play."""
    before = len(load.acknowledged)
    async with asyncio.timeout(60):
        while len(load.acknowledged) < before + 3 * CLIENTS:
            assert not any(task.done() for task in playing), [task for task in playing if task.done()]
            await asyncio.sleep(0.01)
