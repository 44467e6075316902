"""A valid row of every table, and another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Row = dict[str, Any]

AT = "2026-03-02T03:00:00Z"
LATER, END = "2026-03-02T04:00:00Z", "3000-01-01T00:00:00Z"
DAY, NEXT_DAY, THIRD_DAY = "2026-03-02", "2026-03-03", "2026-03-04"
ONE, TWO, THREE = (f"00000000-0000-0000-0000-00000000000{n}" for n in (1, 2, 3))
ALICE, BOB, CAROL = (f"00000000-0000-4000-8000-00000000000{n}" for n in (1, 2, 3))
HASH = "\\x" + "ab" * 32
BILLION, SAFE = 1_000_000_000, 9_007_199_254_740_991

POINTS: Row = {"reward_type": "POINT", "reward_amount": 10, "coupon_type": None}
COUPON: Row = {"reward_type": "COUPON", "reward_amount": 1, "coupon_type": "COFFEE"}


def play(config: Row, *, user: str, number: int, date: str, key: str) -> Row:
    """A row of a game's log."""
    numbers = {"user_id": user, "id": key, "business_date": date, "play_no": number, "daily_max": 3}
    return numbers | {"created_at": AT, "drawn_from": [6], "rolls": [0]} | POINTS | config


def plays(config: Row) -> tuple[Row, Row]:
    """A play that is stored, and another."""
    return (
        play(config, user=ALICE, number=1, date=DAY, key=ONE),
        play(config, user=BOB, number=2, date=NEXT_DAY, key=TWO),
    )


def revisions(limit: str, more: Row) -> tuple[Row, Row]:
    """A revision that is stored, and another."""
    common = {
        "name": "spring",
        "published_at": AT,
        "effective_from": LATER,
        "effective_until": None,
        limit: 3,
        "notice_hours": 0,
    } | more
    return common | {"id": 1, "revision": 1, "hash": "1" * 64}, common | {"id": 2, "revision": 2, "hash": "2" * 64}


def outcome(name: str) -> Row:
    """The reward of an outcome of the dice."""
    return {f"{name}_{column}": value for column, value in POINTS.items()}


