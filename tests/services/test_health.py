"""How the database is: whether what is new can be written, by whatever makes it read-only."""

from __future__ import annotations

import asyncio

from sqlalchemy import make_url

from services.health import LOOK, Health
from tests.games import another_session
from tests.world import World

DATABASE, ROLE, BOTH, ELSEWHERE = (
    "DATABASE {here}",
    "ROLE {me}",
    "ROLE {me} IN DATABASE {here}",
    "ROLE {me} IN DATABASE {there}",
)

WRITABLE = f"SELECT is_writable FROM ({LOOK}) AS look"

SET: list[tuple[dict[str, str], bool]] = [
    ({}, True),
    ({DATABASE: "on"}, False),
    ({DATABASE: "'TRUE'"}, False),
    ({DATABASE: "off"}, True),
    ({ROLE: "off", DATABASE: "on"}, True),
    ({DATABASE: "off", ROLE: "on"}, False),
    ({DATABASE: "on", ROLE: "on", BOTH: "off"}, True),
    ({BOTH: "on", ROLE: "off", DATABASE: "off"}, False),
    ({ELSEWHERE: "on"}, True),
]
"""What is set, and whether a session to come can write. The more special wins."""


async def test_what_is_set_for_sessions_to_come_is_known_before_there_are_any(world: World, server_url: str) -> None:
    """It is set and taken back in a transaction: nobody else sees it."""
    url = make_url(str(world.settings.owner_url))
    names = {"here": url.database, "me": url.username, "there": make_url(server_url).database}
    found = []
    async with another_session(str(world.settings.owner_url)) as session:
        for settings, _ in SET:
            transaction = session.transaction()
            await transaction.start()
            await session.execute(f"ALTER ROLE {url.username} SET statement_timeout = '1h'")
            for scope, value in settings.items():
                await session.execute(f"ALTER {scope.format(**names)} SET default_transaction_read_only = {value}")
            found.append((settings, await session.fetchval(WRITABLE)))
            await transaction.rollback()
        async with session.transaction(readonly=True):
            assert await session.fetchval(WRITABLE) is False
    assert found == SET


async def test_its_session_ends_with_it(world: World) -> None:
    health = Health(world.parts.database)
    state = await health.look()
    assert (state.is_writable, state.revision) == (
        True,
        await world.sql.fetchval("SELECT version_num FROM alembic_version"),
    )
    pid = (await health._session.get()).get_server_pid()
    health.close()
    async with asyncio.timeout(30):
        while await world.sql.fetchval("SELECT count(*) FROM pg_stat_activity WHERE pid = $1", pid):
            await asyncio.sleep(0.01)
