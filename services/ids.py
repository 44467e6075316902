"""Identifiers (RFC 9562): such as sort by the time they were made (UUID version 7), and such as tell nothing (4)."""

from __future__ import annotations

import datetime as dt
from random import Random
from uuid import UUID

_VERSION_AND_VARIANT = (7 << 76) | (2 << 62)
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MILLISECOND = dt.timedelta(milliseconds=1)

_AT_ONCE = 4096
"""Random bits that are asked for together: each asking is a call into the kernel, which costs as much as an id."""


class Ids:
    """Makes identifiers; those of one instance strictly rise, also within one millisecond."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._millisecond = 0
        self._counter = 0
        self._bits = self._held = 0

    def new(self, now: dt.datetime) -> UUID:
        """A new identifier made at `now` (aware)."""
        millisecond = (now - _EPOCH) // _MILLISECOND
        if millisecond > self._millisecond:
            self._millisecond, self._counter = millisecond, self._random(11)
        else:
            self._counter += 1
            if self._counter >> 12:
                self._millisecond, self._counter = self._millisecond + 1, 0
        return UUID(int=(self._millisecond << 80) | _VERSION_AND_VARIANT | (self._counter << 64) | self._random(62))

    def random(self) -> UUID:
        """A new identifier that tells nothing, not even when it was made."""
        return UUID(int=self._random(128), version=4)

    def step(self) -> int:
        """How far a version moves on: at least 1, and never twice the same way, so that it cannot mean two things."""
        return 1 + self._random(32)

    def _random(self, count: int) -> int:
        """The next random bits; none is given twice."""
        if self._held < count:
            self._bits, self._held = self._rng.getrandbits(_AT_ONCE), _AT_ONCE
        taken = self._bits & ((1 << count) - 1)
        self._bits >>= count
        self._held -= count
        return taken
