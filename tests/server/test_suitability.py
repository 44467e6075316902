"""Databases that cannot be haru's are refused before anything happens; what stands before one may be PgBouncer."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import make_url

from server import readiness
from server.migrations.verification import verify
from server.postgres import suitability
from server.postgres.durability import WEAK_SETTINGS, WeakSetting
from server.postgres.suitability import FRESH_SECONDS, Suitability, UnsuitableDatabaseError, check_suitability
from services.outages import why
from services.request_errors import Unavailable
from tests.conftest import run_sql
from tests.doors import pgbouncer
from tests.games import another_session
from tests.roles import as_application
from tests.server.test_commands import run
from tests.services.test_addresses import gone
from tests.world import SEED_KEYS, World, running

IGNORE = "extra_float_digits,options,lock_timeout,statement_timeout,jit,search_path"


async def test_a_database_of_one_s_own(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    url = make_url(database_url).update_query_dict({"application_name": "asked"}).render_as_string(hide_password=False)
    async with another_session(database_url) as session:
        monkeypatch.setattr(suitability, "OLDEST_VERSION", session.get_server_version().major)
        await check_suitability(url)
        await gone(session, "asked")


async def test_an_old_postgresql(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suitability, "OLDEST_VERSION", 99)
    with pytest.raises(UnsuitableDatabaseError, match=r"This is PostgreSQL \d+; haru needs 99 or newer\."):
        await check_suitability(database_url)


async def test_a_database_that_is_not_in_utf8(server_url: str) -> None:
    name = f"haru_ascii_{os.getpid()}"
    url = make_url(server_url).set(database=name).render_as_string(hide_password=False)
    await run_sql(server_url, f"CREATE DATABASE {name} ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0")
    try:
        code, said = await run("db", "upgrade", DATABASE_URL=url)
    finally:
        await run_sql(server_url, f"DROP DATABASE {name}")
    assert code == 1
    assert said.startswith("Error: The database's encoding is SQL_ASCII; haru needs UTF8: ")


WEAKENED = {
    "DATABASE {database}": "synchronous_commit of database {database}",
    "ROLE {role}": "synchronous_commit of role {role}",
    "ROLE {role} IN DATABASE {database}": "synchronous_commit of role {role} of database {database}",
}


@asynccontextmanager
async def set_on(url: str, where: str, value: str) -> AsyncIterator[None]:
    """`synchronous_commit` as the application's role sets it on itself, or the owner on the database."""
    setter = as_application(url) if "ROLE" in where else url
    try:
        await run_sql(setter, f"ALTER {where} SET synchronous_commit = {value}")
        yield
    finally:
        await run_sql(setter, f"ALTER {where} RESET synchronous_commit")


@pytest.mark.parametrize("where", WEAKENED)
async def test_who_waits_for_no_disk_does_not_start(empty_database: str, where: str) -> None:
    served = as_application(empty_database)
    names = {"database": make_url(served).database, "role": make_url(served).username}
    where, weak = where.format(**names), WEAKENED[where].format(**names)
    async with set_on(empty_database, where, "off"):
        told = f"{weak} is off, and has to be on, or remote_apply"
        with pytest.raises(UnsuitableDatabaseError, match=f"A crash could lose what haru has confirmed: .*{told}"):
            await check_suitability(served, for_real=True)
        await check_suitability(served)
        verified = await verify(empty_database, role=names["role"])
        assert f"differs: setting {weak}" in [finding.headline for finding in verified.findings]
        assert not verified.is_expected
        async with running(empty_database, demo=False) as world:
            assert await synchronous_commit(world) == {"on"}
    async with set_on(empty_database, where, "remote_apply"):
        await check_suitability(served, for_real=True)
        async with running(empty_database, demo=False) as world:
            assert await synchronous_commit(world) == {"remote_apply"}


async def test_what_is_set_for_others_weakens_nothing(database_url: str, server_url: str) -> None:
    """It is set and taken back in a transaction: nobody else sees it."""
    here, me, there = make_url(database_url).database, make_url(database_url).username, make_url(server_url).database
    async with another_session(database_url) as session:
        transaction = session.transaction()
        await transaction.start()
        for value, where in (
            ("off", f"ROLE {me} IN DATABASE {there}"),
            ("local", f"ROLE {me}"),
            ("off", f"ROLE {me} IN DATABASE {here}"),
            ("remote_write", f"DATABASE {here}"),
        ):
            await session.execute(f"ALTER {where} SET synchronous_commit = {value}")
            await session.execute(f"ALTER {where} SET jit = off")
        weak = [str(WeakSetting(*row)) for row in await session.fetch(WEAK_SETTINGS, [])]
        await transaction.rollback()
    assert weak == [
        f"synchronous_commit of {whose}, and has to be on, or remote_apply"
        for whose in (f"database {here} is remote_write", f"role {me} is local", f"role {me} of database {here} is off")
    ]


async def synchronous_commit(world: World) -> set[str]:
    """What the sessions of both pools, and one beside them, are set to."""
    database, ask = world.parts.database, "SHOW synchronous_commit"
    beside = await database.connect_hot(lock_timeout_seconds=1)
    try:
        async with database.hot() as hot, database.engine.connect() as toolkit:
            found = await hot.fetchval(ask), (await toolkit.exec_driver_sql(ask)).scalar(), await beside.fetchval(ask)
    finally:
        await beside.close()
    return set(found)


