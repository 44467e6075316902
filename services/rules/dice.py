"""Dice: two for the player against two for the dealer; the higher sum wins."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import product

from msgspec import Struct

from models import (
    MAX_DAILY_PLAYS,
    NAME_LENGTH,
    DiceConfig,
    DiceLog,
    DiceOutcome,
    DiceWithdrawal,
    FeatureType,
    Language,
    RewardCause,
    RewardType,
)
from services.answers import DiceRoll, Reward, Texts
from services.errors import InvalidDiceConfig
from services.rules.cautions import Chance
from services.rules.drafts import Translations
from services.rules.draws import Source, roll
from services.rules.game import Drawn, Game, Outcome, Rules
from services.rules.odds import Item
from services.rules.validation import Faults


class DiceRules(Rules, frozen=True):
    """A revision of the dice game."""

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

    @property
    def coupon_types(self) -> set[str]:
        """The coupons that it may give."""
        return {kind for kind in (self.win_coupon_type, self.draw_coupon_type, self.lose_coupon_type) if kind}

    def reward(self, outcome: DiceOutcome) -> Reward:
        """What an outcome is worth."""
        if outcome is DiceOutcome.WIN:
            return Reward(self.win_reward_type, self.win_reward_amount, self.win_coupon_type)
        if outcome is DiceOutcome.DRAW:
            return Reward(self.draw_reward_type, self.draw_reward_amount, self.draw_coupon_type)
        return Reward(self.lose_reward_type, self.lose_reward_amount, self.lose_coupon_type)

    def items(self, _stocks: Mapping[int, int] | None = None) -> list[Item]:
        """The outcomes."""
        total = sum(CHANCES.values())
        return [
            Item(OUTCOMES[outcome][Language.EN], OUTCOMES[outcome], self.reward(outcome), CHANCES[outcome], total)
            for outcome in DiceOutcome
        ]


class DiceDraft(Struct, frozen=True):
    """A revision of the dice game."""

    name: str
    max_daily_plays: int
    win_reward: Reward
    draw_reward: Reward
    lose_reward: Reward
    cost: Translations = Translations()

    def reward(self, outcome: DiceOutcome) -> Reward:
        """What an outcome is worth."""
        return {
            DiceOutcome.WIN: self.win_reward,
            DiceOutcome.DRAW: self.draw_reward,
            DiceOutcome.LOSE: self.lose_reward,
        }[outcome]


def faults_of(config: DiceDraft) -> Faults:
    """What is wrong with a draft of the dice game."""
    faults = Faults()
    faults.text(config.name, NAME_LENGTH, "name")
    faults.translations(config.cost, NAME_LENGTH, "cost")
    faults.whole(config.max_daily_plays, 0, MAX_DAILY_PLAYS, "maxDailyPlays")
    faults.reward(config.win_reward, "winReward")
    faults.reward(config.draw_reward, "drawReward")
    faults.reward(config.lose_reward, "loseReward")
    return faults


def outcome_of(user: tuple[int, int], dealer: tuple[int, int]) -> DiceOutcome:
    """What the dice mean for the player."""
    if sum(user) == sum(dealer):
        return DiceOutcome.DRAW
    return DiceOutcome.WIN if sum(user) > sum(dealer) else DiceOutcome.LOSE


FOUR_DICE = (6, 6, 6, 6)
"""What each of the four dice is rolled below, shown plus 1: the player's two, then the dealer's."""

CHANCES: Mapping[DiceOutcome, int] = Counter(
    outcome_of((a, b), (c, d)) for a, b, c, d in product(range(1, 7), repeat=4)
)
"""In how many of the 6^4 throws each outcome comes."""


OUTCOMES: Mapping[DiceOutcome, Texts] = {
    DiceOutcome.WIN: {Language.KO: "승리", Language.EN: "Win"},
    DiceOutcome.DRAW: {Language.KO: "무승부", Language.EN: "Draw"},
    DiceOutcome.LOSE: {Language.KO: "패배", Language.EN: "Lose"},
}
"""What the outcomes are called on a sheet."""


def chances(config: DiceDraft | DiceRules) -> list[Chance]:
    """What a play may give."""
    return [Chance((f"{outcome.lower()}Reward",), config.reward(outcome), CHANCES[outcome]) for outcome in DiceOutcome]


def bounds(drawn_from: Sequence[int]) -> Sequence[int]:
    """Each die is a roll of its own."""
    return drawn_from


def told(_drawn_from: Sequence[int], rolls: Sequence[int]) -> Outcome:
    """The four dice, the player's first."""
    return {"dice": [one + 1 for one in rolls]}


def draw(rules: DiceRules, _stocks: Mapping[int, int], source: Source) -> Drawn:
    """Roll four dice."""
    rolls = roll(source, FOUR_DICE)
    a, b, c, d = (one + 1 for one in rolls)
    user, dealer = (a, b), (c, d)
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
        drawn_from=FOUR_DICE,
        rolls=rolls,
    )


DICE = Game(
    feature=FeatureType.DICE,
    operation="playDice",
    cause=RewardCause.DICE_PLAY,
    config=DiceConfig,
    withdrawal=DiceWithdrawal,
    log=DiceLog,
    rules_type=DiceRules,
    draft=DiceDraft,
    faults=faults_of,
    invalid=InvalidDiceConfig,
    drawn=DiceRoll,
    draw=draw,
    bounds=bounds,
    outcome=told,
    fixed_table=FOUR_DICE,
    limit="max_daily_plays",
    chances=chances,
)
