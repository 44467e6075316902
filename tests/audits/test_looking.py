"""How an audit looks: at one state of the database, which it leaves as it is, and at as much as it has room for."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.exc import DBAPIError

from services.audits.check import Check, Finding, Snapshot
from services.audits.run import TOLD, look, reading
from services.calendar import Calendar
from services.request_errors import Unavailable
from tests.world import World

NOBODY: Any = None
SNAPSHOT = Snapshot(NOBODY, Calendar(ZoneInfo("Asia/Seoul")), dt.datetime(2026, 3, 2, tzinfo=dt.UTC))


@pytest.mark.parametrize("readers", [1, 2, 3])
async def test_all_readers_see_one_state_and_change_nothing(world: World, readers: int) -> None:
    counted = 'SELECT count(*) FROM "user"'
    before = await world.count("user")
    async with reading(world.settings.owner_url or "", readers) as connections:
        assert len(connections) == readers
        await world.player("somebody who comes meanwhile")
        for connection in connections:
            assert (await connection.exec_driver_sql(counted)).scalar_one() == before
            assert (await connection.exec_driver_sql("SHOW work_mem")).scalar_one() == "64MB"
        for connection in connections:
            with pytest.raises(DBAPIError, match="read-only transaction"):
                await connection.exec_driver_sql('DELETE FROM "user"')
    assert await world.count("user") == before + 1


def check(name: str, found: int, first: Callable[[], Awaitable[Any]]) -> Check:
    """A check that finds so much once something has happened."""

    async def find(_: Snapshot) -> AsyncIterator[Finding]:
        await first()
        for number in range(found):
            yield Finding(name, {"number": number}, "is wrong")

    return Check(name, f"{name} is right.", find)


async def at_once() -> None:
    """Wait for nothing."""


async def test_checks_are_told_in_their_order_and_so_much_of_each() -> None:
    begun = asyncio.Event()

    async def begin() -> None:
        begun.set()

    checks = [check("last", 1, begun.wait), check("much", TOLD + 1, begin), check("most", TOLD, at_once)]
    told: list[tuple[int, str]] = []
    async with asyncio.timeout(10):
        looked = await look(
            [SNAPSHOT] * 2, checks, progress=lambda done, following: told.append((done, following.name))
        )
    assert [(one.check.name, one.count) for one in looked] == [("last", 1), ("much", TOLD + 1), ("most", TOLD)]
    assert [[finding.key["number"] for finding in one.findings] for one in looked] == [
        list(range(one.count))[:TOLD] for one in looked
    ]
    assert told[0] == (0, "last")
    assert {name for _, name in told} == {"last", "much", "most"}


async def test_one_that_fails_ends_those_that_are_under_way() -> None:
    begun, ended = asyncio.Event(), list[str]()

    async def hang() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            for _ in range(9):
                await asyncio.sleep(0)
            ended.append("hanging")

    async def fail() -> None:
        await begun.wait()
        raise Unavailable

    with pytest.raises(Unavailable):
        async with asyncio.timeout(10):
            await look([SNAPSHOT] * 2, [check("hanging", 0, hang), check("failing", 0, fail)])
    assert ended == ["hanging"]
