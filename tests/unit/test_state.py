"""What a batch is decided on, and what deciding it leaves to be stored."""

from __future__ import annotations

import copy
from uuid import UUID

from models import FeatureType, RewardCause, RewardType
from services.answers import Reward
from services.rules.rewards import grant
from services.rules.state import Earlier, PlayerState, Progress
from tests.unit import rules
from tests.unit.rules import NOW, TODAY


def a_player() -> PlayerState:
    return PlayerState(
        rules.PLAYER,
        version=4,
        is_blocked=True,
        ledger_lines=9,
        ledger_hash=b"h" * 32,
        balances={RewardType.POINT: 5},
        used={FeatureType.DICE: 2},
        progress=Progress(UUID(int=3), 100, 1, 2, TODAY),
        stamped=True,
        claimed={1: NOW},
        earlier={"k": Earlier("play:DICE", "{}")},
    )


def test_a_copy_of_a_player_is_changed_by_itself() -> None:
    player, before = a_player(), a_player()
    other = player.copy()
    assert other == player
    other.balances[RewardType.POINT] = 0
    other.used.clear()
    other.claimed[2] = NOW
    other.earlier["l"] = Earlier("", "")
    assert other.progress is not None
    other.progress.current_xp += 1
    other.version, other.ledger_lines, other.stamped = 5, 10, False
    assert player == before
    assert rules.player().copy() == rules.player()


def test_what_players_share_is_counted() -> None:
    player, effects, stocks = rules.player(), rules.effects(), {1: 2}
    assert (effects.contended, effects.is_empty, list(effects.coupon_types())) == (0, True, [])
    for left in (2, 1, 0):
        stocks[1] = left
        assert effects.number(stocks) == 3 - left
    assert effects.stocks == {1: 2}, "what was left when the first was decided"
    assert effects.contended == 3
    kinds = ["D", "B", "A", "C", "F", "E", "A", "G"]
    for number, kind in enumerate(kinds):
        reward = Reward(RewardType.COUPON, 1, kind)
        grant(player, reward, RewardCause.DICE_PLAY, UUID(int=number), now=NOW, effects=effects)
    assert effects.contended == 3 + len(kinds)
    assert list(effects.coupon_types()) == ["A", "B", "C", "D", "E", "F", "G"]


def test_a_version_is_above_the_one_before() -> None:
    player, effects = a_player(), rules.effects()
    for _ in range(9):
        before = copy.copy(player)
        player.version = effects.version_after(player)
        assert player.version > before.version
