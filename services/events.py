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
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import orjson
from sqlalchemy import insert

from models import EventName, FeatureType, UserEvent
from services.database import Connection, Database
from services.ids import Ids
from services.outages import FAILED, OutageLog
from services.own_session import OwnSession
from services.paging import FIRST_ID, LATEST, Page, PageOf, page_of, pages_of
from services.recent import RecentlyUsed
from services.together import Together
from services.transaction import Transaction
from services.watch import BatchKind

unrecorded = OutageLog(logging.getLogger("haru.events"))

REMEMBERED_VIEWS = 100_000
VIEW_SECONDS = 1.0
"""How long a read waits for its view to be recorded."""

_COLUMNS = "e.user_id, e.id, e.feature_type, e.event_name, e.meta_json::text AS meta, e.created_at"

OF_PLAYERS = f"""
SELECT k.number, e.*
FROM unnest($1::uuid[], $2::bigint[], $3::timestamptz[], $4::uuid[]) WITH ORDINALITY
    AS k(user_id, size, instant, id, number)
CROSS JOIN LATERAL (
    SELECT {_COLUMNS} FROM user_event_log e WHERE e.user_id = k.user_id AND (e.created_at, e.id) < (k.instant, k.id)
    ORDER BY e.created_at DESC, e.id DESC LIMIT k.size
) e
ORDER BY k.number, e.created_at DESC, e.id DESC
"""  # noqa: S608 (only the constant above)

BY_ID = f"""
SELECT {_COLUMNS} FROM unnest($1::uuid[], $2::uuid[]) AS k(user_id, id) JOIN user_event_log e USING (user_id, id)
"""  # noqa: S608


def _newest(of: str = "") -> str:
    """The newest events `of` somebody: the newest of each kind, then the newest of these.

    Every kind has its part of one index, however rare it is. What belongs to no game is a kind of its own: no index
    finds what IS NOT DISTINCT FROM null.
    """

    def of_kind(kind: str) -> str:
        return f"""(
        SELECT {_COLUMNS} FROM user_event_log e
        WHERE {of} {kind} AND e.event_name = n.event_name AND (e.created_at, e.id) < ($3, $4) AND e.created_at >= $5
        ORDER BY e.created_at DESC, e.id DESC LIMIT $6
    )"""  # noqa: S608

    return f"""
SELECT e.* FROM unnest($1::text[]) AS f(feature_type) CROSS JOIN unnest($2::text[]) AS n(event_name)
CROSS JOIN LATERAL (
    {of_kind("e.feature_type = f.feature_type")}
    UNION ALL {of_kind("f.feature_type IS NULL AND e.feature_type IS NULL")}
) e
ORDER BY e.created_at DESC, e.id DESC LIMIT $6
"""  # noqa: S608


OF_ALL, OF_PLAYER = _newest(), _newest("e.user_id = $7 AND")

PUBLIC_META: Mapping[EventName, frozenset[str]] = {
    EventName.FEATURE_VIEW: frozenset(),
    EventName.PLAY: frozenset({"playId", "playNo", "revisionId", "drawn", "reward"}),
    EventName.SEASON_PASS_STAMP: frozenset({"stampId", "xpAdded", "currentXp", "source", "playId"}),
    EventName.SEASON_PASS_LEVEL_UP: frozenset({"stampId", "fromLevel", "toLevel"}),
    EventName.REWARD_CLAIM: frozenset({"level", "reward"}),
    EventName.REWARD_GRANT: frozenset({"causeId", "lineNo", "reward"}),
}
"""What players may see of an event's facts. What staff write for one another is not in it, whoever acted and why."""

VIEWS = """
INSERT INTO user_event_log (user_id, id, feature_type, event_name, business_date, meta_json, created_at)
SELECT u.id, v.id, v.feature_type, 'FEATURE_VIEW', v.business_date, '{}', v.created_at
FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::date[], $5::timestamptz[])
    AS v(id, user_id, feature_type, business_date, created_at)
JOIN "user" u ON u.id = v.user_id ORDER BY v.user_id
ON CONFLICT (user_id, business_date) WHERE event_name = 'FEATURE_VIEW' DO NOTHING
"""


@dataclass(frozen=True)
class EventRow:
    """An event as it is read."""

    user_id: UUID
    id: UUID
    feature_type: FeatureType | None
    event_name: EventName
    meta: Any
    created_at: dt.datetime

    @property
    def public_meta(self) -> dict[str, Any]:
        """What players may see of `meta`."""
        seen = PUBLIC_META[self.event_name]
        return {name: value for name, value in self.meta.items() if name in seen}


