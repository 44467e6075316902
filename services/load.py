"""Loading what a batch of players' commands is decided on: one statement, whatever the size of the batch."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Protocol

import asyncpg
import msgspec

from models import FeatureType, RewardType
from services.calendar import Calendar
from services.database import Connection
from services.rules.day import Day, Facts
from services.rules.lottery import stocks_of
from services.rules.registry import GAMES
from services.rules.state import Earlier, PlayerState, Progress, State

GAME_CONTENT = {
    FeatureType.DICE: "SELECT to_json(c) FROM dice_config c WHERE c.is_active",
    FeatureType.ROULETTE: """
        SELECT json_build_object('id', c.id, 'name', c.name, 'revision', c.revision, 'is_active', c.is_active,
            'published_at', c.published_at, 'max_daily_spins', c.max_daily_spins, 'segments', (
                SELECT coalesce(json_agg(to_json(s) ORDER BY s.slot), '[]')
                FROM roulette_segment s WHERE s.config_id = c.id))
        FROM roulette_config c WHERE c.is_active""",
    FeatureType.LOTTERY: """
        SELECT json_build_object('id', c.id, 'name', c.name, 'revision', c.revision, 'is_active', c.is_active,
            'published_at', c.published_at, 'max_daily_tickets', c.max_daily_tickets, 'prizes', (
                SELECT coalesce(json_agg(to_json(p) ORDER BY p.position), '[]')
                FROM lottery_prize p WHERE p.config_id = c.id))
        FROM lottery_config c WHERE c.is_active""",
}
"""Each game's active revision, whole, as JSON. It is read with every batch: an operator's switch is never delayed."""

assert GAME_CONTENT.keys() == GAMES.keys()

_GAME = " ".join(f"WHEN '{feature}' THEN ({content})" for feature, content in GAME_CONTENT.items())

DAY = f"""
    SELECT json_build_object(
        'schedule', (SELECT json_build_object('feature_type', s.feature_type, 'is_active', s.is_active)
                     FROM feature_schedule s WHERE s.date = $1::date),
        'features', (SELECT coalesce(json_agg(to_json(f) ORDER BY f.feature_type), '[]') FROM feature_config f),
        'game', CASE (SELECT s.feature_type FROM feature_schedule s WHERE s.date = $1::date) {_GAME} END,
        'seasons', (
            SELECT coalesce(json_agg(json_build_object('id', s.id, 'name', s.name, 'start_date', s.start_date,
                'end_date', s.end_date, 'base_xp_per_stamp', s.base_xp_per_stamp, 'max_level', s.max_level,
                'revision', s.revision, 'levels', (
                    SELECT coalesce(json_agg(to_json(l) ORDER BY l.level), '[]')
                    FROM season_pass_level l WHERE l.season_id = s.id)) ORDER BY s.id), '[]')
            FROM season_pass_config s WHERE $1::date BETWEEN s.start_date AND s.end_date)
    )::text AS facts,
    (SELECT min(s.id) FROM season_pass_config s WHERE $1::date BETWEEN s.start_date AND s.end_date) AS season_id
"""  # noqa: S608 (only the constants above)

_USED = " ".join(
    f"WHEN '{game.feature}' THEN (SELECT max(l.play_no) FROM {game.log.__tablename__} l"  # noqa: S608
    " WHERE l.user_id = a.user_id AND l.business_date = $1::date)"
    for game in GAMES.values()
)

LOAD = f"""
WITH day AS MATERIALIZED ({DAY})
SELECT CASE WHEN a.ord = 1 THEN day.facts END AS facts,
    u.id, u.version, u.is_blocked, u.ledger_lines,
    (SELECT b.amount FROM reward_balance b WHERE b.user_id = a.user_id AND b.reward_type = 'POINT') AS points,
    (SELECT b.amount FROM reward_balance b WHERE b.user_id = a.user_id AND b.reward_type = 'TOKEN') AS tokens,
    CASE a.game {_USED} END AS used,
    p.id AS progress_id, p.current_xp, p.current_level, p.total_stamps, p.last_stamp_date,
    EXISTS (SELECT FROM season_pass_stamp_log t
            WHERE t.user_id = a.user_id AND t.season_id = day.season_id AND t.date = $1::date) AS stamped,
    (SELECT json_object_agg(r.level, r.created_at)::text FROM season_pass_reward_log r
     WHERE r.user_id = a.user_id AND r.season_id = day.season_id) AS claimed,
    k.request, k.answer::text AS answer
FROM unnest($2::bigint[], $3::text[], $4::text[]) WITH ORDINALITY AS a(user_id, key, game, ord)
CROSS JOIN day
LEFT JOIN "user" u ON u.id = a.user_id
LEFT JOIN season_pass_progress p ON p.user_id = a.user_id AND p.season_id = day.season_id
LEFT JOIN idempotency_key k ON k.user_id = a.user_id AND k.key = a.key
ORDER BY a.ord
"""  # noqa: S608 (only the constants above)

_facts = msgspec.json.Decoder(Facts).decode
_claimed = msgspec.json.Decoder(dict[int, dt.datetime]).decode


class Wanted(Protocol):
    """What a command, or a reader of a player's state, needs to be loaded."""

    @property
    def user_id(self) -> int:
        """The player."""

    @property
    def key(self) -> str:
        """The idempotency key whose first answer is wanted; empty for none."""

    @property
    def game(self) -> FeatureType | None:
        """The game whose plays of the day are wanted."""


async def load(connection: Connection, calendar: Calendar, date: dt.date, wanted: Sequence[Wanted]) -> State:
    """The day and the players, as of one snapshot."""
    rows = await connection.fetch(
        LOAD, date, [w.user_id for w in wanted], [w.key for w in wanted], [w.game for w in wanted]
    )
    day = _day(rows[0]["facts"], date, calendar.ends_at(date))
    is_lottery = day.scheduled is not None and day.scheduled.feature_type is FeatureType.LOTTERY
    state = State(day, {}, stocks_of(day.game) if is_lottery else {})
    for row, one in zip(rows, wanted, strict=True):
        if row["id"] is not None:
            player = state.players.get(one.user_id)
            if player is None:
                player = state.players[one.user_id] = _player(row)
            if one.game is not None:
                player.used[one.game] = row["used"] or 0
            if row["request"] is not None:
                player.earlier[one.key] = Earlier(row["request"], row["answer"])
    return state


async def load_day(connection: Connection, calendar: Calendar, date: dt.date) -> Day:
    """The day alone."""
    return _day(await connection.fetchval(DAY, date), date, calendar.ends_at(date))


@lru_cache(maxsize=64)
def _day(content: str, date: dt.date, ends_at: dt.datetime) -> Day:
    """A day's facts change rarely and are read with every batch: parse the same text once."""
    facts = _facts(content)
    features = {feature.feature_type: feature for feature in facts.features}
    return Day(date, ends_at, facts.schedule, features, bytes(facts.game), facts.seasons)


def _player(row: asyncpg.Record) -> PlayerState:
    player = PlayerState(row["id"], row["version"], row["is_blocked"], row["ledger_lines"])
    balances: tuple[tuple[RewardType, Any], ...] = (
        (RewardType.POINT, row["points"]),
        (RewardType.TOKEN, row["tokens"]),
    )
    player.balances = {reward: amount for reward, amount in balances if amount is not None}
    player.stamped = row["stamped"]
    if row["claimed"] is not None:
        player.claimed = _claimed(row["claimed"])
    if row["progress_id"] is not None:
        player.progress = Progress(
            row["progress_id"], row["current_xp"], row["current_level"], row["total_stamps"], row["last_stamp_date"]
        )
    return player
