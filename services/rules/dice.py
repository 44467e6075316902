"""Dice: two for the player against two for the dealer; the higher sum wins."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from itertools import product
from random import Random

from msgspec import Struct

from models import DiceLog, DiceOutcome, FeatureType, RewardCause, RewardType
from services.answers import DiceRoll, Reward
from services.errors import InvalidDiceConfig
from services.rules.game import Drawn, Game


class DiceRules(Struct, frozen=True):
    """A revision of the dice game."""

    id: int
    name: str
    revision: int
    is_active: bool
    published_at: dt.datetime
    max_daily_plays: int
    win_reward_type: RewardType
    win_reward_amount: int
    win_coupon_type: str | None
    draw_reward_type: RewardType
    draw_reward_amount: int
    draw_coupon_type: str | None
    lose_reward_type: RewardType
    lose_reward_amount: int
    lose_coupon_type: str | None

    @property
    def daily_max(self) -> int:
        """Plays a day; 0 is unlimited."""
        return self.max_daily_plays

    @property
    def is_valid(self) -> bool:
        """Whether every amount is >= 0."""
        return min(self.daily_max, self.win_reward_amount, self.draw_reward_amount, self.lose_reward_amount) >= 0

    def reward(self, outcome: DiceOutcome) -> Reward:
        """What an outcome is worth."""
        if outcome is DiceOutcome.WIN:
            return Reward(self.win_reward_type, self.win_reward_amount, self.win_coupon_type)
        if outcome is DiceOutcome.DRAW:
            return Reward(self.draw_reward_type, self.draw_reward_amount, self.draw_coupon_type)
        return Reward(self.lose_reward_type, self.lose_reward_amount, self.lose_coupon_type)


def outcome_of(user: tuple[int, int], dealer: tuple[int, int]) -> DiceOutcome:
    """What the dice mean for the player."""
    if sum(user) == sum(dealer):
        return DiceOutcome.DRAW
    return DiceOutcome.WIN if sum(user) > sum(dealer) else DiceOutcome.LOSE


CHANCES: Mapping[DiceOutcome, int] = Counter(
    outcome_of((a, b), (c, d)) for a, b, c, d in product(range(1, 7), repeat=4)
)
"""In how many of the 6^4 throws each outcome comes."""


def draw(rules: DiceRules, _stocks: dict[int, int], rng: Random) -> Drawn:
    """Roll four dice."""
    user, dealer = (rng.randrange(6) + 1, rng.randrange(6) + 1), (rng.randrange(6) + 1, rng.randrange(6) + 1)
    outcome = outcome_of(user, dealer)
    return Drawn(
        facts=DiceRoll(user, dealer, outcome),
        reward=rules.reward(outcome),
        columns={
            "config_id": rules.id,
            "user_dice_1": user[0],
            "user_dice_2": user[1],
            "dealer_dice_1": dealer[0],
            "dealer_dice_2": dealer[1],
            "outcome": outcome,
        },
    )


DICE = Game(FeatureType.DICE, RewardCause.DICE_PLAY, DiceLog, DiceRules, InvalidDiceConfig, draw)
