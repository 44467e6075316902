"""The audit log: who of the staff changed what. Append-only, in the transaction of the change that it tells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import insert, select

from models import AuditEntry, Player, Role
from services.errors import Unauthenticated
from services.transaction import Transaction

Snapshot = Mapping[str, Any] | msgspec.Struct | None
"""What something was, or became: JSON-able; null where there is nothing. A Struct's names are written in camelCase."""


async def actor_of(tx: Transaction, player_id: int, role: Role) -> str:
    """Who acts, as the log names them: external id and role, `demo-operator (OPERATOR)`.

    Raises: Unauthenticated when there is no such account.
    """
    external_id = await tx.connection.scalar(select(Player.external_id).where(Player.id == player_id))
    if external_id is None:
        raise Unauthenticated
    return f"{external_id} ({role})"


async def record(tx: Transaction, *, actor: str, action: str, target: str, before: Snapshot, after: Snapshot) -> None:
    """Write one entry: `actor` did `action` (the mutation's name) to `target` (as `feature_schedule 2026-03-02`)."""
    entry = {
        "actor": actor,
        "action": action,
        "target": target,
        "before": _json(before),
        "after": _json(after),
        "created_at": tx.now,
    }
    await tx.connection.execute(insert(AuditEntry).values(entry))


def _json(snapshot: Snapshot) -> dict[str, Any] | None:
    """A snapshot as plain JSON: dates and instants as ISO 8601, enums by their value."""
    if snapshot is None:
        return None
    plain: dict[str, Any] = msgspec.to_builtins(snapshot, str_keys=True)
    return _camel(plain) if isinstance(snapshot, msgspec.Struct) else plain


def _camel(value: Any) -> Any:
    """The same with every key in camelCase."""
    if isinstance(value, dict):
        return {_camel_name(key): _camel(part) for key, part in value.items()}
    return [_camel(part) for part in value] if isinstance(value, list | tuple) else value


def _camel_name(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(part.capitalize() for part in tail)
