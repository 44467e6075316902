"""A database that is there, and does not do: clients are told to try again, operators are told why."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest
from sqlalchemy import make_url, text

from models import Role
from services.database import Database
from services.outages import why
from services.request_errors import Unavailable
from tests.games import another_session
from tests.world import Client, World

END_SESSIONS = """
SELECT count(pg_terminate_backend(pid, 2000)) FROM pg_stat_activity WHERE application_name = 'haru' AND datname = $1
"""

SET_BLOCKED = """mutation ($id: ID!) { setPlayerBlocked(input: {playerId: $id, blocked: true, reason: "a test"}) {
    __typename } }"""

WORDS = {
    "53100": "the database's disk is full",
    "53200": "the database is out of memory",
    "53400": "the database lacks resources",
    "58030": "the database cannot read or write its files",
    "XX001": "the database cannot read or write its files",
    "42501": "the role lacks a right",
}


@asynccontextmanager
async def failing_writes(world: World, sqlstate: str) -> AsyncIterator[None]:
    """Every row that a play or a command of staff's adds fails with this code."""
    await world.sql.execute(
        "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN RAISE EXCEPTION 'could not write' USING ERRCODE = '{sqlstate}'; END $$"
    )
    for table in ("dice_log", "audit_log"):
        await world.sql.execute(f"CREATE TRIGGER fail BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION fail()")
    try:
        yield
    finally:
        await world.sql.execute("DROP FUNCTION fail CASCADE")


def assert_unavailable(answer: dict[str, Any]) -> None:
    assert "errors" in answer, answer
    [error] = answer["errors"]
    assert error["extensions"] == {"code": "UNAVAILABLE", "retryable": True}
    assert error["message"] == "The database does not answer at the moment; try again shortly."


async def play(player: Client, key: str) -> dict[str, Any]:
    return await player.execute(
        "mutation ($key: String!) { playDice(input: {idempotencyKey: $key}) { __typename } }", key=key
    )


@pytest.mark.parametrize("sqlstate", WORDS)
async def test_what_cannot_be_written_is_to_be_tried_again(
    world: World, sqlstate: str, caplog: pytest.LogCaptureFixture
) -> None:
    alice, ada = await world.player(), await world.player("ada", Role.ADMIN)
    players = [await world.player(f"player {number}") for number in range(20)]
    before = await world.written()
    async with failing_writes(world, sqlstate):
        answers = list(await asyncio.gather(*(play(player, "k") for player in players)))
        answers.append(await ada.execute(SET_BLOCKED, id=alice.id))
        for answer in answers:
            assert_unavailable(answer)
        assert await world.written() == before
    told = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert 1 <= len(told) < len(answers) / 2
    assert all(record.exc_info is None for record in told)
    assert f"a request was answered UNAVAILABLE: {WORDS[sqlstate]}: could not write" in caplog.text
    assert (await play(players[0], "k"))["data"]["playDice"]["__typename"] == "DicePlay"


CLOSED = {
    "ALLOW_CONNECTIONS false": ("ALLOW_CONNECTIONS true", "the database takes no connections"),
    "CONNECTION LIMIT 0": ("CONNECTION LIMIT -1", "the database has no connection left"),
}


@pytest.mark.parametrize("closing", CLOSED)
async def test_a_database_that_is_closed_to_connections(
    world: World, server_url: str, closing: str, caplog: pytest.LogCaptureFixture
) -> None:
    opening, words = CLOSED[closing]
    alice, name = await world.player(), make_url(str(world.settings.database_url)).database
    async with another_session(server_url) as outside:
        await outside.execute(f"ALTER DATABASE {name} {closing}")
        try:
            await outside.execute(END_SESSIONS, name)
            await asyncio.sleep(0.05)  # the end is on its way
            assert_unavailable(await play(alice, "k"))
            assert_unavailable(await alice.execute("{ diceStatus { __typename } }"))
            ready = await world.http.get("/readyz")
            assert (ready.status_code, ready.json()["reason"]) == (503, "the database does not answer")
        finally:
            await outside.execute(f"ALTER DATABASE {name} {opening}")
    assert f"a request was answered UNAVAILABLE: {words} (" in caplog.text
    assert f"not ready: {words} (" in caplog.text
    assert (await play(alice, "k"))["data"]["playDice"]["__typename"] == "DicePlay"
    await alice.data("{ diceStatus { __typename } }")


@pytest.mark.parametrize("scope", ["DATABASE {}", "ROLE {}"], ids=["database", "role"])
async def test_a_database_that_is_read_only_for_a_while(world: World, scope: str) -> None:
    """Sessions of that time stay as they are: they are given up, so that all goes on without a restart."""
    url = make_url(str(world.settings.database_url))
    alice, ada = await world.player(), await world.player("ada", Role.ADMIN)
    of_database = "DATABASE" in scope
    what = f"ALTER {scope.format(url.database if of_database else url.username)}"

    async def change(how: str) -> None:
        """As the one whose it is: a role may change what is its own."""
        whose = world.settings.owner_url if of_database else world.settings.database_url
        async with another_session(str(whose)) as session:
            await session.execute("SET default_transaction_read_only = off")
            await session.execute(f"{what} {how} default_transaction_read_only{' = on' if how == 'SET' else ''}")

    await change("SET")
    try:
        ready = await world.http.get("/readyz")  # sessions that are there can write still
        assert (ready.status_code, ready.json()["reason"]) == (503, "the database is read-only")
        await world.sql.execute(END_SESSIONS, url.database)
        await asyncio.sleep(0.05)
        assert_unavailable(await play(alice, "k"))
        assert_unavailable(await ada.execute(SET_BLOCKED, id=alice.id))
        assert await alice.data("{ diceStatus { __typename } }")
    finally:
        await change("RESET")
    assert (await play(alice, "k"))["data"]["playDice"]["__typename"] == "DicePlay"
    await ada.data(SET_BLOCKED, id=alice.id)
    await asyncio.sleep(1.0)  # an answer holds for a second
    assert (await world.http.get("/readyz")).status_code == 200


async def test_where_there_is_no_such_database_role_or_host(server_url: str) -> None:
    there = make_url(server_url)
    for url, words in (
        (there.set(database="no_such"), "there is no such database"),
        (there.set(username="stranger"), "the login is refused"),
        (make_url("postgresql://haru@no-such-host.invalid/haru"), "the host is unknown (no-such-host.invalid:5432)"),
        (make_url("postgresql://haru@127.0.0.1:1/haru"), "the database is out of reach (127.0.0.1:1)"),
    ):
        if "owner@" not in server_url and "login" in words:
            continue  # only the embedded database is known to have no such role
        database = Database(url.render_as_string(hide_password=False))
        for way in (database.hot(), database.read()):
            with pytest.raises(Unavailable) as away:
                await way.__aenter__()
            assert why(away.value).startswith(words)
        await database.close()


async def test_tables_that_are_elsewhere(world: World) -> None:
    async with world.parts.database.hot() as connection, connection.transaction():
        await connection.execute("SET LOCAL search_path = pg_temp")
        with pytest.raises(asyncpg.UndefinedTableError) as elsewhere:
            await connection.execute("DELETE FROM dice_log")
    assert why(elsewhere.value).startswith("the database is at another revision, or search_path leads elsewhere: ")
    with pytest.raises(Unavailable):
        async with world.parts.database.read() as toolkit:
            await toolkit.execute(text("SELECT FROM no_such_table"))
