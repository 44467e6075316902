"""Who changed what."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, IntegerKey, text_length


class AuditEntry(Base):
    """One staff mutation, written in its own transaction. Append-only (a trigger refuses all else)."""

    __tablename__ = "audit_log"
    __table_args__ = (
        text_length("actor", 200),
        text_length("action", 100),
        text_length("target", 300),
        Index(None, "created_at", "id"),
    )

    id: Mapped[IntegerKey]
    actor: Mapped[str]
    action: Mapped[str]
    target: Mapped[str]
    before: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    after: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    created_at: Mapped[dt.datetime]
