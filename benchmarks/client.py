"""The load generator: keep-alive connections, each of which sends its next request when the last one is answered.

It is written on bare asyncio protocols, so that it costs little beside what it measures (it prints how much) and needs
nothing to be installed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter

Requests = Callable[[], bytes]
"""Makes the next request, whole."""


class WrongAnswer(RuntimeError):
    """The server answered something else than was asked for."""


@dataclass
class Load:
    """What a run does and has seen. `answers`: when each answer came (`perf_counter`), and after how many seconds."""

    requests: Requests
    expected: bytes
    answers: list[tuple[float, float]] = field(default_factory=list)
    stopping: bool = False
    failure: Exception | None = None

    def between(self, start: float, end: float) -> list[float]:
        """The latencies, in seconds, of what was answered in that time. Raises: what went wrong."""
        if self.failure is not None:
            raise self.failure
        return [latency for at, latency in self.answers if start <= at < end]


class Connection(asyncio.Protocol):
    """One connection: request, answer, request, ..."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._received = b""
        self._sent_at = 0.0
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport
        self._send()

    def _send(self) -> None:
        self._sent_at = perf_counter()
        self._transport.write(self._load.requests())

    def data_received(self, data: bytes) -> None:
        """Go on, once the answer is whole."""
        self._received += data
        if (body := whole_body(self._received)) is None:
            return
        received, self._received = self._received, b""
        now = perf_counter()
        self._load.answers.append((now, now - self._sent_at))
        if self._load.expected not in body:
            self._load.failure = WrongAnswer(f"expected {self._load.expected!r}, got {received!r}")
        if self._load.stopping or self._load.failure:
            self._transport.close()
        else:
            self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        """Note an end that was not asked for."""
        if not self._load.stopping and self._load.failure is None:
            self._load.failure = exc or WrongAnswer("the server closed the connection")
        self.closed.set_result(None)


def whole_body(received: bytes) -> bytes | None:
    """The body of an answer, once it is there whole."""
    head, separator, body = received.partition(b"\r\n\r\n")
    return body if separator and len(body) >= _content_length(head) else None


def _content_length(head: bytes) -> int:
    start = head.lower().index(b"content-length:") + len(b"content-length:")
    return int(head[start:].partition(b"\r\n")[0])


async def connect(load: Load, port: int, connections: int) -> list[Connection]:
    """Open the connections; each begins at once."""
    loop = asyncio.get_running_loop()
    opened = [await loop.create_connection(lambda: Connection(load), "127.0.0.1", port) for _ in range(connections)]
    return [connection for _, connection in opened]


async def disconnect(load: Load, connections: list[Connection]) -> None:
    """End every connection after the answer that it waits for."""
    load.stopping = True
    await asyncio.gather(*(connection.closed for connection in connections))
