"""`alembic` as people type it in the checkout: on DATABASE_URL's database or on the embedded one."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.migrations.upgrade import upgrade
from server.migrations.verification import Verified, verify
from server.settings import PROJECT
from tests.conftest import run_sql
from tests.contract.test_database import LEFT, fetch, scratch
from tests.games import another_session
from tests.postgres import temporary_postgres_of_the_system

REVISION = "20241206_0001"
AT_HEAD = f"{REVISION} (head)\n"
NOWHERE = "postgresql://nobody:a-password@127.0.0.1:1/haru"
VERSION = "SELECT version_num FROM alembic_version"
WAITING = """
SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database
WHERE datname = current_database() AND locktype = 'advisory' AND NOT granted
"""


async def start(*arguments: str, **environment: str) -> asyncio.subprocess.Process:
    """The console script beside this Python, in the checkout."""
    return await asyncio.create_subprocess_exec(
        *(str(Path(sys.executable).with_name("alembic")), *arguments),
        env={name: value for name, value in os.environ.items() if name != "DATABASE_URL"} | environment,
        cwd=PROJECT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def finish(process: asyncio.subprocess.Process) -> tuple[int, str, str]:
    """Its exit code, what it printed, and what it said beside."""
    printed, said = await asyncio.wait_for(process.communicate(), 120)
    assert process.returncode is not None
    return process.returncode, printed.decode(), said.decode()


async def alembic(*arguments: str, **environment: str) -> str:
    """Run it to its good end; what it printed."""
    code, printed, said = await finish(await start(*arguments, **environment))
    assert code == 0, said
    return printed


@pytest.fixture
def empty(server_url: str) -> Iterator[str]:
    """A database without a table."""
    with scratch(server_url, "alembic") as url:
        yield url


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+asyncpg"])
async def test_upgrade_on_the_database_that_is_named(empty: str, scheme: str) -> None:
    """The embedded server is reached by libpq's parameters in the query, a directory as its host."""
    url = scheme + empty.removeprefix("postgresql+asyncpg")
    await alembic("upgrade", "head", DATABASE_URL=url)
    assert await asyncio.to_thread(fetch, empty, VERSION) == [(REVISION,)]
    assert await alembic("current", DATABASE_URL=url) == AT_HEAD
    assert await verify(empty) == Verified(REVISION, [], [])


async def test_what_else_people_type(empty: str) -> None:
    await alembic("upgrade", "head", DATABASE_URL=empty)
    assert (await alembic("history")).startswith(f"<base> -> {REVISION} (head), ")
    assert await alembic("check", DATABASE_URL=empty) == "No new upgrade operations detected.\n"
    await alembic("downgrade", "base", DATABASE_URL=empty)
    assert await alembic("current", DATABASE_URL=empty) == ""
    assert await asyncio.to_thread(fetch, empty, LEFT) == []


async def test_without_an_address_the_embedded_database_is_upgraded(tmp_path: Path) -> None:
    state = {"HARU_STATE_DIR": str(tmp_path)}
    await alembic("upgrade", "head", **state)
    assert await alembic("current", **state) == AT_HEAD


def test_the_same_against_the_postgresql_of_the_system() -> None:
    with temporary_postgres_of_the_system() as url:
        asyncio.run(alembic("upgrade", "head", DATABASE_URL=url))
        assert asyncio.run(alembic("current", DATABASE_URL=url)) == AT_HEAD
        assert asyncio.run(verify(url)) == Verified(REVISION, [], [])


async def test_the_statements_alone_make_the_same_database(empty: str) -> None:
    statements = await alembic("upgrade", "head", "--sql")
    async with another_session(empty) as session:
        await session.execute(statements)
    assert await verify(empty) == Verified(REVISION, [], [])


async def test_two_who_migrate_take_turns(empty: str) -> None:
    """Whoever comes second waits, then finds nothing left to do; `alembic` and `haru db upgrade` alike."""
    async with another_session(empty) as first, first.transaction():
        await first.execute("SELECT pg_advisory_xact_lock(x'68617275'::int)")
        second = await start("upgrade", "head", DATABASE_URL=empty)
        third = asyncio.create_task(asyncio.to_thread(upgrade, empty))
        async with asyncio.timeout(120):
            while await first.fetchval(WAITING) < 2:
                await asyncio.sleep(0.02)
        assert await asyncio.to_thread(fetch, empty, LEFT) == []
    code, _, said = await finish(second)
    assert code == 0, said
    await third
    assert await verify(empty) == Verified(REVISION, [], [])


async def test_all_or_nothing(empty: str) -> None:
    await run_sql(empty, "CREATE TABLE season_pass_stamp_log ()")
    code, printed, said = await finish(await start("upgrade", "head", DATABASE_URL=empty))
    assert code == 255
    assert printed.startswith("FAILED: The database cannot be used: ")
    assert "Traceback" not in said
    left = {name for (name,) in await asyncio.to_thread(fetch, empty, LEFT)}
    assert left == {"season_pass_stamp_log", "_season_pass_stamp_log"}  # the table and its types


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"DATABASE_URL": NOWHERE}, "FAILED: The database cannot be used: "),
        ({"DATABASE_URL": "mysql://root@localhost/haru"}, "FAILED: haru does not start with these settings:"),
        ({"HARU_ENV": "stage"}, "FAILED: haru does not start with these settings:"),
    ],
)
async def test_what_cannot_be_is_told(environment: dict[str, str], message: str) -> None:
    code, printed, said = await finish(await start("upgrade", "head", **environment))
    assert code == 255
    assert printed.startswith(message)
    assert "Traceback" not in said
    assert "a-password" not in printed + said


def test_the_folder_of_migrations_does_not_shadow_the_library() -> None:
    assert not (PROJECT / "alembic" / "__init__.py").exists()
