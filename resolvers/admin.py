"""Putting right by hand: grants, and who may play."""

from __future__ import annotations

from contextlib import suppress
from functools import partial

from resolvers.root import root
from resolvers.staff import tried
from schema.context import Info
from schema.nodes import player_of
from schema.players import (
    GrantRewardInput,
    GrantRewardPayload,
    Player,
    RevokeTokensInput,
    RevokeTokensPayload,
    SetPlayerBlockedInput,
    SetPlayerBlockedPayload,
)
from services import grants, players
from services.grants import Grant
from services.request_errors import Unavailable
from services.rules.texts import idempotency_key


@root
async def grant_reward(info: Info, input: GrantRewardInput) -> GrantRewardPayload:  # noqa: A002 (the contract's name)
    """Grant a reward by hand, or take back one that was wrong. Adds a line to the ledger, which no line ever leaves."""
    key = idempotency_key(input.idempotency_key)
    wanted = Grant(player_of(input.player_id), key, input.reward.to_reward(), input.reason)
    outcome = await tried(info, input, partial(grants.grant_reward, grant=wanted))
    return GrantRewardPayload.granted(outcome, input.mode)


@root
async def set_player_blocked(info: Info, input: SetPlayerBlockedInput) -> SetPlayerBlockedPayload:  # noqa: A002
    """Block an account, or no longer: a player's plays, stamps and claims are USER_BLOCKED, no token of staff holds."""
    player_id = player_of(input.player_id)
    command = partial(players.set_blocked, player_id=player_id, blocked=input.blocked, reason=input.reason)
    outcome = await tried(info, input, command)
    await _hear(info)
    return SetPlayerBlockedPayload.of(outcome, input.mode, player=Player.of)


@root
async def revoke_tokens(info: Info, input: RevokeTokensInput) -> RevokeTokensPayload:  # noqa: A002
    """Revoke the tokens of an account, as when one was stolen. Every server refuses them within a second.

    WebSockets and event streams that were opened with them end. A token that is issued afterwards holds: to keep
    somebody out, block the account.
    """
    command = partial(players.revoke_tokens, player_id=player_of(input.player_id), reason=input.reason)
    outcome = await tried(info, input, command)
    await _hear(info)
    return RevokeTokensPayload.of(outcome, input.mode, player=Player.of)


async def _hear(info: Info) -> None:
    """Have this process know before it answers; the others are told."""
    with suppress(Unavailable):  # it is done, and will be heard of
        await info.context.app.standing.refresh()
