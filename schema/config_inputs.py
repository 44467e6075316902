"""What operators publish: revisions of the games, and seasons."""

from __future__ import annotations

import datetime as dt

import strawberry

from models import (
    LAST_DATE,
    MAX_AMOUNT,
    MAX_DAILY_PLAYS,
    MAX_LEVELS,
    MAX_PRIZES,
    MAX_SEASON_DAYS,
    MAX_STAMP_XP,
    REASON_LENGTH,
)
from schema.described import described
from schema.inputs import EXPECTED_REVISION, NAME, REASON, SEEN_REVISION, TextInput, given
from schema.languages import LocalizedTextInput, translations_of
from schema.nodes import Kind, number_of
from schema.rewards import RewardInput
from schema.staff import StaffInput
from services.rules.dice import DiceDraft
from services.rules.drafts import LevelDraft, SeasonDraft
from services.rules.lottery import LotteryDraft, PrizeDraft
from services.rules.roulette import RouletteDraft, SegmentDraft
from services.rules.texts import rule
from services.rules.windows import Window

DAILY_LIMIT = f"a player and day: 1 to {MAX_DAILY_PLAYS}; 0 is unlimited."
COST = "What a play costs, in your words, by language, each once; none: it is free. The odds' sheet tells it."
WEIGHT = f"Its share of the chances: 0 to {MAX_AMOUNT}. All weights together: 1 to {MAX_AMOUNT}."


@described
@strawberry.input
class WindowInput:
    """When a revision is played: at once and without an end, or within a window.

    At an instant the window that began last stands above the others. So a revision of a special day is published days
    ahead, and what is played every day comes back when its window ends, also if that was published anew meanwhile.
    """

    effective_from: dt.datetime | None = strawberry.field(
        default=strawberry.UNSET, description="The first instant of its window, not in the past; null: now."
    )
    effective_until: dt.datetime | None = strawberry.field(
        default=strawberry.UNSET, description="The first instant after its window; null: it has no end."
    )

    emergency_reason: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="Why it may change the odds sooner than they have to be announced, for everybody to read:"
        f" {rule(REASON_LENGTH)}. Without one such a change is refused.",
    )

    def window(self) -> Window:
        """Convert."""
        return Window(given(self.effective_from), given(self.effective_until), given(self.emergency_reason))


@described
@strawberry.input
class UpsertDiceConfigInput(WindowInput, StaffInput):
    """Publish the next revision of the dice game. It is played within its window: from now on, if none is given."""

    name: str = strawberry.field(description=f"What operators call it: {NAME}")
    max_daily_plays: int = strawberry.field(description=f"Plays {DAILY_LIMIT}")
    win_reward: RewardInput = strawberry.field(description="For a higher sum than the dealer's.")
    draw_reward: RewardInput = strawberry.field(description="For the same sum.")
    lose_reward: RewardInput = strawberry.field(description="For a lower sum.")
    cost: list[LocalizedTextInput] = strawberry.field(default_factory=list, description=COST)
    expected_revision: int | None = strawberry.field(default=strawberry.UNSET, description=EXPECTED_REVISION)

    def draft(self) -> DiceDraft:
        """Convert."""
        return DiceDraft(
            self.name,
            self.max_daily_plays,
            self.win_reward.to_reward(),
            self.draw_reward.to_reward(),
            self.lose_reward.to_reward(),
            translations_of(self.cost),
        )


@described
@strawberry.input
class RouletteSegmentInput(TextInput):
    """A segment of the wheel."""

    slot: int = strawberry.field(description="Where it is on the wheel: 0 to 5, each once.")
    label: str = strawberry.field(description=f"What to write on it: {NAME}")
    reward: RewardInput = strawberry.field(description="What it is worth.")
    weight: int = strawberry.field(description=WEIGHT)
    is_jackpot: bool = strawberry.field(default=False, description="Whether to celebrate it.")
    labels: list[LocalizedTextInput] = strawberry.field(
        default_factory=list, description="What to write on it in other languages, each once."
    )

    def draft(self) -> SegmentDraft:
        """Convert."""
        labels = translations_of(self.labels)
        return SegmentDraft(self.slot, self.label, self.reward.to_reward(), self.weight, self.is_jackpot, labels)


@described
@strawberry.input
class UpsertRouletteConfigInput(WindowInput, StaffInput):
    """Publish the next revision of the roulette. It is played within its window: from now on, if none is given."""

    name: str = strawberry.field(description=f"What operators call it: {NAME}")
    max_daily_spins: int = strawberry.field(description=f"Spins {DAILY_LIMIT}")
    segments: list[RouletteSegmentInput] = strawberry.field(description="Exactly six, in any order.")
    cost: list[LocalizedTextInput] = strawberry.field(default_factory=list, description=COST)
    expected_revision: int | None = strawberry.field(default=strawberry.UNSET, description=EXPECTED_REVISION)

    def draft(self) -> RouletteDraft:
        """Convert."""
        segments = tuple(segment.draft() for segment in self.segments)
        return RouletteDraft(self.name, self.max_daily_spins, segments, translations_of(self.cost))


