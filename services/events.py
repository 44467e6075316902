"""The event log: what happened to players, for operators to read.

What players do writes its events with its effects (`Effects.event`); `record` writes those of staff. That a player saw
today's feature is recorded beside the read (`services.feature_views`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
import orjson
from sqlalchemy import insert

from models import EventName, FeatureType, UserEvent
from services.database import Connection, Database
from services.paging import FIRST_ID, LATEST, Page, PageOf, page_of, pages_of
from services.transaction import Transaction

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
