"""What staff look up beside players and their events."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, tuple_

from models import AuditEntry
from services.database import Database
from services.paging import Page, page_of


@dataclass(frozen=True)
class AuditRow:
    """An entry of the audit log as it is read."""

    id: int
    actor: str
    action: str
    target: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    created_at: dt.datetime


async def audit_log(database: Database, *, first: int, after: tuple[dt.datetime, int] | None) -> Page[AuditRow]:
    """The audit log, newest first; an entry's key is (created_at, id)."""
    query = select(AuditEntry).order_by(AuditEntry.created_at.desc(), AuditEntry.id.desc()).limit(first + 1)
    if after is not None:
        query = query.where(tuple_(AuditEntry.created_at, AuditEntry.id) < tuple_(*after))
    async with database.read() as connection:
        rows = [AuditRow(**row) for row in (await connection.execute(query)).mappings()]
    return page_of(rows, first, has_previous=after is not None)
