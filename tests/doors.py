"""Ways to a database that tests go through as users do: a port, and PgBouncer."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import tempfile
from collections.abc import AsyncIterator
from configparser import ConfigParser
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

from tests.outside import PROJECT
from tests.ports import reserved_port

PGBOUNCER = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.transport.abort()


def place_of(url: str) -> tuple[str, int]:
    """The host, or the socket's directory, and the port that an address names."""
    there = make_url(url)
    return str(there.query.get("host") or there.host), int(str(there.query.get("port") or there.port or 5432))


@asynccontextmanager
async def tcp_door(url: str) -> AsyncIterator[int]:
    """A port of this machine that leads to the database at `url`, byte by byte."""
    host, port = place_of(url)
    tasks: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if host.startswith("/"):
            far_reader, far_writer = await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
        else:
            far_reader, far_writer = await asyncio.open_connection(host, port)
        for way in (_pass_on(reader, far_writer), _pass_on(far_reader, writer)):
            task = asyncio.create_task(way)
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def pgbouncer(url: str, mode: str, **settings: str) -> AsyncIterator[str]:
    """The address of the database at `url` through a PgBouncer as deploy/ has it, but with this `pool_mode`."""
    if PGBOUNCER is None:
        if os.environ.get("CI"):
            pytest.fail("PgBouncer is not installed")
        pytest.skip("PgBouncer is not installed")
    there = make_url(url)
    with tempfile.TemporaryDirectory(prefix="haru-pgbouncer-") as name, reserved_port() as own:
        directory = Path(name)
        directory.chmod(0o777)  # PgBouncer refuses to run as root
        async with tcp_door(url) as port:
            written = ConfigParser()
            written.read(PROJECT / "deploy" / "pgbouncer.ini")
            here = {
                "listen_addr": "127.0.0.1",
                "listen_port": str(own),
                "unix_socket_dir": "",
                "auth_type": "any",
                "auth_file": "",
                "pool_mode": mode,
                "default_pool_size": "40",
                "max_client_conn": "100",  # of files that may be open, this machine may allow few
                "server_tls_sslmode": "disable",
            }
            lines = dict(written["pgbouncer"]) | here | settings
            databases = f"{there.database} = host=127.0.0.1 port={port} dbname={there.database} user={there.username}"
            if there.password is not None:
                databases += f" password={there.password}"
            told = "\n".join(f"{key} = {value}" for key, value in lines.items())
            (directory / "pgbouncer.ini").write_text(f"[databases]\n{databases}\n[pgbouncer]\n{told}\n")
            nobody = pwd.getpwnam("nobody")
            account: Any = (
                {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}
            )
            process = await asyncio.create_subprocess_exec(
                PGBOUNCER, "-q", str(directory / "pgbouncer.ini"), cwd="/", stderr=asyncio.subprocess.DEVNULL, **account
            )
            try:
                await _listens(own)
                yield f"postgresql+asyncpg://{there.username}@127.0.0.1:{own}/{there.database}"
            finally:
                process.terminate()
                await process.wait()


async def _listens(port: int) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                return
