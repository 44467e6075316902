"""The chance games: their configurations, and how they stand for a player."""

from __future__ import annotations

import datetime as dt
from typing import Any

import strawberry

from models import DiceOutcome, FeatureType
from schema.described import described
from schema.languages import In, Wording
from schema.nodes import Kind, Node, node_id
from schema.rewards import DailyLimit, Odds, RewardSpec
from services import answers, statuses
from services.published import Published
from services.rules.dice import CHANCES, DiceRules
from services.rules.game import Rules
from services.rules.lottery import LotteryRules, PrizeRules
from services.rules.registry import GAMES
from services.rules.roulette import RouletteRules


@described
@strawberry.interface
class GameConfig(Node):
    """A game's configuration: a revision, which never changes. An upsert publishes the next one.

    What is played at an instant is, of the revisions that are not withdrawn and whose window [effectiveFrom,
    effectiveUntil) holds it, the one whose window began last; of two that began at once, the greater revision.
    """

    name: str = strawberry.field(description="What operators call it.")
    revision: int = strawberry.field(description="1, 2, 3, ... `expectedRevision` of the next upsert.")
    is_active: bool = strawberry.field(description="Whether this revision is the one that is played now.")
    is_withdrawn: bool = strawberry.field(description="Whether it was taken back before it began: never played.")
    published_at: dt.datetime = strawberry.field(description="When it was published.")
    announced_at: dt.datetime = strawberry.field(
        description="Since when it has been known: what is published is known at once, however late it begins."
    )
    effective_from: dt.datetime = strawberry.field(description="The first instant of its window.")
    effective_until: dt.datetime | None = strawberry.field(
        description="The first instant after its window; null: the window has no end."
    )
    hash: str = strawberry.field(
        description="What it says, as 64 hexadecimal digits: the SHA-256 of the RFC 8785 form of its content, without"
        " ids, dates and what is left. Draws and `/odds` name it."
    )


CONFIGS = {game.rules_type: Kind[f"{game.feature}_CONFIG"] for game in GAMES.values()}
"""What the id of a game's revision is of."""


def head_of(published: Published[Any]) -> dict[str, Any]:
    """Convert what every game's revision has."""
    rules: Rules = published.rules
    return {
        "id": node_id(CONFIGS[type(rules)], rules.id),
        "name": rules.name,
        "revision": rules.revision,
        "is_active": published.is_active,
        "is_withdrawn": published.is_withdrawn,
        "published_at": rules.published_at,
        "announced_at": rules.published_at,
        "effective_from": rules.effective_from,
        "effective_until": rules.effective_until,
        "hash": rules.hash,
    }


@described
@strawberry.type
class DiceConfig(GameConfig):
    """A revision of the dice game."""

    max_daily_plays: int = strawberry.field(description="Plays a player and day; 0 is unlimited.")
    win_reward: RewardSpec = strawberry.field(description="For a higher sum than the dealer's.")
    draw_reward: RewardSpec = strawberry.field(description="For the same sum.")
    lose_reward: RewardSpec = strawberry.field(description="For a lower sum.")

    @classmethod
    def of(cls, published: Published[DiceRules]) -> DiceConfig:
        """Convert."""
        rules = published.rules
        return cls(
            **head_of(published),
            max_daily_plays=rules.max_daily_plays,
            win_reward=RewardSpec.of(rules.reward(DiceOutcome.WIN)),
            draw_reward=RewardSpec.of(rules.reward(DiceOutcome.DRAW)),
            lose_reward=RewardSpec.of(rules.reward(DiceOutcome.LOSE)),
        )


@described
@strawberry.type
class RouletteSegment(Node):
    """A segment of the wheel."""

    slot: int = strawberry.field(description="Where it is on the wheel: 0 to 5.")
    reward: RewardSpec = strawberry.field(description="What it is worth.")
    odds: Odds = strawberry.field(description="How likely it is.")
    is_jackpot: bool = strawberry.field(description="Whether to celebrate it.")
    wording: strawberry.Private[Wording]

    @described
    @strawberry.field
    def label(self, language: In = strawberry.UNSET) -> str:
        """What to write on it."""
        return self.wording.told(language)

    @classmethod
    def of(cls, segment: answers.Segment) -> RouletteSegment:
        """Convert."""
        return cls(
            id=node_id(Kind.ROULETTE_SEGMENT, segment.id),
            slot=segment.slot,
            wording=Wording(segment.label, segment.labels),
            reward=RewardSpec.of(segment.reward),
            odds=Odds.of(segment.weight, segment.total_weight),
            is_jackpot=segment.is_jackpot,
        )


@described
@strawberry.type
class RouletteConfig(GameConfig):
    """A revision of the roulette."""

    max_daily_spins: int = strawberry.field(description="Spins a player and day; 0 is unlimited.")
    segments: list[RouletteSegment] = strawberry.field(description="Always six, by slot.")

    @classmethod
    def of(cls, published: Published[RouletteRules]) -> RouletteConfig:
        """Convert."""
        rules = published.rules
        return cls(
            **head_of(published),
            max_daily_spins=rules.max_daily_spins,
            segments=[RouletteSegment.of(segment) for segment in rules.shown()],
        )


