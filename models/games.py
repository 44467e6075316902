"""What every chance game's tables share: published revisions, rewards, and the log of plays."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, PrimaryKeyConstraint, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.schema import SchemaItem

from models.base import MAX_AMOUNT, IntegerKey, SmallInt, bounded, text_enum, text_length
from models.enums import RewardType

MAX_DAILY_PLAYS = 10_000
"""The largest daily limit that can be configured; 0 is unlimited."""


class Revision:
    """Columns of a game's configuration: an immutable revision, of which at most one is active."""

    id: Mapped[IntegerKey]
    name: Mapped[str]
    revision: Mapped[int]
    is_active: Mapped[bool] = mapped_column(server_default=text("false"))
    published_at: Mapped[dt.datetime]


def revision_constraints(table: str, daily_limit: str) -> tuple[SchemaItem, ...]:
    """The constraints of a configuration table whose column `daily_limit` is its daily limit."""
    return (
        UniqueConstraint("revision"),
        CheckConstraint("revision >= 1", name="revision"),
        text_length("name", 100),
        bounded(daily_limit, 0, MAX_DAILY_PLAYS),
        Index(f"uq_{table}_active", "is_active", unique=True, postgresql_where=text("is_active")),
    )


class Reward:
    """Columns of one reward: what it moves, how much, and of which coupon."""

    reward_type: Mapped[RewardType] = mapped_column(text_enum(RewardType, "reward_type"))
    reward_amount: Mapped[int]
    coupon_type: Mapped[str | None]


def reward_constraints(prefix: str = "") -> tuple[CheckConstraint, ...]:
    """An amount within bounds, and a coupon type exactly where the reward is a coupon."""
    return (
        bounded(f"{prefix}reward_amount", 0, MAX_AMOUNT),
        CheckConstraint(
            f"({prefix}coupon_type IS NOT NULL) = ({prefix}reward_type = 'COUPON')", name=f"{prefix}coupon_type"
        ),
        text_length(f"{prefix}coupon_type", 64),
    )


class PlayLog(Reward):
    """Columns of a game's log: one row a play, pointing at the revision that was played.

    `play_no` counts the player's plays of the day from 1. That it is unique and never above `daily_max`, the limit in
    force (0: none), is what makes the daily limit exact whatever the application does.
    """

    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    id: Mapped[UUID]
    business_date: Mapped[dt.date]
    play_no: Mapped[int]
    daily_max: Mapped[int]
    created_at: Mapped[dt.datetime]


def play_log_constraints() -> tuple[SchemaItem, ...]:
    """The constraints of a play log."""
    return (
        PrimaryKeyConstraint("user_id", "id"),
        UniqueConstraint("user_id", "business_date", "play_no"),
        Index(None, "user_id", "created_at"),
        CheckConstraint("play_no >= 1 AND (daily_max = 0 OR play_no <= daily_max)", name="daily_limit"),
        *reward_constraints(),
    )


class Weighted(Reward):
    """Columns of something that is drawn by weight."""

    id: Mapped[IntegerKey]
    label: Mapped[str]
    weight: Mapped[int]


def weighted_constraints() -> tuple[CheckConstraint, ...]:
    """The constraints of something that is drawn by weight."""
    return (text_length("label", 100), bounded("weight", 0, MAX_AMOUNT), *reward_constraints())


__all__ = [
    "MAX_DAILY_PLAYS",
    "PlayLog",
    "Revision",
    "Reward",
    "SmallInt",
    "Weighted",
    "play_log_constraints",
    "revision_constraints",
    "reward_constraints",
    "weighted_constraints",
]
