"""`haru schedule`: what operators ask for from a shell, or from cron."""

from __future__ import annotations

import asyncio
import datetime as dt

import click

from server.cli.common import connected, database_of, settings_or_exit, url_of
from server.cli.telling import json_option, looking, print_json, working
from server.clock import wall_clock
from server.settings import Settings
from services.calendar import Calendar
from services.rules.schedule import ScheduleIssue
from services.schedule import MAX_DAYS
from services.schedule_issues import issues_between


@click.group()
def schedule() -> None:
    """Look at the schedule."""


@schedule.command("check")
@click.option(
    "--days", type=click.IntRange(1, MAX_DAYS), default=14, show_default=True, help="How many, beginning with today."
)
@json_option
def check(days: int, *, as_json: bool) -> None:
    """Print what is wrong with the days ahead, a line for each fault; exit 1 if anything is, 2 if it could not look.

    With --json: a list of objects with date, code and message.
    """
    with looking(), database_of(settings_or_exit()) as settings, working("looking at the days"):
        issues = asyncio.run(_issues(settings, days))
    if as_json:
        print_json([{"date": str(issue.date), "code": issue.code, "message": issue.message} for issue in issues])
    else:
        for issue in issues:
            click.echo(f"{issue.date} {issue.code}: {issue.message}")
    if issues:
        raise SystemExit(1)


async def _issues(settings: Settings, days: int) -> list[ScheduleIssue]:
    calendar, now = Calendar(settings.zone), wall_clock()
    today = calendar.business_date(now)
    async with connected(url_of(settings)) as database:
        return await issues_between(database, calendar, today, today + dt.timedelta(days=days - 1), now=now)
