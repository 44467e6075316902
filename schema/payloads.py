"""What a stamp and a claim answer: the receipt, and whose it is. A play tells both itself."""

from __future__ import annotations

from uuid import UUID

import strawberry

from schema.context import Info
from schema.described import described
from schema.owners import player_with
from schema.players import Player
from schema.season_pass import LevelReward, StampReceipt
from services import answers


@strawberry.type
class CommandPayload:
    """What every answer to a player's command has; each is a type of its own in the schema."""

    replayed: bool = strawberry.field(description="Whether this is the first answer to the key, given again.")
    player_key: strawberry.Private[UUID]

    @described
    @strawberry.field
    async def player(self, info: Info) -> Player:
        """Whose it is, as the player is now."""
        return await player_with(info, self.player_key)


@described
@strawberry.type
class StampPayload(CommandPayload):
    """A stamp, as it was given."""

    receipt: StampReceipt = strawberry.field(description="What the stamp did.")

    @classmethod
    def of(cls, stamped: answers.Stamped, player_id: UUID) -> StampPayload:
        """Convert."""
        return cls(replayed=stamped.replayed, receipt=StampReceipt.of(stamped.receipt), player_key=player_id)


@described
@strawberry.type
class ClaimRewardPayload(CommandPayload):
    """A level's reward, as it was claimed."""

    level_reward: LevelReward = strawberry.field(description="What was granted.")

    @classmethod
    def of(cls, claimed: answers.Claimed, player_id: UUID) -> ClaimRewardPayload:
        """Convert."""
        reward = LevelReward.of(claimed.level_reward)
        return cls(replayed=claimed.replayed, level_reward=reward, player_key=player_id)
