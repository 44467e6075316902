"""Drawing by weight, exact over integers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from random import Random


def position_of(weights: Sequence[int], point: int) -> int:
    """The index into which `point`, of [0, sum(weights)), falls; one of weight 0 has no point."""
    return next(index for index, bound in enumerate(accumulate(weights)) if point < bound)


def pick(weights: Sequence[int], rng: Random) -> int:
    """Draw an index with probability weight / sum. The weights are >= 0 and their sum is > 0."""
    return position_of(weights, rng.randrange(sum(weights)))
