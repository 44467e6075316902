"""Plays of the chance games: what starts one, and what it did."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import strawberry

from models import DiceOutcome, FeatureType
from schema.context import Info
from schema.described import described
from schema.draws import DrawProof
from schema.games import STATUSES, GameStatus, RouletteSegment
from schema.languages import In, Wording
from schema.nodes import Kind, Node, node_id
from schema.owners import player_with
from schema.rewards import DailyLimit, GrantedReward, Odds, RewardSpec
from schema.season_pass import StampReceipt
from services import answers, statuses
from services.errors import DomainError
from services.rules.registry import GAMES

if TYPE_CHECKING:
    from schema.players import Player


@described
@strawberry.input
class PlayInput:
    """Play a game."""

    idempotency_key: str = strawberry.field(
        description="Unique per player and play: 1 to 128 printable ASCII characters. Retry with the same key; "
        "the first answer comes again and nothing happens twice. Keys are kept for 30 days."
    )
    expected_revision: int | None = strawberry.field(
        default=strawberry.UNSET,
        description="The revision whose odds were shown: REVISION_CONFLICT, and no play, where it is another by now; "
        "without it, whichever is.",
    )


@described
@strawberry.interface
class GamePlay(Node):
    """A play of a chance game, and all that it did."""

    business_date: dt.date = strawberry.field(description="The day it counts for, in the event's time zone.")
    played_at: dt.datetime = strawberry.field(description="When it started.")
    replayed: bool = strawberry.field(description="Whether this is the first answer to the key, given again.")
    reward: GrantedReward = strawberry.field(description="What was won.")
    daily_limit: DailyLimit = strawberry.field(description="The day's limit after this play.")
    season_pass: StampReceipt | None = strawberry.field(
        description="What the play did to the season pass; null when no season is on."
    )
    player_key: strawberry.Private[UUID]
    play_key: strawberry.Private[UUID]
    feature: strawberry.Private[FeatureType]

    @described
    @strawberry.field
    async def player(self, info: Info) -> Annotated[Player, strawberry.lazy("schema.players")]:
        """Who played, as the player is now: with `balances`, what a cache shows of them is put right by the play."""
        return await player_with(info, self.player_key)

    @described
    @strawberry.field
    async def proof(self, info: Info) -> DrawProof | None:
        """What shows that it was drawn as it had to be; whole once its day is closed, and for ever."""
        found = await info.context.loaders.proofs.load((self.player_key, self.play_key))
        return DrawProof.of(found) if found else None

    @described
    @strawberry.field
    async def status(self, info: Info) -> GameStatus | None:
        """How the game stands for the player now; null where it is not on today."""
        app = info.context.app
        try:
            found = await statuses.game_status(app.reads, self.player_key, self.feature, app.clock())
        except DomainError:
            return None
        return STATUSES[self.feature].of(found)


@described
@strawberry.type
class DicePlay(GamePlay):
    """A game of dice."""

    user_dice: list[int] = strawberry.field(description="The player's two dice, 1 to 6 each.")
    user_sum: int = strawberry.field(description="Their sum.")
    dealer_dice: list[int] = strawberry.field(description="The dealer's two dice, 1 to 6 each.")
    dealer_sum: int = strawberry.field(description="Their sum.")
    outcome: DiceOutcome = strawberry.field(description="What that means for the player.")


@described
@strawberry.type
class RouletteSpin(GamePlay):
    """A spin of the roulette."""

    segment: RouletteSegment = strawberry.field(description="Where the wheel stopped.")


@described
@strawberry.type
class DrawnPrize:
    """A prize as a draw found it. It has no id of its own: what `prizeId` names changes, this does not."""

    prize_id: strawberry.ID = strawberry.field(description="The prize that was drawn.")
    reward: RewardSpec = strawberry.field(description="What it was worth.")
    odds: Odds = strawberry.field(description="How likely it was in this draw.")
    stock_after: int | None = strawberry.field(description="How many the draw knew to be left; null is unlimited.")
    wording: strawberry.Private[Wording]

    @described
    @strawberry.field
    def label(self, language: In = strawberry.UNSET) -> str:
        """What it was called."""
        return self.wording.told(language)

    @classmethod
    def of(cls, prize: answers.Prize) -> DrawnPrize:
        """Convert."""
        return cls(
            prize_id=node_id(Kind.LOTTERY_PRIZE, prize.id),
            wording=Wording(prize.label, prize.labels),
            reward=RewardSpec.of(prize.reward),
            odds=Odds.of(prize.weight, prize.total_weight),
            stock_after=prize.stock,
        )


@described
@strawberry.type
class LotteryDraw(GamePlay):
    """A draw of the lottery."""

    prize: DrawnPrize = strawberry.field(description="What was drawn.")


PLAYS = {game.drawn: (Kind[game.cause], game.feature) for game in GAMES.values()}
"""What a play is, by what was drawn."""


def play_of(played: answers.Played, player_id: UUID) -> DicePlay | RouletteSpin | LotteryDraw:
    """A play as its game's type."""
    kind, feature = PLAYS[type(played.drawn)]
    common: dict[str, Any] = {
        "id": node_id(kind, player_id, played.id),
        "player_key": player_id,
        "play_key": played.id,
        "feature": feature,
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
            return LotteryDraw(**common, prize=DrawnPrize.of(prize))
