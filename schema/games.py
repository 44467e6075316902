"""The chance games: their configurations, how they stand for a player, and plays."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

import strawberry

from models import DiceOutcome
from schema.errors import DailyLimitReached, Problem
from schema.rewards import DailyLimit, GrantedReward, Odds, RewardSpec
from schema.season_pass import StampReceipt
from services import answers
from services.features import GameStatus
from services.rules.dice import CHANCES, DiceRules
from services.rules.lottery import LotteryRules
from services.rules.roulette import RouletteRules


@strawberry.interface(description="A game's configuration: an immutable revision. An upsert publishes the next one.")
class GameConfig:
    """A revision of a game."""

    id: strawberry.ID = strawberry.field(description="The revision's id.")
    name: str = strawberry.field(description="What operators call it.")
    revision: int = strawberry.field(description="1, 2, 3, ... `expectedRevision` of the next upsert.")
    is_active: bool = strawberry.field(description="Whether this revision is the one that is played.")
    published_at: dt.datetime = strawberry.field(description="When it was published.")


def head_of(rules: DiceRules | RouletteRules | LotteryRules) -> dict[str, Any]:
    """Convert what every game's revision has."""
    return {
        "id": strawberry.ID(str(rules.id)),
        "name": rules.name,
        "revision": rules.revision,
        "is_active": rules.is_active,
        "published_at": rules.published_at,
    }


@strawberry.type(description="A revision of the dice game.")
class DiceConfig(GameConfig):
    """A revision of the dice game."""

    max_daily_plays: int = strawberry.field(description="Plays a player and day; 0 is unlimited.")
    win_reward: RewardSpec = strawberry.field(description="For a higher sum than the dealer's.")
    draw_reward: RewardSpec = strawberry.field(description="For the same sum.")
    lose_reward: RewardSpec = strawberry.field(description="For a lower sum.")

    @classmethod
    def of(cls, rules: DiceRules) -> DiceConfig:
        """Convert."""
        return cls(
            **head_of(rules),
            max_daily_plays=rules.max_daily_plays,
            win_reward=RewardSpec.of(rules.reward(DiceOutcome.WIN)),
            draw_reward=RewardSpec.of(rules.reward(DiceOutcome.DRAW)),
            lose_reward=RewardSpec.of(rules.reward(DiceOutcome.LOSE)),
        )


@strawberry.type(description="A segment of the wheel.")
class RouletteSegment:
    """A segment of the wheel."""

    id: strawberry.ID = strawberry.field(description="The segment's id, of this revision.")
    slot: int = strawberry.field(description="Where it is on the wheel: 0 to 5.")
    label: str = strawberry.field(description="What to write on it.")
    reward: RewardSpec = strawberry.field(description="What it is worth.")
    odds: Odds = strawberry.field(description="How likely it is.")
    is_jackpot: bool = strawberry.field(description="Whether to celebrate it.")

    @classmethod
    def of(cls, segment: answers.Segment) -> RouletteSegment:
        """Convert."""
        return cls(
            id=strawberry.ID(str(segment.id)),
            slot=segment.slot,
            label=segment.label,
            reward=RewardSpec.of(segment.reward),
            odds=Odds.of(segment.weight, segment.total_weight),
            is_jackpot=segment.is_jackpot,
        )


@strawberry.type(description="A revision of the roulette.")
class RouletteConfig(GameConfig):
    """A revision of the roulette."""

    max_daily_spins: int = strawberry.field(description="Spins a player and day; 0 is unlimited.")
    segments: list[RouletteSegment] = strawberry.field(description="Always six, by slot.")

    @classmethod
    def of(cls, rules: RouletteRules) -> RouletteConfig:
        """Convert."""
        return cls(
            **head_of(rules),
            max_daily_spins=rules.max_daily_spins,
            segments=[RouletteSegment.of(segment) for segment in rules.shown()],
        )


