"""Who saw today's feature: an event of the log, once a player and business date.

It is recorded as soon as the day has been read, while the rest of the answer is made, and the read that it belongs to
never fails for it.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from collections.abc import Mapping, Sequence
from functools import partial
from random import Random
from typing import NamedTuple
from uuid import UUID

from models import FeatureType
from services.database import Database
from services.errors import HaruError
from services.ids import Ids
from services.outages import OutageLog
from services.own_session import OwnSession
from services.recent import RecentlyUsed
from services.rules.play import feature_on
from services.rules.state import State
from services.together import Together
from services.watch import BatchKind

unrecorded = OutageLog(logging.getLogger("haru.events"))

REMEMBERED_VIEWS = 100_000
VIEW_SECONDS = 1.0
"""How long a read waits for its view to be recorded."""

VIEWS = """
INSERT INTO user_event_log (user_id, id, feature_type, event_name, business_date, meta_json, created_at)
SELECT u.id, v.id, v.feature_type, 'FEATURE_VIEW', v.business_date, '{}', v.created_at
FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::date[], $5::timestamptz[])
    AS v(id, user_id, feature_type, business_date, created_at)
JOIN "user" u ON u.id = v.user_id ORDER BY v.user_id
ON CONFLICT (user_id, business_date) WHERE event_name = 'FEATURE_VIEW' DO NOTHING
"""


class View(NamedTuple):
    """A player's look at a day's feature."""

    player_id: UUID
    feature: FeatureType
    date: dt.date
    now: dt.datetime


class FeatureViews:
    """Records each player's first view of a day's feature. What one process has recorded it does not try again."""

    def __init__(self, database: Database, rng: Random) -> None:
        self._session = OwnSession(database)
        self._ids = Ids(rng)
        self._record = Together(self._write, kind=BatchKind.VIEWS, watch=database.watch)
        self._recorded: RecentlyUsed[tuple[UUID, dt.date], bool] = RecentlyUsed(REMEMBERED_VIEWS)
        self._begun: dict[tuple[UUID, dt.date], asyncio.Future[None]] = {}

    def is_recorded(self, player_id: UUID, date: dt.date) -> bool:
        """Whether the view is known to be recorded."""
        return bool(self._recorded.get((player_id, date)))

    def begin(self, player_id: UUID, now: dt.datetime, state: State) -> None:
        """Begin to record that a player sees what is on at `now`, if something is, unless it is under way."""
        date = state.day.date
        if (player_id, date) in self._begun or self.is_recorded(player_id, date):
            return
        try:
            feature = feature_on(state, now).feature_type
        except HaruError:  # whoever looks is told
            return
        begun = self._begun[player_id, date] = self._record.ask(View(player_id, feature, date, now))
        begun.add_done_callback(partial(self._ended, (player_id, date)))

    async def recorded(self, player_id: UUID, date: dt.date) -> None:
        """Wait for a view that has begun. Whatever goes wrong is logged, and left to the next view."""
        begun = self._begun.get((player_id, date))
        if begun is not None and not (await asyncio.wait([begun], timeout=VIEW_SECONDS))[0]:
            unrecorded.note("a view was not recorded", TimeoutError())

    def _ended(self, view: tuple[UUID, dt.date], begun: asyncio.Future[None]) -> None:
        del self._begun[view]
        if not begun.cancelled():
            with unrecorded.told("a view was not recorded"):
                begun.result()

    async def stop(self) -> None:
        """Give up what is under way."""
        await self._record.stop()
        self._session.give_up()

    async def _write(self, views: Sequence[View]) -> Mapping[View, None]:
        """Record what many saw at the same moment."""
        columns = [list(column) for column in zip(*views, strict=True)]
        async with self._session.used() as connection:
            await connection.execute(VIEWS, [self._ids.new(view.now) for view in views], *columns)
        for view in views:
            self._recorded.put((view.player_id, view.date), True)
        return dict.fromkeys(views)
