"""`haru seeds`: what draws come from, and the keys that it is sealed under until its day is over."""

from __future__ import annotations

import asyncio
import datetime as dt
from functools import partial
from random import SystemRandom  # noqa: TID251 (a command is a process of its own)
from typing import Any

import click

from server.cli.common import actor, connected, database_of, in_transaction, settings_or_exit, url_of
from server.cli.telling import json_option, looking, print_json
from server.clock import wall_clock
from server.seed_keys import seed_keys_of
from server.settings import Settings
from services.calendar import Calendar
from services.proofs import Commitment, commitments
from services.seed_seals import SeedKeys
from services.seeds import DAYS_AHEAD, Seeds, reseal


@click.group()
def seeds() -> None:
    """Make the seeds of the days ahead, look at them, and seal them under another key.

    Servers make them by themselves, a week ahead. A seed is never printed.
    """


@seeds.command("list")
@click.option(
    "--days", type=click.IntRange(0, 180), default=DAYS_AHEAD, show_default=True, help="How far to look back."
)
@json_option
def list_(days: int, *, as_json: bool) -> None:
    """Print what each day's seed is committed to by, one a line, and how it stands: sealed by which key, or revealed.

    Exit 1 where one is sealed by a key that HARU_SEED_KEYS does not have, 2 if it could not look. With --json: a list
    of objects with date, commitment, revealedAt, sealedBy and isKeyGiven; null where there is nothing to tell.
    """
    with looking(), database_of(settings_or_exit()) as settings:
        keys, found = seed_keys_of(settings), asyncio.run(_commitments(settings, days))
    if as_json:
        print_json([_object(one, keys) for one in found])
    else:
        for one in found:
            click.echo(f"{one.date}  {one.commitment}  {_state(one, keys)}")
    if any(one.kid is not None and one.kid not in keys.names for one in found):
        raise SystemExit(1)


def _object(one: Commitment, keys: SeedKeys) -> dict[str, Any]:
    return {
        "date": str(one.date),
        "commitment": one.commitment,
        "revealedAt": one.revealed_at and one.revealed_at.isoformat(),
        "sealedBy": one.kid,
        "isKeyGiven": None if one.kid is None else one.kid in keys.names,
    }


def _state(one: Commitment, keys: SeedKeys) -> str:
    if one.revealed_at is not None:
        return f"revealed {one.revealed_at:%Y-%m-%d %H:%M}Z"
    if one.kid is None:
        return "lost"
    return f"sealed by {one.kid}" + ("" if one.kid in keys.names else ", which HARU_SEED_KEYS does not have")


@seeds.command("make")
def make() -> None:
    """Make what is missing for today and the days ahead, and close the days that are over, as servers do by themselves.

    For a new installation, so that its first day is committed to before anybody plays.
    """
    with database_of(settings_or_exit()) as settings:
        asyncio.run(_make(settings))
        found = asyncio.run(_commitments(settings, 0))
    click.echo(f"committed to: {found[0].date} to {found[-1].date}")


@seeds.command("reseal")
def reseal_() -> None:
    """Seal every seed that is still secret under the first of HARU_SEED_KEYS; the others may then be taken away."""
    with database_of(settings_or_exit()) as settings:
        keys, who = seed_keys_of(settings), actor("seeds reseal")
        command = partial(reseal, keys=keys, rng=SystemRandom(), actor=who, action="seeds reseal")
        resealed: list[dt.date] = asyncio.run(in_transaction(settings, command))
    click.echo(f"sealed anew: {len(resealed)}")


async def _commitments(settings: Settings, days_back: int) -> list[Commitment]:
    today = Calendar(settings.zone).business_date(wall_clock())
    first, last = today - dt.timedelta(days=days_back), today + dt.timedelta(days=DAYS_AHEAD)
    async with connected(url_of(settings)) as database:
        return await commitments(database, first, last)


async def _make(settings: Settings) -> None:
    async with connected(url_of(settings)) as database:
        await Seeds(database, Calendar(settings.zone), wall_clock, SystemRandom(), seed_keys_of(settings)).look()
