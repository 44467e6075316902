"""What operators read and schedule."""

from __future__ import annotations

import datetime as dt
from functools import partial

import strawberry

from resolvers.root import root
from resolvers.staff import tried
from schema.config_inputs import RemoveSeasonInput, UpsertSeasonInput
from schema.connections import After, Connection, First, connection_of, decode_cursor, page_size, row_number
from schema.context import Info
from schema.inputs import given
from schema.nodes import Kind, node_id, parts_of
from schema.schedule import (
    FeatureConfig,
    From,
    RemoveScheduledDayInput,
    ScheduledDay,
    ScheduleIssue,
    To,
    UpsertFeatureConfigInput,
    UpsertFeatureConfigPayload,
    UpsertFeatureScheduleInput,
    UpsertFeatureSchedulePayload,
)
from schema.season_pass import Season, UpsertSeasonPayload
from schema.staff import RemovePayload
from services import schedule
from services.errors import NotFound
from services.schedule_issues import issues_between
from services.seasons import publish_season, published_seasons
from services.seasons import remove_season as delete_season


@root
async def feature_schedule(info: Info, from_: From, to: To) -> list[ScheduledDay]:
    """What is scheduled, by day. Days with nothing scheduled are left out."""
    return [ScheduledDay.of(day) for day in await schedule.scheduled_days(info.context.app.database, from_, to)]


@root
async def schedule_issues(info: Info, from_: From, to: To) -> list[ScheduleIssue]:
    """What is wrong with each day, by day; empty when all is well.

    Games are judged by what the windows of their revisions will play, for what is left of today and the days ahead.
    """
    app = info.context.app
    found = await issues_between(app.database, app.calendar, from_, to, now=app.clock())
    return [ScheduleIssue.of(issue) for issue in found]


@root
async def feature_configs(info: Info) -> list[FeatureConfig]:
    """Every feature that is configured."""
    return [FeatureConfig.of(row) for row in await schedule.feature_configs(info.context.app.database)]


@root
async def seasons(info: Info, first: First = 20, after: After = strawberry.UNSET) -> Connection[Season]:
    """The seasons, latest first."""
    key = decode_cursor(after, dt.date.fromisoformat, row_number)
    page = await published_seasons(info.context.app.database, first=page_size(first), after=key)
    return connection_of(page, lambda season: [season.start_date, season.id], Season.of)


@root
async def upsert_feature_schedule(
    info: Info,
    input: UpsertFeatureScheduleInput,  # noqa: A002 (the contract's name)
) -> UpsertFeatureSchedulePayload:
    """Put a feature on a day that is not past, or change or switch off what is on."""
    command = partial(schedule.schedule_day, day=input.draft(), expected_revision=given(input.expected_revision))
    outcome = await tried(info, input, command)
    return UpsertFeatureSchedulePayload.of(outcome, input.mode, day=ScheduledDay.of)


@root
async def upsert_feature_config(
    info: Info,
    input: UpsertFeatureConfigInput,  # noqa: A002
) -> UpsertFeatureConfigPayload:
    """Configure how a feature is presented, whether it is on at all, and its bonus XP."""
    command = partial(
        schedule.configure_feature,
        feature=input.draft(),
        expected_revision=given(input.expected_revision),
        reason=given(input.reason),
    )
    outcome = await tried(info, input, command)
    return UpsertFeatureConfigPayload.of(outcome, input.mode, feature=FeatureConfig.of)


@root
async def remove_scheduled_day(info: Info, input: RemoveScheduledDayInput) -> RemovePayload:  # noqa: A002
    """Take a day of the future off the schedule, as if nothing was ever put on it."""
    command = partial(schedule.remove_day, date=input.date, expected_revision=input.expected_revision)
    outcome = await tried(info, input, command)
    return RemovePayload.of(outcome, input.mode, removed_id=node_id(Kind.SCHEDULED_DAY, input.date))


def _season_key(season_id: str) -> int:
    """A season's key out of the API's id. Raises: NotFound, as for every other that does not exist."""
    parts = parts_of(season_id, Kind.SEASON)
    if parts is None:
        raise NotFound
    key: int = parts[0]
    return key


@root
async def upsert_season(info: Info, input: UpsertSeasonInput) -> UpsertSeasonPayload:  # noqa: A002
    """Make a season, or change the one with `seasonId`, or else of this name."""
    season_id = given(input.season_id)
    command = partial(
        publish_season,
        season=input.draft(),
        expected_revision=given(input.expected_revision),
        season_id=None if season_id is None else _season_key(season_id),
    )
    outcome = await tried(info, input, command)
    return UpsertSeasonPayload.of(outcome, input.mode, season=Season.of)


@root
async def remove_season(info: Info, input: RemoveSeasonInput) -> RemovePayload:  # noqa: A002
    """Remove a season that has not begun."""
    season_id = _season_key(input.season_id)
    command = partial(delete_season, season_id=season_id, expected_revision=input.expected_revision)
    outcome = await tried(info, input, command)
    return RemovePayload.of(outcome, input.mode, removed_id=input.season_id)
