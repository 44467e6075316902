"""Whether what was drawn fits what was published: evidence that may be looked at whenever one likes.

Of each table that a revision was drawn from, a predictor learns from what was drawn: a Dirichlet distribution that
begins at `PRIOR` times the published chances. What it gave to what came next, over what was published for it,
multiplied over all draws, is an e-value: where the published odds are drawn, it is 1 on average, after any number of
draws, and exceeds 1 / alpha with a probability of at most alpha, however often it is looked at (Ville's inequality).
It is a function of the counts alone. A table that lost a prize is a table of its own, so that what could not be drawn
neither counts nor teaches.

Sources: Ramdas, Gruenwald, Vovk, Shafer, "Game-theoretic statistics and safe anytime-valid inference" (2023); the
mixture over revisions has the weights 6 / (pi^2 k^2) of revision number k of the event, which sum to 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from math import exp, inf, lgamma, log, pi
from typing import NamedTuple, TypeVar

PRIOR = 1000
"""How many draws the published odds count for, before the predictor follows what is drawn."""

ALPHA = Fraction(1, 1000)
"""How likely an alarm ever is where the published odds are drawn, at most."""

_MOST = 700.0
"""The greatest logarithm that is told; its exponential is still a finite number."""


KeyT = TypeVar("KeyT")


class Tally(NamedTuple):
    """How often each outcome of a table was drawn. `weights`: the table, 0 for what could not be drawn."""

    weights: Sequence[int]
    counts: Sequence[int]


def evidence(tally: Tally) -> Fraction | None:
    """The e-value of a table, exactly; none where something came that has no chance: no number is great enough."""
    total, drawn, product = sum(tally.weights), 0, Fraction(1)
    for weight, count in zip(tally.weights, tally.counts, strict=True):
        if count and not weight:
            return None
        share = Fraction(weight, total)
        for before in range(count):
            product *= (PRIOR * share + before) / (share * (PRIOR + drawn))
            drawn += 1
    return product


def log_evidence(tally: Tally) -> float:
    """The natural logarithm of the e-value of a table, whatever its size; infinite where it has none."""
    total, drawn = sum(tally.weights), sum(tally.counts)
    found = lgamma(PRIOR) - lgamma(PRIOR + drawn)
    for weight, count in zip(tally.weights, tally.counts, strict=True):
        if count and not weight:
            return inf
        if count:
            share = weight / total
            found += lgamma(PRIOR * share + count) - lgamma(PRIOR * share) - count * log(share)
    return found


def of_event(logs: Mapping[int, float]) -> float:
    """The event's e-value, out of the logarithms of its revisions' by their number of publication: 1, 2, 3, ...

    One of which nothing was drawn has the e-value 1, also where it was never published.
    """
    return 1 + sum(6 / (pi * number) ** 2 * (exp(min(found, _MOST)) - 1) for number, found in logs.items())


def suspect_of(logs: Mapping[KeyT, Mapping[int, float]], alpha: Fraction = ALPHA) -> tuple[float, KeyT | None]:
    """The event's e-value, and where that is an alarm what has the most of it; the logarithms are given apart."""
    e_value = of_event({number: found for apart in logs.values() for number, found in apart.items()})
    return e_value, max(logs, key=lambda key: of_event(logs[key])) if is_alarm(e_value, alpha) else None


def is_alarm(e_value: float, alpha: Fraction = ALPHA) -> bool:
    """Whether what was drawn does not fit."""
    return e_value >= 1 / alpha


def expected(tallies: Iterable[Tally]) -> list[float]:
    """How often each outcome was to be expected, over all tables."""
    sums: list[float] = []
    for weights, counts in tallies:
        drawn, total = sum(counts), sum(weights)
        sums = [
            (before or 0.0) + drawn * weight / total
            for before, weight in zip(sums or [0.0] * len(weights), weights, strict=True)
        ]
    return sums
