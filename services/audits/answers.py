"""The answers that are kept with their keys: a replay tells what happened, and nothing happened without its key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models import Base, IdempotencyKey, RewardCause, SeasonReward, SeasonStamp
from services.audits.check import instant, of_games, query, row_of
from services.idempotency import KEPT
from services.rules.game import Game


def _differing(same: Mapping[str, str]) -> str:
    """Which parts of an answer are not as they were, by name: for each, what it says and what it was, told apart."""
    parts = ", ".join(f"CASE WHEN {pair} THEN '{name}' END" for name, pair in same.items())
    return f"nullif(concat_ws(', ', {parts}), '')"


REWARDED = {
    "reward.type": "a.reward ->> 'type' IS DISTINCT FROM g.reward_type",
    "reward.amount": "a.reward ->> 'amount' IS DISTINCT FROM coalesce(l.amount, 0)::text",
    "reward.balance": "a.reward ->> 'balance' IS DISTINCT FROM l.balance_after::text",
    # A coupon that waited has a code by now, which its answer never tells.
    "reward.couponCode": "a.reward ->> 'couponCode' <> coalesce(c.code, '')",
}
"""What an answer says of a reward; `l`: its line, `c`: its code."""

LINE = """LEFT JOIN reward_ledger l ON l.user_id = g.user_id AND l.cause = g.cause AND l.cause_id = g.id
    LEFT JOIN coupon_code c ON c.user_id = l.user_id AND c.line_no = l.line_no"""


def _untrue(kind: str, answer: str, rows: str, joins: str, same: Mapping[str, str], *, more: str = "") -> str:
    """Kept answers of a kind that tell of nothing, or not of what happened.

    `answer`: what of the JSON is looked at, as `a`; `rows`: the query of what it may tell of, `g`, joined by `joins`;
    `more`: what else it tells of.
    """
    return f"""
    SELECT {row_of(IdempotencyKey, "k")}, CASE WHEN g.id IS NULL THEN 'answers what did not happen'
        ELSE concat('answers otherwise than it was: ', d.fault) END AS fault
    FROM idempotency_key k CROSS JOIN LATERAL {answer}
    LEFT JOIN ({rows}) g ON {joins}
    {LINE}
    {more}
    CROSS JOIN LATERAL (SELECT {_differing(same)} AS fault) d
    WHERE starts_with(k.request, '{kind}:') AND k.created_at >= :since AND (g.id IS NULL OR d.fault IS NOT NULL)"""


def _drawn(game: Game[Any, Any]) -> str:
    """What an answer says at least of what was drawn in a play `g`."""
    tag = f"'type', '{game.drawn.__struct_config__.tag}'"
    if game.parts is not None:
        return f"jsonb_build_object({tag}, 'id', g.{game.parts.log_column})"
    user, dealer = (f"jsonb_build_array(g.{whose}_dice_1, g.{whose}_dice_2)" for whose in ("user", "dealer"))
    return f"jsonb_build_object({tag}, 'userDice', {user}, 'dealerDice', {dealer}, 'outcome', g.outcome)"


RECEIPT = """jsonb_build_object('addedStamp', 1, 'xpAdded', s.xp_earned, 'currentXp', s.xp_after, 'currentLevel',
    s.level_after, 'leveledUp', s.level_after > s.level_before)"""
"""What an answer says at least of a stamp `s` that came with it."""

STAMP = "LEFT JOIN season_pass_stamp_log s ON s.user_id = g.user_id AND s.play_id = g.id"

PLAYS = of_games(
    lambda game: (
        f"""
    SELECT g.user_id, g.id, '{game.cause}' AS cause, g.business_date, g.play_no, g.daily_max, g.reward_type,
        g.created_at, {_drawn(game)} AS drawn
    FROM {game.log.__tablename__} g WHERE g.created_at >= :since"""
    )
)


@query
def plays() -> str:
    """An answer that is kept of a play is as its log, its line, its coupon and its stamp say."""
    answer = """jsonb_to_record(k.answer::jsonb) AS a(id text, "businessDate" text, "playedAt" text, reward jsonb,
        "dailyLimit" jsonb, "seasonPass" jsonb, drawn jsonb)"""
    same = {
        "businessDate": """a."businessDate" IS DISTINCT FROM g.business_date::text""",
        "playedAt": f"""a."playedAt" IS DISTINCT FROM {instant("g.created_at")}""",
        "dailyLimit.max": """a."dailyLimit" ->> 'max' IS DISTINCT FROM g.daily_max::text""",
        "dailyLimit.used": """a."dailyLimit" ->> 'used' IS DISTINCT FROM g.play_no::text""",
        "drawn": "(a.drawn @> g.drawn) IS NOT TRUE",
        "seasonPass": f"""CASE WHEN s.id IS NULL THEN a."seasonPass" ->> 'addedStamp' = '1'
            ELSE (a."seasonPass" @> {RECEIPT}) IS NOT TRUE END""",
        **REWARDED,
    }
    return _untrue("play", answer, PLAYS, "g.user_id = k.user_id AND g.id::text = a.id", same, more=STAMP)


@query
def stamps() -> str:
    """An answer that is kept of a stamp by itself is as the stamp was."""
    return f"""
    SELECT {row_of(IdempotencyKey, "k")}, CASE WHEN s.id IS NULL THEN 'answers what did not happen'
        ELSE 'answers otherwise than it was: receipt' END AS fault
    FROM idempotency_key k CROSS JOIN LATERAL jsonb_to_record(k.answer::jsonb) AS a(receipt jsonb)
    LEFT JOIN season_pass_stamp_log s ON s.user_id = k.user_id AND s.created_at = k.created_at AND s.play_id IS NULL
    WHERE starts_with(k.request, 'stamp:') AND k.created_at >= :since
        AND (s.id IS NULL OR (a.receipt @> {RECEIPT}) IS NOT TRUE)"""


@query
def claims() -> str:
    """An answer that is kept of a claim is as its log, its line and its coupon say."""
    rows = f"""SELECT user_id, id, '{RewardCause.SEASON_LEVEL}' AS cause, level, reward_type, created_at
        FROM {SeasonReward.__tablename__} WHERE stamp_id IS NULL AND created_at >= :since"""
    answer = """json_to_record(k.answer -> 'levelReward') AS a(level text, reward json, "claimedAt" text)"""
    same = {"claimedAt": f"""a."claimedAt" IS DISTINCT FROM {instant("g.created_at")}""", **REWARDED}
    joins = "g.user_id = k.user_id AND g.created_at = k.created_at AND g.level::text = a.level"
    return _untrue("claim", answer, rows, joins, same)


@query
def grants() -> str:
    """An answer that is kept of a grant by an admin names its line."""
    return f"""
    SELECT {row_of(IdempotencyKey, "k")}, format('names line %s, which no admin granted then', k.answer ->> 'line_no')
        AS fault
    FROM idempotency_key k LEFT JOIN reward_ledger l ON l.user_id = k.user_id AND l.cause = 'ADMIN_GRANT'
        AND l.line_no::text = k.answer ->> 'line_no' AND l.created_at = k.created_at
    WHERE starts_with(k.request, 'grant:') AND l.user_id IS NULL AND k.created_at >= :since"""


def _unkept(log: type[Base], told: str, kept: str, *, where: str = "true") -> str:
    """Rows of a log of the time for which answers are kept, and none of a key tells of them."""
    return f"""
    SELECT {row_of(log, "g")}, 'no answer is kept of it, so the same key would do it again' AS fault
    FROM {log.__tablename__} g
    WHERE {where} AND g.created_at >= greatest(:since, CAST(:now AS timestamptz) - interval '{KEPT.days} days')
        AND NOT EXISTS (SELECT FROM idempotency_key k
                        WHERE k.user_id = g.user_id AND k.created_at = g.created_at AND {kept} = {told})"""


@query
def kept() -> str:
    """Every play, stamp and claim of the last 30 days has its answer: none can happen again by a retry."""
    return f"""
    {of_games(lambda game: _unkept(game.log, "g.id::text", "k.answer ->> 'id'"))}
    UNION ALL {_unkept(SeasonStamp, "'stamp'", "k.answer ->> 'type'", where="g.play_id IS NULL")}
    UNION ALL {_unkept(SeasonReward, "'claim'", "k.answer ->> 'type'", where="g.stamp_id IS NULL")}"""
