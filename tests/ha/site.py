"""All machines together: three servers behind HAProxy, PgBouncer before PostgreSQL, and Prometheus."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import sys
from base64 import b64encode
from collections.abc import Collection, Sequence
from pathlib import Path
from random import SystemRandom
from uuid import UUID
from zoneinfo import ZoneInfo

from models import FeatureType, Role
from server.clock import wall_clock
from server.demo import PLAYER_IDS, load_demo
from server.settings import PROJECT
from services.calendar import Calendar
from services.database import Database as Sessions
from services.transaction import Transactor
from tests.deploy.haproxy import servers
from tests.games import another_session
from tests.ha.alerts import ADDRESS, Alerts
from tests.ha.clients import Secret
from tests.ha.database import OWNER_URL, POOLER, POSTGRES, URL, Database
from tests.ha.network import lay, run
from tests.ha.programs import Program, done
from tests.serving import zone_of_noon

PROXY = "10.0.0.10"
SERVERS = {"one": "10.0.0.11", "two": "10.0.0.12", "three": "10.0.0.13"}
MACHINES = {"proxy": PROXY, **SERVERS, "database": POSTGRES, "pooler": POOLER, "watch": ADDRESS}
URL_OF_PLAYERS = f"http://{PROXY}:8080"
STATISTICS = Path("/run/haproxy/admin.sock")
HARU = str(Path(sys.executable).parent / "haru")
UP_SECONDS = 90


class Site:
    """Where haru is served. Logs, and what Prometheus keeps, are in `directory`."""

    def __init__(self, directory: Path) -> None:
        self._secret = secrets.token_urlsafe(48)
        self._settings = {
            "HARU_ENV": "production",
            "HARU_SECRET": self._secret,
            "HARU_SEED_KEYS": f"seeds-1:{b64encode(secrets.token_bytes(32)).decode()}",
            "HARU_TIME_ZONE": zone_of_noon(),
            "DATABASE_URL": URL,
        }
        self.database = Database(directory)
        self.alerts = Alerts(directory, {address: name for name, address in MACHINES.items()})
        self.servers = {name: self._server(name, address, directory) for name, address in SERVERS.items()}
        text, configuration = (PROJECT / "deploy" / "haproxy.cfg").read_text(), directory / "haproxy.cfg"
        # Of files that may be open, this machine may allow few; the rest is as it is shipped.
        configuration.write_text(text.replace("maxconn 20000", "maxconn 1000"))
        self.proxy = Program(
            "proxy", [str(shutil.which("haproxy")), "-db", "-f", str(configuration)], directory / "haproxy.log"
        )

    def _server(self, name: str, address: str, directory: Path) -> Program:
        own = {
            "HOST": address,
            "HARU_METRICS_HOST": address,
            "HARU_METRICS_PORT": "9464",
            "FORWARDED_ALLOW_IPS": PROXY,
        }
        return Program(name, [HARU, "serve"], directory / f"haru-{name}.log", self._settings | own)

    @property
    def secret(self) -> Secret:
        """Makes tokens as the servers do."""
        return Secret(self._secret)

    async def haru(self, *command: str) -> str:
        """Run a command of haru's as an operator does, with the owner's address; what it printed."""
        return await done(HARU, *command, **self.as_operator)

    @property
    def as_operator(self) -> dict[str, str]:
        """The settings of who has a shell beside the database."""
        return self._settings | {"HARU_OWNER_URL": OWNER_URL}

    async def start(self) -> None:
        """Make and start everything, with an event whose day is the lottery's, and wait until it serves."""
        run("mount", "-t", "tmpfs", "tmpfs", "/run")  # of namespaces and sockets of its own
        lay(MACHINES)
        await self.database.make()
        await self.haru("db", "upgrade")
        await self.haru("db", "verify")
        await self._schedule()
        await self.haru("seeds", "make")
        for server in self.servers.values():
            await server.start()
        STATISTICS.parent.mkdir()
        await self.proxy.start()
        await self.serves()
        await self.alerts.start(SERVERS.values(), PROXY)

    async def _schedule(self) -> None:
        sessions = Sessions(OWNER_URL)
        transact = Transactor(sessions, Calendar(ZoneInfo(zone_of_noon())), wall_clock, SystemRandom())
        await transact(lambda tx: load_demo(tx, FeatureType.LOTTERY))
        await sessions.close()

    @property
    def administrator(self) -> str:
        """The token of an administrator."""
        return self.secret.token(PLAYER_IDS["demo-admin"], Role.ADMIN)

    async def players(self, count: int) -> Sequence[UUID]:
        """The ids of that many players."""
        async with another_session(OWNER_URL) as sql:
            rows = await sql.fetch(
                "INSERT INTO \"user\" (external_id, created_at) SELECT 'player ' || n, now()"
                " FROM generate_series(1, $1) n RETURNING id",
                count,
            )
        return [row["id"] for row in rows]

    async def serves(self, but: Collection[str] = ()) -> None:
        """Wait until HAProxy sends requests to all servers, but to these none."""
        async with asyncio.timeout(UP_SECONDS):
            while await self._up() != set(self.servers) - set(but):
                await asyncio.sleep(0.2)

    async def _up(self) -> set[str]:
        try:
            return {name for name, status in (await servers(STATISTICS)).items() if status == "UP"}
        except OSError:  # it is just starting
            return set()

    async def stop(self) -> None:
        """Stop everything, in order."""
        await self.alerts.stop()
        for program in (self.proxy, *self.servers.values(), self.database.pooler, self.database.postgres):
            if program.runs:
                await program.stop()
