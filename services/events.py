"""The event log: what happened to players, for operators to read.

What players do writes its events with its effects (`Effects.event`); `record` writes those of staff. That a player saw
today's feature is recorded once a business date, beside the read, which never fails for it.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any
from uuid import UUID

import msgspec
import orjson
from asyncpg import PostgresError
from sqlalchemy import insert

from models import EventName, FeatureType, UserEvent
from services.database import UNREACHABLE, Database
from services.errors import HaruError
from services.ids import Ids
from services.paging import FIRST_ID, LATEST, Page, PageOf, page_of, pages_of
from services.transaction import Transaction

logger = logging.getLogger("haru.events")

REMEMBERED_VIEWS = 100_000
VIEW_SECONDS = 1.0
"""How long a read waits for its view to be recorded."""

_COLUMNS = "e.user_id, e.id, e.feature_type, e.event_name, e.meta_json::text AS meta, e.created_at"

OF_PLAYERS = f"""
SELECT k.number, e.*
FROM unnest($1::bigint[], $2::bigint[], $3::timestamptz[], $4::uuid[]) WITH ORDINALITY
    AS k(user_id, size, instant, id, number)
CROSS JOIN LATERAL (
    SELECT {_COLUMNS} FROM user_event_log e WHERE e.user_id = k.user_id AND (e.created_at, e.id) < (k.instant, k.id)
    ORDER BY e.created_at DESC, e.id DESC LIMIT k.size
) e
ORDER BY k.number, e.created_at DESC, e.id DESC
"""  # noqa: S608 (only the constant above)

OF_PLAYER = f"""
SELECT {_COLUMNS} FROM user_event_log e
WHERE e.user_id = $7 AND e.feature_type = ANY ($1::text[]) AND e.event_name = ANY ($2::text[])
    AND (e.created_at, e.id) < ($3, $4) AND e.created_at >= $5
ORDER BY e.created_at DESC, e.id DESC LIMIT $6
"""  # noqa: S608

OF_ALL = f"""
SELECT e.* FROM unnest($1::text[]) AS f(feature_type) CROSS JOIN unnest($2::text[]) AS n(event_name)
CROSS JOIN LATERAL (
    SELECT {_COLUMNS} FROM user_event_log e
    WHERE e.feature_type = f.feature_type AND e.event_name = n.event_name
        AND (e.created_at, e.id) < ($3, $4) AND e.created_at >= $5
    ORDER BY e.created_at DESC, e.id DESC LIMIT $6
) e
ORDER BY e.created_at DESC, e.id DESC LIMIT $6
"""  # noqa: S608
"""The newest of each kind, then the newest of these: every kind has its part of one index, however rare it is."""

VIEW = """
INSERT INTO user_event_log (user_id, id, feature_type, event_name, business_date, meta_json, created_at)
SELECT u.id, $2::uuid, $3::text, 'FEATURE_VIEW', $4::date, '{}', $5::timestamptz FROM "user" u WHERE u.id = $1::bigint
ON CONFLICT (user_id, business_date) WHERE event_name = 'FEATURE_VIEW' DO NOTHING
"""


@dataclass(frozen=True)
class EventRow:
    """An event as it is read."""

    user_id: int
    id: UUID
    feature_type: FeatureType
    event_name: str
    meta: Any
    created_at: dt.datetime


@dataclass(frozen=True)
class EventFilter:
    """Which events are wanted: all that fit every condition given. `since` is included, `until` is not."""

    player_id: int | None = None
    feature_type: FeatureType | None = None
    event_name: str | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None


async def events_of_players(database: Database, wanted: Sequence[PageOf]) -> list[Page[EventRow]]:
    """Pages of players' events, newest first; an event's key is (created_at, id)."""
    after = [want.after or LATEST for want in wanted]
    arguments = (
        [want.player_id for want in wanted],
        [want.first + 1 for want in wanted],
        [instant for instant, _ in after],
        [event_id for _, event_id in after],
    )
    async with database.read() as connection:
        rows = (await connection.exec_driver_sql(OF_PLAYERS, arguments)).all()
    return pages_of(wanted, [(row.number, _event(row)) for row in rows])


async def find_events(
    database: Database, wanted: EventFilter, *, first: int, after: tuple[dt.datetime, UUID] | None
) -> Page[EventRow]:
    """Everybody's events, newest first; an event's key is (created_at, id)."""
    features = [wanted.feature_type] if wanted.feature_type else list(FeatureType)
    names = [name for name in EventName if wanted.event_name in {None, name}]
    until, until_id = min(after or LATEST, (wanted.until, FIRST_ID) if wanted.until else LATEST)
    since = wanted.since or dt.datetime.min.replace(tzinfo=dt.UTC)
    arguments: tuple[Any, ...] = (features, names, until, until_id, since, first + 1)
    statement = OF_ALL
    if wanted.player_id is not None:
        statement, arguments = OF_PLAYER, (*arguments, wanted.player_id)
    async with database.read() as connection:
        rows = [_event(row) for row in (await connection.exec_driver_sql(statement, arguments)).all()]
    return page_of(rows, first, has_previous=after is not None)


def _event(row: Any) -> EventRow:
    feature = FeatureType(row.feature_type)
    return EventRow(row.user_id, row.id, feature, row.event_name, orjson.loads(row.meta), row.created_at)


async def record(
    tx: Transaction, *, player_id: int, name: EventName, feature: FeatureType, meta: Mapping[str, Any]
) -> None:
    """Tell operators what staff did to a player."""
    row = {
        "user_id": player_id,
        "id": tx.ids.new(tx.now),
        "feature_type": feature,
        "event_name": name,
        "business_date": tx.date,
        "meta_json": msgspec.to_builtins(meta),
        "created_at": tx.now,
    }
    await tx.connection.execute(insert(UserEvent).values(row))


class FeatureViews:
    """Records each player's first view of a day's feature. What one process has recorded it does not try again."""

    def __init__(self, database: Database, rng: Random) -> None:
        self._database = database
        self._ids = Ids(rng)
        self._recorded: dict[tuple[int, dt.date], None] = {}

    async def seen(self, player_id: int, feature: FeatureType, date: dt.date, now: dt.datetime) -> None:
        """Record the view, unless it is. Whatever goes wrong is logged, and left to the next view."""
        if (player_id, date) in self._recorded:
            return
        try:
            async with asyncio.timeout(VIEW_SECONDS), self._database.hot() as connection:
                await connection.execute(VIEW, player_id, self._ids.new(now), feature, date, now)
        except (HaruError, PostgresError, *UNREACHABLE) as failure:
            logger.warning("a view of player %d was not recorded: %r", player_id, failure)
            return
        if len(self._recorded) >= REMEMBERED_VIEWS:
            del self._recorded[next(iter(self._recorded))]
        self._recorded[player_id, date] = None
