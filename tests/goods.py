"""What admins send to put things right, for tests."""

from __future__ import annotations

from typing import Any

from models import Role
from services.error_codes import WarningCode
from tests.world import Client, World

GRANT = """
mutation Grant($input: GrantRewardInput!) {
  grantReward(input: $input) {
    __typename
    ... on GrantRewardPayload {
      replayed
      player { id }
      entry { __typename id type amount balanceAfter cause causeId couponCode createdAt }
    }
    ... on StaffPayload { dryRun changes { path before after } warnings { code path message } }
    ... on UserError { code message retryable }
    ... on ValidationFailed { issues { path message } }
    ... on WarningsUnacknowledged { warnings { code path message } }
  }
}
"""
BLOCK = """
mutation Block($input: SetPlayerBlockedInput!) {
  setPlayerBlocked(input: $input) {
    __typename
    ... on SetPlayerBlockedPayload { player { __typename id externalId isBlocked } }
    ... on UserError { code message retryable }
    ... on ValidationFailed { issues { path message } }
  }
}
"""
POINTS = {"type": "POINT", "amount": 100}
COFFEE = {"type": "COUPON", "amount": 1, "couponType": "COFFEE"}


async def admin(world: World) -> Client:
    """A client with an ADMIN's token."""
    return await world.player("ada", Role.ADMIN)


def grant_of(player: Client, reward: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """A valid grant, with some fields changed."""
    given = {"idempotencyKey": "g", "playerId": player.id, "reward": reward or POINTS, "reason": "sorry"}
    return given | changes


async def grant(staff: Client, given: dict[str, Any]) -> dict[str, Any]:
    """Send a grant, whatever it warns of: its line of the ledger, or the refusal."""
    answer = await send_grant(staff, {"acknowledge": list(WarningCode)} | given)
    line: dict[str, Any] = answer.get("entry", answer)
    return line


async def send_grant(staff: Client, given: dict[str, Any]) -> dict[str, Any]:
    """Send a grant: the member of its result union."""
    answer: dict[str, Any] = (await staff.data(GRANT, input=given))["grantReward"]
    return answer


async def block(staff: Client, player: Client, *, blocked: bool = True, reason: str = "cheats") -> dict[str, Any]:
    """Block a player, or not: the player, or the refusal."""
    given = {"playerId": player.id, "blocked": blocked, "reason": reason}
    answer: dict[str, Any] = (await staff.data(BLOCK, input=given))["setPlayerBlocked"]
    shown: dict[str, Any] = answer.get("player", answer)
    return shown


async def version(world: World, player: Client) -> tuple[int, int]:
    """A player's version and number of ledger lines."""
    row = await world.sql.fetchrow('SELECT version, ledger_lines FROM "user" WHERE id = $1', player.player_id)
    assert row is not None
    return row["version"], row["ledger_lines"]
