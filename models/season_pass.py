"""Seasons, their levels, and each player's progress through them."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, PrimaryKeyConstraint, UniqueConstraint
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.sql import func, literal_column

from models.base import (
    LAST_DATE,
    MAX_AMOUNT,
    MAX_STAMP_XP,
    NAME_LENGTH,
    Base,
    IntegerKey,
    bounded,
    text_enum,
    text_length,
)
from models.enums import FeatureType
from models.games import Reward, reward_constraints

MAX_LEVELS = 200

MAX_SEASON_DAYS = 3_660


class Season(Base):
    """A season, from `start_date` to `end_date`, both included. No two seasons share a day."""

    __tablename__ = "season_pass_config"
    __table_args__ = (
        UniqueConstraint("name"),
        text_length("name", NAME_LENGTH),
        CheckConstraint(f"end_date - start_date BETWEEN 0 AND {MAX_SEASON_DAYS - 1}", name="dates"),
        CheckConstraint(f"end_date <= '{LAST_DATE}'", name="end_date"),
        bounded("base_xp_per_stamp", 0, MAX_STAMP_XP),
        bounded("max_level", 1, MAX_LEVELS),
        CheckConstraint("revision >= 1", name="revision"),
        ExcludeConstraint(
            (func.daterange(literal_column("start_date"), literal_column("end_date"), literal_column("'[]'")), "&&"),
            name="ex_season_pass_config_overlap",
        ),
    )

    id: Mapped[IntegerKey]
    name: Mapped[str]
    start_date: Mapped[dt.date]
    end_date: Mapped[dt.date]
    base_xp_per_stamp: Mapped[int]
    max_level: Mapped[int]
    revision: Mapped[int]
    published_at: Mapped[dt.datetime]


class SeasonLevel(Reward, Base):
    """A level: the XP that reaches it, and its reward."""

    __tablename__ = "season_pass_level"
    __table_args__ = (
        UniqueConstraint("season_id", "level"),
        bounded("level", 1, MAX_LEVELS),
        bounded("required_xp", 0, MAX_AMOUNT),
        *reward_constraints(),
    )

    id: Mapped[IntegerKey]
    season_id: Mapped[int] = mapped_column(ForeignKey("season_pass_config.id"))
    level: Mapped[int]
    required_xp: Mapped[int]
    auto_claim: Mapped[bool]


class SeasonProgress(Base):
    """How far a player has come in a season."""

    __tablename__ = "season_pass_progress"
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "id"),
        UniqueConstraint("user_id", "season_id"),
        CheckConstraint("current_xp >= 0", name="current_xp"),
        bounded("current_level", 0, MAX_LEVELS),
        CheckConstraint("total_stamps >= 0", name="total_stamps"),
        {"postgresql_with": {"fillfactor": "70"}},
    )

    user_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
    id: Mapped[UUID]
    season_id: Mapped[int] = mapped_column(ForeignKey("season_pass_config.id"))
    current_xp: Mapped[int]
    current_level: Mapped[int]
    total_stamps: Mapped[int]
    last_stamp_date: Mapped[dt.date]
    created_at: Mapped[dt.datetime]
    updated_at: Mapped[dt.datetime]


class SeasonStamp(Base):
    """The stamp of one day: what it earned, the XP after it, and the levels before and after it.

    `play_id`: the play that stamped, if any. The level before is kept because nothing else tells it for ever: seasons
    change, and stamps of 0 XP cannot be put in order afterwards.
    """

    __tablename__ = "season_pass_stamp_log"
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "id"),
        UniqueConstraint("user_id", "season_id", "date"),
        ForeignKeyConstraint(["user_id", "progress_id"], ["season_pass_progress.user_id", "season_pass_progress.id"]),
        Index(None, "user_id", "created_at"),
        CheckConstraint("xp_earned >= 0", name="xp_earned"),
        CheckConstraint("xp_after >= xp_earned", name="xp_after"),
        bounded("level_before", 0, MAX_LEVELS),
        bounded("level_after", 0, MAX_LEVELS),
    )

    user_id: Mapped[UUID]
    id: Mapped[UUID]
    season_id: Mapped[int] = mapped_column(ForeignKey("season_pass_config.id"))
    progress_id: Mapped[UUID]
    date: Mapped[dt.date]
    source_feature: Mapped[FeatureType] = mapped_column(text_enum(FeatureType, "source_feature"))
    play_id: Mapped[UUID | None]
    xp_earned: Mapped[int]
    xp_after: Mapped[int]
    level_before: Mapped[int]
    level_after: Mapped[int]
    created_at: Mapped[dt.datetime]


class SeasonReward(Reward, Base):
    """A level whose reward a player has: granted by itself (`stamp_id`, the stamp that reached it) or claimed."""

    __tablename__ = "season_pass_reward_log"
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "id"),
        UniqueConstraint("user_id", "season_id", "level"),
        ForeignKeyConstraint(["user_id", "progress_id"], ["season_pass_progress.user_id", "season_pass_progress.id"]),
        Index(None, "user_id", "created_at"),
        bounded("level", 1, MAX_LEVELS),
        *reward_constraints(),
    )

    user_id: Mapped[UUID]
    id: Mapped[UUID]
    season_id: Mapped[int] = mapped_column(ForeignKey("season_pass_config.id"))
    progress_id: Mapped[UUID]
    level: Mapped[int]
    stamp_id: Mapped[UUID | None]
    created_at: Mapped[dt.datetime]
