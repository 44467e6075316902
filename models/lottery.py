"""Lottery: prizes drawn by weight, some of them in finite stock."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import MAX_AMOUNT, Base, SmallInt, bounded
from models.games import (
    PlayLog,
    Revision,
    Weighted,
    play_log_constraints,
    revision_constraints,
    weighted_constraints,
)

MAX_PRIZES = 100


class LotteryConfig(Revision, Base):
    """A revision of the lottery."""

    __tablename__ = "lottery_config"
    __table_args__ = revision_constraints("lottery_config", "max_daily_tickets")

    max_daily_tickets: Mapped[int]


class LotteryPrize(Weighted, Base):
    """One of a revision's prizes. `stock` is what is left (null: unlimited), the only column that ever changes."""

    __tablename__ = "lottery_prize"
    __table_args__ = (
        UniqueConstraint("config_id", "position"),
        UniqueConstraint("config_id", "id"),
        bounded("position", 0, MAX_PRIZES - 1),
        CheckConstraint("stock >= 0", name="stock"),
        bounded("initial_stock", 0, MAX_AMOUNT),
        CheckConstraint(
            "(stock IS NULL) = (initial_stock IS NULL) AND stock <= initial_stock", name="stock_within_initial"
        ),
        *weighted_constraints(),
        # Every draw of a finite prize updates `stock`, which no index holds.
        {"postgresql_with": {"fillfactor": "50"}},
    )

    config_id: Mapped[int] = mapped_column(ForeignKey("lottery_config.id"))
    position: Mapped[SmallInt]
    stock: Mapped[int | None]
    initial_stock: Mapped[int | None]
    is_active: Mapped[bool] = mapped_column(server_default=text("true"))


class LotteryLog(PlayLog, Base):
    """One draw: the revision and its prize that was drawn."""

    __tablename__ = "lottery_log"
    __table_args__ = (
        *play_log_constraints(),
        ForeignKeyConstraint(["config_id", "prize_id"], ["lottery_prize.config_id", "lottery_prize.id"]),
    )

    config_id: Mapped[int]
    prize_id: Mapped[int]