@strawberry.type(description="A prize of the lottery.")
class LotteryPrize:
    """A prize of the lottery."""

    id: strawberry.ID = strawberry.field(description="The prize's id, of this revision.")
    label: str = strawberry.field(description="What to call it.")
    reward: RewardSpec = strawberry.field(description="What it is worth.")
    odds: Odds = strawberry.field(
        description="How likely it is among what can be drawn now; a sold-out or inactive prize weighs 0."
    )
    stock: int | None = strawberry.field(description="How many are left; null is unlimited.")
    is_active: bool = strawberry.field(description="Whether it takes part.")

    @classmethod
    def of(cls, prize: answers.Prize) -> LotteryPrize:
        """Convert."""
        return cls(
            id=strawberry.ID(str(prize.id)),
            label=prize.label,
            reward=RewardSpec.of(prize.reward),
            odds=Odds.of(prize.weight, prize.total_weight),
            stock=prize.stock,
            is_active=prize.is_active,
        )


@strawberry.type(description="A revision of the lottery.")
class LotteryConfig(GameConfig):
    """A revision of the lottery."""

    max_daily_tickets: int = strawberry.field(description="Draws a player and day; 0 is unlimited.")
    prizes: list[LotteryPrize] = strawberry.field(description="All prizes, in the operator's order.")

    @classmethod
    def of(cls, rules: LotteryRules, stocks: dict[int, int] | None = None) -> LotteryConfig:
        """Convert."""
        left = rules.stocks() if stocks is None else stocks
        return cls(
            **head_of(rules),
            max_daily_tickets=rules.max_daily_tickets,
            prizes=[LotteryPrize.of(prize) for prize in rules.shown(left)],
        )


@strawberry.type(description="How likely an outcome of the dice is, and what it is worth.")
class DiceOdds:
    """How likely an outcome is."""

    outcome: DiceOutcome = strawberry.field(description="The outcome.")
    odds: Odds = strawberry.field(description="Throws that give it, out of the 1,296 of four dice.")
    reward: RewardSpec = strawberry.field(description="What it is worth.")


@strawberry.type(description="The dice game, as it stands for the caller.")
class DiceStatus:
    """The dice game for the caller."""

    config: DiceConfig = strawberry.field(description="The active revision.")
    daily_limit: DailyLimit = strawberry.field(description="The caller's plays today.")
    odds: list[DiceOdds] = strawberry.field(description="WIN, DRAW and LOSE.")

    @classmethod
    def of(cls, status: GameStatus) -> DiceStatus:
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
        return cls(config=DiceConfig.of(status.rules), daily_limit=DailyLimit.of(status.daily_limit), odds=odds)


@strawberry.type(description="The roulette, as it stands for the caller.")
class RouletteStatus:
    """The roulette for the caller."""

    config: RouletteConfig = strawberry.field(description="The active revision.")
    daily_limit: DailyLimit = strawberry.field(description="The caller's spins today.")

    @classmethod
    def of(cls, status: GameStatus) -> RouletteStatus:
        """Convert."""
        return cls(config=RouletteConfig.of(status.rules), daily_limit=DailyLimit.of(status.daily_limit))


@strawberry.type(description="The lottery, as it stands for the caller.")
class LotteryStatus:
    """The lottery for the caller."""

    config: LotteryConfig = strawberry.field(description="The active revision, with what is left.")
    daily_limit: DailyLimit = strawberry.field(description="The caller's draws today.")

    @classmethod
    def of(cls, status: GameStatus) -> LotteryStatus:
        """Convert."""
        return cls(config=LotteryConfig.of(status.rules, status.stocks), daily_limit=DailyLimit.of(status.daily_limit))


@strawberry.input(description="Play a game.")
class PlayInput:
    """Play a game."""

    idempotency_key: str = strawberry.field(
        description="Unique per player and play: 1 to 128 printable ASCII characters. Retry with the same key; "
        "the first answer comes again and nothing happens twice. Keys are kept for 30 days."
    )


@strawberry.interface(description="A play of a chance game, and all that it did.")
class GamePlay:
    """A play, and all that it did."""

    id: strawberry.ID = strawberry.field(description="The play's id: the cause of its reward.")
    business_date: dt.date = strawberry.field(description="The day it counts for, in the event's time zone.")
    played_at: dt.datetime = strawberry.field(description="When it started.")
    replayed: bool = strawberry.field(description="Whether this is the first answer to the key, given again.")
    reward: GrantedReward = strawberry.field(description="What was won.")
    daily_limit: DailyLimit = strawberry.field(description="The day's limit after this play.")
    season_pass: StampReceipt | None = strawberry.field(
        description="What the play did to the season pass; null when no season is on."
    )


