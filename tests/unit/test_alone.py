"""Those who go alone: how often each is tried, how long it may wait, and what it is told in the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import asyncpg
import pytest

from services.alone import Alone
from services.batches import ATTEMPTS
from services.errors import HaruError, LockNotAcquired
from services.outages import why
from services.request_errors import Unavailable
from tests.jumping import run

Try = Callable[[float], Any]
"""What happens at a try that may wait for a lock for so many seconds."""

RACE, CLASH = asyncpg.SerializationError("a race"), asyncpg.UniqueViolationError("a clash")
LOCKED = asyncpg.LockNotAvailableError("locked")
AWAY = Unavailable("away")


class Lone:
    """Somebody whose batch failed for it, where whoever plays may wait for 2 s for a lock."""

    def __init__(self, *tries: Any, room: int = 1) -> None:
        self.tries = list(tries)
        self.room = asyncio.Semaphore(room)
        self.tried: list[tuple[float, float]] = []
        """When, and how long each try could wait for a lock."""
        self.told: list[tuple[float, Any]] = []
        """When, and what."""
        database: Any = SimpleNamespace(lock_wait_seconds=2.0, hot=self._hot)
        self.alone = Alone(database, SimpleNamespace(locked=self._locked), self.room)  # type: ignore[arg-type]

    def _next(self) -> Any:
        return self.tries.pop(0) if len(self.tries) > 1 else self.tries[0]

    @asynccontextmanager
    async def _hot(self) -> AsyncIterator[None]:
        if self.tries[0] is AWAY:
            self.tried.append((now(), 0.0))
            raise self._next()
        yield

    async def _locked(self, _connection: None, members: Sequence[Any], *, lock_seconds: float) -> Sequence[Any]:
        self.tried.append((now(), round(lock_seconds, 3)))
        outcome = self._next()
        if outcome in {LOCKED, None}:
            await asyncio.sleep(lock_seconds if outcome else 60)
        if isinstance(outcome, (asyncpg.PostgresError, AssertionError)):
            raise outcome
        return [outcome for _ in members]

    def settle(self, outcome: Any) -> None:
        self.told.append((now(), outcome))

    async def go(self, outcome: HaruError) -> tuple[float, Any]:
        """When it is told, and what; afterwards there is as much room as before."""
        before = self.room._value
        self.alone.go(self, outcome)  # type: ignore[arg-type]
        await self.alone.finish()
        await self.alone.finish()  # where nobody is under way
        assert (self.room._value, self.alone._tasks) == (before, set())
        [told] = self.told
        return told


def now() -> float:
    return round(asyncio.get_running_loop().time(), 3)


ANSWER: Any = "an answer"
OUT = HaruError("it is over")


@pytest.mark.parametrize(
    ("tries", "tried", "told"),
    [
        ([ANSWER], [(0.0, 1.7)], (0.0, ANSWER)),
        ([OUT], [(0.0, 1.7)], (0.0, OUT)),
        ([RACE, RACE, CLASH, ANSWER], [(0.0, 1.7), (0.01, 1.69), (0.03, 1.67), (0.06, 1.64)], (0.06, ANSWER)),
        ([AWAY, AWAY, ANSWER], [(0.0, 0.0), (0.05, 0.0), (0.1, 1.6)], (0.1, ANSWER)),
        ([RACE] * ATTEMPTS + [ANSWER], [(0.01 * n * (n + 1) / 2, 0) for n in range(ATTEMPTS + 1)], (0.21, ANSWER)),
        ([CLASH], [(0.01 * n * (n + 1) / 2, 0) for n in range(ATTEMPTS)], (0.15, CLASH)),
        ([RACE] * (ATTEMPTS - 1) + [CLASH], [(0.01 * n * (n + 1) / 2, 0) for n in range(ATTEMPTS)], (0.15, CLASH)),
        ([AssertionError("a bug")], [(0.0, 1.7)], (0.0, "a bug")),
    ],
)
def test_each_is_tried_again_as_soon_as_that_may_help(tries: list[Any], tried: list[Any], told: Any) -> None:
    async def serve() -> None:
        lone = Lone(*tries)
        at, outcome = await lone.go(LockNotAcquired())
        assert (at, str(outcome)) == (told[0], str(told[1]))
        assert [when for when, _ in lone.tried] == pytest.approx([when for when, _ in tried])
        assert all(seconds == wanted for (_, seconds), (_, wanted) in zip(lone.tried, tried, strict=True) if wanted)

    run(serve())


def test_who_is_locked_out_or_loses_all_races_is_told_in_time() -> None:
    async def serve() -> None:
        for tries, at, count in (([LOCKED], 1.7, 1), ([RACE], 1.71, 18), ([AWAY], 1.65, 33)):
            began, lone = now(), Lone(*tries)
            told_at, outcome = await lone.go(LockNotAcquired())
            assert (round(told_at - began, 3), len(lone.tried)) == (at, count)
            assert isinstance(outcome, LockNotAcquired if tries != [AWAY] else Unavailable)

    run(serve())


def test_whatever_hangs_everybody_is_told_a_second_later() -> None:
    async def serve() -> None:
        at, outcome = await Lone(None).go(LockNotAcquired())
        assert (at, why(outcome)) == (2.7, "there is no answer in time")
        assert isinstance(outcome, Unavailable)

    run(serve())


def test_who_finds_no_room_in_time_is_told_what_the_batch_met() -> None:
    async def serve() -> None:
        lone, met = Lone(ANSWER, room=0), LockNotAcquired("met in the batch")
        assert await lone.go(met) == (1.7, met)
        assert lone.tried == []

    run(serve())


def test_who_finds_room_in_time_is_served() -> None:
    async def serve() -> None:
        lone = Lone(ANSWER, room=0)
        asyncio.get_running_loop().call_later(1.5, lone.room.release)
        lone.alone.go(lone, LockNotAcquired())  # type: ignore[arg-type]
        await lone.alone.finish()
        assert (lone.tried, lone.told, lone.room._value) == ([(1.5, 0.2)], [(1.5, ANSWER)], 1)

    run(serve())


def test_a_refusal_that_no_other_try_changes_is_told_at_once() -> None:
    async def serve() -> None:
        lone = Lone(ANSWER)
        assert await lone.go(OUT) == (0.0, OUT)
        assert lone.tried == []

    run(serve())
