"""Published rankings: the rows of each day, and the revisions that put them there."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, PrimaryKeyConstraint
from sqlalchemy.orm import Mapped

from models.base import EXTERNAL_ID_LENGTH, MAX_AMOUNT, MAX_SAFE_INTEGER, NAME_LENGTH, Base, bounded, text_length

MAX_RANKING_ROWS = 200_000


class RankingRevision(Base):
    """One publication of a day's ranking. The newest of a date is the one whose rows `ranking_daily` holds."""

    __tablename__ = "ranking_revision"
    __table_args__ = (
        PrimaryKeyConstraint("date", "revision"),
        CheckConstraint("revision >= 1", name="revision"),
        bounded("total_entries", 0, MAX_RANKING_ROWS),
        CheckConstraint("NOT is_deleted OR total_entries = 0", name="deleted_is_empty"),
    )

    date: Mapped[dt.date]
    revision: Mapped[int]
    total_entries: Mapped[int]
    content_hash: Mapped[str]
    is_deleted: Mapped[bool]
    published_at: Mapped[dt.datetime]


class RankingDaily(Base):
    """A row of a day's published ranking."""

    __tablename__ = "ranking_daily"
    __table_args__ = (
        PrimaryKeyConstraint("date", "rank"),
        ForeignKeyConstraint(["date", "revision"], ["ranking_revision.date", "ranking_revision.revision"]),
        bounded("rank", 1, MAX_AMOUNT),
        text_length("display_name", NAME_LENGTH),
        bounded("score", -MAX_SAFE_INTEGER, MAX_SAFE_INTEGER),
        text_length("external_id", EXTERNAL_ID_LENGTH),
        Index("uq_ranking_daily_date_external_id", "date", "external_id", unique=True),
    )

    date: Mapped[dt.date]
    rank: Mapped[int]
    revision: Mapped[int]
    display_name: Mapped[str]
    score: Mapped[int]
    external_id: Mapped[str | None]
