"""Tokens for staff: whoever may hold one has an account, and an audit entry tells who gave it to them."""

from __future__ import annotations

from models import Role
from services import audit
from services.players import PlayerRow, sign_in
from services.transaction import Transaction


async def admit_staff(tx: Transaction, *, actor: str, external_id: str, role: Role) -> PlayerRow:
    """The account of `external_id`, made on first sight, on record as being given a token of `role`."""
    account = await sign_in(tx, external_id)
    after = {"externalId": external_id, "playerId": str(account.id), "role": role}
    await audit.record(tx, actor=actor, action="issueToken", target=f"user {external_id}", before=None, after=after)
    return account
