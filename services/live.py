"""What subscribers read when they are woken. All of a process wake at once: `Reads` serves them together."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable
from uuid import UUID

from models import FeatureType
from services import ranking, statuses
from services.calendar import Calendar, Clock
from services.database import Database
from services.reads import Reads
from services.rules.day import Day, Feature
from services.rules.play import feature_on, turns_of
from services.statuses import GameStatus

RANKINGS_AT_ONCE = 2
"""Rankings have a page and a row for each reader; the rest of the pool is for other requests."""


class Live:
    """The reads behind every subscription of one process."""

    def __init__(
        self, reads: Reads, database: Database, calendar: Calendar, clock: Clock, wake_at: Callable[[dt.datetime], None]
    ) -> None:
        """Tell `wake_at` the instants at which what was read will be another, without anybody changing anything."""
        self._reads = reads
        self._database = database
        self._calendar = calendar
        self._clock = clock
        self._wake_at = wake_at
        self._ranking_turn = asyncio.Semaphore(RANKINGS_AT_ONCE)

    async def today(self) -> tuple[Day, Feature]:
        """What is on. Raises: NoFeatureToday, InvalidFeatureSchedule, Unavailable."""
        now = self._clock()
        state = await self._reads.day(now)
        self._wake_at_turns(state.day, now)
        return state.day, feature_on(state, now)

    async def lottery(self, player_id: UUID) -> GameStatus:
        """The lottery as it stands for a player.

        Raises: NoFeatureToday, InvalidLotteryConfig, Unauthenticated, Unavailable.
        """
        now = self._clock()
        seen = await self._reads.player(player_id, now)
        self._wake_at_turns(seen.state.day, now)
        return statuses.game_status_of(seen, player_id, FeatureType.LOTTERY, now)

    async def ranking(self, date: dt.date, reader: ranking.Reader) -> ranking.Snapshot:
        """The ranking of `date`.

        Raises: RankingNotFound, NoFeatureToday, Unauthenticated, Unavailable.
        """
        today = self._calendar.business_date(self._clock())
        async with self._ranking_turn:
            return await ranking.read(self._database, self._reads, date, today, reader)

    def _wake_at_turns(self, day: Day, now: dt.datetime) -> None:
        """Have everybody read again when a window begins or ends today."""
        for instant in turns_of(day, now):
            self._wake_at(instant)