@described
@strawberry.type
class LotteryPrize(Node):
    """A prize of the lottery."""

    reward: RewardSpec = strawberry.field(description="What it is worth.")
    odds: Odds = strawberry.field(
        description="How likely it is among what can be drawn now; a sold-out or inactive prize weighs 0."
    )
    stock: int | None = strawberry.field(description="How many are left; null is unlimited.")
    initial_stock: int | None = strawberry.field(
        description="How many there ever were, those that `adjustStock` added included; null is unlimited."
    )
    stock_id: strawberry.ID | None = strawberry.field(
        description="The stock that it is drawn from, which prizes of several revisions may share: for `adjustStock`."
    )
    is_active: bool = strawberry.field(description="Whether it takes part.")
    wording: strawberry.Private[Wording]

    @described
    @strawberry.field
    def label(self, language: In = strawberry.UNSET) -> str:
        """What to call it."""
        return self.wording.told(language)

    @classmethod
    def all_of(cls, rules: LotteryRules, left: dict[int, int]) -> list[LotteryPrize]:
        """Convert all prizes of a revision, in their order, with what is left of the stocks."""
        return [cls.of(*prize) for prize in zip(rules.shown(left), rules.prizes, strict=True)]

    @classmethod
    def of(cls, prize: answers.Prize, rules: PrizeRules) -> LotteryPrize:
        """Convert a prize as it is shown, and as it is configured."""
        return cls(
            id=node_id(Kind.LOTTERY_PRIZE, prize.id),
            wording=Wording(prize.label, prize.labels),
            reward=RewardSpec.of(prize.reward),
            odds=Odds.of(prize.weight, prize.total_weight),
            stock=prize.stock,
            initial_stock=rules.initial_stock,
            stock_id=None if rules.stock_id is None else node_id(Kind.LOTTERY_STOCK, rules.stock_id),
            is_active=prize.is_active,
        )


@described
@strawberry.type
class LotteryConfig(GameConfig):
    """A revision of the lottery."""

    max_daily_tickets: int = strawberry.field(description="Draws a player and day; 0 is unlimited.")
    prizes: list[LotteryPrize] = strawberry.field(description="All prizes, in the operator's order.")

    @classmethod
    def of(cls, published: Published[LotteryRules], stocks: dict[int, int] | None = None) -> LotteryConfig:
        """Convert."""
        rules = published.rules
        return cls(
            **head_of(published),
            max_daily_tickets=rules.max_daily_tickets,
            prizes=LotteryPrize.all_of(rules, rules.stocks() if stocks is None else stocks),
        )


@described
@strawberry.interface
class GameStatus(Node):
    """How a game stands for the caller, on its day."""

    daily_limit: DailyLimit = strawberry.field(description="The caller's plays today.")


def _status_head(kind: Kind, status: statuses.GameStatus) -> dict[str, Any]:
    """Convert what every game's status has."""
    return {
        "id": node_id(kind, status.player_id, status.date),
        "daily_limit": DailyLimit.of(status.daily_limit),
    }


@described
@strawberry.type
class DiceOdds:
    """How likely an outcome of the dice is, and what it is worth."""

    outcome: DiceOutcome = strawberry.field(description="The outcome.")
    odds: Odds = strawberry.field(description="Throws that give it, out of the 1,296 of four dice.")
    reward: RewardSpec = strawberry.field(description="What it is worth.")


@described
@strawberry.type
class DiceStatus(GameStatus):
    """The dice game, as it stands for the caller."""

    config: DiceConfig = strawberry.field(description="The revision that is played now.")
    odds: list[DiceOdds] = strawberry.field(description="WIN, DRAW and LOSE.")

    @classmethod
    def of(cls, status: statuses.GameStatus) -> DiceStatus:
        """Convert."""
        total = sum(CHANCES.values())
        odds = [
            DiceOdds(
                outcome=outcome,
                odds=Odds.of(CHANCES[outcome], total),
                reward=RewardSpec.of(status.rules.reward(outcome)),
            )
            for outcome in DiceOutcome
        ]
        return cls(
            **_status_head(Kind.DICE_STATUS, status), config=DiceConfig.of(Published.played(status.rules)), odds=odds
        )


@described
@strawberry.type
class RouletteStatus(GameStatus):
    """The roulette, as it stands for the caller."""

    config: RouletteConfig = strawberry.field(description="The revision that is played now.")

    @classmethod
    def of(cls, status: statuses.GameStatus) -> RouletteStatus:
        """Convert."""
        return cls(
            **_status_head(Kind.ROULETTE_STATUS, status), config=RouletteConfig.of(Published.played(status.rules))
        )


@described
@strawberry.type
class LotteryStatus(GameStatus):
    """The lottery, as it stands for the caller."""

    config: LotteryConfig = strawberry.field(description="The revision that is played now, with what is left.")

    @classmethod
    def of(cls, status: statuses.GameStatus) -> LotteryStatus:
        """Convert."""
        config = LotteryConfig.of(Published.played(status.rules), status.stocks)
        return cls(**_status_head(Kind.LOTTERY_STATUS, status), config=config)


STATUSES: dict[FeatureType, Any] = {
    FeatureType.DICE: DiceStatus,
    FeatureType.ROULETTE: RouletteStatus,
    FeatureType.LOTTERY: LotteryStatus,
}
"""How each game stands for a player."""
