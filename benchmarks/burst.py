"""A crowd that comes at once: each connection asks for the first screen at the same moment, and then again."""

from __future__ import annotations

import asyncio
import math
from contextlib import suppress
from dataclasses import dataclass, field
from time import perf_counter

from benchmarks import client
from benchmarks.cpu import peak_memory_bytes
from benchmarks.measure import Requests
from benchmarks.stage import Served

OPENING_AT_ONCE = 100
LONGEST_SECONDS = 20.0
"""How long those who have no answer yet are waited for; beyond that they count as refused."""


@dataclass
class Burst:
    """What came of it. `first`: seconds to each connection's first answer; `answers`: of each connection in all."""

    first: list[float] = field(default_factory=list)
    refused: int = 0
    answers: list[int] = field(default_factory=list)
    memory_bytes: int = 0

    def percentile(self, share: float) -> float:
        """Milliseconds to the first answer that this share of the connections kept within."""
        return 1000 * _percentile(self.first, share)

    def evenness(self) -> float:
        """Answers a connection: those that 95 % had at most, over those that 5 % had at most."""
        return _percentile(self.answers, 0.95) / max(_percentile(self.answers, 0.05), 1)


def _percentile(values: list[float] | list[int], share: float) -> float:
    ordered = sorted(values)
    return ordered[math.ceil(share * len(ordered)) - 1] if ordered else math.nan


class Asking(asyncio.Protocol):
    """One connection; whoever is refused asks no more."""

    def __init__(self, requests: Requests, expected: bytes) -> None:
        self._requests, self._expected = requests, expected
        self._received = b""
        self._asked_at = 0.0
        self.first: float | None = None
        self.answers = 0
        self.is_refused = False
        self.transport: asyncio.WriteTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for the moment."""
        assert isinstance(transport, asyncio.WriteTransport)
        self.transport = transport

    def ask(self) -> None:
        """Ask once."""
        self._asked_at = perf_counter()
        self.transport.write(self._requests())

    def data_received(self, data: bytes) -> None:
        """Count an answer, and ask again."""
        self._received += data
        if (body := client.whole_body(self._received)) is None:
            return
        self._received = b""
        if self._expected not in body:
            self.is_refused = True
            return
        self.answers += 1
        if self.first is None:
            self.first = perf_counter() - self._asked_at
        self.ask()

    def connection_lost(self, _exc: Exception | None) -> None:
        """Count as refused whoever was not answered."""
        self.is_refused = self.is_refused or self.first is None


async def burst(served: Served, requests: Requests, expected: bytes, *, connections: int, seconds: float) -> Burst:
    """Let a crowd come, and stay for so long."""
    opened = await _open(served, requests, expected, connections)
    for one in opened:
        one.ask()
    await asyncio.sleep(seconds)
    answers = [one.answers for one in opened]
    with suppress(TimeoutError):
        async with asyncio.timeout(LONGEST_SECONDS):
            while any(one.first is None and not one.is_refused for one in opened):  # noqa: ASYNC110 (of very many)
                await asyncio.sleep(0.05)
    seen = Burst(
        first=[one.first for one in opened if one.first is not None],
        refused=sum(one.is_refused or one.first is None for one in opened),
        answers=answers,
        memory_bytes=peak_memory_bytes(served.process),
    )
    for one in opened:
        one.transport.abort()
    return seen


async def _open(served: Served, requests: Requests, expected: bytes, connections: int) -> list[Asking]:
    loop, room = asyncio.get_running_loop(), asyncio.Semaphore(OPENING_AT_ONCE)

    async def one() -> Asking:
        async with room:
            _, asking = await loop.create_connection(lambda: Asking(requests, expected), "127.0.0.1", served.port)
            return asking

    return await asyncio.gather(*(one() for _ in range(connections)))
