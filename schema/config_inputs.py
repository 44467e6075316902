"""What operators publish: revisions of the games, and seasons."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

import strawberry

from models import LAST_DATE, MAX_AMOUNT, MAX_DAILY_PLAYS, MAX_LEVELS, MAX_PRIZES, MAX_SEASON_DAYS, MAX_STAMP_XP
from schema.errors import Problem, ValidationFailed
from schema.games import DiceConfig, LotteryConfig, RouletteConfig
from schema.inputs import EXPECTED_REVISION, NAME, PUBLISH_CODES, given
from schema.rewards import RewardInput
from schema.season_pass import Season
from services.rules.drafts import (
    DiceDraft,
    LevelDraft,
    LotteryDraft,
    PrizeDraft,
    RouletteDraft,
    SeasonDraft,
    SegmentDraft,
)

DAILY_LIMIT = f"a player and day: 1 to {MAX_DAILY_PLAYS}; 0 is unlimited."
WEIGHT = f"Its share of the chances: 0 to {MAX_AMOUNT}. All weights together: 1 to {MAX_AMOUNT}."


@strawberry.input(description="Publish the next revision of the dice game. It is played at once.")
class UpsertDiceConfigInput:
    """A revision of the dice game."""

    name: str = strawberry.field(description=f"What operators call it: {NAME}")
    max_daily_plays: int = strawberry.field(description=f"Plays {DAILY_LIMIT}")
    win_reward: RewardInput = strawberry.field(description="For a higher sum than the dealer's.")
    draw_reward: RewardInput = strawberry.field(description="For the same sum.")
    lose_reward: RewardInput = strawberry.field(description="For a lower sum.")
    expected_revision: int | None = strawberry.field(default=strawberry.UNSET, description=EXPECTED_REVISION)

    def draft(self) -> DiceDraft:
        """Convert."""
        return DiceDraft(
            self.name,
            self.max_daily_plays,
            self.win_reward.to_reward(),
            self.draw_reward.to_reward(),
            self.lose_reward.to_reward(),
        )


@strawberry.input(description="A segment of the wheel.")
class RouletteSegmentInput:
    """A segment of the wheel."""

    slot: int = strawberry.field(description="Where it is on the wheel: 0 to 5, each once.")
    label: str = strawberry.field(description=f"What to write on it: {NAME}")
    reward: RewardInput = strawberry.field(description="What it is worth.")
    weight: int = strawberry.field(description=WEIGHT)
    is_jackpot: bool = strawberry.field(default=False, description="Whether to celebrate it.")

    def draft(self) -> SegmentDraft:
        """Convert."""
        return SegmentDraft(self.slot, self.label, self.reward.to_reward(), self.weight, self.is_jackpot)


@strawberry.input(description="Publish the next revision of the roulette. It is played at once.")
class UpsertRouletteConfigInput:
    """A revision of the roulette."""

    name: str = strawberry.field(description=f"What operators call it: {NAME}")
    max_daily_spins: int = strawberry.field(description=f"Spins {DAILY_LIMIT}")
    segments: list[RouletteSegmentInput] = strawberry.field(description="Exactly six, in any order.")
    expected_revision: int | None = strawberry.field(default=strawberry.UNSET, description=EXPECTED_REVISION)

    def draft(self) -> RouletteDraft:
        """Convert."""
        return RouletteDraft(self.name, self.max_daily_spins, tuple(segment.draft() for segment in self.segments))


@strawberry.input(description="A prize of the lottery.")
class LotteryPrizeInput:
    """A prize of the lottery."""

    label: str = strawberry.field(description=f"What to call it: {NAME}")
    reward: RewardInput = strawberry.field(description="What it is worth.")
    weight: int = strawberry.field(description=WEIGHT)
    stock: int | None = strawberry.field(
        default=strawberry.UNSET,
        description=f"How many there are: 0 to {MAX_AMOUNT}; null is unlimited. What an earlier revision had left is "
        "not carried over.",
    )
    is_active: bool = strawberry.field(default=True, description="Whether it takes part.")

    def draft(self) -> PrizeDraft:
        """Convert."""
        return PrizeDraft(self.label, self.reward.to_reward(), self.weight, given(self.stock), self.is_active)


@strawberry.input(description="Publish the next revision of the lottery. It is played at once.")
class UpsertLotteryConfigInput:
    """A revision of the lottery."""

    name: str = strawberry.field(description=f"What operators call it: {NAME}")
    max_daily_tickets: int = strawberry.field(description=f"Draws {DAILY_LIMIT}")
    prizes: list[LotteryPrizeInput] = strawberry.field(
        description=f"1 to {MAX_PRIZES}, in the order in which to show them; an active one must have a weight."
    )
    expected_revision: int | None = strawberry.field(default=strawberry.UNSET, description=EXPECTED_REVISION)

    def draft(self) -> LotteryDraft:
        """Convert."""
        return LotteryDraft(self.name, self.max_daily_tickets, tuple(prize.draft() for prize in self.prizes))


@strawberry.input(description="A level of a season.")
class SeasonLevelInput:
    """A level of a season."""

    level: int = strawberry.field(description=f"1 to {MAX_LEVELS}, each once, without gaps.")
    required_xp: int = strawberry.field(
        description=f"XP that reaches it: 0 to {MAX_AMOUNT}, more than the level below needs."
    )
    reward: RewardInput = strawberry.field(description="What it is worth.")
    auto_claim: bool = strawberry.field(description="Whether the reward comes by itself when the level is reached.")

    def draft(self) -> LevelDraft:
        """Convert."""
        return LevelDraft(self.level, self.required_xp, self.reward.to_reward(), self.auto_claim)


@strawberry.input(
    description="Make a season, or change the one of this name. Once it has begun, its start stays, and no level that "
    "somebody has reached may need more XP or go. A level that needs less is reached at a player's next stamp, and its "
    "reward is given to each player once. Once a season has ended, it stays as it was."
)
class UpsertSeasonInput:
    """A season."""

    name: str = strawberry.field(description=f"What it is called, and known by: {NAME}")
    start_date: dt.date = strawberry.field(description="Its first day. No two seasons share a day.")
    end_date: dt.date = strawberry.field(
        description=f"Its last day: today or later, up to {LAST_DATE}, at most {MAX_SEASON_DAYS} days in all."
    )
    base_xp_per_stamp: int = strawberry.field(description=f"XP of every stamp: 0 to {MAX_STAMP_XP}.")
    levels: list[SeasonLevelInput] = strawberry.field(description=f"All levels, 1 to {MAX_LEVELS}, in any order.")
    expected_revision: int | None = strawberry.field(default=strawberry.UNSET, description=EXPECTED_REVISION)

    def draft(self) -> SeasonDraft:
        """Convert."""
        levels = tuple(level.draft() for level in self.levels)
        return SeasonDraft(self.name, self.start_date, self.end_date, self.base_xp_per_stamp, levels)


UpsertDiceConfigResult = Annotated[
    DiceConfig | ValidationFailed | Problem,
    strawberry.union("UpsertDiceConfigResult", description="The new revision. " + PUBLISH_CODES),
]
UpsertRouletteConfigResult = Annotated[
    RouletteConfig | ValidationFailed | Problem,
    strawberry.union("UpsertRouletteConfigResult", description="The new revision. " + PUBLISH_CODES),
]
UpsertLotteryConfigResult = Annotated[
    LotteryConfig | ValidationFailed | Problem,
    strawberry.union("UpsertLotteryConfigResult", description="The new revision. " + PUBLISH_CODES),
]
UpsertSeasonResult = Annotated[
    Season | ValidationFailed | Problem,
    strawberry.union("UpsertSeasonResult", description="The season as it is now. " + PUBLISH_CODES),
]
