"""The database's machine: PostgreSQL of Debian's package, on a small disk, with PgBouncer before it."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from server.settings import PROJECT
from tests.ha.network import run
from tests.ha.programs import Program, command, done

ACCOUNT = "postgres"
DISK = Path("/var/lib/postgresql")
DISK_SIZE = "320m"
DATA = DISK / "haru"
SOCKETS = Path("/run/postgresql")
POOLER_SETTINGS = Path("/etc/pgbouncer")
START_SECONDS = 60

POSTGRES = "10.0.0.20"
POOLER = "10.0.0.21"
OWNER_PASSWORD = "the owner's, of this run"
PASSWORD = "the application's, of this run"

ROLES = f"""
CREATE ROLE haru_owner LOGIN PASSWORD '{OWNER_PASSWORD.replace("'", "''")}';
CREATE ROLE haru LOGIN PASSWORD '{PASSWORD.replace("'", "''")}';
CREATE DATABASE haru OWNER haru_owner ENCODING 'UTF8' TEMPLATE template0;
"""
"""As docs/deploy.md has it."""


def address_of(role: str, password: str, host: str) -> str:
    """An address of the database."""
    return f"postgresql://{role}:{password.replace(' ', '%20')}@{host}/haru"


URL = address_of("haru", PASSWORD, f"{POOLER}:6432")
OWNER_URL = address_of("haru_owner", OWNER_PASSWORD, POSTGRES)


def binaries() -> Path | None:
    """Where the newest PostgreSQL of the distribution's is, if there is one."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


class Database:
    """PostgreSQL, and PgBouncer before it."""

    def __init__(self, directory: Path) -> None:
        """Make an empty cluster on a disk of its own; `directory` has the logs."""
        found = binaries()
        assert found is not None
        self._binaries = found
        settings = {
            "listen_addresses": POSTGRES,
            "unix_socket_directories": SOCKETS,
            "max_connections": 200,
            "min_wal_size": "8MB",
            "max_wal_size": "64MB",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        self.postgres = Program(
            "database",
            [str(found / "postgres"), "-D", str(DATA), *options],
            directory / "postgres.log",
            account=ACCOUNT,
            stops_by=signal.SIGINT,  # "fast": sessions are ended
        )
        self.pooler = Program(
            "pooler",
            [str(shutil.which("pgbouncer")), str(POOLER_SETTINGS / "pgbouncer.ini")],
            directory / "pgbouncer.log",
            account=ACCOUNT,
            stops_by=signal.SIGINT,
        )

    async def make(self) -> None:
        """Make the cluster, the roles and the database, and start both."""
        run("mount", "-t", "tmpfs", "-o", f"size={DISK_SIZE},mode=755", "tmpfs", str(DISK))
        for path in (DISK, SOCKETS):
            path.mkdir(exist_ok=True)
            shutil.chown(path, ACCOUNT, ACCOUNT)
        ways = ("--auth-local=trust", "--auth-host=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8")
        initdb = (str(self._binaries / "initdb"), f"--pgdata={DATA}", "--username=postgres", "--wal-segsize=1")
        await done(*initdb, *ways, account=ACCOUNT)
        with (DATA / "pg_hba.conf").open("a") as rules:
            rules.write("host all all 10.0.0.0/24 scram-sha-256\n")
        await self.start()
        for statement in ROLES.strip().splitlines():
            await self.execute(statement)
        POOLER_SETTINGS.mkdir(exist_ok=True)
        run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", str(POOLER_SETTINGS))
        shutil.copy(PROJECT / "deploy" / "pgbouncer.ini", POOLER_SETTINGS)
        (POOLER_SETTINGS / "userlist.txt").write_text(f'"haru" "{PASSWORD}"\n')
        await self.pooler.start()

    async def execute(self, statement: str) -> None:
        """Run a statement as the database's administrator."""
        await done(
            "psql", "-h", str(SOCKETS), "-U", "postgres", "-v", "ON_ERROR_STOP=1", "-c", statement, account=ACCOUNT
        )

    async def start(self) -> None:
        """Start PostgreSQL where it does not run, and wait until it takes connections."""
        async with asyncio.timeout(START_SECONDS):
            while True:
                if not self.postgres.runs:
                    await self.postgres.start()
                code, _ = await command(str(self._binaries / "pg_isready"), "-q", "-h", POSTGRES)
                if code == 0:
                    return
                await asyncio.sleep(0.2)

    @contextmanager
    def full_disk(self) -> Iterator[None]:
        """Leave no room on the disk meanwhile."""
        ballast = DISK / "ballast"
        with ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(DISK).free)
        try:
            yield
        finally:
            ballast.unlink()
