"""Drawing by weight, exact over integers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from services.rules.draws import Source, roll


def position_of(weights: Sequence[int], point: int) -> int:
    """The index into which `point`, of [0, sum(weights)), falls; one of weight 0 has no point."""
    return next(index for index, bound in enumerate(accumulate(weights)) if point < bound)


def bounds(weights: Sequence[int]) -> Sequence[int]:
    """What is drawn by weight takes one integer, below the sum of the weights."""
    return (sum(weights),)


def pick(weights: Sequence[int], source: Source) -> tuple[int, int]:
    """Draw an index with probability weight / sum, and the roll that fell into it. The sum of the weights is > 0."""
    (rolled,) = roll(source, bounds(weights))
    return position_of(weights, rolled), rolled
