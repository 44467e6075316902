"""Seals: what the ledger held at an instant, so that whoever makes all later hashes of a chain again is found out."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, PrimaryKeyConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, sha256


class LedgerSeal(Base):
    """A seal: the Merkle root over the heads of the chains that grew since the seal before, and sums over the ledger.

    `number` counts from 1 without gaps, and `hash` covers the seal and the hash of the seal before (`services.seals`).
    `lines`, `coupons`, `points` and `tokens` are those of all lines that this seal and all before it cover. What was
    written by `settled_at` is in it. Append-only.
    """

    __tablename__ = "ledger_seal"
    __table_args__ = (
        CheckConstraint("number >= 1", name="number"),
        CheckConstraint("settled_at <= sealed_at", name="settled_at"),
        CheckConstraint("leaves >= 1", name="leaves"),
        CheckConstraint("lines >= leaves", name="lines"),
        CheckConstraint("coupons BETWEEN 0 AND lines", name="coupons"),
        CheckConstraint("points >= 0", name="points"),
        CheckConstraint("tokens >= 0", name="tokens"),
        sha256("root"),
        sha256("hash"),
    )

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sealed_at: Mapped[dt.datetime]
    settled_at: Mapped[dt.datetime]
    leaves: Mapped[int]
    root: Mapped[bytes]
    lines: Mapped[int]
    coupons: Mapped[int]
    points: Mapped[int]
    tokens: Mapped[int]
    hash: Mapped[bytes]


class LedgerSealLeaf(Base):
    """A chain as a seal saw it: the player's last line, and its hash. Append-only."""

    __tablename__ = "ledger_seal_leaf"
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "line_no"),
        ForeignKeyConstraint(["user_id", "line_no"], ["reward_ledger.user_id", "reward_ledger.line_no"]),
        UniqueConstraint("seal_no", "user_id"),
        sha256("hash"),
    )

    user_id: Mapped[UUID]
    line_no: Mapped[int]
    seal_no: Mapped[int] = mapped_column(ForeignKey("ledger_seal.number"))
    hash: Mapped[bytes]
