"""Turns: how many requests of one process are worked on at once, who waits, and who is refused.

A crowd that comes at once is served in the order of its coming. Were all of it worked on together, the last answers and
the first would be ready at the same time, and whatever has a time-out of its own would meet it meanwhile.

Waiting costs next to nothing, so nobody is refused who is likely to be served in time. Whoever is not, is told so at
once, before the request costs anything, and when to come again: in turns, as if they had waited. Reads wait apart from
what players do, and are refused sooner.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from services.request_errors import Unavailable

FIRST_PACE_SECONDS = 0.002
SMOOTHING = 1 / 64
LONGEST_RETRY_SECONDS = 30.0


class Overloaded(Unavailable):
    """Too many ask at the moment; try again shortly."""

    def __init__(self, retry_after_seconds: float) -> None:
        """Carry the seconds after which the request is likely to be served."""
        super().__init__()
        self.retry_after_seconds = retry_after_seconds


class TurnLimits(NamedTuple):
    """How many are worked on at once, and how long somebody may be expected to wait for a turn."""

    at_once: int
    patience_seconds: float


READS = TurnLimits(at_once=64, patience_seconds=5.0)
COMMANDS = TurnLimits(at_once=2_000, patience_seconds=6.0)
"""They take little of the process while they wait in their lanes, or for a lock that somebody holds."""


class _Waiting(NamedTuple):
    called: asyncio.Future[None]
    since: float


class Turns:
    """The turns of one kind of requests: `async with turns: ...` waits for one and takes it."""

    def __init__(self, limits: TurnLimits, *, monotonic: Callable[[], float]) -> None:
        """`monotonic` is in seconds."""
        self._limits = limits
        self._monotonic = monotonic
        self._taken = 0
        self._waiting: deque[_Waiting] = deque()
        self._pace_seconds = FIRST_PACE_SECONDS
        """From one who waits being called to the next one, lately."""
        self._called_at: float | None = None
        self._come_again_at = 0.0

    @property
    def is_idle(self) -> bool:
        """Whether nobody is being worked on."""
        return not self._taken

    def refuse_when_full(self) -> None:
        """Raises: Overloaded, where whoever comes now is not likely to get a turn in time."""
        wait = self._expected_wait_seconds()
        if wait > self._limits.patience_seconds:
            now = self._monotonic()
            self._come_again_at = max(now + wait, self._come_again_at + self._pace_seconds)
            raise Overloaded(min(self._come_again_at - now, LONGEST_RETRY_SECONDS))

    def _expected_wait_seconds(self) -> float:
        """As long as those before take at the latest pace, and no less than the first of them has waited."""
        if not self._waiting:
            return 0.0
        return max(len(self._waiting) * self._pace_seconds, self._monotonic() - self._waiting[0].since)

    async def __aenter__(self) -> None:
        """Take a turn. Raises: Overloaded."""
        if self._taken < self._limits.at_once:
            self._taken += 1
            return
        self.refuse_when_full()
        called = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(called, self._monotonic()))
        try:
            await called
        except asyncio.CancelledError:
            if called.done() and not called.cancelled():  # called, and gone in the same moment
                self._pass_on()
            raise

    async def __aexit__(self, *_: object) -> None:
        """Give the turn to whoever has waited longest."""
        self._pass_on()

    def _pass_on(self) -> None:
        while self._waiting:
            called = self._waiting.popleft().called
            if not called.done():
                called.set_result(None)
                self._note_pace()
                return
        self._called_at = None
        self._taken -= 1

    def _note_pace(self) -> None:
        now = self._monotonic()
        if self._called_at is not None:
            self._pace_seconds += (now - self._called_at - self._pace_seconds) * SMOOTHING
        self._called_at = now
