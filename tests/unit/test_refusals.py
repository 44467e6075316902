"""Whatever refuses a command, it leaves the batch as it was: the next in it finds every prize, play and level there."""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Callable
from typing import Any
from uuid import UUID

import msgspec
import pytest

from models import MAX_SAFE_INTEGER, FeatureType, RewardType
from services.error_codes import ErrorCode
from services.errors import HaruError
from services.rules.day import Day
from services.rules.play import Action, Claim, Play, Stamp, decide
from services.rules.state import Earlier, PlayerState
from tests.unit import rules
from tests.unit.rules import NOW

DICE, LOTTERY, SEASON_PASS = FeatureType.DICE, FeatureType.LOTTERY, FeatureType.SEASON_PASS
SEASON = rules.season([(100, True), (10_000, False)])
BROKEN = rules.season([(100, True), (100, True)])
ONE_LEFT = rules.lottery([(1, 1)], limit=1)
ALICE, BOB = rules.PLAYER, UUID(int=2)
NEXT = rules.TODAY + dt.timedelta(days=1)


def lottery_day(*seasons: Any) -> Day:
    return rules.day(LOTTERY, game=ONE_LEFT, seasons=seasons or [SEASON])


def dice_day(*seasons: Any) -> Day:
    return rules.day(DICE, game=rules.dice(), seasons=seasons or [SEASON])


def nothing(_: PlayerState) -> None:
    """Change nothing."""


def full(player: PlayerState) -> None:
    player.balances[RewardType.POINT] = MAX_SAFE_INTEGER


def used_up(player: PlayerState) -> None:
    player.used[LOTTERY] = 1


def blocked(player: PlayerState) -> None:
    player.is_blocked = True


def stamped(player: PlayerState) -> None:
    decide(
        Stamp(ALICE, "earlier", SEASON_PASS),
        NOW,
        rules.state(dice_day(), player),
        rules.effects(),
    )


def used_key(player: PlayerState) -> None:
    player.earlier["k"] = Earlier("play:ROULETTE", "{}")


Prepare = Callable[[PlayerState], None]
CASES: dict[str, tuple[Day, Prepare, Action[Any], ErrorCode]] = {
    "a draw by its season's conflict": (
        lottery_day(SEASON, SEASON),
        nothing,
        Play(ALICE, "k", LOTTERY),
        ErrorCode.NO_ACTIVE_SEASON_CONFLICT,
    ),
    "a draw by its broken season": (
        lottery_day(BROKEN),
        nothing,
        Play(ALICE, "k", LOTTERY),
        ErrorCode.INVALID_SEASON_CONFIG,
    ),
    "a draw by a full balance": (lottery_day(), full, Play(ALICE, "k", LOTTERY), ErrorCode.VALIDATION_FAILED),
    "a draw by its limit": (lottery_day(), used_up, Play(ALICE, "k", LOTTERY), ErrorCode.DAILY_LIMIT_REACHED),
    "a draw by a used key": (
        lottery_day(),
        used_key,
        Play(ALICE, "k", LOTTERY),
        ErrorCode.IDEMPOTENCY_KEY_REUSED,
    ),
    "a draw of who is blocked": (lottery_day(), blocked, Play(ALICE, "k", LOTTERY), ErrorCode.USER_BLOCKED),
    "a game that is not on": (lottery_day(), nothing, Play(ALICE, "k", DICE), ErrorCode.NO_FEATURE_TODAY),
    "a throw by a full balance": (dice_day(), full, Play(ALICE, "k", DICE), ErrorCode.VALIDATION_FAILED),
    "a stamp by a full balance": (dice_day(), full, Stamp(ALICE, "k", SEASON_PASS), ErrorCode.VALIDATION_FAILED),
    "a second stamp": (dice_day(), stamped, Stamp(ALICE, "k", SEASON_PASS), ErrorCode.ALREADY_STAMPED_TODAY),
    "a stamp by a broken season": (
        dice_day(BROKEN),
        nothing,
        Stamp(ALICE, "k", SEASON_PASS),
        ErrorCode.INVALID_SEASON_CONFIG,
    ),
    "a level that is not reached": (dice_day(), stamped, Claim(ALICE, "k", 2), ErrorCode.LEVEL_NOT_REACHED),
    "a level that claims itself": (dice_day(), stamped, Claim(ALICE, "k", 1), ErrorCode.AUTO_CLAIM_LEVEL),
}


@pytest.mark.parametrize(("day", "prepare", "action", "code"), CASES.values(), ids=CASES.keys())
def test_a_refusal_leaves_the_batch_as_it_was(day: Day, prepare: Prepare, action: Action[Any], code: ErrorCode) -> None:
    state, effects = rules.state(day, rules.player(ALICE), rules.player(BOB), stocks={0: 1}), rules.effects()
    prepare(state.players[ALICE])
    before = copy.deepcopy((state.players, state.stocks))
    with pytest.raises(HaruError) as refused:
        decide(action, NOW, state, effects)
    assert refused.value.code == code
    assert (state.players, state.stocks) == before
    assert effects.is_empty
    assert not any((effects.rows, effects.balances, effects.progress, effects.drawn, effects.coupons, effects.answers))


def test_the_last_prize_is_still_there_for_the_next_in_the_batch() -> None:
    state, effects = rules.state(lottery_day(), rules.player(ALICE), rules.player(BOB), stocks={0: 1}), rules.effects()
    full(state.players[ALICE])
    with pytest.raises(HaruError):
        decide(Play(ALICE, "k", LOTTERY), NOW, state, effects)
    played: Any = decide(Play(BOB, "k", LOTTERY), NOW, state, effects)
    assert (played.drawn.id, played.drawn.stock) == (0, 0)
    assert (state.stocks, dict(effects.drawn)) == ({0: 0}, {0: 1})
    with pytest.raises(HaruError) as sold_out:
        decide(
            Play(BOB, "l", LOTTERY),
            NOW,
            rules.state(lottery_day(), rules.player(BOB), stocks=state.stocks),
            effects,
        )
    assert sold_out.value.code == ErrorCode.OUT_OF_STOCK


def test_a_second_stamp_is_the_last_and_a_late_one_is_not() -> None:
    """A batch of yesterday may be stored after one of today."""
    player = rules.player()
    for date, last in ((rules.TODAY, rules.TODAY), (NEXT, NEXT), (rules.TODAY, NEXT)):
        player.stamped = False
        day = msgspec.structs.replace(dice_day(), date=date)
        decide(
            Stamp(ALICE, f"{date}{last}", SEASON_PASS),
            NOW,
            rules.state(day, player),
            rules.effects(),
        )
        assert player.progress is not None
        assert player.progress.last_stamp_date == last
    assert player.progress is not None
    assert player.progress.total_stamps == 3
