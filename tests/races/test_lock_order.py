"""Whoever locks several rows locks them by id: two that lock the same ones never wait for each other.

Rows lie in the tables in another order, and are found in that: no index happens to give the right one. Somebody else
holds the second of three; whoever waits for it holds the first by then, and not the third.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest
from sqlalchemy import make_url

from models import FeatureType
from services.coupon_files import Code
from services.rules.play import Play
from services.sessions import HOT_SESSION
from services.store import lock
from tests.conftest import run_sql
from tests.games import all_in_stock
from tests.goods import admin, grant, grant_of
from tests.races.test_held_locks import TEA, held
from tests.races.test_make_goods import load_codes
from tests.races.test_publishing import until_somebody_waits
from tests.world import World, running

PLAYERS = ("a", "b", "c")
NO_INDEX = ("indexscan", "indexonlyscan", "bitmapscan")


@pytest.fixture
async def scanned(empty_database: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """A world whose sessions read tables from their beginning to their end; with one lane, which waits for long."""
    monkeypatch.setattr("services.lanes.LANE_LOCK_SECONDS", 5.0)
    monkeypatch.setitem(HOT_SESSION, "enable_seqscan", "on")
    name = make_url(empty_database).database
    await run_sql(empty_database, *(f"ALTER DATABASE {name} SET enable_{scan} = off" for scan in NO_INDEX))
    try:
        async with running(empty_database, HARU_LANES=1) as world:
            for player in PLAYERS:
                await world.player(player)
            await all_in_stock(world.sql, 100)
            yield world
    finally:
        await run_sql(empty_database, *(f"ALTER DATABASE {name} RESET enable_{scan}" for scan in NO_INDEX))


async def play_together(world: World) -> None:
    """Three players are served by one statement."""
    plays = (Play(world.clients[player].player_id, "k", FeatureType.DICE) for player in PLAYERS)
    await asyncio.gather(*map(world.parts.lanes.submit, plays))


async def lock_alone(world: World) -> None:
    """What a batch takes that wins coupons, or that goes on where it has lost too often."""
    calendar, today = world.parts.calendar, world.parts.calendar.business_date(world.clock())
    async with world.parts.database.hot() as connection, connection.transaction():
        players = [world.clients[player].player_id for player in PLAYERS]
        await lock(connection, players, stocks_of=(calendar.starts_at(today), calendar.ends_at(today)))


async def draw(world: World) -> None:
    await world.clients["a"].play("drawLottery")


async def import_tea(world: World) -> None:
    """All who wait for it are served."""
    await load_codes(world, "TEA", [Code(line, f"T-{line}") for line in range(1, 4)])


CASES: dict[str, tuple[str, Callable[[World], Coroutine[Any, Any, None]]]] = {
    "a batch of plays": ('"user"', play_together),
    "players, under locks": ('"user"', lock_alone),
    "who waits for coupons": ('"user"', import_tea),
    "a draw": ("lottery_stock", draw),
    "stocks, under locks": ("lottery_stock", lock_alone),
}


@pytest.mark.parametrize("case", CASES)
async def test_rows_are_locked_by_id(scanned: World, case: str) -> None:
    table, command = CASES[case]
    ada = await admin(scanned)
    for player in PLAYERS:
        await grant(ada, grant_of(scanned.clients[player], TEA))  # the pool is empty
    await scanned.today(FeatureType.DICE if table == '"user"' else FeatureType.LOTTERY)
    some = "WHERE length(external_id) = 1" if table == '"user"' else ""
    first, second, third, *_ = await ids(scanned, f"SELECT id FROM {table} {some} ORDER BY id")
    await scanned.sql.execute(f"UPDATE {table} SET id = id WHERE id = $1", first)
    assert (await ids(scanned, f"SELECT id FROM {table} {some}"))[-1] == first, "it lies behind the others"
    async with held(scanned, f"SELECT FROM {table} WHERE id = $1 FOR NO KEY UPDATE", second):
        waiting = asyncio.create_task(command(scanned))
        await until_somebody_waits(scanned)
        free = await ids(scanned, f"SELECT id FROM {table} FOR NO KEY UPDATE SKIP LOCKED")
    await waiting
    assert third in free
    assert first not in free


async def ids(world: World, query: str) -> list[Any]:
    return [row["id"] for row in await world.sql.fetch(query)]
