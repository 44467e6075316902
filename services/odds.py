"""The odds as the public reads them: what was published, and what of it was, is and will be played."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import literal
from sqlalchemy.ext.asyncio import AsyncConnection

from services.calendar import Calendar
from services.database import Database
from services.paging import Page, page_of
from services.published import MOMENT, is_not_withdrawn, may_be_played, read
from services.rules.game import Game, Rules, RulesT
from services.rules.registry import GAMES
from services.rules.windows import in_force, played_between
from services.schedule import check_range

PLAYED_DAYS = 90
"""How far back it is told at a glance what was played when."""

AT_A_GLANCE = 100
"""Revisions of a game that are told of at a glance: the newest."""


async def sheets(
    database: Database,
    calendar: Calendar,
    game: Game[RulesT, Any],
    first_date: dt.date,
    last_date: dt.date,
    *,
    first: int,
    before_revision: int | None,
) -> Page[RulesT]:
    """The revisions that may be played at some instant of these days, both included, newest first.

    Those older than `before_revision`, where it is given. Raises: BadRequest.
    """
    check_range(first_date, last_date)
    conditions = [
        may_be_played(game, literal(calendar.starts_at(first_date)), literal(calendar.ends_at(last_date))),
        *([game.config.revision < before_revision] if before_revision is not None else []),
    ]
    async with database.snapshot() as connection:
        found = await read(connection, game, *conditions, first=first + 1)
    return page_of(found, first, has_previous=before_revision is not None)


async def sheet_with(database: Database, game: Game[RulesT, Any], revision_id: int) -> RulesT | None:
    """The revision with this id, withdrawn or not, or none."""
    async with database.snapshot() as connection:
        found = await read(connection, game, game.config.id == revision_id)
    return found[0] if found else None


async def sheet_of(database: Database, digest: str) -> tuple[Game[Any, Any], Rules] | None:
    """The revision that has this hash, withdrawn or not, with its game, or none."""
    async with database.snapshot() as connection:
        for game in GAMES.values():
            for rules in await read(connection, game, game.config.hash == digest):
                return game, rules
    return None


@dataclass(frozen=True)
class Stretch:
    """A time in which one revision was played; `until` is null where that is not known yet."""

    since: dt.datetime
    until: dt.datetime | None
    rules: Rules


@dataclass(frozen=True)
class GameOdds:
    """A game's odds as they stand: what is played now, what is announced, and what was played when, newest first."""

    game: Game[Any, Any]
    current: Rules | None
    announced: Sequence[Rules]
    played: Sequence[Stretch]


async def at_a_glance(database: Database, now: dt.datetime) -> list[GameOdds]:
    """Every game's odds as they stand now, as of one snapshot."""
    async with database.snapshot() as connection:
        return [await _odds_of(connection, game, now) for game in GAMES.values()]


async def _odds_of(connection: AsyncConnection, game: Game[Any, Any], now: dt.datetime) -> GameOdds:
    since = now - dt.timedelta(days=PLAYED_DAYS)
    began = may_be_played(game, literal(since), literal(now + MOMENT))
    known: list[Rules] = await read(connection, game, began, first=AT_A_GLANCE)
    ahead = game.config.effective_from > now, is_not_withdrawn(game)
    announced = sorted(
        await read(connection, game, *ahead, first=AT_A_GLANCE),
        key=lambda rules: (rules.effective_from, rules.revision),
    )
    return GameOdds(game, in_force(known, now), announced, _stretches(known, since, now))


def _stretches(known: Sequence[Rules], since: dt.datetime, now: dt.datetime) -> list[Stretch]:
    """What was played from `since` until now, newest first; where a window began before, it is told whole."""
    played = played_between(known, since, now + MOMENT)
    ends = [instant for instant, _ in played[1:]]
    found = [
        Stretch(max(start, rules.effective_from) if start > since else rules.effective_from, end, rules)
        for (start, rules), end in zip(played, [*ends, None], strict=True)
        if rules is not None
    ]
    return found[::-1]
