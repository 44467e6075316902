"""Players, the keys of their commands, and the log of what they did."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, PrimaryKeyConstraint, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSON
from sqlalchemy.orm import Mapped, mapped_column

from models.base import EXTERNAL_ID_LENGTH, KEY_LENGTH, LEDGER_START, Base, sha256, text_enum, text_length
from models.enums import EventName, FeatureType


class Player(Base):
    """Somebody who plays, or a member of staff. `id` is random, made once, and the only name that others see.

    `version` moves with every change of the player's state (balances, plays, season pass, blocked flag), whoever makes
    it, by triggers: whoever decided on an older version must not store the decision. `ledger_lines` counts the player's
    ledger lines, and `ledger_hash` is the hash of the last: the head of their chain. Tokens that were issued before
    `tokens_valid_from`, a whole second, were revoked.
    """

    __tablename__ = "user"
    __table_args__ = (
        UniqueConstraint("external_id"),
        text_length("external_id", EXTERNAL_ID_LENGTH),
        CheckConstraint("version >= 0", name="version"),
        CheckConstraint("ledger_lines >= 0", name="ledger_lines"),
        sha256("ledger_hash"),
        Index("ix_user_external_id_prefix", "external_id", postgresql_ops={"external_id": "text_pattern_ops"}),
        Index(None, "created_at", "id"),
        Index(None, "tokens_valid_from", postgresql_where=text("tokens_valid_from IS NOT NULL")),
        # Every play updates `version`, which no index holds: room on the page keeps these updates heap-only.
        {"postgresql_with": {"fillfactor": "70"}},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    external_id: Mapped[str]
    is_blocked: Mapped[bool] = mapped_column(server_default=text("false"))
    version: Mapped[int] = mapped_column(server_default=text("0"))
    ledger_lines: Mapped[int] = mapped_column(server_default=text("0"))
    ledger_hash: Mapped[bytes] = mapped_column(server_default=text(f"'\\x{LEDGER_START.hex()}'"))
    tokens_valid_from: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime]


class IdempotencyKey(Base):
    """The first answer to a player's command, kept for 30 days.

    `request` is the operation with its input; the same key with another one is refused.
    """

    __tablename__ = "idempotency_key"
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "key"),
        text_length("key", KEY_LENGTH),
        text_length("request", 1000),
        # The oldest are deleted daily. A block-range index would be cheaper to write, but its summaries never shrink:
        # once pages are used again, every range holds old and new, and finding the oldest reads the whole table.
        Index(None, "created_at"),
    )

    user_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
    key: Mapped[str]
    request: Mapped[str]
    answer: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[dt.datetime]


class UserEvent(Base):
    """Something that happened to a player, for operators to read. What belongs to no feature has no `feature_type`."""

    __tablename__ = "user_event_log"
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "id"),
        Index(None, "user_id", "created_at"),
        # Operators read the newest of each kind: a kind that is rare is found as fast as one of every play.
        Index(None, "feature_type", "event_name", "created_at", "id"),
        Index(None, "user_id", "feature_type", "event_name", "created_at", "id"),
        Index(
            "uq_user_event_log_feature_view",
            "user_id",
            "business_date",
            unique=True,
            postgresql_where=text("event_name = 'FEATURE_VIEW'"),
        ),
    )

    user_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
    id: Mapped[UUID]
    feature_type: Mapped[FeatureType | None] = mapped_column(text_enum(FeatureType, "feature_type"))
    event_name: Mapped[EventName] = mapped_column(text_enum(EventName, "event_name"))
    business_date: Mapped[dt.date]
    meta_json: Mapped[dict[str, Any]]
    created_at: Mapped[dt.datetime]
