"""Roulette: six segments, drawn by weight."""

from __future__ import annotations

from sqlalchemy import ForeignKey, ForeignKeyConstraint, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, SmallInt, bounded
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


class RouletteConfig(Revision, Base):
    """A revision of the roulette."""

    __tablename__ = "roulette_config"
    __table_args__ = revision_constraints("max_daily_spins")

    max_daily_spins: Mapped[int]


class RouletteWithdrawal(Withdrawal, Base):
    """A revision of the roulette that was taken back before it began."""

    __tablename__ = "roulette_withdrawal"
    __table_args__ = withdrawal_constraints("roulette_config")


class RouletteSegment(Weighted, Base):
    """One of a revision's six segments."""

    __tablename__ = "roulette_segment"
    __table_args__ = (
        UniqueConstraint("config_id", "slot"),
        UniqueConstraint("config_id", "id"),
        bounded("slot", 0, 5),
        *weighted_constraints(),
    )

    config_id: Mapped[int] = mapped_column(ForeignKey("roulette_config.id"))
    slot: Mapped[SmallInt]
    is_jackpot: Mapped[bool] = mapped_column(server_default=text("false"))


class RouletteLog(PlayLog, Base):
    """One spin: the revision and its segment that was drawn."""

    __tablename__ = "roulette_log"
    __table_args__ = (
        *play_log_constraints(),
        ForeignKeyConstraint(["config_id", "segment_id"], ["roulette_segment.config_id", "roulette_segment.id"]),
    )

    config_id: Mapped[int]
    segment_id: Mapped[int]
