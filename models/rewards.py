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

from models.base import MAX_AMOUNT, MAX_SAFE_INTEGER, Base, IntegerKey, bounded, text_enum, text_length
from models.enums import RewardCause, RewardType


class RewardEntry(Base):
    """A ledger line: one grant, its cause, and the balance after it. Append-only (a trigger refuses all else).

    `line_no` counts the player's lines from 1 without gaps, so that the balances can be followed line by line. Only a
    staff grant may be negative: it reverses an earlier one.
    """

    __tablename__ = "reward_ledger"
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "line_no"),
        UniqueConstraint("user_id", "cause", "cause_id"),
        Index(None, "user_id", "created_at"),
        CheckConstraint("line_no >= 1", name="line_no"),
        CheckConstraint("reward_type <> 'NONE'", name="grants_something"),
        CheckConstraint(
            f"amount BETWEEN 1 AND {MAX_AMOUNT} OR (cause = 'ADMIN_GRANT' AND reward_type <> 'COUPON'"
            f" AND amount BETWEEN -{MAX_AMOUNT} AND -1)",
            name="amount",
        ),
        CheckConstraint("(balance_after IS NULL) = (reward_type = 'COUPON')", name="balance_after_known"),
        bounded("balance_after", 0, MAX_SAFE_INTEGER),
        CheckConstraint("(coupon_type IS NOT NULL) = (reward_type = 'COUPON')", name="coupon_type"),
    )

    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    line_no: Mapped[int]
    reward_type: Mapped[RewardType] = mapped_column(text_enum(RewardType, "reward_type"))
    amount: Mapped[int]
    coupon_type: Mapped[str | None]
    balance_after: Mapped[int | None]
    cause: Mapped[RewardCause] = mapped_column(text_enum(RewardCause, "cause"))
    cause_id: Mapped[UUID]
    created_at: Mapped[dt.datetime]


class RewardBalance(Base):
    """What a player has of one reward: the sum of the ledger's lines."""

    __tablename__ = "reward_balance"
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "reward_type"),
        CheckConstraint("reward_type IN ('POINT', 'TOKEN')", name="kept_as_balance"),
        bounded("amount", 0, MAX_SAFE_INTEGER),
        {"postgresql_with": {"fillfactor": "70"}},
    )

    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    reward_type: Mapped[RewardType] = mapped_column(text_enum(RewardType, "reward_type"))
    amount: Mapped[int]


class CouponCode(Base):
    """A code of the pool; once it is given out, the ledger line that it went to."""

    __tablename__ = "coupon_code"
    __table_args__ = (
        UniqueConstraint("coupon_type", "code"),
        UniqueConstraint("user_id", "line_no"),
        ForeignKeyConstraint(["user_id", "line_no"], ["reward_ledger.user_id", "reward_ledger.line_no"]),
        CheckConstraint("num_nulls(user_id, line_no, given_at) IN (0, 3)", name="given_whole"),
        text_length("coupon_type", 64),
        text_length("code", 128),
        Index("ix_coupon_code_free", "coupon_type", "id", postgresql_where=text("line_no IS NULL")),
    )

    id: Mapped[IntegerKey]
    coupon_type: Mapped[str]
    code: Mapped[str]
    imported_at: Mapped[dt.datetime]
    user_id: Mapped[int | None]
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
    user_id: Mapped[int]
    line_no: Mapped[int]
    created_at: Mapped[dt.datetime]
