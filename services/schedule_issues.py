"""Looking ahead: what is wrong with the days of a range, told to operators before players meet it."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection

from models import FeatureType, RankingRevision, Season
from services.alarms import open_alarms
from services.calendar import Calendar
from services.coupon_pool import empty_pools
from services.database import Database
from services.published import played_within
from services.rules.day import Day, Feature, Scheduled
from services.rules.game import Rules
from services.rules.registry import GAMES
from services.rules.schedule import ScheduleIssue, issues_of
from services.rules.windows import played_between
from services.schedule import check_range, read_days, read_features
from services.seasons import read_seasons


async def issues_between(
    database: Database, calendar: Calendar, first: dt.date, last: dt.date, *, now: dt.datetime
) -> list[ScheduleIssue]:
    """Every fault of the days from `first` to `last`, by date, as of one snapshot of now.

    Raises: BadRequest.
    """
    check_range(first, last)
    today = calendar.business_date(now)
    async with database.snapshot() as connection:
        scheduled = {
            day.date: Scheduled(day.feature_type, day.is_active) for day in await read_days(connection, first, last)
        }
        features = {
            row.feature_type: Feature(row.feature_type, row.title, row.page_path, row.is_enabled, row.stamp_xp_bonus)
            for row in await read_features(connection)
        }
        seasons = await read_seasons(connection, Season.start_date <= last, Season.end_date >= first)
        rules = await _rules_ahead(connection, calendar, first, last, now=now) if last >= today else {}
        given = {kind for revisions in rules.values() for one in revisions for kind in one.coupon_types}
        empty = await empty_pools(connection, given)
        ranked = await _ranked(connection, first, last)
        doubted = await open_alarms(connection)

    found: list[ScheduleIssue] = []
    for ordinal in range(first.toordinal(), last.toordinal() + 1):
        date = dt.date.fromordinal(ordinal)
        on = tuple(season for season in seasons if season.start_date <= date <= season.end_date)
        day = Day(date, calendar.ends_at(date), scheduled.get(date), features, b"null", on)
        ahead = rules.get(day.scheduled.feature_type, []) if day.scheduled else []
        played = played_between(ahead, max(now, calendar.starts_at(date)), day.ends_at) if date >= today else []
        found += issues_of(
            day, today=today, played=played, empty_pools=empty, is_ranked=date in ranked, doubted=doubted
        )
    return found


async def _rules_ahead(
    connection: AsyncConnection, calendar: Calendar, first: dt.date, last: dt.date, *, now: dt.datetime
) -> dict[FeatureType, list[Rules]]:
    """Each game's revisions that may be played from now, or from `first`, to the end of `last`."""
    ahead = max(now, calendar.starts_at(first)), calendar.ends_at(last)
    return {feature: await played_within(connection, game, *ahead) for feature, game in GAMES.items()}


async def _ranked(connection: AsyncConnection, first: dt.date, last: dt.date) -> set[dt.date]:
    """The days of a range that have a published ranking."""
    newest = (
        select(RankingRevision.date, RankingRevision.is_deleted)
        .ext(distinct_on(RankingRevision.date))
        .where(RankingRevision.date.between(first, last))
        .order_by(RankingRevision.date, RankingRevision.revision.desc())
    )
    return {date for date, is_deleted in await connection.execute(newest) if not is_deleted}
