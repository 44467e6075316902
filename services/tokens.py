"""Tokens: whoever may hold one has an account, and where a person gave it to them, an audit entry tells who."""

from __future__ import annotations

from models import Role
from services import audit
from services.players import PlayerRow, sign_in
from services.transaction import Transaction


async def admit(tx: Transaction, *, actor: str | None, external_id: str, role: Role) -> PlayerRow:
    """The account of `external_id`, made on first sight, on record as being given a token of `role` by `actor`.

    No actor: a server of the product, which lets its players in all day long. That alone leaves no entry.
    """
    assert actor is not None or role is Role.PLAYER
    account = await sign_in(tx, external_id)
    if actor is not None:
        after = {"externalId": external_id, "playerId": str(account.id), "role": role}
        await audit.record(tx, actor=actor, action="issueToken", target=f"user {external_id}", before=None, after=after)
    return account
