"""What staff changed: it is now as the audit log says that they left it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any, NamedTuple

from msgspec import Struct
from sqlalchemy import func, select

from models import AuditEntry, Player, Season
from services import audit
from services.audits.check import Finding, Snapshot, check, query, row_of
from services.published import read
from services.rules.registry import GAMES
from services.schedule import DAYS, FEATURES, Kept
from services.seasons import read_seasons

VOLATILE = {"stock", "initialStock"}
"""What a revision's entry says of its stocks as they were: they have checks of their own."""

PAGE = 500
"""Revisions that are looked at together."""


class Row(NamedTuple):
    """Something that staff may change, and how the audit log calls it."""

    target: str
    table: str
    key: dict[str, Any]
    content: Struct


class Entry(NamedTuple):
    """What the audit log says that something became; none: that it was removed."""

    id: int
    after: dict[str, Any] | None


@check
async def changes(snapshot: Snapshot) -> AsyncIterator[Finding]:
    """Days, features, seasons and revisions of games are as the audit log says that staff left them."""
    entries, found = await _entries(snapshot), set[str]()
    async for row in _rows(snapshot):
        found.add(row.target)
        if (entry := entries.get(row.target)) is not None:
            for fault in _faults(row, entry):
                yield Finding(row.table, row.key, fault)
    for target, entry in entries.items():
        if entry.after is not None and target not in found:
            yield Finding(AuditEntry.__tablename__, {"id": entry.id}, f"left {target}, which is gone")


def _faults(row: Row, entry: Entry) -> Iterator[str]:
    if entry.after is None:
        yield f"was removed by entry {entry.id} of the audit log"
        return
    content = _lasting(audit.as_json(row.content) or {})
    after = _lasting(entry.after)
    differing = [name for name, value in content.items() if after.get(name) != value]
    if differing:
        yield f"differs from entry {entry.id} of the audit log: {', '.join(differing)}"


def _lasting(content: Any) -> Any:
    """What does not change by itself."""
    if isinstance(content, dict):
        return {name: _lasting(value) for name, value in content.items() if name not in VOLATILE}
    return [_lasting(part) for part in content] if isinstance(content, list) else content


async def _entries(snapshot: Snapshot) -> dict[str, Entry]:
    """The newest entry of each day, feature and season, and the publication of each revision."""
    published = [game.config.__tablename__ for game in GAMES.values()]
    tables = [kept.table.__tablename__ for kept in (DAYS, FEATURES)] + [Season.__tablename__, *published]
    of_these = func.split_part(AuditEntry.target, " ", 1).in_(tables)
    # A withdrawal is an entry of the revision, too, and says nothing of its content.
    tells = AuditEntry.after.is_(None) | AuditEntry.after.has_key("revision")
    told = select(AuditEntry.target, AuditEntry.id, AuditEntry.after).where(of_these, tells).order_by(AuditEntry.id)
    return {row.target: Entry(row.id, row.after) for row in await snapshot.connection.execute(told)}


async def _rows(snapshot: Snapshot) -> AsyncIterator[Row]:
    kept: tuple[Kept[Any], ...] = (DAYS, FEATURES)
    for one in kept:
        name = one.table.__tablename__
        for row in await snapshot.connection.execute(select(one.table.id, one.key, *one.columns)):
            yield Row(f"{name} {row[1]}", name, {"id": row[0]}, one.read_as(*row[2:]))
    for season in await read_seasons(snapshot.connection):
        yield Row(f"{Season.__tablename__} {season.id}", Season.__tablename__, {"id": season.id}, season)
    for game in GAMES.values():
        name, last = game.config.__tablename__, 0
        while page := await read(snapshot.connection, game, game.config.revision.between(last + 1, last + PAGE)):
            last += PAGE
            for rules in page:
                yield Row(f"{name} revision {rules.revision}", name, {"id": rules.id}, rules)


@query
def blocked() -> str:
    """An account is blocked exactly where the audit log says so."""
    return f"""
    SELECT {row_of(Player, "u")}, CASE WHEN u.is_blocked THEN 'is blocked, which the audit log does not say'
        ELSE 'is not blocked, though the audit log says so' END AS fault
    FROM "user" u LEFT JOIN (
        SELECT DISTINCT ON (target) target, (after ->> 'isBlocked')::boolean AS is_blocked FROM audit_log
        WHERE starts_with(target, 'player ') AND after ? 'isBlocked' ORDER BY target, id DESC
    ) a ON a.target = 'player ' || u.id
    WHERE u.is_blocked <> coalesce(a.is_blocked, false)"""
