"""Looking ahead: what is wrong with the days of a range, told to operators before players meet it."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection

from models import RankingRevision, Season
from services.calendar import Calendar
from services.configs import KINDS, active
from services.database import Database
from services.rules.day import Day, Feature, Scheduled
from services.rules.schedule import ScheduleIssue, issues_of
from services.schedule import check_range, read_days, read_features
from services.seasons import read_seasons


async def issues_between(
    database: Database, calendar: Calendar, first: dt.date, last: dt.date, *, today: dt.date
) -> list[ScheduleIssue]:
    """Every fault of the days from `first` to `last`, by date, as of one snapshot of now.

    Raises: BadRequest.
    """
    check_range(first, last)
    async with database.snapshot() as connection:
        scheduled = {
            day.date: Scheduled(day.feature_type, day.is_active) for day in await read_days(connection, first, last)
        }
        features = {
            row.feature_type: Feature(row.feature_type, row.title, row.page_path, row.is_enabled, row.stamp_xp_bonus)
            for row in await read_features(connection)
        }
        seasons = await read_seasons(connection, Season.start_date <= last, Season.end_date >= first)
        rules = {feature: await active(connection, kind) for feature, kind in KINDS.items()}
        ranked = await _ranked(connection, first, last)

    found: list[ScheduleIssue] = []
    for ordinal in range(first.toordinal(), last.toordinal() + 1):
        date = dt.date.fromordinal(ordinal)
        on = tuple(season for season in seasons if season.start_date <= date <= season.end_date)
        day = Day(date, calendar.ends_at(date), scheduled.get(date), features, b"null", on)
        found += issues_of(day, today=today, active=rules, is_ranked=date in ranked)
    return found


async def _ranked(connection: AsyncConnection, first: dt.date, last: dt.date) -> set[dt.date]:
    """The days of a range that have a published ranking."""
    newest = (
        select(RankingRevision.date, RankingRevision.is_deleted)
        .ext(distinct_on(RankingRevision.date))
        .where(RankingRevision.date.between(first, last))
        .order_by(RankingRevision.date, RankingRevision.revision.desc())
    )
    return {date for date, is_deleted in await connection.execute(newest) if not is_deleted}
