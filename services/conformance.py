"""Whether the draws of some days fit the odds that were published for them, by what the logs say was drawn."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import literal, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from services.database import Database
from services.published import read
from services.rules import conformance as rules_of
from services.rules.conformance import Tally, expected, is_alarm, log_evidence, of_event
from services.rules.game import Game, Rules
from services.rules.registry import GAMES
from services.schedule import check_range
from services.tallies import Counted, counts_of, plays_in, tallies_of

WITHIN = "g.business_date BETWEEN $1 AND $2"


@dataclass(frozen=True)
class Outcome:
    """What may come of a draw: how often it came, and how often it was to be expected."""

    label: str
    drawn: int
    expected: float


@dataclass(frozen=True)
class RevisionConformance:
    """A revision of which something was drawn. `number`: its number of publication, of all games."""

    game: Game[Any, Any]
    rules: Rules
    number: int
    draws: int
    log_evidence: float
    outcomes: Sequence[Outcome]


@dataclass(frozen=True)
class Conformance:
    """The draws of some days. `evidence`: the e-value against the published odds, an alarm from `alarm_at` on."""

    evidence: float
    revisions: Sequence[RevisionConformance]
    alarm_at: float = float(1 / rules_of.ALPHA)

    @property
    def is_alarm(self) -> bool:
        """Whether what was drawn does not fit what was published."""
        return is_alarm(self.evidence)

    @property
    def draws(self) -> int:
        """How many draws there were."""
        return sum(one.draws for one in self.revisions)


async def of_days(database: Database, first: dt.date, last: dt.date) -> Conformance:
    """The draws from `first` to `last`, both included, as of one snapshot.

    Raises: BadRequest.
    """
    check_range(first, last)
    async with database.snapshot() as connection:
        return await _of_days(connection, first, last)


async def _of_days(connection: AsyncConnection, first: dt.date, last: dt.date) -> Conformance:
    numbers = await publication_numbers(connection)
    found: list[RevisionConformance] = []
    for game in GAMES.values():
        counted = await connection.exec_driver_sql(counts_of(game, WITHIN), (first, last))
        tallies = tallies_of(game, map(Counted._make, counted))
        drawn = await read(connection, game, game.config.id.in_(list(tallies)))
        found += [_of_revision(game, one, numbers[game.feature, one.id], tallies[one.id]) for one in drawn]
    found.sort(key=lambda one: one.number)
    return Conformance(of_event({one.number: one.log_evidence for one in found}), found)


async def publication_numbers(connection: AsyncConnection) -> dict[tuple[Any, int], int]:
    """Each revision's number of publication, of all games: 1, 2, 3, ..."""
    published = union_all(
        *(
            select(literal(game.feature).label("feature"), game.config.id, game.config.published_at)
            for game in GAMES.values()
        )
    ).order_by("published_at", "feature", "id")
    rows = (await connection.execute(published)).all()
    return {(row.feature, row.id): number for number, row in enumerate(rows, 1)}


def _of_revision(game: Game[Any, Any], rules: Rules, number: int, tallies: Sequence[Tally]) -> RevisionConformance:
    if game.parts is None:
        labels = [str(face) for face in range(1, len(tallies[0].weights) + 1)]
    else:
        labels = [item.label for item in rules.items()]
    came = [sum(counts) for counts in zip(*(tally.counts for tally in tallies), strict=True)]
    outcomes = [Outcome(*told) for told in zip(labels, came, expected(tallies), strict=True)]
    return RevisionConformance(game, rules, number, plays_in(game, tallies), sum(map(log_evidence, tallies)), outcomes)
