"""Whether draws fit their published odds: counts of what was drawn, and the alarms that came of them."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ARRAY, CheckConstraint, Double, Index, Integer, PrimaryKeyConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, IntegerKey, text_enum
from models.enums import FeatureType


class DrawWatch(Base):
    """How far the draws of a game are counted: all of the time before `counted_until`."""

    __tablename__ = "draw_watch"

    feature_type: Mapped[FeatureType] = mapped_column(text_enum(FeatureType, "feature_type"), primary_key=True)
    counted_until: Mapped[dt.datetime]


class DrawTally(Base):
    """How often an outcome was drawn from a table, by a revision, since the last alarm of its game was over.

    `place`: which draw of a play it is, from 1: each die is drawn by itself. `drawn_from`: the table, as it stood.
    """

    __tablename__ = "draw_tally"
    __table_args__ = (
        PrimaryKeyConstraint("feature_type", "config_id", "place", "drawn_from", "outcome"),
        CheckConstraint("draws >= 1", name="draws"),
    )

    feature_type: Mapped[FeatureType] = mapped_column(text_enum(FeatureType, "feature_type"))
    config_id: Mapped[int]
    place: Mapped[int]
    drawn_from: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    outcome: Mapped[int]
    draws: Mapped[int]


class DrawAlarm(Base):
    """An alarm: what was drawn of a game did not fit its published odds. A game has one at a time.

    `evidence` and `draws`: the event's e-value that raised it, and how many plays of the game were counted by then.
    `closed_at`: when an admin switched the game on again; an alarm without it is not explained yet.
    """

    __tablename__ = "draw_alarm"
    __table_args__ = (
        CheckConstraint("evidence > 1", name="evidence"),
        CheckConstraint("draws >= 1", name="draws"),
        Index("uq_draw_alarm_open", "feature_type", unique=True, postgresql_where=text("closed_at IS NULL")),
    )

    id: Mapped[IntegerKey]
    feature_type: Mapped[FeatureType] = mapped_column(text_enum(FeatureType, "feature_type"))
    evidence: Mapped[float] = mapped_column(Double)
    draws: Mapped[int]
    raised_at: Mapped[dt.datetime]
    closed_at: Mapped[dt.datetime | None]
