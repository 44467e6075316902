"""Who changed what."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, IntegerKey, text_enum, text_length
from models.enums import Role


class AuditEntry(Base):
    """One staff mutation, written in its own transaction. Append-only (a trigger refuses all else).

    `actor` names who acted; `actor_id` and `actor_role` do where it was an account and not a command line.
    """

    __tablename__ = "audit_log"
    __table_args__ = (
        text_length("actor", 200),
        text_length("action", 100),
        text_length("target", 300),
        CheckConstraint("(actor_id IS NULL) = (actor_role IS NULL)", name="actor_whole"),
        Index(None, "created_at", "id"),
        Index(None, "target", "created_at", "id"),
        Index(None, "actor_id", "created_at", "id"),
    )

    id: Mapped[IntegerKey]
    actor: Mapped[str]
    actor_id: Mapped[UUID | None] = mapped_column(ForeignKey("user.id"))
    actor_role: Mapped[Role | None] = mapped_column(text_enum(Role, "actor_role"))
    action: Mapped[str]
    target: Mapped[str]
    before: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    after: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    created_at: Mapped[dt.datetime]
