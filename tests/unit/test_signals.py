"""Signals that a process gives itself, with nobody to listen to: what is played turns by the clock alone."""

from __future__ import annotations

import asyncio
import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from server.clock import wall_clock
from services import signals as module
from services.calendar import Calendar
from services.database import Database
from services.signals import DAY, STOCK, Signals
from tests.world import NOON

CALENDAR = Calendar(ZoneInfo("Asia/Seoul"))
MIDNIGHT = NOON + dt.timedelta(hours=12)
MOMENT = dt.timedelta(microseconds=1)


class Clock:
    """A clock that stands still until it is set, and counts who looks at it."""

    now = NOON
    looks = 0

    def __call__(self) -> dt.datetime:
        self.looks += 1
        return self.now

    async def turns(self, event: asyncio.Event, now: dt.datetime) -> bool:
        """Set the clock; whether the event is set by the time it has been looked at, and thought about."""
        self.now, looks = now, self.looks
        async with asyncio.timeout(30):
            while self.looks < looks + 3:
                await asyncio.sleep(0.001)
        was_set = event.is_set()
        event.clear()
        return was_set


@pytest.fixture
async def nowhere() -> Database:
    return Database("postgresql://haru@127.0.0.1:1/haru")


async def test_what_is_played_turns_at_midnight_and_at_each_instant_once(
    nowhere: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LONGEST_NAP_SECONDS", 0.001)
    clock, first, second = Clock(), NOON + dt.timedelta(hours=1), NOON + dt.timedelta(hours=2)
    async with Signals(nowhere, CALENDAR, clock) as signals, signals.subscribe(DAY) as day:
        for instant in (second, first, MIDNIGHT + dt.timedelta(hours=1), second):
            signals.wake_at(instant)
        for instant in (first, second, MIDNIGHT, MIDNIGHT + dt.timedelta(hours=1)):
            assert not await clock.turns(day, instant - MOMENT)
            assert await clock.turns(day, instant)
            assert not await clock.turns(day, instant)


async def test_the_next_of_several_instants_is_slept_until(nowhere: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST_NAP_SECONDS", 3600.0)
    signals = Signals(nowhere, CALENDAR, wall_clock)
    for seconds in (1800, 0.05, 1200):
        signals.wake_at(wall_clock() + dt.timedelta(seconds=seconds))
    async with signals.subscribe(DAY) as day, signals, asyncio.timeout(30):
        await day.wait()


async def test_nothing_goes_on_after_the_end(nowhere: Database) -> None:
    before = asyncio.all_tasks()
    async with Signals(nowhere, CALENDAR, wall_clock):
        assert len(asyncio.all_tasks() - before) == 3
    assert asyncio.all_tasks() == before


async def test_a_subscriber_of_several_topics_is_one_and_leaves_the_others_alone(nowhere: Database) -> None:
    clock = Clock()
    signals = Signals(nowhere, CALENDAR, clock)
    async with signals.subscribe(DAY) as stays, signals:
        async with signals.subscribe(DAY, STOCK):
            assert signals.subscribers == 2
        assert signals.subscribers == 1
        signals.wake_at(NOON)
        async with asyncio.timeout(30):
            await stays.wait()
    assert signals.subscribers == 0
