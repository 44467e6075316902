"""Connections: the two ways to read, sessions that the server ended, and what a URL may say."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError

from models import Role
from services.database import Database, milliseconds
from services.request_errors import Unavailable
from services.transaction import Transaction
from tests.games import another_session
from tests.services.test_addresses import gone
from tests.world import Client, World, running

NOW = text("SELECT now()")
PID = text("SELECT pg_backend_pid()")
SESSIONS = """
FROM pg_stat_activity WHERE application_name = 'haru' AND datname = current_database() AND pid <> pg_backend_pid()
"""


def named(world: World, name: str) -> str:
    """The database's address, for sessions of this name."""
    url = make_url(str(world.settings.database_url)).update_query_dict({"application_name": name})
    return url.render_as_string(hide_password=False)


async def test_a_read_costs_no_transaction(world: World) -> None:
    async with world.parts.database.read() as connection:
        assert await connection.scalar(NOW) != await connection.scalar(NOW)


async def test_what_a_long_session_held_is_free_when_it_is_left(world: World) -> None:
    """Whoever comes next would be told that somebody else is at it."""
    for _ in range(20):
        async with world.parts.database.long() as connection:
            await connection.execute("SELECT pg_advisory_lock(1)")
        assert await world.sql.fetchval("SELECT pg_try_advisory_lock(1)")
        await world.sql.execute("SELECT pg_advisory_unlock(1)")


async def test_a_snapshot_is_one_transaction_that_writes_nothing(world: World) -> None:
    database, count = world.parts.database, text("SELECT count(*) FROM coupon_code")
    async with database.snapshot() as connection:
        before = await connection.scalar(count)
        await world.sql.execute("INSERT INTO coupon_code (coupon_type, code, imported_at) VALUES ('TEA', '1', now())")
        assert await connection.scalar(count) == before
    async with database.read() as connection:  # the same session is as it was before
        assert await connection.scalar(count) == before + 1
        session = await connection.scalar(PID)
    async with database.snapshot() as connection:
        assert await connection.scalar(PID) == session
        with pytest.raises(DBAPIError, match="read-only transaction"):
            await connection.execute(text("DELETE FROM coupon_waiting"))
    async with database.read() as connection:  # as if the server had become a standby
        assert await connection.scalar(PID) != session


async def test_what_is_held_is_counted_and_given_back(world: World) -> None:
    database = Database(named(world, "counted"), pool_size=2)
    assert database.in_use == {"players": 0, "staff": 0}
    async with database.hot() as first:
        async with database.hot() as second:
            assert database.in_use == {"players": 2, "staff": 0}
            assert first is not second
        assert database.in_use == {"players": 1, "staff": 0}
        async with database.read(), database.snapshot():
            assert database.in_use == {"players": 1, "staff": 2}
            more = asyncio.create_task(database.read().__aenter__())
            await asyncio.sleep(0.2)
            assert (database.in_use["staff"], more.done()) == (2, False)
            more.cancel()
    await asyncio.gather(more, return_exceptions=True)
    assert database.in_use == {"players": 0, "staff": 0}
    await database.close()
    await gone(world.sql, "counted")


async def test_a_long_session_ends_whatever_fails(world: World) -> None:
    database = Database(named(world, "long"))

    async def fail(failure: BaseException) -> None:
        async with database.long() as connection:
            assert await connection.fetchval("SELECT current_setting('application_name')") == "long"
            raise failure

    for failure in (KeyError(), asyncio.CancelledError()):
        with pytest.raises(type(failure)):
            await fail(failure)
        await gone(world.sql, "long")


async def test_sessions_that_the_server_ended_are_replaced_unseen(world: World) -> None:
    async with world.parts.database.read(), world.parts.database.snapshot():
        pass
    assert await world.sql.fetchval(f"SELECT count(pg_terminate_backend(pid, 2000)) {SESSIONS}") >= 2
    await asyncio.sleep(0.05)  # the end is on its way
    async with world.parts.database.read() as connection:
        assert await connection.scalar(NOW)
    async with world.parts.database.snapshot() as connection:
        assert await connection.scalar(NOW)


async def test_a_table_that_is_held_for_long_makes_a_read_unavailable(empty_database: str) -> None:
    async with running(empty_database, HARU_LOCK_WAIT_SECONDS=0.5) as world:
        alice = await world.player()
        async with another_session(empty_database) as session, session.transaction():
            await session.execute("LOCK TABLE feature_schedule, reward_balance")
            for query in ("{ todayFeature { __typename } }", "{ me { balances { amount } } }"):
                assert await alice.error_code(query) == "UNAVAILABLE"


