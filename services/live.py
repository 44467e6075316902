"""What subscribers read when they are woken. All of a process wake at once, so they are served together.

Those who ask while a read is under way are answered by the next one, so the newest answer never misses what was
signalled before it was asked for, and a process reads with one connection, however many of its clients watch.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import islice
from typing import Generic, TypeVar

from models import FeatureType
from services import features, ranking
from services.calendar import Calendar, Clock
from services.database import Database
from services.errors import DomainError, NoFeatureToday, RankingNotFound, Unauthenticated
from services.features import GameStatus
from services.rules.day import Day, Feature

Key = TypeVar("Key")
Value = TypeVar("Value")

AT_ONCE = 256
"""Players whose state is read by one statement."""

RANKINGS_AT_ONCE = 2
"""Rankings have a page and a row for each reader; the rest of the pool is for other requests."""


class Together(Generic[Key, Value]):
    """One read at a time, for all who ask: `read` takes the keys that were asked for, each once."""

    def __init__(self, read: Callable[[Sequence[Key]], Awaitable[Mapping[Key, Value]]]) -> None:
        self._read = read
        self._asked: dict[Key, asyncio.Future[Value]] = {}
        self._reading: asyncio.Task[None] | None = None

    async def __call__(self, key: Key) -> Value:
        """The value of `key`, read from now on. Raises: what `read` raises."""
        answer = self._asked.get(key)
        if answer is None:
            answer = self._asked[key] = asyncio.get_running_loop().create_future()
            answer.add_done_callback(_heard_of)
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._serve())
        return await asyncio.shield(answer)

    async def _serve(self) -> None:
        while self._asked:
            asked = {key: self._asked.pop(key) for key in list(islice(self._asked, AT_ONCE))}
            try:
                values = await self._read(list(asked))
                for key, answer in asked.items():
                    answer.set_result(values[key])
            except Exception as failure:  # noqa: BLE001 (whoever asked is told)
                for answer in asked.values():
                    if not answer.done():
                        answer.set_exception(failure)


def _heard_of(answer: asyncio.Future[Value]) -> None:
    """Take notice of a failure that nobody may be left to be told."""
    answer.exception()


class Live:
    """The reads behind every subscription of one process."""

    def __init__(self, database: Database, calendar: Calendar, clock: Clock) -> None:
        self._database = database
        self._calendar = calendar
        self._clock = clock
        self._today = Together(self._read_today)
        self._lottery = Together(self._read_lottery)
        self._ranking_turn = asyncio.Semaphore(RANKINGS_AT_ONCE)

    async def today(self) -> tuple[Day, Feature]:
        """What is on. Raises: NoFeatureToday, InvalidFeatureSchedule, Unavailable."""
        return _answer(await self._today(None))

    async def lottery(self, player_id: int) -> GameStatus:
        """The lottery as it stands for a player.

        Raises: NoFeatureToday, InvalidLotteryConfig, Unauthenticated, Unavailable.
        """
        status = _answer(await self._lottery(player_id))
        if status is None:
            raise Unauthenticated
        return status

    async def ranking(self, date: dt.date, reader: ranking.Reader) -> ranking.Snapshot | None:
        """The ranking of `date`, if there is one to be read.

        Raises: Unauthenticated, Unavailable.
        """
        today = self._calendar.business_date(self._clock())
        async with self._ranking_turn:
            try:
                return await ranking.read(self._database, self._calendar, date, today, reader)
            except (NoFeatureToday, RankingNotFound):
                return None

    async def _read_today(self, _keys: Sequence[None]) -> Mapping[None, tuple[Day, Feature] | DomainError]:
        date = self._calendar.business_date(self._clock())
        try:
            return {None: await features.today(self._database, self._calendar, date)}
        except DomainError as refusal:
            return {None: refusal}

    async def _read_lottery(self, player_ids: Sequence[int]) -> Mapping[int, GameStatus | DomainError | None]:
        date = self._calendar.business_date(self._clock())
        try:
            found = await features.game_statuses(self._database, self._calendar, player_ids, FeatureType.LOTTERY, date)
        except DomainError as refusal:
            return dict.fromkeys(player_ids, refusal)
        return {player_id: found.get(player_id) for player_id in player_ids}


def _answer(value: Value | DomainError) -> Value:
    """A value. Raises: it, where it is a refusal."""
    if isinstance(value, DomainError):
        raise value
    return value
