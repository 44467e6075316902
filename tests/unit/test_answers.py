"""Answers survive being kept as JSON."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

import msgspec
import pytest

from models import DiceOutcome, Language, RewardType
from services.answers import (
    Answer,
    Claimed,
    DailyLimit,
    DiceRoll,
    Granted,
    LevelReward,
    Played,
    Prize,
    Reward,
    Segment,
    Stamped,
    StampReceipt,
    encode,
    mark_replayed,
    replay,
)
from services.rules.play import Play, decide
from services.rules.registry import GAMES
from tests.unit import rules

INSTANT = dt.datetime(2026, 3, 2, 3, 4, 5, 678901, tzinfo=dt.UTC)
GRANTED = Granted(RewardType.POINT, 2**53 - 1, 2**53 - 1)
RECEIPT = StampReceipt(1, 150, 300, 3, True, [LevelReward(3, Granted(RewardType.COUPON, 1, None, "ÄÖ-1"), INSTANT)])
DRAWN: list[DiceRoll | Segment | Prize] = [
    DiceRoll((1, 6), (2, 5), DiceOutcome.DRAW),
    Segment(1, 5, "꽝", Reward(RewardType.NONE, 0), 3, 10, is_jackpot=False),
    Prize(2, "대상", Reward(RewardType.COUPON, 1, "COFFEE"), 1, 100, 0, is_active=True),
    Segment(1, 5, "꽝", Reward(RewardType.NONE, 0), 3, 10, False, {Language.KO: "꽝", Language.EN: "Nothing"}),
    Prize(2, "대상", Reward(RewardType.POINT, 1), 1, 100, 0, True, {Language.EN: "Grand prize"}),
    Prize(3, "", Reward(RewardType.TOKEN, 3), 1, 100, None, is_active=True),
]


@pytest.mark.parametrize("drawn", DRAWN)
@pytest.mark.parametrize("receipt", [None, RECEIPT])
def test_a_play_comes_again_but_for_replayed(drawn: Any, receipt: StampReceipt | None) -> None:
    limit = DailyLimit(3, 1, INSTANT)
    first = Played(UUID(int=2**100), dt.date(2026, 3, 2), INSTANT, GRANTED, limit, receipt, drawn)
    again = replay(encode(first))
    assert again == replay(encode(first).decode())
    assert isinstance(again, Played)
    assert (first.replayed, again.replayed) == (False, True)
    assert msgspec.structs.replace(again, replayed=False) == first
    assert type(again.drawn) is type(drawn)


@pytest.mark.parametrize("answer", [Stamped(RECEIPT), Claimed(LevelReward(1, GRANTED, INSTANT))])
def test_a_stamp_and_a_claim_come_again_but_for_replayed(answer: Answer) -> None:
    again = replay(encode(answer))
    assert again == mark_replayed(answer)
    assert (answer.replayed, again.replayed) == (False, True)
    assert msgspec.structs.replace(again, replayed=False) == answer


def test_the_limit_counts_down() -> None:
    limits = [DailyLimit(3, used, INSTANT) for used in range(5)]
    assert [(limit.remaining, limit.reached) for limit in limits] == [
        (3, False),
        (2, False),
        (1, False),
        (0, True),
        (0, True),
    ]
    unlimited = DailyLimit(0, 99, INSTANT)
    assert (unlimited.unlimited, unlimited.remaining, unlimited.reached) == (True, 0, False)


CONFIGS = {"DICE": rules.dice(), "ROULETTE": rules.roulette([1] * 6), "LOTTERY": rules.lottery([(1, None)])}


@pytest.mark.parametrize("feature", GAMES)
def test_a_key_is_answered_the_same_from_memory_and_from_json(feature: Any) -> None:
    state = rules.state(rules.day(feature, game=CONFIGS[feature]), rules.player())
    effects, action = rules.effects(), Play(rules.PLAYER, "k", feature)
    first = decide(action, rules.NOW, state, effects)
    again = decide(action, rules.NOW, state, effects)
    assert isinstance(first, Played)
    assert again == replay(encode(first)) == mark_replayed(first)
    assert (first.replayed, state.players[rules.PLAYER].used) == (False, {feature: 1})
