"""What publishing a game's configuration answers."""

from __future__ import annotations

import strawberry

from schema.described import described
from schema.games import DiceConfig, GameConfig, LotteryConfig, LotteryPrize, RouletteConfig
from schema.staff import StaffPayload

PUBLISHED = "The revision that was published; null in a dry run."


@described
@strawberry.type
class UpsertDiceConfigPayload(StaffPayload):
    """A revision of the dice game, as it was published."""

    config: DiceConfig | None = strawberry.field(description=PUBLISHED)


@described
@strawberry.type
class UpsertRouletteConfigPayload(StaffPayload):
    """A revision of the roulette, as it was published."""

    config: RouletteConfig | None = strawberry.field(description=PUBLISHED)


@described
@strawberry.type
class UpsertLotteryConfigPayload(StaffPayload):
    """A revision of the lottery, as it was published."""

    config: LotteryConfig | None = strawberry.field(description=PUBLISHED)


@described
@strawberry.type
class ConfigPayload(StaffPayload):
    """A revision that was published again, or withdrawn."""

    config: GameConfig | None = strawberry.field(description="The revision as it is now; null in a dry run.")


@described
@strawberry.type
class AdjustStockPayload(StaffPayload):
    """A prize whose stock was adjusted."""

    prize: LotteryPrize | None = strawberry.field(
        description="The prize of the revision that is played now, or else of the newest that has this stock; null "
        "in a dry run."
    )
