"""How players are read: for a batch of commands to be decided, and for whoever looks. One statement, however many.

Beside the players it tells the name of the day's facts in the same snapshot: where that is not what is known, the facts
are read, and the players once more. It has no more parts than the day has a use for: what was played of other games,
or is left of stocks that nobody draws from, costs a day of the dice nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Protocol
from uuid import UUID

import asyncpg
import msgspec
import orjson

from models import FeatureType, RewardType
from services.database import Connection
from services.days import REVISION, Days
from services.rules.day import Day
from services.rules.registry import GAMES, game_of
from services.rules.state import Earlier, PlayerState, Progress, State

ACCOUNT = ("id", "external_id", "is_blocked", "created_at", "tokens_valid_from")

_claimed = msgspec.json.Decoder(dict[int, dt.datetime]).decode

COMMANDS = (
    "k.request, k.answer::text AS answer",
    "unnest($3::uuid[], $4::text[]) WITH ORDINALITY AS a(user_id, key, ord)",
    "LEFT JOIN idempotency_key k ON k.user_id = a.user_id AND k.key = a.key",
)
"""What a batch of commands wants beside the players: what was answered to their keys."""

LOOKS = (
    "u.external_id, u.created_at, u.tokens_valid_from",
    "unnest($3::uuid[]) WITH ORDINALITY AS a(user_id, ord)",
    "",
)
"""What those who look want beside the players: their accounts."""


@lru_cache
def _statement(game: FeatureType | None, wanted: tuple[str, str, str], stocks: str | None) -> str:
    """The statement for a day of `game`, which draws from the stocks in the parameter `stocks`, if it does."""
    more, players, joined = wanted
    if stocks is not None:
        more += f""",
    CASE WHEN a.ord = 1 THEN (SELECT json_object_agg(s.id, s."left")::text FROM lottery_stock s
                              WHERE s.id = ANY ({stocks}::bigint[])) END AS stocks"""  # noqa: S608
    if game is not None:
        more += f""",
    (SELECT max(l.play_no) FROM {GAMES[game].log.__tablename__} l
     WHERE l.user_id = a.user_id AND l.business_date = $1::date) AS used"""  # noqa: S608 (the registry's name)
    return f"""
SELECT {REVISION} AS revision, u.id, u.version, u.is_blocked, u.ledger_lines, u.ledger_hash,
    (SELECT b.amount FROM reward_balance b WHERE b.user_id = a.user_id AND b.reward_type = 'POINT') AS points,
    (SELECT b.amount FROM reward_balance b WHERE b.user_id = a.user_id AND b.reward_type = 'TOKEN') AS tokens,
    p.id AS progress_id, p.current_xp, p.current_level, p.total_stamps, p.last_stamp_date,
    EXISTS (SELECT FROM season_pass_stamp_log t
            WHERE t.user_id = a.user_id AND t.season_id = $2 AND t.date = $1::date) AS stamped,
    (SELECT json_object_agg(r.level, r.created_at)::text FROM season_pass_reward_log r
     WHERE r.user_id = a.user_id AND r.season_id = $2) AS claimed,
    {more}
FROM {players}
LEFT JOIN "user" u ON u.id = a.user_id
LEFT JOIN season_pass_progress p ON p.user_id = a.user_id AND p.season_id = $2::bigint
{joined}
ORDER BY a.ord
"""  # noqa: S608 (only the constants above)


class Wanted(Protocol):
    """What a command needs to be loaded."""

    @property
    def user_id(self) -> UUID:
        """The player."""

    @property
    def key(self) -> str:
        """The idempotency key whose first answer is wanted."""


async def load(connection: Connection, days: Days, date: dt.date, wanted: Sequence[Wanted]) -> State:
    """The day and the players who command something, with what was answered to their keys, as of one snapshot."""
    players, keys = [one.user_id for one in wanted], [one.key for one in wanted]
    day, rows = await _fetch(connection, days, date, COMMANDS, players, keys)
    state = _state(day, rows)
    for row, one in zip(rows, wanted, strict=True):
        if row["request"] is not None:
            state.players[one.user_id].earlier[one.key] = Earlier(row["request"], row["answer"])
    return state


async def look(
    connection: Connection, days: Days, date: dt.date, player_ids: Sequence[UUID | None]
) -> tuple[State, dict[UUID, tuple[Any, ...]]]:
    """The day and players, each once, with their accounts as the values of ACCOUNT, as of one snapshot.

    Nobody (None) is there to look at the day alone.
    """
    day, rows = await _fetch(connection, days, date, LOOKS, player_ids)
    accounts = {row["id"]: tuple(row[name] for name in ACCOUNT) for row in rows if row["id"] is not None}
    return _state(day, rows), accounts


async def _fetch(
    connection: Connection, days: Days, date: dt.date, wanted: tuple[str, str, str], *arguments: Sequence[Any]
) -> tuple[Day, list[asyncpg.Record]]:
    """The day, and the players' rows of a snapshot in which its facts have that very name."""
    day = days.known(date) or await days.read(connection, date)
    while True:
        season = day.seasons[0].id if day.seasons else None
        game = game_of(day)
        stocks = game.stock_ids(day.game) if game else ()
        statement = _statement(game.feature if game else None, wanted, f"${len(arguments) + 3}" if stocks else None)
        rows = await connection.fetch(statement, date, season, *arguments, *([stocks] if stocks else []))
        if rows[0]["revision"] == day.revision:
            return day, rows
        day = await days.read(connection, date)


def _state(day: Day, rows: Sequence[asyncpg.Record]) -> State:
    stocks = rows[0].get("stocks")
    state = State(day, {}, {int(stock): left for stock, left in orjson.loads(stocks).items()} if stocks else {})
    for row in rows:
        if row["id"] is not None and row["id"] not in state.players:
            state.players[row["id"]] = _player(row, day)
    return state


def _player(row: asyncpg.Record, day: Day) -> PlayerState:
    player = PlayerState(row["id"], row["version"], row["is_blocked"], row["ledger_lines"], row["ledger_hash"])
    balances: tuple[tuple[RewardType, Any], ...] = (
        (RewardType.POINT, row["points"]),
        (RewardType.TOKEN, row["tokens"]),
    )
    player.balances = {reward: amount for reward, amount in balances if amount is not None}
    if (game := game_of(day)) is not None:
        player.used[game.feature] = row["used"] or 0
    player.stamped = row["stamped"]
    if row["claimed"] is not None:
        player.claimed = _claimed(row["claimed"])
    if row["progress_id"] is not None:
        player.progress = Progress(
            row["progress_id"], row["current_xp"], row["current_level"], row["total_stamps"], row["last_stamp_date"]
        )
    return player
