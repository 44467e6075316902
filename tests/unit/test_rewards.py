"""Grants: one ledger line each, and the balance after it."""

from __future__ import annotations

from contextlib import nullcontext
from uuid import UUID

import pytest

from models import MAX_SAFE_INTEGER, RewardCause, RewardEntry, RewardType
from services.answers import Granted, Reward
from services.errors import BalanceOutOfBounds
from services.rules.rewards import balance_after, grant, require_room
from tests.unit import rules
from tests.unit.rules import NOW

CAUSE = RewardCause.DICE_PLAY


def test_points_and_tokens_move_their_own_balance() -> None:
    player, effects = rules.player(), rules.effects()
    rewards = [Reward(RewardType.POINT, 5), Reward(RewardType.TOKEN, 2), Reward(RewardType.POINT, 7)]
    granted = [
        grant(player, reward, CAUSE, UUID(int=number), now=NOW, effects=effects)
        for number, reward in enumerate(rewards)
    ]
    assert [(one.type, one.amount, one.balance) for one in granted] == [
        ("POINT", 5, 5),
        ("TOKEN", 2, 2),
        ("POINT", 7, 12),
    ]
    assert player.balances == {RewardType.POINT: 12, RewardType.TOKEN: 2}
    assert effects.balances == {(player.id, RewardType.POINT): 12, (player.id, RewardType.TOKEN): 2}
    lines = effects.rows[RewardEntry]
    assert [(line["line_no"], line["balance_after"], line["cause_id"].int) for line in lines] == [
        (1, 5, 0),
        (2, 2, 1),
        (3, 12, 2),
    ]
    assert player.ledger_lines == 3


def test_a_coupon_is_a_line_without_a_balance_and_waits_for_its_code() -> None:
    player, effects = rules.player(), rules.effects()
    granted = grant(player, Reward(RewardType.COUPON, 1, "COFFEE"), CAUSE, UUID(int=1), now=NOW, effects=effects)
    (line,), (coupon,) = effects.rows[RewardEntry], effects.coupons
    assert (line["balance_after"], line["coupon_type"], line["amount"]) == (None, "COFFEE", 1)
    assert coupon.line is line  # the coupon is put in there before the line is hashed
    assert coupon.coupon_type == "COFFEE"
    assert granted == Granted(RewardType.COUPON, 1)
    assert coupon.granted is granted  # the code is put in there before the answer is kept
    assert not effects.balances
    assert effects.coupon_types() == ["COFFEE"]


@pytest.mark.parametrize(
    "reward",
    [
        Reward(RewardType.NONE, 0),
        Reward(RewardType.NONE, 9),
        Reward(RewardType.POINT, 0),
        Reward(RewardType.COUPON, 0, "A"),
    ],
)
def test_nothing_grants_nothing(reward: Reward) -> None:
    player, effects = rules.player(), rules.effects()
    granted = grant(player, reward, CAUSE, UUID(int=1), now=NOW, effects=effects)
    assert granted == Granted(reward.type, 0)
    assert (player.ledger_lines, player.balances, effects.coupons) == (0, {}, [])
    assert not effects.rows


@pytest.mark.parametrize(
    ("rewards", "fit"),
    [
        ([], True),
        ([(RewardType.POINT, 10)], True),
        ([(RewardType.POINT, 11)], False),
        ([(RewardType.POINT, 4), (RewardType.POINT, 6)], True),
        ([(RewardType.POINT, 4), (RewardType.POINT, 7)], False),
        ([(RewardType.TOKEN, 11), (RewardType.NONE, 0), (RewardType.COUPON, 1)], True),
    ],
)
def test_rewards_fit_a_balance_or_are_refused_together(rewards: list[tuple[RewardType, int]], fit: bool) -> None:
    player = rules.player()
    player.balances[RewardType.POINT] = MAX_SAFE_INTEGER - 10
    with nullcontext() if fit else pytest.raises(BalanceOutOfBounds):
        require_room(player, [Reward(*reward) for reward in rewards])
    assert player.balances == {RewardType.POINT: MAX_SAFE_INTEGER - 10}


@pytest.mark.parametrize(
    ("before", "amount", "fits"),
    [(0, 0, True), (0, -1, False), (None, -1, False), (5, -5, True), (5, -6, False), (None, MAX_SAFE_INTEGER, True)],
)
def test_a_balance_is_never_below_nothing(before: int | None, amount: int, fits: bool) -> None:
    player, reward = rules.player(), Reward(RewardType.TOKEN, amount)
    if before is not None:
        player.balances[RewardType.TOKEN] = before
    if fits:
        require_room(player, [reward])
        assert balance_after(before or 0, reward) == (before or 0) + amount
        return
    with pytest.raises(BalanceOutOfBounds) as refused:
        require_room(player, [reward])
    assert [(issue.path, issue.message) for issue in refused.value.issues] == [
        (["reward", "amount"], f"The balance is {before or 0} TOKEN: it must stay within 0 to 9007199254740991.")
    ]
