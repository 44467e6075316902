"""The smallest changes of a row that each constraint refuses, and the last that it still accepts.

Numbers are written out: a bound that moves in the models and the migration alike is noticed here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.contract.rows import (
    AT,
    BILLION,
    COUPON_LINE,
    DAY,
    DIGITS,
    END,
    GIVEN,
    HASH,
    LATER,
    LATER_REVEALED,
    OTHER_DIGITS,
    REVEALED,
    SAFE,
    SHORT_SEED,
    WIN,
    Row,
)


@dataclass(frozen=True)
class Case:
    """Changes of the new row that a constraint refuses, and those that are just within it."""

    refused: tuple[Row, ...]
    accepted: tuple[Row, ...] = ()


def between(column: str, low: int, high: int | None, **more: Any) -> Case:
    """A number, both bounds included."""
    within, outside = [low], [low - 1]
    if high is not None:
        within.append(high)
        outside.append(high + 1)
    return Case(tuple({column: one} | more for one in outside), tuple({column: one} | more for one in within))


def hashed(column: str) -> Case:
    """A SHA-256 has 32 bytes."""
    return Case(({column: HASH + "ab"}, {column: HASH[:-2]}))


def long(column: str, high: int, **more: Any) -> Case:
    """A text of 1 to `high` characters, which are more bytes."""
    outside, within = ("", "가" * (high + 1)), ("가", "가" * high)
    return Case(tuple({column: one} | more for one in outside), tuple({column: one} | more for one in within))


def reward(table: str, prefix: str = "") -> dict[str, Case]:
    """The constraints of a reward."""
    kind, coupon = f"{prefix}reward_type", f"{prefix}coupon_type"
    return {
        f"ck_{table}_{prefix}reward_amount": between(f"{prefix}reward_amount", 0, BILLION),
        f"ck_{table}_{coupon}": Case(
            ({kind: "COUPON"}, {coupon: "COFFEE"}, {kind: "NONE", coupon: "COFFEE"}), ({kind: "NONE"}, {kind: "TOKEN"})
        ),
        f"ck_{table}_{coupon}_length": long(coupon, 64, **{kind: "COUPON"}),
    }


def revision(table: str, limit: str) -> dict[str, Case]:
    """The constraints of a game's revision."""
    return {
        f"ck_{table}_revision": Case(({"revision": 0},)),
        f"ck_{table}_cost": by_language("cost"),
        f"ck_{table}_notice_hours": between("notice_hours", 0, 2160),
        f"ck_{table}_emergency_reason_length": long("emergency_reason", 500),
        f"ck_{table}_hash": Case(
            ({"hash": "a" * 63}, {"hash": "a" * 65}, {"hash": "A" * 64}, {"hash": "g" * 64}), ({"hash": "0f" * 32},)
        ),
        f"ck_{table}_effective_from": Case(
            ({"effective_from": "2026-03-02T02:59:59.999999Z"}, {"effective_from": END}),
            ({"effective_from": AT}, {"effective_from": "2999-12-31T23:59:59.999999Z"}),
        ),
        f"ck_{table}_effective_until": Case(
            ({"effective_until": LATER}, {"effective_until": "3000-01-01T00:00:00.000001Z"}),
            ({"effective_until": "2026-03-02T04:00:00.000001Z"}, {"effective_until": END}),
        ),
        f"ck_{table}_name_length": long("name", 100),
        f"ck_{table}_{limit}": between(limit, 0, 10_000),
    }


def withdrawal(table: str) -> dict[str, Case]:
    """The constraints of a withdrawal."""
    return {
        f"ck_{table}_before_it_began": Case(
            ({"withdrawn_at": LATER},), ({"withdrawn_at": AT}, {"withdrawn_at": "2026-03-02T03:59:59.999999Z"})
        ),
        f"ck_{table}_reason_length": long("reason", 500),
    }


def log(table: str) -> dict[str, Case]:
    """The constraints of a game's log."""
    limit = Case(({"play_no": 0}, {"play_no": 4}), ({"play_no": 3}, {"play_no": 10_000, "daily_max": 0}))
    drawn = Case(
        tuple({column: value} for column in ("drawn_from", "rolls") for value in ([], [1, -1])),
        ({"drawn_from": [0, BILLION], "rolls": [0, BILLION]},),
    )
    return reward(table) | {f"ck_{table}_daily_limit": limit, f"ck_{table}_drawn": drawn}


