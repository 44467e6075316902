"""The reward ledger, the balances that it adds up to, and the pool of coupon codes."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    PrimaryKeyConstraint,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from models.base import (
    COUPON_CODE_LENGTH,
    COUPON_TYPE_LENGTH,
    MAX_AMOUNT,
    MAX_SAFE_INTEGER,
    Base,
    IntegerKey,
    bounded,
    sha256,
    text_enum,
    text_length,
)
from models.enums import LineCause, RewardType


class RewardEntry(Base):
    """A ledger line: one grant, its cause, and the balance after it. Append-only (a trigger refuses all else).

    `line_no` counts the player's lines from 1 without gaps, so that the balances can be followed line by line, and
    `hash` covers the line and the hash of the line before (`services.ledger`): a trigger refuses a line that does not
    follow. Only a staff grant may be negative: it reverses an earlier one. `coupon_id` is the coupon that the line
    hands out; a grant that found the pool empty has none, and its coupon is handed out by a line of its own
    (`COUPON_GIVEN`), which has the id of the grant's cause and adds nothing.
    """

    __tablename__ = "reward_ledger"
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "line_no"),
        UniqueConstraint("user_id", "cause", "cause_id"),
        Index(None, "user_id", "created_at"),
        Index("uq_reward_ledger_coupon_id", "coupon_id", unique=True, postgresql_where=text("coupon_id IS NOT NULL")),
        # Lines come in the order of time: what came since a day, or since the last seal, is a range of pages.
        Index("ix_reward_ledger_time", "created_at", postgresql_using="brin", postgresql_with={"autosummarize": "on"}),
        # What is usual to grant by hand; plays do not write it.
        Index("ix_reward_ledger_grants", "reward_type", "created_at", postgresql_where=text("cause = 'ADMIN_GRANT'")),
        CheckConstraint("line_no >= 1", name="line_no"),
        CheckConstraint("reward_type <> 'NONE'", name="grants_something"),
        CheckConstraint(
            f"amount BETWEEN 1 AND {MAX_AMOUNT} OR (cause = 'ADMIN_GRANT' AND reward_type <> 'COUPON'"
            f" AND amount BETWEEN -{MAX_AMOUNT} AND -1) OR (cause = 'COUPON_GIVEN' AND amount = 0)",
            name="amount",
        ),
        CheckConstraint("cause <> 'COUPON_GIVEN' OR (amount = 0 AND coupon_id IS NOT NULL)", name="coupon_given"),
        CheckConstraint("coupon_id IS NULL OR reward_type = 'COUPON'", name="coupon_id"),
        sha256("hash"),
        CheckConstraint("(balance_after IS NULL) = (reward_type = 'COUPON')", name="balance_after_known"),
        bounded("balance_after", 0, MAX_SAFE_INTEGER),
        CheckConstraint("(coupon_type IS NOT NULL) = (reward_type = 'COUPON')", name="coupon_type"),
    )

    user_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
    line_no: Mapped[int]
    reward_type: Mapped[RewardType] = mapped_column(text_enum(RewardType, "reward_type"))
    amount: Mapped[int]
    coupon_type: Mapped[str | None]
    coupon_id: Mapped[int | None] = mapped_column(ForeignKey("coupon_code.id", use_alter=True))
    balance_after: Mapped[int | None]
    cause: Mapped[LineCause] = mapped_column(text_enum(LineCause, "cause"))
    cause_id: Mapped[UUID]
    created_at: Mapped[dt.datetime]
    hash: Mapped[bytes]


class RewardBalance(Base):
    """What a player has of one reward: the sum of the ledger's lines."""

    __tablename__ = "reward_balance"
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "reward_type"),
        CheckConstraint("reward_type IN ('POINT', 'TOKEN')", name="kept_as_balance"),
        bounded("amount", 0, MAX_SAFE_INTEGER),
        {"postgresql_with": {"fillfactor": "70"}},
    )

    user_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
    reward_type: Mapped[RewardType] = mapped_column(text_enum(RewardType, "reward_type"))
    amount: Mapped[int]


class CouponCode(Base):
    """A code of the pool; once it is given out, the ledger line that it went to."""

    __tablename__ = "coupon_code"
    __table_args__ = (
        UniqueConstraint("code"),
        UniqueConstraint("user_id", "line_no"),
        ForeignKeyConstraint(["user_id", "line_no"], ["reward_ledger.user_id", "reward_ledger.line_no"]),
        CheckConstraint("num_nulls(user_id, line_no, given_at) IN (0, 3)", name="given_whole"),
        text_length("coupon_type", COUPON_TYPE_LENGTH),
        text_length("code", COUPON_CODE_LENGTH),
        Index("ix_coupon_code_free", "coupon_type", "id", postgresql_where=text("line_no IS NULL")),
    )

    id: Mapped[IntegerKey]
    coupon_type: Mapped[str]
    code: Mapped[str]
    imported_at: Mapped[dt.datetime]
    user_id: Mapped[UUID | None]
    line_no: Mapped[int | None]
    given_at: Mapped[dt.datetime | None]


class CouponWaiting(Base):
    """A granted coupon that found the pool empty; served in the order of `id` by the next import."""

    __tablename__ = "coupon_waiting"
    __table_args__ = (
        UniqueConstraint("user_id", "line_no"),
        ForeignKeyConstraint(["user_id", "line_no"], ["reward_ledger.user_id", "reward_ledger.line_no"]),
        Index(None, "coupon_type", "id"),
    )

    id: Mapped[IntegerKey]
    coupon_type: Mapped[str]
    user_id: Mapped[UUID]
    line_no: Mapped[int]
    created_at: Mapped[dt.datetime]
