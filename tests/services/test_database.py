"""The two ways to read, and a pool whose sessions the server ended."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.world import World

NOW = text("SELECT now()")
SESSIONS = """
FROM pg_stat_activity WHERE application_name = 'haru' AND datname = current_database() AND pid <> pg_backend_pid()
"""


async def test_a_read_costs_no_transaction(world: World) -> None:
    async with world.parts.database.read() as connection:
        assert await connection.scalar(NOW) != await connection.scalar(NOW)


async def test_a_snapshot_is_one_transaction_that_writes_nothing(world: World) -> None:
    database, count = world.parts.database, text("SELECT count(*) FROM coupon_code")
    async with database.snapshot() as connection:
        before = await connection.scalar(count)
        await world.sql.execute("INSERT INTO coupon_code (coupon_type, code, imported_at) VALUES ('TEA', '1', now())")
        assert await connection.scalar(count) == before
        with pytest.raises(DBAPIError, match="read-only transaction"):
            await connection.execute(text("DELETE FROM coupon_code"))
    async with database.read() as connection:  # the same session is as it was before
        assert await connection.scalar(count) == before + 1


async def test_sessions_that_the_server_ended_are_replaced_unseen(world: World) -> None:
    async with world.parts.database.read(), world.parts.database.snapshot():
        pass
    assert await world.sql.fetchval(f"SELECT count(pg_terminate_backend(pid, 2000)) {SESSIONS}") >= 2
    await asyncio.sleep(0.05)  # the end is on its way
    async with world.parts.database.read() as connection:
        assert await connection.scalar(NOW)
    async with world.parts.database.snapshot() as connection:
        assert await connection.scalar(NOW)
