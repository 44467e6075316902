"""What a serving process counts, for Prometheus. Imported only where metrics are wanted (HARU_METRICS_PORT).

Every label has few values, all of them names of ours: of root fields, codes, games, kinds of rewards. A worker's
figures are kept in files of `PROMETHEUS_MULTIPROC_DIR`, where that is set, and are added up where they are asked for
(`server/observing/exposition.py`).
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from time import perf_counter
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from models import FeatureType, RewardEntry
from server.observing.observers import Sample
from server.observing.record import NO_OPERATION, SEVERAL, Record
from services.error_codes import ErrorCode
from services.rules.registry import GAMES
from services.watch import BatchKind, Watch

REQUEST_SECONDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 8.0)
BATCH_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
BATCH_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
LAG_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)
SAMPLE_SECONDS = 0.5

CONNECTION = "connection"
OTHER = "other"
"""Of what no schema of ours names, such as introspection."""

LOGS: Mapping[Any, FeatureType] = {game.log: game.feature for game in GAMES.values()}
"""The table of plays of each game."""


class Metrics(Watch):
    """The figures of one process. It is told of requests, and watches what services do."""

    def __init__(self, operations: frozenset[str], registry: CollectorRegistry | None = None) -> None:
        """Know requests by the names of `operations`; every other is one of a few kinds."""
        registry = registry or CollectorRegistry()  # the files of all workers are what is told
        self._operations = operations | {NO_OPERATION, SEVERAL, CONNECTION}

        def counter(name: str, told: str, *labels: str) -> Counter:
            return Counter(f"haru_{name}", told, labels, registry=registry)

        def histogram(name: str, told: str, buckets: Sequence[float], *labels: str) -> Histogram:
            return Histogram(f"haru_{name}", told, labels, buckets=buckets, registry=registry)

        def gauge(name: str, told: str, *labels: str) -> Gauge:
            return Gauge(f"haru_{name}", told, labels, multiprocess_mode="livesum", registry=registry)

        self._requests = counter(
            "requests",
            "Requests that have ended, by operation, transport and outcome.",
            "operation",
            "transport",
            "outcome",
        )
        self._seconds = histogram(
            "request_duration_seconds",
            "Time from a request's head to its answer, subscriptions and connections left out.",
            REQUEST_SECONDS,
            "operation",
            "outcome",
        )
        self._refusals = counter("refusals", "Requests that were refused or failed, by the code that was told.", "code")
        for code in ErrorCode:  # from 0 on: Prometheus sees no increase in what is 1 when it first comes
            self._refusals.labels(code)
        self._plays = counter("plays", "Plays that were stored, by game.", "game")
        self._grants = counter("grants", "Rewards that players' commands were granted, by type.", "type")
        self._granted = counter("granted_amount", "Amounts that players' commands were granted, by type.", "type")
        self._batch_size = histogram("batch_size", "Members of a batch.", BATCH_SIZES, "kind")
        self._batch_wait = histogram(
            "batch_wait_seconds", "How long the first of a batch waited for its turn.", BATCH_SECONDS, "kind"
        )
        self._batch_seconds = histogram("batch_duration_seconds", "Time that a batch took.", BATCH_SECONDS, "kind")
        self._retries = counter("batch_retries", "Batches of plays that clashed and were decided anew.")
        self._parted = counter("batch_members_parted", "Members of a batch of plays that went on alone.")
        self._lag = histogram("loop_lag_seconds", "How late the event loop ran what was due.", LAG_SECONDS)
        self._collections = counter("gc_collections", "Collections of Python's garbage collector.", "generation")
        self._collecting = counter("gc_pause_seconds", "Time that these collections stopped the process.")
        self._workers = gauge("workers", "Processes that serve.")
        self._queue = gauge("lane_queue_length", "Commands that wait for a batch.")
        self._in_use = gauge("pool_connections_in_use", "Connections to the database that somebody holds.", "pool")
        self._pools = gauge("pool_connections_max", "Connections to the database that a pool may have.", "pool")
        self._open = gauge("connections_open", "WebSockets and event streams that are open.")
        self._subscribers = gauge("subscribers", "Subscriptions that wait for a change.")
        self._known: dict[tuple[str, str, str], Any] = {}
        self._times: dict[tuple[str, str], Any] = {}
        self._batches: dict[BatchKind, list[Any]] = {}
        self._collected_at = 0.0
        self._pauses: list[tuple[int, float]] = []
        """Collections since the last sample: the generation and the seconds of each."""

    # Requests

    def ended(self, record: Record) -> None:
        """Count a request that has ended."""
        name = record.name if record.name in self._operations else OTHER
        key = name, record.transport, record.outcome
        requests = self._known.get(key)
        if requests is None:
            requests = self._known[key] = self._requests.labels(*key)
        requests.inc()
        if not record.is_live:
            self._time(name, record)
        if record.code is not None:
            self._refusals.labels(record.code).inc()

    def _time(self, name: str, record: Record) -> None:
        key = name, record.outcome
        times = self._times.get(key)
        if times is None:
            times = self._times[key] = self._seconds.labels(*key)
        times.observe(record.seconds)

    # Services

    def caller(self) -> float:
        """When somebody began to wait."""
        return perf_counter()

    @contextmanager
    def batch(self, kind: BatchKind, callers: Sequence[float]) -> Iterator[None]:
        """Measure a batch."""
        began = perf_counter()
        found = self._batches.get(kind)
        if found is None:
            told = (self._batch_size, self._batch_wait, self._batch_seconds)
            found = self._batches[kind] = [one.labels(kind) for one in told]
        size, wait, seconds = found
        size.observe(len(callers))
        wait.observe(began - min(callers, default=began))
        try:
            yield
        finally:
            seconds.observe(perf_counter() - began)

    def retried(self) -> None:
        """Count it."""
        self._retries.inc()

    def parted(self, members: int) -> None:
        """Count them."""
        self._parted.inc(members)

    def stored(self, tables: Mapping[Any, Sequence[Mapping[str, Any]]]) -> None:
        """Count plays and grants."""
        for table, game in LOGS.items():
            if rows := tables.get(table):
                self._plays.labels(game).inc(len(rows))
        for row in tables.get(RewardEntry, ()):
            self._grants.labels(row["reward_type"]).inc()
            self._granted.labels(row["reward_type"]).inc(row["amount"])

    # What is looked at twice a second

    @asynccontextmanager
    async def sampling(self, look: Callable[[], Sample]) -> AsyncIterator[None]:
        """Look at the application, at the event loop's lag and at collections while it runs."""
        gc.callbacks.append(self._collection)
        self._workers.set(1)
        task = asyncio.create_task(self._sample(look))
        try:
            yield
        finally:
            gc.callbacks.remove(self._collection)
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            self._workers.set(0)

    async def _sample(self, look: Callable[[], Sample]) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            due, seen = clock() + SAMPLE_SECONDS, look()
            self._queue.set(seen.queued)
            for pool, in_use in seen.connections_in_use.items():
                self._in_use.labels(pool).set(in_use)
                self._pools.labels(pool).set(seen.connections_max)
            self._open.set(seen.open)
            self._subscribers.set(seen.subscribers)
            self._count_pauses()
            await asyncio.sleep(SAMPLE_SECONDS)
            self._lag.observe(max(clock() - due, 0.0))

    def _collection(self, phase: str, info: Mapping[str, int]) -> None:
        """Note a collection, and no more: one may begin while a counter's lock is held, and would wait for ever."""
        if phase == "start":
            self._collected_at = perf_counter()
        else:
            self._pauses.append((info["generation"], perf_counter() - self._collected_at))

    def _count_pauses(self) -> None:
        pauses, self._pauses = self._pauses, []
        for generation, seconds in pauses:
            self._collections.labels(generation).inc()
            self._collecting.inc(seconds)
