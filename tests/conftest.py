"""The database that tests run on: their own, made by the real migrations beside the one that DATABASE_URL names."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import nullcontext
from typing import Any

import asyncpg
import hypothesis
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import make_url

from models import Base
from server import http
from server.cli import main
from server.database import upgrade
from services.database import connect_arguments
from services.errors import ErrorCode
from tests.postgres import temporary_postgres
from tests.world import World, assert_ledger_holds, running

# CI repeats itself; a developer's run explores further.
hypothesis.settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    hypothesis.settings.load_profile("ci")

ANSWERED_CODES: set[str] = set()
"""Every error code that some client was answered with in this run."""

TABLES = ", ".join(f'"{table.name}"' for table in Base.metadata.sorted_tables)


async def run_sql(url: str, *statements: str) -> None:
    """Run statements, each in a transaction of its own."""
    connection = await asyncpg.connect(**connect_arguments(url))
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture(scope="session", autouse=True)
def answered_codes() -> Iterator[None]:
    """Note every error code in an answer."""
    respond = http.respond

    async def respond_and_note(send: Any, body: bytes, **options: Any) -> None:
        ANSWERED_CODES.update(re.findall(r'"code":"([A-Z_]+)"', body.decode()))
        await respond(send, body, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("server.graphql.respond", respond_and_note)
        yield


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Fail a run of all tests in which a code of the catalogue was never answered."""
    whole = session.config.args == session.config.getini("testpaths") and not session.config.option.keyword
    missing = set(ErrorCode) - ANSWERED_CODES
    if whole and session.config.option.markexpr == "not soak" and exitstatus == pytest.ExitCode.OK and missing:
        print(f"\nNo test was answered with {', '.join(sorted(missing))}.")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """A PostgreSQL server: DATABASE_URL's, whose role must be allowed to create databases, or an embedded one."""
    given = os.environ.pop("DATABASE_URL", None)
    with temporary_postgres() if given is None else nullcontext(given) as url:
        yield url.replace("postgresql://", "postgresql+asyncpg://")


@pytest.fixture(scope="session")
def database_url(server_url: str) -> Iterator[str]:
    """An empty database at the head of the migrations; what DATABASE_URL names itself is never touched."""
    name = f"haru_test_{os.getpid()}"
    url = make_url(server_url).set(database=name).render_as_string(hide_password=False)
    asyncio.run(run_sql(server_url, f"DROP DATABASE IF EXISTS {name}", f"CREATE DATABASE {name}"))
    upgrade(url)
    yield url
    asyncio.run(run_sql(server_url, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))


@pytest.fixture
async def empty_database(database_url: str) -> AsyncIterator[str]:
    """The database without a row. Whatever the test did, the ledger's invariant must hold afterwards."""
    connection = await asyncpg.connect(**connect_arguments(database_url))
    await connection.execute(f"TRUNCATE {TABLES} RESTART IDENTITY")
    yield database_url
    await assert_ledger_holds(connection)
    await connection.close()


@pytest.fixture
async def world(empty_database: str) -> AsyncIterator[World]:
    """A running haru with the demo data, at noon of a day of the dice."""
    async with running(empty_database) as world:
        yield world


Haru = Callable[..., Awaitable[Result]]


@pytest.fixture
def haru(world: World, monkeypatch: pytest.MonkeyPatch) -> Haru:
    """The `haru` command on this world's database."""
    assert world.settings.database_url is not None
    monkeypatch.setenv("DATABASE_URL", world.settings.database_url)

    async def run(*arguments: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, main, arguments)

    return run