WIN: Row = {"user_dice_1": 6, "user_dice_2": 6, "dealer_dice_1": 1, "dealer_dice_2": 1, "outcome": "WIN"}
DICE, NEW_DICE = revisions("max_daily_plays", outcome("win") | outcome("draw") | outcome("lose"))
ROULETTE, NEW_ROULETTE = revisions("max_daily_spins", {})
LOTTERY, NEW_LOTTERY = revisions("max_daily_tickets", {})
THIRD: Row = {"id": 3, "revision": 3, "hash": "3" * 64}
WITHDRAWN: Row = {"config_id": 1, "effective_from": LATER, "withdrawn_at": AT, "reason": "a typo"}
THROW, NEW_THROW = plays({"config_id": 1} | WIN)
SPIN, NEW_SPIN = plays({"config_id": 1, "segment_id": 1})
DRAW, NEW_DRAW = plays({"config_id": 1, "prize_id": 1, "draw_no": 1})
NEW_DRAW |= {"draw_no": 2}
SEGMENT: Row = POINTS | {"id": 1, "config_id": 1, "slot": 0, "label": "a", "weight": 1, "is_jackpot": False}
PRIZE: Row = POINTS | {"id": 1, "config_id": 1, "position": 0, "label": "a", "weight": 1, "is_active": True}
PRIZE |= {"stock_id": 1, "quantity": 3}
STOCK: Row = {"id": 1, "initial": 3, "left": 2}
PLAYER: Row = {"id": ALICE, "external_id": "alice", "is_blocked": False, "version": 0, "created_at": AT}
PLAYER |= {"ledger_lines": 0, "ledger_hash": HASH}
SCHEDULED: Row = {"id": 1, "date": DAY, "feature_type": "DICE", "is_active": True, "revision": 1, "updated_at": AT}
FEATURE: Row = {"id": 1, "feature_type": "DICE", "title": "Dice", "page_path": "/dice", "is_enabled": True}
FEATURE |= {"stamp_xp_bonus": 0, "revision": 1, "updated_at": AT}
LINE: Row = {"user_id": ALICE, "line_no": 1, "reward_type": "POINT", "amount": 10, "coupon_type": None}
LINE |= {"balance_after": 10, "cause": "DICE_PLAY", "cause_id": ONE, "created_at": AT, "hash": HASH}
COUPON_LINE: Row = {"reward_type": "COUPON", "coupon_type": "COFFEE", "balance_after": None, "amount": 1}
GIVEN: Row = COUPON_LINE | {"amount": 0, "cause": "COUPON_GIVEN", "coupon_id": 2}
CODE: Row = {"id": 1, "coupon_type": "COFFEE", "code": "C-1", "imported_at": AT}
CODE |= {"user_id": ALICE, "line_no": 1, "given_at": AT}
FREE: Row = {"id": 2, "coupon_type": "COFFEE", "code": "C-2", "imported_at": AT}
WAITING: Row = {"id": 1, "coupon_type": "COFFEE", "user_id": ALICE, "line_no": 1, "created_at": AT}
SEAL: Row = {"number": 1, "sealed_at": LATER, "settled_at": AT, "leaves": 2, "root": HASH, "lines": 4, "coupons": 1}
SEAL |= {"points": 10, "tokens": 0, "hash": HASH}
LEAF: Row = {"user_id": ALICE, "line_no": 1, "seal_no": 1, "hash": HASH}
SEASON: Row = {"id": 1, "name": "spring", "start_date": "2026-03-01", "end_date": "2026-03-31"}
SEASON |= {"base_xp_per_stamp": 100, "max_level": 2, "revision": 1, "published_at": AT}
SUMMER: Row = {"id": 2, "name": "summer", "start_date": "2026-06-01", "end_date": "2026-06-30"}
LEVEL: Row = POINTS | {"id": 1, "season_id": 1, "level": 1, "required_xp": 100, "auto_claim": False}
PROGRESS: Row = {"user_id": ALICE, "id": ONE, "season_id": 1, "current_xp": 100, "current_level": 1, "total_stamps": 1}
PROGRESS |= {"last_stamp_date": DAY, "created_at": AT, "updated_at": AT}
STAMP: Row = {"user_id": ALICE, "id": ONE, "season_id": 1, "progress_id": ONE, "date": DAY, "source_feature": "DICE"}
STAMP |= {"play_id": None, "xp_earned": 100, "xp_after": 100, "level_before": 0, "level_after": 1, "created_at": AT}
CLAIM: Row = POINTS | {"user_id": ALICE, "id": ONE, "season_id": 1, "progress_id": ONE, "level": 1, "stamp_id": None}
CLAIM |= {"created_at": AT}
PUBLISHED: Row = {"date": DAY, "revision": 1, "total_entries": 1, "content_hash": "h", "is_deleted": False}
PUBLISHED |= {"published_at": AT}
RANK: Row = {"date": DAY, "rank": 1, "revision": 1, "display_name": "a", "score": 1, "external_id": "alice"}
EVENT: Row = {"user_id": ALICE, "id": ONE, "feature_type": "DICE", "event_name": "FEATURE_VIEW", "business_date": DAY}
EVENT |= {"meta_json": {}, "created_at": AT}
KEY: Row = {"user_id": ALICE, "key": "k", "request": "play:DICE", "answer": {}, "created_at": AT}
AUDIT: Row = {"id": 1, "actor": "olive", "action": "grantReward", "target": "player 1", "created_at": AT}
AUDIT |= {"actor_id": ALICE, "actor_role": "ADMIN"}

