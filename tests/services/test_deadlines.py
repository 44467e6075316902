"""What is given up is given up in the database, too: no statement runs on for somebody who has gone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import text

from services.database import Database
from tests.world import World

SLEEP = "SELECT pg_sleep(4.5)"
RUNNING = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND state = 'active' AND query = 'SELECT pg_sleep(4.5)' AND pid <> pg_backend_pid()
"""


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


async def until(world: World, running: int, seconds: float) -> None:
    async with asyncio.timeout(seconds):
        while await world.sql.fetchval(RUNNING) != running:
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("way", WAYS)
async def test_a_statement_ends_with_its_deadline(world: World, way: Any) -> None:
    task = asyncio.create_task(way(world.parts.database))
    await until(world, 1, 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(world, 0, 3)  # by itself it would end later
