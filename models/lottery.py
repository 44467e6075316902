"""Lottery: prizes drawn by weight, some of them in finite stock."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, select, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import MAX_AMOUNT, Base, IntegerKey, SmallInt, bounded
from models.games import (
    PlayLog,
    Revision,
    Weighted,
    Withdrawal,
    play_log_constraints,
    revision_constraints,
    weighted_constraints,
    withdrawal_constraints,
)

MAX_PRIZES = 100


class LotteryConfig(Revision, Base):
    """A revision of the lottery."""

    __tablename__ = "lottery_config"
    __table_args__ = revision_constraints("max_daily_tickets")

    max_daily_tickets: Mapped[int]


class LotteryWithdrawal(Withdrawal, Base):
    """A revision of the lottery that was taken back before it began."""

    __tablename__ = "lottery_withdrawal"
    __table_args__ = withdrawal_constraints("lottery_config")


class LotteryStock(Base):
    """How many there are of something: prizes of several revisions may go on with one stock.

    `initial`: how many there ever were, which a draw leaves alone; `left`: how many are left.
    """

    __tablename__ = "lottery_stock"
    __table_args__ = (
        bounded("initial", 0, MAX_AMOUNT),
        CheckConstraint('"left" >= 0', name="left"),
        CheckConstraint('"left" <= initial', name="left_within_initial"),
        # Every draw of a finite prize updates `left`, which no index holds.
        {"postgresql_with": {"fillfactor": "50"}},
    )

    id: Mapped[IntegerKey]
    initial: Mapped[int]
    left: Mapped[int]


class LotteryPrize(Weighted, Base):
    """One of a revision's prizes. One without a stock is unlimited.

    `quantity`: how many there ever were of its stock when the revision was published, which is announced with it.
    """

    __tablename__ = "lottery_prize"
    __table_args__ = (
        UniqueConstraint("config_id", "position"),
        UniqueConstraint("config_id", "id"),
        UniqueConstraint("config_id", "stock_id"),
        bounded("position", 0, MAX_PRIZES - 1),
        bounded("quantity", 0, MAX_AMOUNT),
        CheckConstraint("(quantity IS NULL) = (stock_id IS NULL)", name="quantity_of_stock"),
        *weighted_constraints(),
    )

    config_id: Mapped[int] = mapped_column(ForeignKey("lottery_config.id"))
    position: Mapped[SmallInt]
    stock_id: Mapped[int | None] = mapped_column(ForeignKey("lottery_stock.id"))
    quantity: Mapped[int | None]
    is_active: Mapped[bool] = mapped_column(server_default=text("true"))


PRIZES_IN_STOCK = select(
    LotteryPrize.__table__, LotteryStock.left.label("stock"), LotteryStock.initial.label("initial_stock")
).outerjoin(LotteryStock, LotteryStock.id == LotteryPrize.stock_id)
"""Prizes with what is left of them; null for those that are unlimited."""


class LotteryLog(PlayLog, Base):
    """One draw: the revision and its prize that was drawn.

    `draw_no` counts the draws of a date, whoever's they are, in the order in which they took from the stocks.
    """

    __tablename__ = "lottery_log"
    __table_args__ = (
        *play_log_constraints(),
        UniqueConstraint("business_date", "draw_no"),
        CheckConstraint("draw_no >= 1", name="draw_no"),
        ForeignKeyConstraint(["config_id", "prize_id"], ["lottery_prize.config_id", "lottery_prize.id"]),
    )

    config_id: Mapped[int]
    prize_id: Mapped[int]
    draw_no: Mapped[int]


class LotteryDay(Base):
    """How many draws a date has had: the last of their numbers."""

    __tablename__ = "lottery_day"
    __table_args__ = (CheckConstraint("draws >= 1", name="draws"), {"postgresql_with": {"fillfactor": "50"}})

    date: Mapped[dt.date] = mapped_column(primary_key=True)
    draws: Mapped[int]


class LotteryAdjustment(Base):
    """What changed a stock on a date beside that date's draws, and after which of them.

    `taken_on`: the date whose draws took it, a moment after that date was over; null where staff adjusted the stock.
    """

    __tablename__ = "lottery_adjustment"
    __table_args__ = (
        CheckConstraint("by <> 0", name="by"),
        CheckConstraint("after_no >= 0", name="after_no"),
        CheckConstraint("taken_on IS NULL OR (taken_on < date AND by < 0)", name="taken_on"),
        Index(None, "date"),
    )

    id: Mapped[IntegerKey]
    stock_id: Mapped[int] = mapped_column(ForeignKey("lottery_stock.id"))
    date: Mapped[dt.date]
    by: Mapped[int]
    after_no: Mapped[int]
    taken_on: Mapped[dt.date | None]
    created_at: Mapped[dt.datetime]