async def test_who_serves_as_the_owner_is_warned(database_url: str) -> None:
    assert await check_suitability(as_application(database_url), for_real=True) is None
    assert await check_suitability(database_url) is None
    warning = await check_suitability(database_url, for_real=True)
    assert str(warning).startswith("HARU_OWNER_URL: DATABASE_URL is the address of the tables' owner")


FOR_REAL = {"HARU_ENV": "stage", "HARU_SECRET": "x" * 32}


async def test_a_server_that_was_there_before_its_database_asks_when_it_is_there(
    empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody has asked at its start; nor would it have known of the database that takes over after a failover."""
    monkeypatch.setattr(readiness, "FRESH_SECONDS", 0.0)
    name = make_url(empty_database).database
    told = f"synchronous_commit of database {name} is off, and has to be on, or remote_apply"
    async with running(empty_database, demo=False, **FOR_REAL) as world:
        async with set_on(empty_database, f"DATABASE {name}", "off"):
            ready = await world.http.get("/readyz")
            assert (ready.status_code, ready.json()["ready"]) == (503, False)
            reason = ready.json()["reason"]
            assert reason.startswith("A crash could lose what haru has confirmed: ")
            assert reason.endswith(f"{told}.")
            async with running(empty_database, demo=False) as local:
                assert (await local.http.get("/readyz")).status_code == 200
        assert (await world.http.get("/readyz")).status_code == 200


async def test_what_is_suitable_is_so_for_a_minute(database_url: str) -> None:
    now = 100.0
    served = as_application(database_url)
    suitability = Suitability(served, lambda: now)
    assert await suitability.fault() is None
    async with set_on(database_url, f"DATABASE {make_url(served).database}", "off"):
        now += FRESH_SECONDS - 0.1
        assert await suitability.fault() is None
        now += 0.1
        assert "synchronous_commit" in str(await suitability.fault())
    assert await suitability.fault() is None
    away = make_url(served).set(database="no_such").render_as_string(hide_password=False)
    with pytest.raises(Unavailable):
        await Suitability(away, lambda: now).fault()


async def test_a_server_that_could_lose_what_it_confirms_says_so(database_url: str) -> None:
    served = as_application(database_url)
    secrets = {"HARU_SECRET": "x" * 32, "HARU_SEED_KEYS": SEED_KEYS}
    for_real = {"HARU_ENV": "stage", "DATABASE_URL": served, "PORT": "0", **secrets}
    async with set_on(database_url, f"DATABASE {make_url(served).database}", "local"):
        code, said = await run("serve", **for_real)
    assert code == 1
    assert said.startswith("Error: A crash could lose what haru has confirmed: synchronous_commit is local, ")


@pytest.mark.parametrize("ignored", ["", IGNORE], ids=["refusing", "dropping"])
async def test_pgbouncer_that_lends_out_sessions(empty_database: str, ignored: str) -> None:
    """Whether it refuses start-up parameters or drops them: nobody waits for a lock longer than is promised."""
    served = as_application(empty_database)
    async with pgbouncer(served, "session", ignore_startup_parameters=ignored) as url:
        await check_suitability(url)
        async with running(empty_database, DATABASE_URL=url, HARU_LOCK_WAIT_SECONDS=1) as world:
            alice = await world.player()
            assert (await alice.play())["__typename"] == "DicePlay"
            assert (await world.http.get("/readyz")).status_code == 200
            async with world.parts.database.hot() as hot, world.parts.database.engine.connect() as toolkit:
                assert await hot.fetchval("SHOW lock_timeout") == "1s"
                assert (await toolkit.exec_driver_sql("SHOW lock_timeout")).scalar() == "1s"
            async with another_session(empty_database) as session, session.transaction():
                await session.execute('SELECT FROM "user" FOR UPDATE')
                async with asyncio.timeout(60):  # 1 s on a machine that has nothing else to do
                    assert (await alice.play())["code"] == "LOCK_NOT_ACQUIRED"
            async with asyncio.timeout(60):
                await world.parts.signals.listening()


@pytest.mark.parametrize("mode", ["transaction", "statement"])
@pytest.mark.parametrize("order", ["0", "1"], ids=["the last first", "in turn"])
async def test_pgbouncer_that_lends_out_transactions(database_url: str, mode: str, order: str) -> None:
    async with pgbouncer(database_url, mode, server_round_robin=order) as url:
        for command, failed in (("db verify", 2), ("serve", 1)):
            code, said = await run(*command.split(), DATABASE_URL=url, PORT="0")
            assert code == failed
            assert said.startswith("Error: A pooler (PgBouncer) lends out ")
            assert "pool_mode = session" in said


async def test_pgbouncer_without_a_database(database_url: str) -> None:
    async with pgbouncer(database_url, "session") as url:
        elsewhere = make_url(url).set(database="no_such").render_as_string(hide_password=False)
        with pytest.raises(Unavailable) as away:
            await check_suitability(elsewhere)
        assert why(away.value).startswith("the connection is refused (127.0.0.1:")
