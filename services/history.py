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

from models import FeatureType, RewardType
from services.answers import DailyLimit, DiceRoll, Granted, Played, Prize, Segment, StampReceipt
from services.calendar import Calendar
from services.database import Database
from services.paging import LAST_ROW, LATEST, Page, PageOf, pages_of
from services.rules.registry import GAMES

LEDGER = """
SELECT k.number, l.user_id, l.line_no, l.reward_type, l.amount, l.balance_after, l.cause, l.cause_id, c.code,
    l.created_at
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) WITH ORDINALITY AS k(user_id, size, before, number)
CROSS JOIN LATERAL (
    SELECT * FROM reward_ledger l WHERE l.user_id = k.user_id AND l.line_no < k.before
    ORDER BY l.line_no DESC LIMIT k.size
) l
LEFT JOIN coupon_code c ON c.user_id = l.user_id AND c.line_no = l.line_no
ORDER BY k.number, l.line_no DESC
"""

_REWARD = "json_build_object('type', r.reward_type, 'amount', r.reward_amount, 'couponType', r.coupon_type)"

DRAWN = {
    FeatureType.DICE: """
        SELECT json_build_object('type', 'dice', 'userDice', json_build_array(g.user_dice_1, g.user_dice_2),
            'dealerDice', json_build_array(g.dealer_dice_1, g.dealer_dice_2), 'outcome', g.outcome)
        FROM dice_log g WHERE g.user_id = p.user_id AND g.id = p.id""",
    FeatureType.ROULETTE: f"""
        SELECT json_build_object('type', 'segment', 'id', r.id, 'slot', r.slot, 'label', r.label, 'reward', {_REWARD},
            'weight', r.weight, 'isJackpot', r.is_jackpot, 'totalWeight',
            (SELECT sum(s.weight) FROM roulette_segment s WHERE s.config_id = r.config_id))
        FROM roulette_log g JOIN roulette_segment r ON r.config_id = g.config_id AND r.id = g.segment_id
        WHERE g.user_id = p.user_id AND g.id = p.id""",  # noqa: S608 (only the constant above)
    # What was in stock at the draw, and so its odds, only the play's event tells; the revision tells how it is now.
    FeatureType.LOTTERY: f"""
        SELECT coalesce(
            (SELECT e.meta_json -> 'drawn' FROM user_event_log e
             WHERE e.user_id = p.user_id AND e.created_at = p.created_at AND e.event_name = 'PLAY'
                AND e.meta_json ->> 'playId' = p.id::text)::json,
            json_build_object('type', 'prize', 'id', r.id, 'label', r.label, 'reward', {_REWARD},
                'weight', r.weight, 'stock', r.stock, 'isActive', r.is_active, 'totalWeight',
                (SELECT sum(s.weight) FROM lottery_prize s WHERE s.config_id = r.config_id AND s.is_active)))
        FROM lottery_log g JOIN lottery_prize r ON r.config_id = g.config_id AND r.id = g.prize_id
        WHERE g.user_id = p.user_id AND g.id = p.id""",  # noqa: S608 (only the constant above)
}
"""What was drawn in a play `p`, as the JSON of its answer."""

assert DRAWN.keys() == GAMES.keys()

_LOGS = " UNION ALL ".join(
    f"""(
        SELECT '{game.feature}' AS game, '{game.cause}' AS cause, g.user_id, g.id, g.business_date, g.play_no,
            g.daily_max, g.reward_type, g.created_at
        FROM {game.log.__tablename__} g
        WHERE g.user_id = k.user_id AND (g.created_at, g.id) < (k.instant, k.id)
        ORDER BY g.created_at DESC, g.id DESC LIMIT k.size
    )"""  # noqa: S608 (only the registry's names)
    for game in GAMES.values()
)
_DRAWN = " ".join(f"WHEN '{feature}' THEN ({content})" for feature, content in DRAWN.items())

