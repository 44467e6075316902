"""What is given up is given up in the database, too: no statement runs on for somebody who has gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import text

from services.database import Database
from services.sessions import HOT_SESSION, SESSION
from tests.world import World

SLEEP = "SELECT pg_sleep(240)"
RUNNING = f"""
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND state = 'active' AND query = '{SLEEP}' AND pid <> pg_backend_pid()
"""


@pytest.fixture
async def endless(world: World, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Database]:
    """A database whose statements no time-out ends: only who gives them up does."""
    for name, session in (("SESSION", SESSION), ("HOT_SESSION", HOT_SESSION)):
        monkeypatch.setattr(f"services.database.{name}", {**session, "statement_timeout": "0"})
    monkeypatch.setattr("services.database.STATEMENT_TIMEOUT_SECONDS", 240.0)
    database = Database(str(world.settings.database_url))
    yield database
    await database.close()


async def reading(database: Database) -> None:
    async with database.read() as connection:
        await connection.execute(text(SLEEP))


async def in_a_snapshot(database: Database) -> None:
    async with database.snapshot() as connection:
        await connection.execute(text("SELECT 1"))
        await connection.execute(text(SLEEP))


async def in_a_transaction(database: Database) -> None:
    async with database.engine.begin() as connection:
        await connection.execute(text(SLEEP))


async def hot(database: Database) -> None:
    async with database.hot() as connection:
        await connection.fetch(SLEEP)


WAYS: list[Callable[[Database], Awaitable[None]]] = [reading, in_a_snapshot, in_a_transaction, hot]


async def until(world: World, running: int) -> None:
    async with asyncio.timeout(60):
        while await world.sql.fetchval(RUNNING) != running:
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("way", WAYS)
async def test_a_statement_ends_with_its_deadline(world: World, endless: Database, way: Any) -> None:
    task = asyncio.create_task(way(endless))
    await until(world, 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(world, 0)  # by itself it would end much later
