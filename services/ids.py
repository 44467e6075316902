"""Identifiers that sort by the time they were made (UUID version 7, RFC 9562)."""

from __future__ import annotations

import datetime as dt
from random import Random
from uuid import UUID

_VERSION_AND_VARIANT = (7 << 76) | (2 << 62)
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MILLISECOND = dt.timedelta(milliseconds=1)


class Ids:
    """Makes identifiers; those of one instance strictly rise, also within one millisecond."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._millisecond = 0
        self._counter = 0

    def new(self, now: dt.datetime) -> UUID:
        """A new identifier made at `now` (aware)."""
        millisecond = (now - _EPOCH) // _MILLISECOND
        if millisecond > self._millisecond:
            self._millisecond, self._counter = millisecond, self._rng.getrandbits(11)
        else:
            self._counter += 1
            if self._counter >> 12:
                self._millisecond, self._counter = self._millisecond + 1, 0
        return UUID(
            int=(self._millisecond << 80) | _VERSION_AND_VARIANT | (self._counter << 64) | self._rng.getrandbits(62)
        )
