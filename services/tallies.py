"""What was drawn, counted: of each revision and each table that it was drawn from, how often every outcome came."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from services.rules.conformance import Tally
from services.rules.game import Game


class Counted(NamedTuple):
    """How often an outcome was drawn from a table by a revision. `place`: which draw of a play it is, from 1."""

    config_id: int
    place: int
    drawn_from: Sequence[int]
    outcome: int
    draws: int


def counts_of(game: Game[Any, Any], window: str) -> str:
    """The draws of a game in a window of its log `g`, as rows of `Counted`, in SQL; each die is drawn by itself."""
    if game.parts is None:
        place, outcome = "r.place", "r.value"
        drawn = "CROSS JOIN LATERAL unnest(g.rolls) WITH ORDINALITY AS r(value, place)"
    else:
        place, outcome = "1", f"p.{game.parts.order}"
        part = game.parts.table.__tablename__
        drawn = f"JOIN {part} p ON p.config_id = g.config_id AND p.id = g.{game.parts.log_column}"
    return f"""
    SELECT g.config_id, {place} AS place, g.drawn_from, {outcome} AS outcome, count(*) AS draws
    FROM {game.log.__tablename__} g {drawn} WHERE {window} GROUP BY 1, 2, 3, 4"""  # noqa: S608 (the registry's names)


def tallies_of(game: Game[Any, Any], rows: Iterable[Counted]) -> Mapping[int, Sequence[Tally]]:
    """The tallies of each revision that something was drawn of, by its id."""
    counts: defaultdict[tuple[int, int, tuple[int, ...]], Counter[int]] = defaultdict(Counter)
    for row in rows:
        table = tuple(row.drawn_from) if game.parts is not None else (1,) * row.drawn_from[row.place - 1]
        counts[row.config_id, row.place, table][row.outcome] += row.draws
    found: defaultdict[int, list[Tally]] = defaultdict(list)
    for (config_id, _, table), came in counts.items():
        found[config_id].append(Tally(table, [came[one] for one in range(len(table))]))
    return found


def plays_in(game: Game[Any, Any], tallies: Iterable[Tally]) -> int:
    """How many plays were counted: the dice of a play are counted each."""
    return sum(sum(tally.counts) for tally in tallies) // max(len(game.fixed_table), 1)