DIGITS, OTHER_DIGITS = "ab" * 32, "cd" * 32
SEED: Row = {"date": DAY, "commitment": DIGITS, "committed_at": AT, "seed": None, "revealed_at": None}
REVEALED: Row = {"seed": "\\x" + "00" * 32, "revealed_at": "2026-03-04T10:05:00Z"}
REVEALED |= {"commitment": "45e6edc4e91b86a88c9697af0fe3b187d2a258d48d0f093be527a0f566fbdf2d"}
"""A seed of zeros, at the first instant at which the day has ended in any zone."""
LATER_REVEALED: Row = REVEALED | {"date": "2026-03-05", "revealed_at": "2026-03-06T00:00:00Z"}
SHORT_SEED: Row = REVEALED | {"seed": "\\x" + "00" * 31}
SHORT_SEED |= {"commitment": "f4b24845442d29cce9bb6ce0148335efe4878920a3074d78b981f8b3503fceb1"}
SEALED: Row = {"date": DAY, "kid": "k", "nonce": "\\x" + "00" * 12, "sealed": "\\x" + "00" * 48}
ROOT: Row = {"date": DAY, "root": DIGITS, "draws": 1, "made_at": AT}
LEAVES: Row = {"date": DAY, "chunk": 0, "least": f"\\x{DIGITS}", "leaves": f"\\x{DIGITS}", "root": f"\\x{DIGITS}"}
COUNTED: Row = {
    "feature_type": "DICE",
    "config_id": 1,
    "place": 1,
    "drawn_from": [6, 6, 6, 6],
    "outcome": 0,
    "draws": 1,
}
ALARM: Row = {"id": 1, "feature_type": "DICE", "evidence": 1000.5, "draws": 1, "raised_at": AT, "closed_at": None}
LATE: Row = {"id": 1, "stock_id": 1, "date": DAY, "by": -1, "after_no": 0, "taken_on": None, "created_at": AT}

STORED: Mapping[str, list[Row]] = {
    "user": [PLAYER, PLAYER | {"id": BOB, "external_id": "bob"}],
    "fact_revision": [{"facts": "week", "revision": ONE}],
    "feature_schedule": [SCHEDULED],
    "feature_config": [FEATURE],
    "dice_config": [DICE, NEW_DICE | THIRD],
    "dice_withdrawal": [WITHDRAWN],
    "dice_log": [THROW],
    "roulette_config": [ROULETTE, NEW_ROULETTE | THIRD],
    "roulette_withdrawal": [WITHDRAWN],
    "roulette_segment": [SEGMENT],
    "roulette_log": [SPIN],
    "lottery_config": [LOTTERY, NEW_LOTTERY | THIRD],
    "lottery_withdrawal": [WITHDRAWN],
    "lottery_stock": [STOCK, STOCK | {"id": 2}],
    "lottery_prize": [PRIZE],
    "lottery_log": [DRAW],
    "reward_ledger": [LINE | COUPON_LINE | {"coupon_id": 1}, LINE | {"user_id": BOB, "line_no": 2}],
    "reward_balance": [{"user_id": ALICE, "reward_type": "POINT", "amount": 10}],
    "ledger_seal": [SEAL, SEAL | {"number": 2}],
    "ledger_seal_leaf": [LEAF],
    "coupon_code": [CODE, FREE],
    "coupon_waiting": [WAITING],
    "season_pass_config": [SEASON, SEASON | SUMMER],
    "season_pass_level": [LEVEL],
    "season_pass_progress": [PROGRESS, PROGRESS | {"user_id": BOB, "id": TWO}],
    "season_pass_stamp_log": [STAMP],
    "season_pass_reward_log": [CLAIM],
    "ranking_revision": [PUBLISHED, PUBLISHED | {"date": NEXT_DAY, "revision": 2}],
    "ranking_daily": [RANK],
    "user_event_log": [EVENT],
    "idempotency_key": [KEY],
    "audit_log": [AUDIT],
    "draw_seed": [SEED, SEED | {"date": NEXT_DAY, "commitment": OTHER_DIGITS}],
    "draw_seed_sealed": [SEALED],
    "draw_root": [ROOT, ROOT | {"date": NEXT_DAY}],
    "draw_leaves": [LEAVES],
    "lottery_day": [{"date": DAY, "draws": 1}],
    "lottery_adjustment": [LATE],
    "draw_watch": [{"feature_type": "DICE", "counted_until": AT}],
    "draw_tally": [COUNTED],
    "draw_alarm": [ALARM],
}
"""What is there already; the first row of each table shares nothing with the new one that must be unique."""