_LEVEL_REWARDS = """
    SELECT json_agg(json_build_object('type', 'level', 'level', r.level, 'claimedAt', r.created_at, 'reward',
        json_build_object('type', r.reward_type, 'amount', coalesce(l.amount, 0), 'balance', l.balance_after,
            'couponCode', c.code)) ORDER BY r.level)
    FROM season_pass_reward_log r
    LEFT JOIN reward_ledger l ON l.user_id = r.user_id AND l.cause = 'SEASON_LEVEL' AND l.cause_id = r.id
    LEFT JOIN coupon_code c ON c.user_id = l.user_id AND c.line_no = l.line_no
    WHERE r.user_id = s.user_id AND r.created_at = s.created_at AND r.stamp_id = s.id
"""
_RECEIPT = f"""
    CASE WHEN s.play_id = p.id THEN
        json_build_object('type', 'stamp', 'addedStamp', 1, 'xpAdded', s.xp_earned, 'currentXp', s.xp_after,
            'currentLevel', s.level_after, 'leveledUp', s.level_after > s.level_before,
            'rewards', coalesce(({_LEVEL_REWARDS}), '[]'))
    WHEN s.id IS NOT NULL THEN
        json_build_object('type', 'stamp', 'addedStamp', 0, 'xpAdded', 0, 'currentXp', s.xp_after,
            'currentLevel', s.level_after, 'leveledUp', false, 'rewards', '[]'::json)
    END
"""

PLAYS = f"""
SELECT p.number, p.id, p.business_date, p.created_at, p.play_no, p.daily_max, p.reward_type,
    coalesce(l.amount, 0) AS amount, l.balance_after, c.code, (CASE p.game {_DRAWN} END)::text AS drawn,
    ({_RECEIPT})::text AS receipt
FROM (
    SELECT k.number, p.*
    FROM unnest($1::bigint[], $2::bigint[], $3::timestamptz[], $4::uuid[]) WITH ORDINALITY
        AS k(user_id, size, instant, id, number)
    CROSS JOIN LATERAL (SELECT * FROM ({_LOGS}) g ORDER BY g.created_at DESC, g.id DESC LIMIT k.size) p
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

_drawn = msgspec.json.Decoder(DiceRoll | Segment | Prize).decode
_receipt = msgspec.json.Decoder(StampReceipt).decode


@dataclass(frozen=True)
class LedgerLine:
    """A ledger line as it is read, with the coupon's code once there is one."""

    user_id: int
    line_no: int
    reward_type: RewardType
    amount: int
    balance_after: int | None
    cause: str
    cause_id: UUID
    coupon_code: str | None
    created_at: dt.datetime


async def ledgers(database: Database, wanted: Sequence[PageOf]) -> list[Page[LedgerLine]]:
    """Pages of players' ledgers, newest line first; a line's key is (line_no,)."""
    before = [want.after[0] if want.after else LAST_ROW for want in wanted]
    arguments = ([want.player_id for want in wanted], [want.first + 1 for want in wanted], before)
    async with database.read() as connection:
        rows = (await connection.exec_driver_sql(LEDGER, arguments)).all()
    return pages_of(wanted, [(row.number, ledger_line(row)) for row in rows])


def ledger_line(row: Any) -> LedgerLine:
    """A row of `LEDGER`."""
    return LedgerLine(
        row.user_id,
        row.line_no,
        RewardType(row.reward_type),
        row.amount,
        row.balance_after,
        row.cause,
        row.cause_id,
        row.code,
        row.created_at,
    )


async def plays(database: Database, calendar: Calendar, wanted: Sequence[PageOf]) -> list[Page[Played]]:
    """Pages of players' plays of all games, newest first; a play's key is (played_at, id)."""
    after = [want.after or LATEST for want in wanted]
    arguments = (
        [want.player_id for want in wanted],
        [want.first + 1 for want in wanted],
        [instant for instant, _ in after],
        [play_id for _, play_id in after],
    )
    async with database.read() as connection:
        rows = (await connection.exec_driver_sql(PLAYS, arguments)).all()
    return pages_of(wanted, [(row.number, _played(row, calendar)) for row in rows])


def _played(row: Any, calendar: Calendar) -> Played:
    return Played(
        id=row.id,
        business_date=row.business_date,
        played_at=row.created_at,
        reward=Granted(RewardType(row.reward_type), row.amount, row.balance_after, row.code),
        daily_limit=DailyLimit(row.daily_max, row.play_no, calendar.ends_at(row.business_date)),
        season_pass=_receipt(row.receipt) if row.receipt else None,
        drawn=_drawn(row.drawn),
    )
