"""What a player was given and what a player played, newest first: pages of many players' lists in one statement.

A play is told as it was answered: out of its log row and the revision that it points at, its ledger line, and the
season's log of that day.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec

from models import RewardType
from services.answers import DailyLimit, Draw, Granted, Played, StampReceipt
from services.calendar import Calendar
from services.database import Connection
from services.drawn import drawn_of
from services.paging import LAST_ROW, LATEST, Page, PageOf, pages_of
from services.rules.registry import GAMES

LEDGER = """
SELECT k.number, l.user_id, l.line_no, l.reward_type, l.amount, l.balance_after, l.cause, l.cause_id, c.code,
    l.created_at
FROM unnest($1::uuid[], $2::bigint[], $3::bigint[]) WITH ORDINALITY AS k(user_id, size, before, number)
CROSS JOIN LATERAL (
    SELECT * FROM reward_ledger l
    WHERE l.user_id = k.user_id AND l.line_no < k.before AND l.cause <> 'COUPON_GIVEN' -- a grant tells its code itself
    ORDER BY l.line_no DESC LIMIT k.size
) l
LEFT JOIN coupon_code c ON c.user_id = l.user_id AND c.line_no = l.line_no
ORDER BY k.number, l.line_no DESC
"""


def _logs(condition: str) -> str:
    """The plays `g` of all games that `condition` finds, newest first."""
    return " UNION ALL ".join(
        f"""(
            SELECT '{game.feature}' AS game, '{game.cause}' AS cause, g.user_id, g.id, g.business_date, g.play_no,
                g.daily_max, g.reward_type, g.created_at
            FROM {game.log.__tablename__} g
            WHERE g.user_id = k.user_id AND {condition}
            ORDER BY g.created_at DESC, g.id DESC LIMIT k.size
        )"""  # noqa: S608 (only the registry's names)
        for game in GAMES.values()
    )


_DRAWN = " ".join(f"WHEN '{game.feature}' THEN ({drawn_of(game)})" for game in GAMES.values())

_LEVEL_REWARDS = """
    SELECT json_agg(json_build_object('level', r.level, 'claimedAt', r.created_at, 'reward',
        json_build_object('type', r.reward_type, 'amount', coalesce(l.amount, 0), 'balance', l.balance_after,
            'couponCode', c.code)) ORDER BY r.level)
    FROM season_pass_reward_log r
    LEFT JOIN reward_ledger l ON l.user_id = r.user_id AND l.cause = 'SEASON_LEVEL' AND l.cause_id = r.id
    LEFT JOIN coupon_code c ON c.user_id = l.user_id AND c.line_no = l.line_no
    WHERE r.user_id = s.user_id AND r.created_at = s.created_at AND r.stamp_id = s.id
"""
_RECEIPT = f"""
    CASE WHEN s.play_id = p.id THEN
        json_build_object('addedStamp', 1, 'xpAdded', s.xp_earned, 'currentXp', s.xp_after,
            'currentLevel', s.level_after, 'leveledUp', s.level_after > s.level_before,
            'rewards', coalesce(({_LEVEL_REWARDS}), '[]'))
    WHEN s.id IS NOT NULL THEN
        json_build_object('addedStamp', 0, 'xpAdded', 0, 'currentXp', s.xp_after,
            'currentLevel', s.level_after, 'leveledUp', false, 'rewards', '[]'::json)
    END
"""


def _plays(condition: str) -> str:
    """The plays that `condition` finds, told as they were answered."""
    return f"""
SELECT p.number, p.id, p.business_date, p.created_at, p.play_no, p.daily_max, p.reward_type,
    coalesce(l.amount, 0) AS amount, l.balance_after, c.code, (CASE p.game {_DRAWN} END)::text AS drawn,
    ({_RECEIPT})::text AS receipt