NEW: Mapping[str, Row] = {
    "user": PLAYER | {"id": CAROL, "external_id": "carol"},
    "fact_revision": {"facts": "year", "revision": ONE},
    "feature_schedule": SCHEDULED | {"id": 2, "date": NEXT_DAY},
    "feature_config": FEATURE | {"id": 2, "feature_type": "LOTTERY"},
    "dice_config": NEW_DICE,
    "dice_withdrawal": WITHDRAWN | {"config_id": 3},
    "dice_log": NEW_THROW,
    "roulette_config": NEW_ROULETTE,
    "roulette_withdrawal": WITHDRAWN | {"config_id": 3},
    "roulette_segment": SEGMENT | {"id": 2, "slot": 1},
    "roulette_log": NEW_SPIN,
    "lottery_config": NEW_LOTTERY,
    "lottery_withdrawal": WITHDRAWN | {"config_id": 3},
    "lottery_stock": STOCK | {"id": 3},
    "lottery_prize": PRIZE | {"id": 2, "position": 1, "stock_id": 2},
    "lottery_log": NEW_DRAW,
    "reward_ledger": LINE | {"user_id": BOB, "line_no": 3, "cause": "ROULETTE_SPIN", "cause_id": TWO},
    "reward_balance": {"user_id": BOB, "reward_type": "TOKEN", "amount": 10},
    "ledger_seal": SEAL | {"number": 3},
    "ledger_seal_leaf": LEAF | {"user_id": BOB, "line_no": 2, "seal_no": 2},
    "coupon_code": CODE | {"id": 3, "coupon_type": "TEA", "code": "T-1", "user_id": BOB, "line_no": 2},
    "coupon_waiting": WAITING | {"id": 2, "user_id": BOB, "line_no": 2},
    "season_pass_config": SEASON | {"id": 3, "name": "may", "start_date": "2026-04-01", "end_date": "2026-05-31"},
    "season_pass_level": LEVEL | {"id": 2, "level": 2},
    "season_pass_progress": PROGRESS | {"user_id": BOB, "id": THREE, "season_id": 2},
    "season_pass_stamp_log": STAMP | {"user_id": BOB, "id": TWO, "season_id": 2, "progress_id": TWO, "date": NEXT_DAY},
    "season_pass_reward_log": CLAIM | {"user_id": BOB, "id": TWO, "season_id": 2, "progress_id": TWO, "level": 2},
    "ranking_revision": PUBLISHED | {"date": NEXT_DAY, "revision": 3},
    "ranking_daily": RANK | {"date": NEXT_DAY, "rank": 2, "revision": 2, "external_id": "bob"},
    "user_event_log": EVENT | {"user_id": BOB, "id": TWO, "business_date": NEXT_DAY},
    "idempotency_key": KEY | {"user_id": BOB, "key": "l"},
    "audit_log": AUDIT | {"id": 2},
    "draw_seed": SEED | {"date": THIRD_DAY, "commitment": "ef" * 32},
    "draw_seed_sealed": SEALED | {"date": NEXT_DAY},
    "draw_root": ROOT | {"date": THIRD_DAY},
    "draw_leaves": LEAVES | {"date": NEXT_DAY, "chunk": 1},
    "lottery_day": {"date": NEXT_DAY, "draws": 1},
    "lottery_adjustment": LATE | {"id": 2},
    "draw_watch": {"feature_type": "LOTTERY", "counted_until": AT},
    "draw_tally": COUNTED | {"feature_type": "LOTTERY", "config_id": 2, "place": 2, "drawn_from": [1], "outcome": 1},
    "draw_alarm": ALARM | {"id": 2, "feature_type": "LOTTERY"},
}
