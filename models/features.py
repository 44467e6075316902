"""What is on, day by day."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import CheckConstraint, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import LAST_DATE, MAX_STAMP_XP, Base, IntegerKey, bounded, text_enum, text_length
from models.enums import FeatureType


class FeatureSchedule(Base):
    """The feature of one business date."""

    __tablename__ = "feature_schedule"
    __table_args__ = (
        UniqueConstraint("date"),
        CheckConstraint(f"date <= '{LAST_DATE}'", name="date"),
        CheckConstraint("revision >= 1", name="revision"),
    )

    id: Mapped[IntegerKey]
    date: Mapped[dt.date]
    feature_type: Mapped[FeatureType] = mapped_column(text_enum(FeatureType, "feature_type"))
    is_active: Mapped[bool] = mapped_column(server_default=text("true"))
    revision: Mapped[int] = mapped_column(server_default=text("1"))
    updated_at: Mapped[dt.datetime]


class FeatureConfig(Base):
    """How a feature is presented, whether it is on at all, and the XP that it adds to a stamp."""

    __tablename__ = "feature_config"
    __table_args__ = (
        UniqueConstraint("feature_type"),
        text_length("title", 100),
        text_length("page_path", 200),
        CheckConstraint("page_path ~ '^/([^/]|$)'", name="page_path"),
        bounded("stamp_xp_bonus", 0, MAX_STAMP_XP),
        CheckConstraint("revision >= 1", name="revision"),
    )

    id: Mapped[IntegerKey]
    feature_type: Mapped[FeatureType] = mapped_column(text_enum(FeatureType, "feature_type"))
    title: Mapped[str]
    page_path: Mapped[str]
    is_enabled: Mapped[bool] = mapped_column(server_default=text("true"))
    stamp_xp_bonus: Mapped[int] = mapped_column(server_default=text("0"))
    revision: Mapped[int] = mapped_column(server_default=text("1"))
    updated_at: Mapped[dt.datetime]
