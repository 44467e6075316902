"""Telling what comes in floods: at once, and then once a second how often it came."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Hashable
from contextlib import suppress
from dataclasses import dataclass

QUIET_SECONDS = 1.0

REMEMBERED = 1_000
"""Kinds of things that are told apart; more than these begin anew."""

Tell = Callable[[int], None]
"""Tells something that has come so many times."""


@dataclass
class _Told:
    """What was told, until when that stands for all others like it, and how many these were."""

    quiet_until: float
    others: int = 0


class Quiet:
    """Tells each thing at most once a second."""

    def __init__(self) -> None:
        self._told: dict[Hashable, _Told] = {}

    def __call__(self, thing: Hashable, tell: Tell) -> None:
        """Tell a thing now, with those that came since it was told last; or later, where that was just now."""
        told = self._told.get(thing)
        if told is not None and time.monotonic() < told.quiet_until:
            told.others += 1
        else:
            self._tell(thing, tell, 1 + (told.others if told else 0))

    def _tell(self, thing: Hashable, tell: Tell, times: int) -> None:
        if len(self._told) >= REMEMBERED:
            self._told.clear()
        self._told[thing] = _Told(time.monotonic() + QUIET_SECONDS)
        tell(times)
        with suppress(RuntimeError):  # a command outside of an event loop
            asyncio.get_running_loop().call_later(QUIET_SECONDS, self._tell_others, thing, tell)

    def _tell_others(self, thing: Hashable, tell: Tell) -> None:
        told = self._told.get(thing)
        if told is not None and told.others:
            self._tell(thing, tell, told.others)