@pytest.mark.parametrize(
    ("url", "mode"),
    [
        ("postgresql+asyncpg://u:p@db.example:6000/haru", None),
        ("postgresql+asyncpg://u:p@db.example:6000/haru?sslmode=require", "require"),
        ("postgresql://u:p@db.example:6000/haru?ssl=require", "require"),
        ("postgresql://u:p@db.example:6000/haru?application_name=mine&sslmode=verify-full", "verify-full"),
    ],
)
async def test_both_pools_understand_what_a_url_says_of_tls(
    url: str, mode: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[dict[str, Any]] = []

    async def connect(**arguments: Any) -> Any:
        given.append(arguments)
        raise ConnectionRefusedError

    monkeypatch.setattr(asyncpg, "connect", connect)
    database = Database(url)
    with pytest.raises(ConnectionRefusedError):
        await database.connect_hot(lock_timeout_seconds=1)
    for opening in (database.hot(), database.read()):
        with pytest.raises(Unavailable):
            await opening.__aenter__()
    assert len(given) == 3
    for arguments in given:
        assert arguments["host"] == ["db.example"]
        assert arguments["port"] == [6000]
        assert (arguments["user"], arguments["password"], arguments["database"]) == ("u", "p", "haru")
        assert arguments.get("dsn") == (f"postgresql://?sslmode={mode}" if mode else None)


async def test_a_socket_is_found_whatever_port_the_environment_names(
    empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPORT", "1")
    async with running(empty_database) as world:
        alice = await world.player()
        assert (await alice.play())["__typename"] == "DicePlay"
        assert await alice.data("{ me { id } }")


async def test_a_session_that_ends_during_a_read_makes_it_unavailable(world: World) -> None:
    with pytest.raises(Unavailable):
        async with world.parts.database.read() as connection:
            await connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))


async def test_a_hot_connection_to_a_standby_is_given_up(world: World) -> None:
    served_by = []

    async def write(*, readonly: bool) -> None:
        async with world.parts.database.hot() as connection, connection.transaction(readonly=readonly):
            served_by.append(connection.get_server_pid())
            await connection.execute("DELETE FROM coupon_waiting WHERE false")

    with pytest.raises(Unavailable):
        await write(readonly=True)
    await write(readonly=False)
    assert served_by[0] != served_by[1]


async def test_a_pool_is_opened_once(empty_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    database, made = Database(empty_database), []
    create_pool = asyncpg.create_pool

    async def counted(**options: Any) -> Any:
        made.append(options)
        await asyncio.sleep(0)  # so that the others come meanwhile
        return await create_pool(**options)

    monkeypatch.setattr(asyncpg, "create_pool", counted)

    async def use() -> None:
        async with database.hot() as connection:
            assert await connection.fetchval("SELECT 1") == 1

    await asyncio.gather(*(use() for _ in range(5)))
    assert len(made) == 1
    await database.close()


async def test_what_is_still_in_use_does_not_keep_a_database_open(
    empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, using = Database(empty_database), asyncio.Event()

    async def use() -> None:
        async with database.hot() as connection:
            using.set()
            await connection.execute("SELECT pg_sleep(20)")

    user = asyncio.create_task(use())
    await using.wait()
    monkeypatch.setattr("services.database.CLOSE_SECONDS", 0.05)
    await database.close()
    with pytest.raises(Unavailable):
        await user


async def test_a_database_before_its_first_migration_has_no_revision(world: World) -> None:
    await world.sql.execute("ALTER TABLE alembic_version RENAME TO elsewhere")
    try:
        ready = await world.http.get("/readyz")
        assert (ready.status_code, ready.json()["revision"]) == (503, None)
    finally:
        await world.sql.execute("ALTER TABLE elsewhere RENAME TO alembic_version")


@pytest.mark.parametrize(
    ("statement", "attempts"), [("SELECT 1 / 0", 1), ("SELECT haru_conflict_unless(false, NULL)", 5)]
)
async def test_a_command_that_fails_is_run_again_where_that_may_help(
    world: World, statement: str, attempts: int
) -> None:
    tried = []

    async def command(tx: Transaction) -> None:
        tried.append(tx)
        await tx.connection.execute(text(statement))

    with pytest.raises(DBAPIError):
        await world.parts.transact(command)
    assert len(tried) == attempts


def test_how_long_a_lock_is_waited_for_is_told_in_milliseconds() -> None:
    assert [milliseconds(seconds) for seconds in (0.01, 1, 2.5)] == ["10ms", "1000ms", "2500ms"]


async def test_a_token_of_nobody_s_reads_nothing(world: World) -> None:
    nobody = Client(world.http, world.parts.issue_token(UUID(int=1), Role.PLAYER).text)
    for query in ("{ me { id } }", "{ diceStatus { __typename } }", "{ seasonPassStatus { __typename } }"):
        assert await nobody.error_code(query) == "UNAUTHENTICATED"
