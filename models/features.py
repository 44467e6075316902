"""What is on, day by day."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import (
    LAST_DATE,
    MAX_STAMP_XP,
    NAME_LENGTH,
    PATH_LENGTH,
    Base,
    IntegerKey,
    bounded,
    by_language,
    text_enum,
    text_length,
)
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
        text_length("title", NAME_LENGTH),
        by_language("titles", NAME_LENGTH),
        text_length("page_path", PATH_LENGTH),
        CheckConstraint("page_path ~ '^/([^/]|$)'", name="page_path"),
        bounded("stamp_xp_bonus", 0, MAX_STAMP_XP),
        CheckConstraint("revision >= 1", name="revision"),
    )

    id: Mapped[IntegerKey]
    feature_type: Mapped[FeatureType] = mapped_column(text_enum(FeatureType, "feature_type"))
    title: Mapped[str]
    titles: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    page_path: Mapped[str]
    is_enabled: Mapped[bool] = mapped_column(server_default=text("true"))
    stamp_xp_bonus: Mapped[int] = mapped_column(server_default=text("0"))
    revision: Mapped[int] = mapped_column(server_default=text("1"))
    updated_at: Mapped[dt.datetime]


class FactRevision(Base):
    """The name of what operators have published, as it is now: whoever knows facts by this name knows them all.

    The row of the facts of days, `day`, is written by triggers alone, at the end of every transaction that changed any
    of them, also by hand. Without a row nothing is named, and so nothing known.
    """

    __tablename__ = "fact_revision"

    facts: Mapped[str] = mapped_column(primary_key=True)
    revision: Mapped[UUID]
