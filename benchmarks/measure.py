"""One measured stretch of load: its latencies, and the CPU that the server and PostgreSQL used meanwhile.

Both sides are measured alike: the load runs, a second passes until everything is connected and planned, and then the
CPU clocks are read at both ends of a window and what ended inside it is counted.
"""

from __future__ import annotations

import asyncio
import math
import time
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from uuid import UUID

import orjson

from benchmarks import client, pgbench, statement
from benchmarks.cpu import cpu_seconds
from benchmarks.stage import PLAYERS, Served, Stage
from server.clock import wall_clock

WARM_UP_SECONDS = 1.0
TABLES = (
    "dice_log",
    "roulette_log",
    "lottery_log",
    "user_event_log",
    "reward_ledger",
    "season_pass_stamp_log",
    "season_pass_reward_log",
    "idempotency_key",
    "coupon_waiting",
)
"""What a play inserts into."""


@dataclass
class Figures:
    """What was seen of one side, over all its rounds. Latencies are in seconds; `rows`: new rows by table."""

    latencies: list[float] = field(default_factory=list)
    seconds: float = 0.0
    server_cpu: float = 0.0
    postgres_cpu: float = 0.0
    client_cpu: float = 0.0
    rows: dict[str, int] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.latencies) / self.seconds

    def percentile(self, share: float) -> float:
        """The latency in milliseconds that this share of the answers kept within."""
        ordered = sorted(self.latencies)
        return ordered[math.ceil(share * len(ordered)) - 1] * 1000

    def each(self, cpu: float) -> float:
        """CPU-microseconds an answer, of CPU-seconds in all."""
        return cpu / len(self.latencies) * 1e6

    @property
    def plays(self) -> int:
        """Plays that were written, those of the warm-up included."""
        return sum(self.rows.get(table, 0) for table in ("dice_log", "roulette_log", "lottery_log"))

    def add_rows(self, before: dict[str, int], after: dict[str, int]) -> None:
        """Note the rows that a round wrote."""
        for table in TABLES:
            self.rows[table] = self.rows.get(table, 0) + after[table] - before[table]


class Clocks:
    """The CPU clocks, read once."""

    def __init__(self, stage: Stage, server: Served) -> None:
        self.postgres, self.server, self.client = (
            cpu_seconds(stage.postmaster),
            cpu_seconds(server.process),
            time.process_time(),
        )
        self.instant, self.counter = wall_clock().timestamp(), time.perf_counter()


def _add(figures: Figures, latencies: list[float], start: Clocks, end: Clocks) -> None:
    figures.latencies += latencies
    figures.seconds += end.counter - start.counter
    figures.postgres_cpu += end.postgres - start.postgres
    figures.server_cpu += end.server - start.server
    figures.client_cpu += end.client - start.client


async def _rows(stage: Stage) -> dict[str, int]:
    counts = ", ".join(f"(SELECT count(*) FROM {table}) AS {table}" for table in TABLES)
    row = await stage.sql.fetchrow(f"SELECT {counts}")
    assert row is not None
    return dict(row)


async def _window(stage: Stage, server: Served, seconds: float) -> tuple[Clocks, Clocks]:
    await asyncio.sleep(WARM_UP_SECONDS)
    start = Clocks(stage, server)
    await asyncio.sleep(seconds)
    return start, Clocks(stage, server)


@dataclass
class Requests:
    """Requests of random players: the same document, another token and another key each time."""

    stage: Stage
    document: str
    rng: Random
    is_play: bool = True
    players: int = PLAYERS
    """How many of the players ask: all of them, or a few again and again."""

    def __post_init__(self) -> None:
        key = "KEY".ljust(36, "-")
        payload = {"query": self.document} | ({"variables": {"input": {"idempotencyKey": key}}} if self.is_play else {})
        self._body, _, self._end = orjson.dumps(payload).partition(key.encode())
        length = len(orjson.dumps(payload))
        self._head = (
            "POST /graphql HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
            f"accept: application/json\r\ncontent-length: {length}\r\nauthorization: Bearer "
        ).encode()

    def __call__(self) -> bytes:
        """Make the next one."""
        token = self.stage.tokens[self.rng.randrange(self.players)]
        key = str(UUID(int=self.rng.getrandbits(128))).encode() if self.is_play else b""
        return b"%b%b\r\n\r\n%b%b%b" % (self._head, token, self._body, key, self._end)


async def requested(
    stage: Stage,
    server: Served,
    requests: Requests,
    expected: bytes,
    *,
    connections: int,
    seconds: float,
    into: Figures,
) -> None:
    """Load a server for a while."""
    before = await _rows(stage)
    load = client.Load(requests, expected)
    opened = await client.connect(load, server.port, connections)
    start, end = await _window(stage, server, seconds)
    await client.disconnect(load, opened)
    _add(into, load.between(start.counter, end.counter), start, end)
    into.add_rows(before, await _rows(stage))


async def single_statement(
    stage: Stage, server: Served, game: str, *, connections: int, seconds: float, into: Figures
) -> None:
    """Load the database with the single statement for a while."""
    before = await _rows(stage)
    script = statement.script(game, players=PLAYERS, clients=connections)
    with TemporaryDirectory(prefix="haru-pgbench-") as directory:
        async with pgbench.running(
            script,
            {"date": stage.today} | await texts(stage),
            socket_directory=stage.socket_directory,
            clients=connections,
            seconds=math.ceil(seconds + WARM_UP_SECONDS + 0.5),
            directory=Path(directory),
        ) as run:
            start, end = await _window(stage, server, seconds)
        _add(into, run.between(start.instant, end.instant), start, end)
    into.add_rows(before, await _rows(stage))


async def texts(stage: Stage) -> dict[str, str]:
    """The JSON texts of haru's own last play with a stamp, so that the statement writes as much."""
    found = {}
    for name, event in (("played", "PLAY"), ("stamped", "SEASON_PASS_STAMP"), ("climbed", "SEASON_PASS_LEVEL_UP")):
        found[name] = await stage.sql.fetchval(
            "SELECT meta_json::text FROM user_event_log WHERE event_name = $1 ORDER BY created_at DESC LIMIT 1", event
        )
    found["answer"] = await stage.sql.fetchval(
        "SELECT answer::text FROM idempotency_key WHERE answer ->> 'seasonPass' IS NOT NULL"
        " ORDER BY created_at DESC LIMIT 1"
    )
    return found
