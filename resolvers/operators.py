"""What operators read, schedule and publish."""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import Annotated

import strawberry

from resolvers.root import root
from resolvers.staff import as_staff
from schema.config_inputs import (
    UpsertDiceConfigInput,
    UpsertDiceConfigResult,
    UpsertLotteryConfigInput,
    UpsertLotteryConfigResult,
    UpsertRouletteConfigInput,
    UpsertRouletteConfigResult,
    UpsertSeasonInput,
    UpsertSeasonResult,
)
from schema.connections import MAX_PAGE, First, page_size
from schema.context import Info
from schema.games import DiceConfig, LotteryConfig, RouletteConfig
from schema.inputs import given
from schema.schedule import (
    FeatureConfig,
    From,
    ScheduledDay,
    ScheduleIssue,
    To,
    UpsertFeatureConfigInput,
    UpsertFeatureConfigResult,
    UpsertFeatureScheduleInput,
    UpsertFeatureScheduleResult,
)
from schema.season_pass import Season
from services import configs, schedule
from services.schedule_issues import issues_between
from services.seasons import publish_season, published_seasons

BeforeRevision = Annotated[int | None, strawberry.argument(description="Only revisions older than this one.")]
BeforeDate = Annotated[dt.date | None, strawberry.argument(description="Only seasons that start before this day.")]


@root("What is scheduled, by day. Days with nothing scheduled are left out.")
async def feature_schedule(info: Info, from_: From, to: To) -> list[ScheduledDay]:
    """What is scheduled."""
    return [ScheduledDay.of(day) for day in await schedule.scheduled_days(info.context.app.database, from_, to)]


@root(
    "What is wrong with each day, by day; empty when all is well. Games are judged by what is published now, "
    "on today and the days ahead."
)
async def schedule_issues(info: Info, from_: From, to: To) -> list[ScheduleIssue]:
    """What is wrong with each day."""
    app, today = info.context.app, info.context.today()
    found = await issues_between(app.database, app.calendar, from_, to, today=today)
    return [ScheduleIssue.of(issue) for issue in found]


@root("Every feature that is configured.")
async def feature_configs(info: Info) -> list[FeatureConfig]:
    """Every feature that is configured."""
    return [FeatureConfig.of(row) for row in await schedule.feature_configs(info.context.app.database)]


async def _revisions(
    info: Info, kind: configs.Kind[configs.RulesT], first: int, before_revision: int | None
) -> list[configs.RulesT]:
    database, before = info.context.app.database, given(before_revision)
    return await configs.revisions(database, kind, first=page_size(first), before_revision=before)


@root("The revisions of the dice game, newest first.")
async def dice_configs(
    info: Info, first: First = MAX_PAGE, before_revision: BeforeRevision = strawberry.UNSET
) -> list[DiceConfig]:
    """The revisions of the dice game."""
    return [DiceConfig.of(rules) for rules in await _revisions(info, configs.DICE, first, before_revision)]


@root("The revisions of the roulette, newest first.")
async def roulette_configs(
    info: Info, first: First = MAX_PAGE, before_revision: BeforeRevision = strawberry.UNSET
) -> list[RouletteConfig]:
    """The revisions of the roulette."""
    return [RouletteConfig.of(rules) for rules in await _revisions(info, configs.ROULETTE, first, before_revision)]


@root("The revisions of the lottery, newest first, each with what is left of its own stock.")
async def lottery_configs(
    info: Info, first: First = MAX_PAGE, before_revision: BeforeRevision = strawberry.UNSET
) -> list[LotteryConfig]:
    """The revisions of the lottery."""
    return [LotteryConfig.of(rules) for rules in await _revisions(info, configs.LOTTERY, first, before_revision)]


@root("The seasons, latest first.")
async def seasons(info: Info, first: First = MAX_PAGE, before: BeforeDate = strawberry.UNSET) -> list[Season]:
    """The seasons."""
    found = await published_seasons(info.context.app.database, first=page_size(first), before=given(before))
    return [Season.of(season) for season in found]


@root("Put a feature on a day that is not past, or change or switch off what is on.")
async def upsert_feature_schedule(
    info: Info,
    input: UpsertFeatureScheduleInput,  # noqa: A002 (the contract's name)
) -> UpsertFeatureScheduleResult:
    """Put a feature on a day."""
    command = partial(schedule.schedule_day, day=input.draft(), expected_revision=given(input.expected_revision))
    return ScheduledDay.of(await as_staff(info, command))


@root("Configure how a feature is presented, whether it is on at all, and its bonus XP.")
async def upsert_feature_config(
    info: Info,
    input: UpsertFeatureConfigInput,  # noqa: A002
) -> UpsertFeatureConfigResult:
    """Configure a feature."""
    command = partial(
        schedule.configure_feature, feature=input.draft(), expected_revision=given(input.expected_revision)
    )
    return FeatureConfig.of(await as_staff(info, command))


@root("Publish the next revision of the dice game. Plays that are under way get the old one or the new one, whole.")
async def upsert_dice_config(info: Info, input: UpsertDiceConfigInput) -> UpsertDiceConfigResult:  # noqa: A002
    """Publish the dice game."""
    command = partial(configs.publish_dice, config=input.draft(), expected_revision=given(input.expected_revision))
    return DiceConfig.of(await as_staff(info, command))


@root("Publish the next revision of the roulette. Spins that are under way get the old one or the new one, whole.")
async def upsert_roulette_config(
    info: Info,
    input: UpsertRouletteConfigInput,  # noqa: A002
) -> UpsertRouletteConfigResult:
    """Publish the roulette."""
    command = partial(configs.publish_roulette, config=input.draft(), expected_revision=given(input.expected_revision))
    return RouletteConfig.of(await as_staff(info, command))


@root(
    "Publish the next revision of the lottery, with its stock. Draws under way get the old one or the new one, whole."
)
async def upsert_lottery_config(
    info: Info,
    input: UpsertLotteryConfigInput,  # noqa: A002
) -> UpsertLotteryConfigResult:
    """Publish the lottery."""
    command = partial(configs.publish_lottery, config=input.draft(), expected_revision=given(input.expected_revision))
    return LotteryConfig.of(await as_staff(info, command))


@root("Make a season, or change the one of this name.")
async def upsert_season(info: Info, input: UpsertSeasonInput) -> UpsertSeasonResult:  # noqa: A002
    """Make or change a season."""
    command = partial(publish_season, season=input.draft(), expected_revision=given(input.expected_revision))
    return Season.of(await as_staff(info, command))
