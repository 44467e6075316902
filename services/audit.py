"""The audit log: who of the staff changed what. Append-only, in the transaction of the change that it tells."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, insert, select, tuple_

from models import AuditEntry, Player, Role
from services.changes import Change, changes_between
from services.database import Database
from services.paging import Page, page_of
from services.request_errors import Unauthenticated
from services.rules.standing import Bearer, account_of, holds
from services.transaction import Transaction

Snapshot = Mapping[str, Any] | msgspec.Struct | None
"""What something was, or became: JSON-able; null where there is nothing. A Struct's names are written in camelCase."""


@dataclass(frozen=True)
class Actor:
    """Who acts: an account with a role, or somebody with a shell beside the database, who has neither."""

    name: str
    player_id: UUID | None = None
    role: Role | None = None

    def __str__(self) -> str:
        """As the logs name them: `demo-operator (OPERATOR)`."""
        return f"{self.name} ({self.role})" if self.role else self.name


@dataclass(frozen=True)
class AuditRow:
    """An entry of the audit log as it is read."""

    id: int
    actor: str
    actor_id: UUID | None
    actor_role: Role | None
    action: str
    target: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    created_at: dt.datetime


async def actor_of(tx: Transaction, bearer: Bearer) -> Actor:
    """Who acts.

    Raises: Unauthenticated when there is no such account, or the token does not hold as of this transaction.
    """
    query = select(Player.external_id, Player.is_blocked, Player.tokens_valid_from)
    row = (await tx.connection.execute(query.where(Player.id == bearer.player_id))).one_or_none()
    if row is None or not holds(account_of(row.is_blocked, row.tokens_valid_from), bearer):
        raise Unauthenticated
    return Actor(row.external_id, bearer.player_id, bearer.role)


async def record(
    tx: Transaction,
    *,
    actor: Actor,
    action: str,
    target: str,
    before: Snapshot,
    after: Snapshot,
    **notes: str | int | UUID | None,
) -> list[Change]:
    """Write one entry: `actor` did `action`, as whoever runs the command calls it, to `target` (`player` and an id).

    What changed by these snapshots. `notes`, as a reason, are written beside what it became, but change nothing.
    """
    was, became = as_json(before), as_json(after)
    noted: dict[str, Any] = msgspec.to_builtins({name: note for name, note in notes.items() if note is not None})
    entry = {
        "actor": str(actor),
        "actor_id": actor.player_id,
        "actor_role": actor.role,
        "action": action,
        "target": target,
        "before": was,
        "after": (became or {}) | noted if noted else became,
        "created_at": tx.now,
    }
    await tx.connection.execute(insert(AuditEntry).values(entry))
    return changes_between(was, became)


async def last_before(tx: Transaction, target: str) -> dict[str, Any] | None:
    """What a target was before it last changed; none where it never did."""
    query = select(AuditEntry.before).where(AuditEntry.target == target)
    newest = query.order_by(AuditEntry.created_at.desc(), AuditEntry.id.desc()).limit(1)
    found: dict[str, Any] | None = await tx.connection.scalar(newest)
    return found


async def entry(database: Database, entry_id: int) -> AuditRow | None:
    """One entry, or none."""
    async with database.read() as connection:
        row = (await connection.execute(select(AuditEntry).where(AuditEntry.id == entry_id))).mappings().one_or_none()
    return AuditRow(**row) if row else None


@dataclass(frozen=True)
class EntryFilter:
    """Which entries are wanted: all that fit every condition given. `since` is included, `until` is not."""

    actor_id: UUID | None = None
    action: str | None = None
    target: str | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None

    def conditions(self) -> Iterator[ColumnElement[bool]]:
        """The conditions given."""
        if self.actor_id is not None:
            yield AuditEntry.actor_id == self.actor_id
        if self.action is not None:
            yield AuditEntry.action == self.action
        if self.target is not None:
            yield AuditEntry.target == self.target
        if self.since is not None:
            yield AuditEntry.created_at >= self.since
        if self.until is not None:
            yield AuditEntry.created_at < self.until


async def entries(
    database: Database, wanted: EntryFilter, *, first: int, after: tuple[dt.datetime, int] | None
) -> Page[AuditRow]:
    """The entries wanted, newest first; an entry's key is (created_at, id)."""
    query = select(AuditEntry).where(*wanted.conditions())
    query = query.order_by(AuditEntry.created_at.desc(), AuditEntry.id.desc()).limit(first + 1)
    if after is not None:
        query = query.where(tuple_(AuditEntry.created_at, AuditEntry.id) < tuple_(*after))
    async with database.read() as connection:
        rows = [AuditRow(**row) for row in (await connection.execute(query)).mappings()]
    return page_of(rows, first, has_previous=after is not None)


def as_json(snapshot: Snapshot) -> dict[str, Any] | None:
    """A snapshot as plain JSON: dates and instants as ISO 8601, enums by their value."""
    if snapshot is None:
        return None
    plain: dict[str, Any] = msgspec.to_builtins(snapshot)
    return _camel(plain) if isinstance(snapshot, msgspec.Struct) else plain


def _camel(value: Any) -> Any:
    """The same with every key in camelCase."""
    if isinstance(value, dict):
        return {_camel_name(key): _camel(part) for key, part in value.items()}
    return [_camel(part) for part in value] if isinstance(value, list | tuple) else value


def _camel_name(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(part.capitalize() for part in tail)
