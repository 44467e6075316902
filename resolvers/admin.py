"""Putting right by hand: grants, and who may play."""

from __future__ import annotations

from functools import partial

from resolvers.root import idempotency_key, root
from resolvers.staff import as_staff
from schema.context import Info
from schema.events import player_number
from schema.players import (
    GrantRewardInput,
    GrantRewardResult,
    Player,
    RewardEntry,
    SetPlayerBlockedInput,
    SetPlayerBlockedResult,
)
from services import grants, players
from services.grants import Grant


@root("Grant a reward by hand, or take back one that was wrong. Adds a line to the ledger, which no line ever leaves.")
async def grant_reward(info: Info, input: GrantRewardInput) -> GrantRewardResult:  # noqa: A002 (the contract's name)
    """Grant a reward by hand."""
    key = idempotency_key(input.idempotency_key)
    wanted = Grant(player_number(input.player_id), key, input.reward.to_reward(), input.reason)
    return RewardEntry.of(await as_staff(info, partial(grants.grant_reward, grant=wanted)))


@root("Block a player, so that plays, stamps and claims answer USER_BLOCKED, or let one play again.")
async def set_player_blocked(info: Info, input: SetPlayerBlockedInput) -> SetPlayerBlockedResult:  # noqa: A002
    """Block a player, or let one play again."""
    player_id = player_number(input.player_id)
    command = partial(players.set_blocked, player_id=player_id, blocked=input.blocked, reason=input.reason)
    return Player.of(await as_staff(info, command))
