"""What a subscription tells of what it reads: at first what it is, then whatever is another, whatever fails between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from resolvers import subscriptions
from services.errors import HaruError, LockNotAcquired, NotFound
from services.request_errors import Unavailable

PAUSE = 0.25


class Read:
    """Reads one answer after the other. While one is read it is signalled that there may be another, but for failures.

    Whoever reads unasked finds nothing left.
    """

    def __init__(self, *answers: int | HaruError) -> None:
        self.left = list(answers)
        self.event = asyncio.Event()
        self.event.set()
        self.is_subscribed = False

    @asynccontextmanager
    async def subscribed(self) -> AsyncIterator[asyncio.Event]:
        self.is_subscribed = True
        try:
            yield self.event
        finally:
            self.is_subscribed = False

    async def __call__(self) -> int:
        assert not self.event.is_set()
        answer = self.left.pop(0)
        if isinstance(answer, HaruError):
            raise answer
        if self.left:
            self.event.set()
        return answer


async def told(read: Read, monkeypatch: pytest.MonkeyPatch) -> tuple[list[str], list[float], HaruError | None]:
    """What is told until nothing is left to be read, the pauses on the way, and what it ends with, if it does."""
    shown: list[str] = []
    pauses: list[float] = []
    sleep = asyncio.sleep

    async def pausing(seconds: float) -> None:
        pauses.append(seconds)
        await sleep(0)

    async def listen() -> None:
        changes = subscriptions._changes(
            read.subscribed(), read, key=lambda value: value // 10, show=str, pause_seconds=PAUSE
        )
        async for one in changes:
            shown.append(one)  # noqa: PERF401 (it never ends)

    with monkeypatch.context() as patch:
        patch.setattr(asyncio, "sleep", pausing)
        listening = asyncio.create_task(listen())
        for _ in range(100):
            await sleep(0)
    listening.cancel()
    (failure,) = await asyncio.gather(listening, return_exceptions=True)
    assert isinstance(failure, HaruError | asyncio.CancelledError), failure
    assert not read.is_subscribed
    return shown, pauses, failure if isinstance(failure, HaruError) else None


LATER, NEVER = Unavailable(), NotFound()
CASES: dict[str, tuple[Sequence[int | HaruError], list[str], list[float], HaruError | None]] = {
    "once": ([10], ["10"], [PAUSE], None),
    "what is another by its key": ([10, 11, 20, 10, 19], ["10", "20", "10"], [PAUSE] * 3, None),
    "what cannot be read at first": ([LATER, 10], [], [], LATER),
    "what cannot be read for a while": (
        [10, LATER, LATER, 11, LATER, 20],
        ["10", "20"],
        [PAUSE, *[subscriptions.RETRY_SECONDS] * 3, PAUSE],
        None,
    ),
    "what is refused": ([10, 20, NEVER, 30], ["10", "20"], [PAUSE] * 2, NEVER),
}


@pytest.mark.parametrize("case", CASES)
async def test_what_is_told(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    answers, *expected = CASES[case]
    read = Read(*answers)
    assert list(await told(read, monkeypatch)) == expected
    assert read.left == ([] if expected[-1] is None else [answers[-1]])


@pytest.mark.parametrize("refusal", [NotFound(), LockNotAcquired()])
async def test_a_refusal_is_told_unless_time_alone_may_change_it(refusal: HaruError) -> None:
    async def refuse() -> None:
        raise refusal

    if refusal.retryable:
        with pytest.raises(type(refusal)):
            await subscriptions._or_refusal(refuse())
    else:
        assert await subscriptions._or_refusal(refuse()) is refusal