@described
@strawberry.input
class LotteryPrizeInput(TextInput):
    """A prize of the lottery."""

    label: str = strawberry.field(description=f"What to call it: {NAME}")
    reward: RewardInput = strawberry.field(description="What it is worth.")
    weight: int = strawberry.field(description=WEIGHT)
    stock: int | None = strawberry.field(
        default=strawberry.UNSET,
        description=f"How many there are, a new stock: 0 to {MAX_AMOUNT}; null is unlimited, or what `carriesStockOf` "
        "has left.",
    )
    carries_stock_of: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET,
        description="The prize of another revision whose stock this one goes on with: what is left of it is left of "
        "both. `stock` is left out then.",
    )
    is_active: bool = strawberry.field(default=True, description="Whether it takes part.")
    labels: list[LocalizedTextInput] = strawberry.field(
        default_factory=list, description="What to call it in other languages, each once."
    )

    def draft(self) -> PrizeDraft:
        """Convert."""
        carried = given(self.carries_stock_of)
        number = None if carried is None else number_of(carried, Kind.LOTTERY_PRIZE)
        return PrizeDraft(
            self.label,
            self.reward.to_reward(),
            self.weight,
            given(self.stock),
            self.is_active,
            translations_of(self.labels),
            number,
        )


@described
@strawberry.input
class UpsertLotteryConfigInput(WindowInput, StaffInput):
    """Publish the next revision of the lottery. It is played within its window: from now on, if none is given."""

    name: str = strawberry.field(description=f"What operators call it: {NAME}")
    max_daily_tickets: int = strawberry.field(description=f"Draws {DAILY_LIMIT}")
    prizes: list[LotteryPrizeInput] = strawberry.field(
        description=f"1 to {MAX_PRIZES}, in the order in which to show them; an active one must have a weight."
    )
    cost: list[LocalizedTextInput] = strawberry.field(default_factory=list, description=COST)
    expected_revision: int | None = strawberry.field(default=strawberry.UNSET, description=EXPECTED_REVISION)

    def draft(self) -> LotteryDraft:
        """Convert."""
        prizes = tuple(prize.draft() for prize in self.prizes)
        return LotteryDraft(self.name, self.max_daily_tickets, prizes, translations_of(self.cost))


@described
@strawberry.input
class RepublishConfigInput(WindowInput, StaffInput):
    """Publish what an old revision says once more, as its game's next one: a rollback, or a special day again.

    Its prizes go on with the stocks that they had.
    """

    config_id: strawberry.ID = strawberry.field(description="The revision, of any game, withdrawn or not.")
    expected_revision: int | None = strawberry.field(default=strawberry.UNSET, description=EXPECTED_REVISION)


@described
@strawberry.input
class WithdrawConfigInput(StaffInput):
    """Take back a revision before its window begins: it is never played."""

    config_id: strawberry.ID = strawberry.field(description="The revision, of any game.")
    reason: str = strawberry.field(description=REASON)


@described
@strawberry.input
class AdjustStockInput(StaffInput):
    """Add to a stock, or take away, for every prize that is drawn from it."""

    stock_id: strawberry.ID = strawberry.field(description="The stock: a prize's `stockId`.")
    by: int = strawberry.field(description="How many more there are; below 0, how many fewer.")
    expected_left: int = strawberry.field(
        description="How many are left as you saw it. REVISION_CONFLICT when another number is."
    )
    reason: str = strawberry.field(description=REASON)


@described
@strawberry.input
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


@described
@strawberry.input
class UpsertSeasonInput(StaffInput):
    """Make a season, or change one: that with `seasonId`, or else the one of this name.

    Once it has begun, its name and its start stay, and no level that somebody has reached may need more XP or go. A
    level that needs less is reached at a player's next stamp, and its reward is given to each player once. Once a
    season has ended, it stays as it was.
    """

    season_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="The season to change, also its name; without it the name tells which."
    )
    name: str = strawberry.field(description=f"What it is called, as no other season is: {NAME}")
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


@described
@strawberry.input
class RemoveSeasonInput(StaffInput):
    """Remove a season that has not begun."""

    season_id: strawberry.ID = strawberry.field(description="Which.")
    expected_revision: int = strawberry.field(description=SEEN_REVISION)
