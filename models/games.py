"""What every chance game's tables share: published revisions, rewards, and the log of plays."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.schema import SchemaItem

from models.base import (
    COUPON_TYPE_LENGTH,
    END_OF_TIME,
    MAX_AMOUNT,
    NAME_LENGTH,
    REASON_LENGTH,
    IntegerKey,
    SmallInt,
    bounded,
    by_language,
    text_enum,
    text_length,
)
from models.enums import RewardType

MAX_NOTICE_HOURS = 90 * 24
"""The longest time that changed odds may have to be announced ahead."""

MAX_DAILY_PLAYS = 10_000
"""The largest daily limit that can be configured; 0 is unlimited."""


_LAST = f"'{END_OF_TIME:%Y-%m-%d} UTC'"


class Revision:
    """Columns of a game's configuration: a revision, which never changes.

    Its window is [`effective_from`, `effective_until`), without an end where that is null. What is played at an instant
    is, of the revisions that are not withdrawn and whose window holds it, the greatest by (`effective_from`,
    `revision`). No window reaches into the time before it was published, so nothing is told differently afterwards.
    `hash` is that of all it says (`models.revision_hashes`).

    `cost`: what a play costs, in words by language; none where it is free. `notice_hours`: how long ahead changed odds
    had to be announced when it was published; `emergency_reason`: why these may begin within that time.
    """

    id: Mapped[IntegerKey]
    name: Mapped[str]
    revision: Mapped[int]
    published_at: Mapped[dt.datetime]
    effective_from: Mapped[dt.datetime]
    effective_until: Mapped[dt.datetime | None]
    hash: Mapped[str]
    cost: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    notice_hours: Mapped[int]
    emergency_reason: Mapped[str | None]


def revision_constraints(daily_limit: str) -> tuple[SchemaItem, ...]:
    """The constraints of a configuration table whose column `daily_limit` is its daily limit."""
    return (
        UniqueConstraint("revision"),
        UniqueConstraint("hash"),
        CheckConstraint("revision >= 1", name="revision"),
        CheckConstraint("hash ~ '^[0-9a-f]{64}$'", name="hash"),
        text_length("name", NAME_LENGTH),
        by_language("cost", NAME_LENGTH),
        bounded("notice_hours", 0, MAX_NOTICE_HOURS),
        text_length("emergency_reason", REASON_LENGTH),
        bounded(daily_limit, 0, MAX_DAILY_PLAYS),
        CheckConstraint(f"effective_from >= published_at AND effective_from < {_LAST}", name="effective_from"),
        CheckConstraint(f"effective_until > effective_from AND effective_until <= {_LAST}", name="effective_until"),
        UniqueConstraint("id", "effective_from"),
        Index(None, "effective_from", "revision"),
    )


class Withdrawal:
    """Columns of a withdrawal: a revision was taken back before its window began, and is never played."""

    config_id: Mapped[int] = mapped_column(primary_key=True)
    effective_from: Mapped[dt.datetime]
    withdrawn_at: Mapped[dt.datetime]
    reason: Mapped[str]


def withdrawal_constraints(table: str) -> tuple[SchemaItem, ...]:
    """The constraints of the withdrawals from the configuration table `table`."""
    return (
        ForeignKeyConstraint(["config_id", "effective_from"], [f"{table}.id", f"{table}.effective_from"]),
        CheckConstraint("withdrawn_at < effective_from", name="before_it_began"),
        text_length("reason", REASON_LENGTH),
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
        text_length(f"{prefix}coupon_type", COUPON_TYPE_LENGTH),
    )


class PlayLog(Reward):
    """Columns of a game's log: one row a play, pointing at the revision that was played.

    `play_no` counts the player's plays of the day from 1. That it is unique and never above `daily_max`, the limit in
    force (0: none), is what makes the daily limit exact whatever the application does.

    `drawn_from`: the table that was drawn from, as it stood; `rolls`: the integers that were drawn (`services.rules`).
    """

    user_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
    id: Mapped[UUID]
    business_date: Mapped[dt.date]
    play_no: Mapped[int]
    daily_max: Mapped[int]
    drawn_from: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    rolls: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    created_at: Mapped[dt.datetime]


def play_log_constraints() -> tuple[SchemaItem, ...]:
    """The constraints of a play log."""
    return (
        PrimaryKeyConstraint("user_id", "id"),
        UniqueConstraint("user_id", "business_date", "play_no"),
        Index(None, "user_id", "created_at"),
        # A day's draws are read once, for its root, and a minute's, to be counted: this is next to nothing to keep.
        Index(None, "business_date", "created_at", postgresql_using="brin", postgresql_with={"autosummarize": "on"}),
        CheckConstraint("play_no >= 1 AND (daily_max = 0 OR play_no <= daily_max)", name="daily_limit"),
        CheckConstraint(
            "cardinality(drawn_from) > 0 AND 0 <= ALL (drawn_from) AND cardinality(rolls) > 0 AND 0 <= ALL (rolls)",
            name="drawn",
        ),
        *reward_constraints(),
    )


class Weighted(Reward):
    """Columns of something that is drawn by weight."""

    id: Mapped[IntegerKey]
    label: Mapped[str]
    labels: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    weight: Mapped[int]


def weighted_constraints() -> tuple[CheckConstraint, ...]:
    """The constraints of something that is drawn by weight."""
    return (
        text_length("label", NAME_LENGTH),
        by_language("labels", NAME_LENGTH),
        bounded("weight", 0, MAX_AMOUNT),
        *reward_constraints(),
    )


__all__ = [
    "MAX_DAILY_PLAYS",
    "MAX_NOTICE_HOURS",
    "PlayLog",
    "Revision",
    "Reward",
    "SmallInt",
    "Weighted",
    "Withdrawal",
    "play_log_constraints",
    "revision_constraints",
    "reward_constraints",
    "weighted_constraints",
    "withdrawal_constraints",
]