FROM (
    SELECT k.number, p.*
    FROM unnest($1::uuid[], $2::bigint[], $3::timestamptz[], $4::uuid[]) WITH ORDINALITY
        AS k(user_id, size, instant, id, number)
    CROSS JOIN LATERAL (SELECT * FROM ({_logs(condition)}) g ORDER BY g.created_at DESC, g.id DESC LIMIT k.size) p
) p
LEFT JOIN reward_ledger l ON l.user_id = p.user_id AND l.cause = p.cause AND l.cause_id = p.id
LEFT JOIN coupon_code c ON c.user_id = l.user_id AND c.line_no = l.line_no
LEFT JOIN LATERAL (
    SELECT * FROM season_pass_stamp_log s
    WHERE s.user_id = p.user_id AND s.date = p.business_date AND (s.play_id = p.id OR s.created_at <= p.created_at)
    LIMIT 1
) s ON true
ORDER BY p.number, p.created_at DESC, p.id DESC
"""  # noqa: S608 (only the constants above)


PLAYS = _plays("(g.created_at, g.id) < (k.instant, k.id)")
PLAYS_BY_ID = _plays("g.id = k.id")

_drawn = msgspec.json.Decoder(Draw).decode
_receipt = msgspec.json.Decoder(StampReceipt).decode


@dataclass(frozen=True)
class LedgerLine:
    """A ledger line as it is read, with the coupon's code once there is one."""

    user_id: UUID
    line_no: int
    reward_type: RewardType
    amount: int
    balance_after: int | None
    cause: str
    cause_id: UUID
    coupon_code: str | None
    created_at: dt.datetime


async def ledgers(connection: Connection, wanted: Sequence[PageOf]) -> list[Page[LedgerLine]]:
    """Pages of players' ledgers, newest line first; a line's key is (line_no,)."""
    before = [want.after[0] if want.after else LAST_ROW for want in wanted]
    rows = await connection.fetch(
        LEDGER, [want.player_id for want in wanted], [want.first + 1 for want in wanted], before
    )
    return pages_of(wanted, [(row["number"], ledger_line(row)) for row in rows])


def ledger_line(row: Any) -> LedgerLine:
    """A row of `LEDGER`."""
    return LedgerLine(
        row["user_id"],
        row["line_no"],
        RewardType(row["reward_type"]),
        row["amount"],
        row["balance_after"],
        row["cause"],
        row["cause_id"],
        row["code"],
        row["created_at"],
    )


async def plays(connection: Connection, wanted: Sequence[PageOf], *, calendar: Calendar) -> list[Page[Played]]:
    """Pages of players' plays of all games, newest first; a play's key is (played_at, id)."""
    after = [want.after or LATEST for want in wanted]
    rows = await connection.fetch(
        PLAYS,
        [want.player_id for want in wanted],
        [want.first + 1 for want in wanted],
        [instant for instant, _ in after],
        [play_id for _, play_id in after],
    )
    return pages_of(wanted, [(row["number"], _played(row, calendar)) for row in rows])


async def plays_by_id(
    connection: Connection, keys: Sequence[tuple[UUID, UUID]], *, calendar: Calendar
) -> list[Played | None]:
    """Plays by player and id, in the order of `keys`."""
    arguments = ([key[0] for key in keys], [1] * len(keys), [LATEST[0]] * len(keys), [key[1] for key in keys])
    found = {row["number"]: _played(row, calendar) for row in await connection.fetch(PLAYS_BY_ID, *arguments)}
    return [found.get(number) for number, _ in enumerate(keys, start=1)]


async def lines_by_number(connection: Connection, keys: Sequence[tuple[UUID, int]]) -> list[LedgerLine | None]:
    """Ledger lines by player and number, in the order of `keys`."""
    pages = await ledgers(connection, [PageOf(player_id, 1, (number + 1,)) for player_id, number in keys])
    newest = [page.rows[0] if page.rows else None for page in pages]
    return [line if line and line.line_no == key[1] else None for line, key in zip(newest, keys, strict=True)]


def _played(row: Any, calendar: Calendar) -> Played:
    return Played(
        id=row["id"],
        business_date=row["business_date"],
        played_at=row["created_at"],
        reward=Granted(RewardType(row["reward_type"]), row["amount"], row["balance_after"], row["code"]),
        daily_limit=DailyLimit(row["daily_max"], row["play_no"], calendar.ends_at(row["business_date"])),
        season_pass=_receipt(row["receipt"]) if row["receipt"] else None,
        drawn=_drawn(row["drawn"]),
    )
