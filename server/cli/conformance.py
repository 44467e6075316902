"""`haru verify odds`: whether what was drawn fits the odds that were published."""

from __future__ import annotations

import asyncio
import datetime as dt
from dataclasses import asdict
from math import isfinite, log
from typing import Any

import click

from server.cli.common import DATE, connected, database_of, settings_or_exit, url_of
from server.cli.telling import json_option, looking, print_json, working
from server.clock import wall_clock
from services import conformance
from services.calendar import Calendar
from services.conformance import Conformance

DAYS = 90
LN10 = log(10)


@click.command("odds")
@click.option("--from", "first", type=DATE, help=f"The first business date; default: {DAYS} days back.")
@click.option("--to", "last", type=DATE, help="The last business date, included; default: today.")
@json_option
def verify_odds(first: dt.date | None, last: dt.date | None, *, as_json: bool) -> None:
    """Check whether the draws of some days fit the odds that were published for them.

    Tells each revision that was drawn from, and the evidence against its odds: an e-value, which is 1 on average where
    they are drawn, and reaches 1000 by chance in one event of a thousand at most, however often it is looked at. Exit
    0: it fits; 1: an alarm; 2: it could not look. With --json: an object with from, to, draws, evidence, alarmAt,
    isAlarm and revisions, each with featureType, revision, hash, draws, log10Evidence (null where what has no chance
    was drawn: no number is great enough) and outcomes (label, drawn, expected).
    """
    with looking(), database_of(settings_or_exit()) as settings, working("counting draws"):
        calendar = Calendar(settings.zone)
        until = last or calendar.business_date(wall_clock())
        since = first or until - dt.timedelta(days=DAYS - 1)
        found = asyncio.run(_found(url_of(settings), since, until))
    if as_json:
        print_json({"from": str(since), "to": str(until)} | _object(found))
    else:
        _tell(found)
    if found.is_alarm:
        raise SystemExit(1)


def _tell(found: Conformance) -> None:
    for one in found.revisions:
        told = f"{one.game.feature} revision {one.rules.revision} ({one.rules.hash}): {one.draws} draws"
        click.echo(f"{told}, evidence 10^{one.log_evidence / LN10:.2f}")
    click.echo(f"draws: {found.draws}, evidence: {found.evidence:.4g}, " + ("ALARM" if found.is_alarm else "no alarm"))


def _object(found: Conformance) -> dict[str, Any]:
    return {
        "draws": found.draws,
        "evidence": found.evidence,
        "alarmAt": found.alarm_at,
        "isAlarm": found.is_alarm,
        "revisions": [
            {
                "featureType": one.game.feature,
                "revision": one.rules.revision,
                "hash": one.rules.hash,
                "draws": one.draws,
                "log10Evidence": one.log_evidence / LN10 if isfinite(one.log_evidence) else None,
                "outcomes": [asdict(outcome) for outcome in one.outcomes],
            }
            for one in found.revisions
        ],
    }


async def _found(url: str, first: dt.date, last: dt.date) -> Conformance:
    async with connected(url) as database:
        return await conformance.of_days(database, first, last)