@dataclass(frozen=True)
class EventFilter:
    """Which events are wanted: all that fit every condition given. `since` is included, `until` is not."""

    player_id: UUID | None = None
    feature_type: FeatureType | None = None
    event_name: EventName | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None


async def events_of_players(connection: Connection, wanted: Sequence[PageOf]) -> list[Page[EventRow]]:
    """Pages of players' events, newest first; an event's key is (created_at, id)."""
    after = [want.after or LATEST for want in wanted]
    rows = await connection.fetch(
        OF_PLAYERS,
        [want.player_id for want in wanted],
        [want.first + 1 for want in wanted],
        [instant for instant, _ in after],
        [event_id for _, event_id in after],
    )
    return pages_of(wanted, [(row["number"], _event(row)) for row in rows])


async def events_by_id(connection: Connection, keys: Sequence[tuple[UUID, UUID]]) -> list[EventRow | None]:
    """Events by player and id, in the order of `keys`."""
    rows = await connection.fetch(BY_ID, [key[0] for key in keys], [key[1] for key in keys])
    found = {(row["user_id"], row["id"]): _event(row) for row in rows}
    return [found.get(key) for key in keys]


async def find_events(
    database: Database, wanted: EventFilter, *, first: int, after: tuple[dt.datetime, UUID] | None
) -> Page[EventRow]:
    """Everybody's events, newest first; an event's key is (created_at, id)."""
    features = [wanted.feature_type] if wanted.feature_type else [*FeatureType, None]
    names = [wanted.event_name] if wanted.event_name else list(EventName)
    until, until_id = min(after or LATEST, (wanted.until, FIRST_ID) if wanted.until else LATEST)
    since = wanted.since or dt.datetime.min.replace(tzinfo=dt.UTC)
    arguments: tuple[Any, ...] = (features, names, until, until_id, since, first + 1)
    statement = OF_ALL
    if wanted.player_id is not None:
        statement, arguments = OF_PLAYER, (*arguments, wanted.player_id)
    async with database.read() as connection:
        rows = [_event(row) for row in (await connection.exec_driver_sql(statement, arguments)).mappings()]
    return page_of(rows, first, has_previous=after is not None)


def _event(row: Any) -> EventRow:
    feature = None if row["feature_type"] is None else FeatureType(row["feature_type"])
    name, meta = EventName(row["event_name"]), orjson.loads(row["meta"])
    return EventRow(row["user_id"], row["id"], feature, name, meta, row["created_at"])


async def record(tx: Transaction, *, player_id: UUID, name: EventName, meta: Mapping[str, Any]) -> None:
    """Tell operators what staff did to a player. It belongs to no game."""
    row = {
        "user_id": player_id,
        "id": tx.ids.new(tx.now),
        "feature_type": None,
        "event_name": name,
        "business_date": tx.date,
        "meta_json": msgspec.to_builtins(meta),
        "created_at": tx.now,
    }
    await tx.connection.execute(insert(UserEvent).values(row))


class View(NamedTuple):
    """A player's look at a day's feature."""

    player_id: UUID
    feature: FeatureType
    date: dt.date
    now: dt.datetime


class FeatureViews:
    """Records each player's first view of a day's feature. What one process has recorded it does not try again."""

    def __init__(self, database: Database, rng: Random) -> None:
        self._session = OwnSession(database, lock_timeout_seconds=database.lock_wait_seconds)
        self._ids = Ids(rng)
        self._record = Together(self._write, kind=BatchKind.VIEWS, watch=database.watch)
        self._recorded: RecentlyUsed[tuple[UUID, dt.date], bool] = RecentlyUsed(REMEMBERED_VIEWS)

    async def seen(self, player_id: UUID, feature: FeatureType, date: dt.date, now: dt.datetime) -> None:
        """Record the view, unless it is. Whatever goes wrong is logged, and left to the next view."""
        if self._recorded.get((player_id, date)):
            return
        try:
            async with asyncio.timeout(VIEW_SECONDS):
                await self._record(View(player_id, feature, date, now))
        except FAILED as failure:
            unrecorded.note("a view was not recorded", failure)
            return
        self._recorded.put((player_id, date), True)

    async def stop(self) -> None:
        """Give up what is under way."""
        await self._record.stop()
        self._session.give_up()

    async def _write(self, views: Sequence[View]) -> Mapping[View, None]:
        """Record what many saw at the same moment."""
        columns = [list(column) for column in zip(*views, strict=True)]
        async with self._session.used() as connection:
            await connection.execute(VIEWS, [self._ids.new(view.now) for view in views], *columns)
        return dict.fromkeys(views)
