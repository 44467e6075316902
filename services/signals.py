"""Telling every process that something changed: PostgreSQL's LISTEN and NOTIFY, across workers and machines.

A signal says only what to read again, never what is there: whoever wakes up reads the database. So signals may be
merged, and after a lost connection everybody is woken once, because something may have been missed.

Nobody who waits for a signal holds a connection: one a process listens for all of its subscribers.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import func, select

from services.calendar import Calendar, Clock
from services.database import Database
from services.outages import OutageLog
from services.transaction import Transaction

logger = logging.getLogger("haru.signals")
outages = OutageLog(logger)

CHANNEL = "haru"
DAY = "day"
"""Today's feature, or what is played, may be another.

Each process signals it itself at midnight and where a window begins or ends.
"""
STOCK = "stock"
"""The stock of the lottery has changed."""

TOKENS = "tokens"
"""Somebody's tokens were revoked, or somebody was blocked, or is no longer."""

STOCK_SECONDS = 0.5
RECONNECT_SECONDS = 0.5
PROBE_SECONDS = 20.0
LONGEST_NAP_SECONDS = 1.0
"""Clocks are set now and then: nobody sleeps until midnight in one go."""


def ranking(date: object) -> str:
    """The topic of one date's ranking."""
    return f"ranking:{date}"


async def announce(tx: Transaction, topic: str) -> None:
    """Signal `topic` to all processes when the transaction commits, and not if it does not."""
    await tx.connection.execute(select(func.pg_notify(CHANNEL, topic)))


class Signals:
    """One process's ear: a listening connection, and the subscribers that it wakes.

    Use as an async context manager. It starts without a database, and comes back after one was lost.
    """

    def __init__(self, database: Database, calendar: Calendar, clock: Clock) -> None:
        self._database = database
        self._calendar = calendar
        self._clock = clock
        self._subscribers: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self._tasks: list[asyncio.Task[None]] = []
        self._stock_changed = asyncio.Event()
        self._turns: set[dt.datetime] = set()
        self._listening = asyncio.Event()
        self.tokens_changed = asyncio.Event()
        """Set whenever TOKENS is signalled, or may have been; whoever waits for it clears it, then reads."""

    @asynccontextmanager
    async def subscribe(self, *topics: str) -> AsyncIterator[asyncio.Event]:
        """An event that is set whenever one of `topics` is signalled; the subscriber clears it, then reads."""
        event = asyncio.Event()
        for topic in topics:
            self._subscribers[topic].add(event)
        try:
            yield event
        finally:
            for topic in topics:
                self._subscribers[topic].discard(event)
                if not self._subscribers[topic]:
                    del self._subscribers[topic]

    @property
    def subscribers(self) -> int:
        """How many wait for a change."""
        return len(set[asyncio.Event]().union(*self._subscribers.values()))

    def stock_changed(self) -> None:
        """Signal STOCK to all processes, soon: at most once every STOCK_SECONDS, and never in the way of a play."""
        self._stock_changed.set()

    def wake_at(self, instant: dt.datetime) -> None:
        """Signal DAY within this process at an instant to come, too: what is played turns by itself."""
        self._turns.add(instant)

    async def listening(self) -> None:
        """Wait until signals are heard."""
        await self._listening.wait()

    async def __aenter__(self) -> Signals:
        jobs = (self._listen(), self._announce_stock(), self._announce_turns())
        self._tasks = [asyncio.create_task(job) for job in jobs]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _listen(self) -> None:
        """Keep a listening connection, whatever happens to the database."""
        while True:
            with outages.told("nothing is heard of changes; it will be tried again"):
                await self._listen_once()
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _listen_once(self) -> None:
        """Listen until the connection is lost. Raises: what that looks like."""
        connection = await self._database.connect_hot()
        lost = asyncio.Event()
        try:
            connection.add_termination_listener(lambda _connection: lost.set())
            await connection.add_listener(CHANNEL, self._heard)
            self._listening.set()
            self._wake(TOKENS, *self._subscribers)
            while not connection.is_closed():
                try:
                    async with asyncio.timeout(PROBE_SECONDS):
                        await lost.wait()
                except TimeoutError:
                    await connection.execute("SELECT")  # a dead peer shows only when it is spoken to
            raise ConnectionResetError("the session ended")  # told like every other way of losing it
        finally:
            self._listening.clear()
            connection.terminate()

    def _heard(self, _connection: object, _pid: int, _channel: str, topic: object) -> None:
        self._wake(str(topic))

    def _wake(self, *topics: str) -> None:
        if TOKENS in topics:
            self.tokens_changed.set()
        for topic in topics:
            for event in self._subscribers.get(topic, ()):
                event.set()

    async def _announce_stock(self) -> None:
        """Pass stock changes on. A signal that is lost with the database is made up for by the next draw."""
        while True:
            await self._stock_changed.wait()
            self._stock_changed.clear()
            with outages.told("a change of stock could not be signalled"):
                async with self._database.hot() as connection:
                    await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, STOCK)
            await asyncio.sleep(STOCK_SECONDS)

    async def _announce_turns(self) -> None:
        """Signal DAY within this process whenever the day turns, or what is played on it."""
        today = self._calendar.business_date(self._clock())
        while True:
            now = self._clock()
            date = self._calendar.business_date(now)
            passed = {instant for instant in self._turns if instant <= now}
            if date != today or passed:
                today = date
                self._turns -= passed
                self._wake(DAY)
            left = min({self._calendar.ends_at(date), *self._turns}) - now
            await asyncio.sleep(min(left.total_seconds(), LONGEST_NAP_SECONDS))