@strawberry.type(description="A game of dice.")
class DicePlay(GamePlay):
    """A game of dice."""

    user_dice: list[int] = strawberry.field(description="The player's two dice, 1 to 6 each.")
    user_sum: int = strawberry.field(description="Their sum.")
    dealer_dice: list[int] = strawberry.field(description="The dealer's two dice, 1 to 6 each.")
    dealer_sum: int = strawberry.field(description="Their sum.")
    outcome: DiceOutcome = strawberry.field(description="What that means for the player.")


@strawberry.type(description="A spin of the roulette.")
class RouletteSpin(GamePlay):
    """A spin of the roulette."""

    segment: RouletteSegment = strawberry.field(description="Where the wheel stopped.")


@strawberry.type(description="A draw of the lottery.")
class LotteryDraw(GamePlay):
    """A draw of the lottery."""

    prize: LotteryPrize = strawberry.field(
        description="What was drawn: its odds in this draw, and the stock that the draw knew to be left after it."
    )


def play_of(played: answers.Played) -> DicePlay | RouletteSpin | LotteryDraw:
    """A play as its game's type."""
    common: dict[str, Any] = {
        "id": strawberry.ID(str(played.id)),
        "business_date": played.business_date,
        "played_at": played.played_at,
        "replayed": played.replayed,
        "reward": GrantedReward.of(played.reward),
        "daily_limit": DailyLimit.of(played.daily_limit),
        "season_pass": StampReceipt.of(played.season_pass) if played.season_pass else None,
    }
    match played.drawn:
        case answers.DiceRoll(user_dice=user, dealer_dice=dealer, outcome=outcome):
            return DicePlay(
                **common,
                user_dice=list(user),
                user_sum=sum(user),
                dealer_dice=list(dealer),
                dealer_sum=sum(dealer),
                outcome=outcome,
            )
        case answers.Segment() as segment:
            return RouletteSpin(**common, segment=RouletteSegment.of(segment))
        case answers.Prize() as prize:
            return LotteryDraw(**common, prize=LotteryPrize.of(prize))


STATUS_CODES = "Codes: NO_FEATURE_TODAY, INVALID_{game}_CONFIG."
PLAY_CODES = (
    "Codes: NO_FEATURE_TODAY, INVALID_{game}_CONFIG, DAILY_LIMIT_REACHED, IDEMPOTENCY_KEY_REUSED, USER_BLOCKED, "
    "LOCK_NOT_ACQUIRED, NO_ACTIVE_SEASON_CONFLICT, INVALID_SEASON_CONFIG."
)

DiceStatusResult = Annotated[
    DiceStatus | Problem,
    strawberry.union("DiceStatusResult", description="The dice game. " + STATUS_CODES.format(game="DICE")),
]
RouletteStatusResult = Annotated[
    RouletteStatus | Problem,
    strawberry.union("RouletteStatusResult", description="The roulette. " + STATUS_CODES.format(game="ROULETTE")),
]
LotteryStatusResult = Annotated[
    LotteryStatus | Problem,
    strawberry.union("LotteryStatusResult", description="The lottery. " + STATUS_CODES.format(game="LOTTERY")),
]
PlayDiceResult = Annotated[
    DicePlay | DailyLimitReached | Problem,
    strawberry.union("PlayDiceResult", description="A game of dice. " + PLAY_CODES.format(game="DICE")),
]
SpinRouletteResult = Annotated[
    RouletteSpin | DailyLimitReached | Problem,
    strawberry.union("SpinRouletteResult", description="A spin. " + PLAY_CODES.format(game="ROULETTE")),
]
DrawLotteryResult = Annotated[
    LotteryDraw | DailyLimitReached | Problem,
    strawberry.union("DrawLotteryResult", description="A draw. OUT_OF_STOCK. " + PLAY_CODES.format(game="LOTTERY")),
]