def weighted(table: str) -> dict[str, Case]:
    """The constraints of what is drawn by weight."""
    return reward(table) | {
        f"ck_{table}_label_length": long("label", 100),
        f"ck_{table}_labels": by_language("labels"),
        f"ck_{table}_weight": between("weight", 0, BILLION),
    }


def by_language(column: str) -> Case:
    """Texts of 1 to 100 characters by language."""
    outside: tuple[Any, ...] = (
        {"FR": "a"},
        {"KO": ""},
        {"KO": "a", "EN": "가" * 101},
        {"KO": 1},
        {"EN": None},
        [],
        ["KO"],
        "KO",
        1,
    )
    within: tuple[Any, ...] = ({}, {"KO": "가"}, {"KO": "가" * 100, "EN": "a" * 100})
    return Case(tuple({column: one} for one in outside), tuple({column: one} for one in within))


LOSE: Row = {"user_dice_1": 1, "user_dice_2": 1, "dealer_dice_2": 2, "outcome": "LOSE"}
TIE: Row = {"user_dice_1": 1, "user_dice_2": 1, "outcome": "DRAW"}

CHECKS: Mapping[str, Case] = {
    "ck_user_external_id_length": long("external_id", 128),
    "ck_user_version": between("version", 0, None),
    "ck_user_ledger_lines": between("ledger_lines", 0, None),
    "ck_user_ledger_hash_length": hashed("ledger_hash"),
    "ck_feature_schedule_date": Case(({"date": "3000-01-01"},), ({"date": "2999-12-31"},)),
    "ck_feature_schedule_revision": between("revision", 1, None),
    "ck_feature_config_title_length": long("title", 100),
    "ck_feature_config_titles": by_language("titles"),
    "ck_feature_config_page_path_length": Case(
        ({"page_path": ""}, {"page_path": "/" + "가" * 200}), ({"page_path": "/"}, {"page_path": "/" + "가" * 199})
    ),
    "ck_feature_config_page_path": Case(({"page_path": "//evil"}, {"page_path": "dice"}), ({"page_path": "/"},)),
    "ck_feature_config_stamp_xp_bonus": between("stamp_xp_bonus", 0, 100_000),
    "ck_feature_config_revision": between("revision", 1, None),
    **revision("dice_config", "max_daily_plays"),
    **revision("roulette_config", "max_daily_spins"),
    **revision("lottery_config", "max_daily_tickets"),
    **withdrawal("dice_withdrawal"),
    **withdrawal("roulette_withdrawal"),
    **withdrawal("lottery_withdrawal"),
    **reward("dice_config", "win_"),
    **reward("dice_config", "draw_"),
    **reward("dice_config", "lose_"),
    **log("dice_log"),
    **log("roulette_log"),
    **log("lottery_log"),
    **{f"ck_dice_log_{die}": between(die, 1, 6) for die in WIN if die != "outcome"},
    "ck_dice_log_outcome_sums": Case(
        tuple(
            row | {"outcome": other} for row in (WIN, LOSE, TIE) for other in {"WIN", "LOSE", "DRAW"} - {row["outcome"]}
        ),
        (LOSE, TIE),
    ),
    **weighted("roulette_segment"),
    **weighted("lottery_prize"),
    "ck_roulette_segment_slot": Case(({"slot": -1}, {"slot": 6}), ({"slot": 5},)),
    "ck_lottery_prize_position": Case(({"position": -1}, {"position": 100}), ({"position": 99},)),
    "ck_lottery_prize_quantity": between("quantity", 0, BILLION),
    "ck_lottery_prize_quantity_of_stock": Case(
        ({"quantity": None}, {"stock_id": None}), ({"quantity": None, "stock_id": None},)
    ),
    "ck_lottery_stock_initial": Case(({"initial": BILLION + 1},), ({"initial": BILLION}, {"initial": 0, "left": 0})),
    "ck_lottery_stock_left": between("left", 0, None),
    "ck_lottery_stock_left_within_initial": Case(({"left": 4},), ({"left": 3},)),
    "ck_reward_ledger_line_no": Case(({"line_no": 0},)),
    "ck_reward_ledger_grants_something": Case(({"reward_type": "NONE"},), ({"reward_type": "TOKEN"}, COUPON_LINE)),
    "ck_reward_ledger_amount": Case(
        (
            {"amount": 0},
            {"amount": BILLION + 1},
            {"amount": -1},
            {"amount": 0, "cause": "ADMIN_GRANT"},
            {"amount": -BILLION - 1, "cause": "ADMIN_GRANT"},
            COUPON_LINE | {"amount": -1, "cause": "ADMIN_GRANT"},
        ),
        (
            {"amount": BILLION},
            {"amount": -1, "cause": "ADMIN_GRANT"},
            {"amount": -BILLION, "cause": "ADMIN_GRANT"},
            GIVEN,
        ),
    ),
    "ck_reward_ledger_coupon_given": Case((GIVEN | {"amount": 1}, GIVEN | {"coupon_id": None}), (GIVEN,)),
    "ck_reward_ledger_coupon_id": Case(({"coupon_id": 2},), (COUPON_LINE | {"coupon_id": 2},)),
    "ck_reward_ledger_hash_length": hashed("hash"),
    "ck_reward_ledger_balance_after_known": Case(({"balance_after": None}, COUPON_LINE | {"balance_after": 0})),
    "ck_reward_ledger_balance_after": between("balance_after", 0, SAFE),
    "ck_reward_ledger_coupon_type": Case(({"coupon_type": "COFFEE"}, COUPON_LINE | {"coupon_type": None})),
    "ck_ledger_seal_number": Case(({"number": 0},)),
    "ck_ledger_seal_settled_at": Case(({"settled_at": END},), ({"settled_at": LATER},)),
    "ck_ledger_seal_leaves": Case(({"leaves": 0},), ({"leaves": 1},)),
    "ck_ledger_seal_lines": Case(({"lines": 1},), ({"lines": 2},)),
    "ck_ledger_seal_coupons": Case(({"coupons": -1}, {"coupons": 5}), ({"coupons": 0}, {"coupons": 4})),
    "ck_ledger_seal_points": between("points", 0, None),
    "ck_ledger_seal_tokens": between("tokens", 0, None),
    "ck_ledger_seal_root_length": hashed("root"),
    "ck_ledger_seal_hash_length": hashed("hash"),
    "ck_ledger_seal_leaf_hash_length": hashed("hash"),
    "ck_reward_balance_kept_as_balance": Case(({"reward_type": "COUPON"}, {"reward_type": "NONE"})),
    "ck_reward_balance_amount": between("amount", 0, SAFE),
    "ck_coupon_code_given_whole": Case(
        ({"user_id": None}, {"line_no": None}, {"given_at": None}, {"user_id": None, "line_no": None}),
        ({"user_id": None, "line_no": None, "given_at": None},),
    ),
    "ck_coupon_code_coupon_type_length": long("coupon_type", 64),
    "ck_coupon_code_code_length": long("code", 128),
    "ck_season_pass_config_name_length": long("name", 100),
    "ck_season_pass_config_dates": Case(
        ({"end_date": "2026-03-31"}, {"start_date": "2900-01-01", "end_date": "2910-01-09"}),
        ({"end_date": "2026-04-01"}, {"start_date": "2900-01-01", "end_date": "2910-01-08"}),
    ),
    "ck_season_pass_config_end_date": Case(
        ({"start_date": "2999-12-31", "end_date": "3000-01-01"},),
        ({"start_date": "2999-12-31", "end_date": "2999-12-31"},),
    ),
    "ck_season_pass_config_base_xp_per_stamp": between("base_xp_per_stamp", 0, 100_000),
    "ck_season_pass_config_max_level": between("max_level", 1, 200),
    "ck_season_pass_config_revision": between("revision", 1, None),
    **reward("season_pass_level"),
    "ck_season_pass_level_level": Case(({"level": 0}, {"level": 201}), ({"level": 200},)),
    "ck_season_pass_level_required_xp": between("required_xp", 0, BILLION),
    "ck_season_pass_progress_current_xp": between("current_xp", 0, None),
    "ck_season_pass_progress_current_level": between("current_level", 0, 200),
    "ck_season_pass_progress_total_stamps": between("total_stamps", 0, None),
    "ck_season_pass_stamp_log_xp_earned": Case(({"xp_earned": -1},), ({"xp_earned": 0},)),
    "ck_season_pass_stamp_log_xp_after": Case(({"xp_after": 99},), ({"xp_after": 100}, {"xp_after": 101})),
    "ck_season_pass_stamp_log_level_before": between("level_before", 0, 200),
    "ck_season_pass_stamp_log_level_after": between("level_after", 0, 200),
    **reward("season_pass_reward_log"),
    "ck_season_pass_reward_log_level": between("level", 1, 200),
    "ck_ranking_revision_revision": between("revision", 1, None),
    "ck_ranking_revision_total_entries": between("total_entries", 0, 200_000),
    "ck_ranking_revision_deleted_is_empty": Case(({"is_deleted": True},), ({"is_deleted": True, "total_entries": 0},)),
    "ck_ranking_daily_rank": between("rank", 1, BILLION),
    "ck_ranking_daily_display_name_length": long("display_name", 100),
    "ck_ranking_daily_score": between("score", -SAFE, SAFE),
    "ck_ranking_daily_external_id_length": long("external_id", 128),
    "ck_idempotency_key_key_length": long("key", 128),
    "ck_idempotency_key_request_length": long("request", 1000),
    "ck_audit_log_actor_whole": Case(
        ({"actor_id": None}, {"actor_role": None}), ({"actor_id": None, "actor_role": None},)
    ),
    "ck_audit_log_actor_length": long("actor", 200),
    "ck_audit_log_action_length": long("action", 100),
    "ck_audit_log_target_length": long("target", 300),
    "ck_draw_seed_commitment": Case(({"commitment": "ab"}, {"commitment": "AB" * 32})),
    "ck_draw_seed_seed_committed_to": Case(
        (
            REVEALED | {"commitment": OTHER_DIGITS[::-1]},
            LATER_REVEALED,
        ),
        (REVEALED,),
    ),
    "ck_draw_seed_seed": Case((SHORT_SEED,)),
    "ck_draw_seed_revealed_whole": Case((REVEALED | {"revealed_at": None}, {"revealed_at": "2026-03-05T00:00:00Z"})),
    "ck_draw_seed_revealed_after_the_day": Case((REVEALED | {"revealed_at": "2026-03-04T10:04:59.999Z"},)),
    "ck_draw_seed_sealed_kid_length": long("kid", 64),
    "ck_draw_seed_sealed_nonce": Case(({"nonce": "\\x00"},)),
    "ck_draw_seed_sealed_sealed": Case(({"sealed": "\\x00"},)),
    "ck_draw_root_root": Case(({"root": "ab"}, {"root": "AB" * 32})),
    "ck_draw_root_draws": Case(({"draws": 0}, {"draws": -1}, {"root": ""}), ({"draws": 0, "root": ""},)),
    "ck_draw_leaves_chunk": Case(({"chunk": -1},), ({"chunk": 0},)),
    "ck_draw_leaves_leaves": Case(
        ({"leaves": f"\\x{DIGITS}00"}, {"leaves": f"\\x{DIGITS * 1025}"}),
        ({"leaves": f"\\x{DIGITS * 1024}"},),
    ),
    "ck_draw_leaves_least": Case(({"least": f"\\x{OTHER_DIGITS}"},)),
    "ck_draw_leaves_root": Case(({"root": "\\x00"},)),
    "ck_lottery_day_draws": Case(({"draws": 0},)),
    "ck_lottery_adjustment_by": Case(({"by": 0},), ({"by": 1},)),
    "ck_lottery_adjustment_after_no": between("after_no", 0, None),
    "ck_lottery_adjustment_taken_on": Case(
        ({"taken_on": DAY}, {"taken_on": "2026-03-01", "by": 1}), ({"taken_on": "2026-03-01"},)
    ),
    "ck_lottery_log_draw_no": Case(({"draw_no": 0},)),
    "ck_draw_tally_draws": Case(({"draws": 0},)),
    "ck_draw_alarm_draws": Case(({"draws": 0},)),
    "ck_draw_alarm_evidence": Case(({"evidence": 1.0},)),
}
"""By the name of the constraint; a closed vocabulary, a key and a reference need no case of their own."""

OVERLAPPING: tuple[Row, ...] = (
    {"start_date": "2026-03-31", "end_date": "2026-04-30"},
    {"start_date": "2026-02-01", "end_date": "2026-03-01"},
    {"start_date": "2026-03-10", "end_date": "2026-03-10"},
)
"""Seasons that share a day with one that is there, be it its first or its last."""

IMPLIED: Mapping[str, tuple[str, ...]] = {
    "uq_roulette_segment_config_id_id": ("pk_roulette_segment",),
    "uq_lottery_prize_config_id_id": ("pk_lottery_prize",),
    **{f"uq_{game}_config_id_effective_from": (f"pk_{game}_config",) for game in ("dice", "roulette", "lottery")},
    "ck_reward_balance_reward_type": ("ck_reward_balance_kept_as_balance",),
    "uq_reward_ledger_coupon_id": ("ck_reward_ledger_coupon_id",),
    "fk_reward_ledger_coupon_id": ("ck_reward_ledger_coupon_id",),
    "ck_feature_config_page_path_length": ("ck_feature_config_page_path",),
}
"""What has to be taken away before a constraint is the first to refuse: those that hold whenever it does."""
