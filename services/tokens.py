"""Tokens: whoever may hold one has an account, and where a person gave it to them, an audit entry tells who."""

from __future__ import annotations

from models import Role
from services import audit
from services.audit import Actor
from services.players import PlayerRow, sign_in
from services.transaction import Transaction


async def admit(tx: Transaction, *, actor: Actor, action: str, external_id: str, role: Role) -> PlayerRow:
    """The account of `external_id`, made on first sight, on record as being given a token of `role` by `actor`."""
    account = await sign_in(tx, external_id)
    after = {"externalId": external_id, "playerId": str(account.id), "role": role}
    await audit.record(tx, actor=actor, action=action, target=f"player {account.id}", before=None, after=after)
    return account
