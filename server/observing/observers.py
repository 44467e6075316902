"""Who is told of requests and of work: the log, and what the settings ask for beside it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import NamedTuple

from server.observing.record import Record
from server.settings import Settings
from server.wire import Headers
from services.watch import NOBODY, Watch


class Sample(NamedTuple):
    """What stands in a process just now."""

    queued: int
    """Commands that wait for a batch."""
    connections_in_use: Mapping[str, int]
    """To the database, by pool."""
    connections_max: int
    """Of each pool."""
    open: int
    """WebSockets and event streams."""
    subscribers: int


@dataclass(frozen=True)
class Observers:
    """What the composition root joins: who is told of requests, who watches services, and what runs beside them."""

    told: Sequence[Callable[[Record], None]] = ()
    begun: Callable[[Record, Headers], None] | None = None
    watch: Watch = NOBODY
    beside: Sequence[Callable[[Callable[[], Sample]], AbstractAsyncContextManager[None]]] = ()

    @asynccontextmanager
    async def running(self, look: Callable[[], Sample]) -> AsyncIterator[None]:
        """What to enter while the application runs; `look` looks at it."""
        async with AsyncExitStack() as stack:
            for one in self.beside:
                await stack.enter_async_context(one(look))
            yield


def observers_of(settings: Settings, operations: frozenset[str]) -> Observers:
    """Who observes a process; `operations` are the names of the root fields.

    What is not wanted is not even imported.
    """
    observers = Observers()
    if settings.metrics_port is not None:
        from server.observing.metrics import Metrics  # noqa: PLC0415

        metrics = Metrics(operations)
        observers = Observers((metrics.ended,), None, metrics, (metrics.sampling,))
    if settings.traces:
        from server.observing.traces import Traces, provider_of  # noqa: PLC0415

        traces = Traces(provider_of(), observers.watch)
        told, beside = (*observers.told, traces.ended), (*observers.beside, lambda _look: traces.running())
        observers = Observers(told, traces.begun, traces, beside)
    return observers
