"""What a process knows of days: their facts, by the name that the database gives to them (`FactRevision`).

Facts travel when they are another, and only then. What is known is never believed by itself: whoever uses it reads the
name beside what it decides on, in one snapshot. So nothing is ever stale, not even for a row edited by hand.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec

from services.calendar import Calendar
from services.database import Connection
from services.published import may_be_played_in, rows_of
from services.recent import RecentlyUsed
from services.rules.day import Day, Facts
from services.rules.game import Game
from services.rules.registry import GAMES

KNOWN_DAYS = 8
"""Today, and the few that are asked for around midnight."""

REVISION = "(SELECT f.revision FROM fact_revision f WHERE f.facts = 'day')"


def _revisions(game: Game[Any, Any]) -> str:
    """A query of the game's revisions that may be played on the day $2 to $3, whole, as the JSON of their rules."""
    table = game.config.__tablename__
    values = {name: f"{table}.{name}" for name in game.rules_type.__struct_fields__}
    if game.parts is not None:
        # What is left of a stock is no fact of the day: it is loaded with the players.
        part = """to_jsonb(p) || '{"stock": null}'""" if game.parts.is_stocked else "to_json(p)"
        values[game.parts.field] = f"""(
            SELECT coalesce(json_agg({part} ORDER BY p.{game.parts.order}), '[]')
            FROM {rows_of(game.parts)} p WHERE p.config_id = {table}.id)"""  # noqa: S608 (the registry's)
    pairs = ", ".join(f"'{name}', {value}" for name, value in values.items())
    condition = may_be_played_in(game, "$2", "$3")
    return f"SELECT json_agg(json_build_object({pairs}) ORDER BY revision) FROM {table} WHERE {condition}"  # noqa: S608


_REVISIONS = " ".join(f"WHEN '{game.feature}' THEN ({_revisions(game)})" for game in GAMES.values())

FACTS = f"""
SELECT json_build_object(
    'schedule', CASE WHEN d.date IS NOT NULL
        THEN json_build_object('feature_type', d.feature_type, 'is_active', d.is_active) END,
    'features', (SELECT coalesce(json_agg(to_json(f)), '[]') FROM feature_config f),
    'game', CASE d.feature_type {_REVISIONS} END,
    'seasons', (
        SELECT coalesce(json_agg(json_build_object('id', s.id, 'name', s.name, 'start_date', s.start_date,
            'end_date', s.end_date, 'base_xp_per_stamp', s.base_xp_per_stamp, 'max_level', s.max_level,
            'revision', s.revision, 'levels', (
                SELECT coalesce(json_agg(to_json(l) ORDER BY l.level), '[]')
                FROM season_pass_level l WHERE l.season_id = s.id)) ORDER BY s.id), '[]')
        FROM season_pass_config s WHERE $1::date BETWEEN s.start_date AND s.end_date)
)::text AS facts, {REVISION} AS revision
FROM (VALUES (0)) AS one LEFT JOIN feature_schedule d ON d.date = $1::date
"""  # noqa: S608 (only the constants above)

_facts = msgspec.json.Decoder(Facts).decode


class Days:
    """The days that one process knows."""

    def __init__(self, calendar: Calendar) -> None:
        self.calendar = calendar
        self._days: RecentlyUsed[dt.date, Day] = RecentlyUsed(KNOWN_DAYS)

    def known(self, date: dt.date) -> Day | None:
        """A day as it was when it was last read: whoever uses it checks that `revision` still names it."""
        return self._days.get(date)

    async def read(self, connection: Connection, date: dt.date) -> Day:
        """A day as it is, and remember it. Facts that have no name are read by everybody for themselves."""
        bounds = self.calendar.starts_at(date), self.calendar.ends_at(date)
        row = await connection.fetchrow(FACTS, date, *bounds)
        assert row is not None
        facts = _facts(row["facts"])
        features = {feature.feature_type: feature for feature in facts.features}
        day = Day(date, bounds[1], facts.schedule, features, bytes(facts.game), facts.seasons, row["revision"])
        if day.revision is not None:
            self._days.put(date, day)
        return day
