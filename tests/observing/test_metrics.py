"""What is counted, under which names, and what is told where there is no database."""

from __future__ import annotations

import asyncio
import datetime as dt
import gc
import os
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from itertools import count
from pathlib import Path
from random import Random
from threading import Thread
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from prometheus_client import CollectorRegistry

from models import DiceLog, FeatureType, RewardEntry, RewardType
from schema.roots import ROOTS
from server.clock import wall_clock
from server.migrations.upgrade import EXPECTED_REVISION
from server.observing.exposition import forget_dead, metrics_app, metrics_served
from server.observing.facts import POOLS_SHOWN, VITALS_SECONDS, Facts, _of_event
from server.observing.metrics import Metrics
from server.observing.observers import Sample
from server.observing.record import Record
from server.settings import read_settings
from services.calendar import Calendar
from services.coupons import Pool
from services.database import Database
from services.error_codes import ErrorCode
from services.seals import seal
from services.vitals import DAYS_AHEAD, Odds, Proofs, Stock, Vitals, read_vitals
from services.watch import BatchKind
from tests.ports import reserved_port
from tests.roles import as_application
from tests.world import World

SEOUL = ZoneInfo("Asia/Seoul")
HOSTILE = ('x"} 1\nforged 1', "플레이어", "a" * 10_000, "7c9e6679-7425-40de-944b-e07fc1f90ae7")


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def metrics(registry: CollectorRegistry) -> Metrics:
    return Metrics(frozenset(ROOTS), registry)


def ended(
    metrics: Metrics, *operation: str, transport: str = "http", code: str | None = None, live: bool = False
) -> None:
    record = Record("r", transport, [], (metrics.ended,))
    with record:
        record.operation, record.code, record.is_live = operation, code, live


def series(registry: CollectorRegistry) -> dict[str, set[tuple[str, ...]]]:
    """The values of the labels of each sample but a histogram's bounds."""
    found: dict[str, set[tuple[str, ...]]] = {}
    for family in registry.collect():
        for sample in family.samples:
            labels = tuple(value for name, value in sample.labels.items() if name != "le")
            found.setdefault(sample.name, set()).add(labels)
    return found


def test_hostile_names_are_one_label(metrics: Metrics, registry: CollectorRegistry) -> None:
    for name in HOSTILE:
        ended(metrics, name)
        ended(metrics, "me", name)
    ended(metrics)
    ended(metrics, "__schema")
    assert series(registry)["haru_requests_total"] == {
        ("other", "http", "ok"),
        ("several", "http", "ok"),
        ("none", "http", "ok"),
    }


def test_however_many_requests_there_are_few_series(metrics: Metrics, registry: CollectorRegistry) -> None:
    for name in ROOTS:
        for code in (None, *ErrorCode):
            ended(metrics, name, code=code)
    told = series(registry)
    assert len(told["haru_request_duration_seconds_bucket"]) == 3 * len(ROOTS)
    assert told["haru_refusals_total"] == {(code,) for code in ErrorCode}


def test_the_first_refusal_is_an_increase(metrics: Metrics, registry: CollectorRegistry) -> None:
    internal = {"code": str(ErrorCode.INTERNAL)}
    assert registry.get_sample_value("haru_refusals_total", internal) == 0
    ended(metrics, "me", code=ErrorCode.INTERNAL)
    assert registry.get_sample_value("haru_refusals_total", internal) == 1


def test_what_stays_open_has_no_duration(metrics: Metrics, registry: CollectorRegistry) -> None:
    ended(metrics, "lotteryStockChanged", transport="sse", live=True)
    ended(metrics, "me", transport="websocket")
    told = series(registry)
    assert told["haru_request_duration_seconds_count"] == {("me", "ok")}
    assert told["haru_requests_total"] == {("lotteryStockChanged", "sse", "ok"), ("me", "websocket", "ok")}


def test_how_long_requests_take(metrics: Metrics, registry: CollectorRegistry) -> None:
    for seconds in (0.25, 0.5):
        record = Record("r", "http", [], ())
        record.operation, record.seconds = ("me",), seconds
        metrics.ended(record)
    labels = {"operation": "me", "outcome": "ok"}
    assert registry.get_sample_value("haru_request_duration_seconds_sum", labels) == 0.75
    assert registry.get_sample_value("haru_request_duration_seconds_count", labels) == 2


def test_batches(metrics: Metrics, registry: CollectorRegistry, monkeypatch: Any) -> None:
    monkeypatch.setattr("server.observing.metrics.perf_counter", iter([1.0, 2.0, 4.0, 4.5, 8.0, 8.25]).__next__)
    early, late = metrics.caller(), metrics.caller()
    with metrics.batch(BatchKind.PLAYS, [late, early]):
        metrics.retried()
        metrics.parted(3)
        metrics.stored({DiceLog: [{}, {}], RewardEntry: [{"reward_type": RewardType.POINT, "amount": 40}]})
    with metrics.batch(BatchKind.READS, []):
        pass
    value = registry.get_sample_value
    assert value("haru_batch_size_sum", {"kind": "plays"}) == 2
    assert value("haru_batch_wait_seconds_sum", {"kind": "plays"}) == 3.0  # of who came first
    assert value("haru_batch_duration_seconds_sum", {"kind": "plays"}) == 0.5
    assert value("haru_batch_wait_seconds_count", {"kind": "reads"}) == 1
    assert value("haru_batch_wait_seconds_sum", {"kind": "reads"}) == 0.0
    assert value("haru_batch_duration_seconds_sum", {"kind": "reads"}) == 0.25
    assert value("haru_batch_retries_total") == 1
    assert value("haru_batch_members_parted_total") == 3
    assert value("haru_plays_total", {"game": "DICE"}) == 2
    assert value("haru_grants_total", {"type": "POINT"}) == 1
    assert value("haru_granted_amount_total", {"type": "POINT"}) == 40


async def test_a_process_is_looked_at(metrics: Metrics, registry: CollectorRegistry, monkeypatch: Any) -> None:
    monkeypatch.setattr("server.observing.metrics.SAMPLE_SECONDS", 0.01)
    async with metrics.sampling(lambda: Sample(1, {"players": 0, "staff": 8}, 8, 3, 4)):
        while not registry.get_sample_value("haru_loop_lag_seconds_count"):
            await asyncio.sleep(0.01)
        assert registry.get_sample_value("haru_workers") == 1
        assert registry.get_sample_value("haru_lane_queue_length") == 1
        assert registry.get_sample_value("haru_connections_open") == 3
        assert registry.get_sample_value("haru_subscribers") == 4
        for pool, in_use in ("players", 0), ("staff", 8):
            assert registry.get_sample_value("haru_pool_connections_in_use", {"pool": pool}) == in_use
            assert registry.get_sample_value("haru_pool_connections_max", {"pool": pool}) == 8
    assert registry.get_sample_value("haru_workers") == 0


async def test_how_late_the_loop_is(metrics: Metrics, registry: CollectorRegistry, monkeypatch: Any) -> None:
    """A sample is due a moment after the last one; meanwhile this one keeps the loop from all else."""
    moment, busy, beside = 0.2, 0.05, len(gc.callbacks)
    monkeypatch.setattr("server.observing.metrics.SAMPLE_SECONDS", moment)

    def look() -> Sample:
        time.sleep(busy)
        return Sample(0, {}, 8, 0, 0)

    clock = asyncio.get_running_loop().time
    began, others = clock(), asyncio.all_tasks()
    async with metrics.sampling(look):
        while not (samples := registry.get_sample_value("haru_loop_lag_seconds_count")):
            await asyncio.sleep(0.01)
        elapsed = clock() - began
        late = registry.get_sample_value("haru_loop_lag_seconds_sum")
    assert late is not None
    assert busy <= late <= elapsed - samples * moment
    assert asyncio.all_tasks() == others
    assert len(gc.callbacks) == beside


async def test_a_collection_waits_for_no_counter(
    metrics: Metrics, registry: CollectorRegistry, monkeypatch: Any
) -> None:
    """One may begin while a counter is changed, whose lock would never be given back."""
    monkeypatch.setattr("server.observing.metrics.SAMPLE_SECONDS", 0.01)
    monkeypatch.setattr("server.observing.metrics.perf_counter", count(1.0).__next__)
    async with metrics.sampling(lambda: Sample(0, {}, 8, 0, 0)):
        with metrics._collecting._value._lock:
            collecting = Thread(target=gc.collect, daemon=True)
            collecting.start()
            collecting.join(10)
            assert not collecting.is_alive()
        async with asyncio.timeout(60):
            while not registry.get_sample_value("haru_gc_collections_total", {"generation": "2"}):
                await asyncio.sleep(0.01)
    counted = [registry.get_sample_value("haru_gc_collections_total", {"generation": one}) or 0 for one in "012"]
    assert registry.get_sample_value("haru_gc_pause_seconds_total") == sum(counted)  # by that clock a second each


async def told_by(url: str, directory: Path) -> dict[str, float]:
    """What the port tells of the database at `url`, labels left out."""
    facts = Facts(Database(url, pool_size=1), Calendar(SEOUL), wall_clock, time.monotonic)
    transport = httpx.ASGITransport(metrics_app(facts, directory))
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://metrics") as http:
            await http.get("/metrics")  # the next is of the same look
            page = (await http.get("/metrics")).text
    finally:
        await facts.close()
    samples = (line.rpartition(" ") for line in page.splitlines() if not line.startswith("#"))
    return {name.partition("{")[0].removeprefix("haru_"): float(value) for name, _, value in samples}


async def test_what_the_port_tells_of_the_event(world: World, tmp_path: Path) -> None:
    told = await told_by(str(world.settings.database_url), tmp_path)
    assert abs(told.pop("clock_difference_seconds")) < 60
    assert told.keys() >= {"schedule_faults", "draw_evidence", "ledger_unsealed_seconds", "draws_uncounted_seconds"}
    expected = {
        "database_up": 1,
        "database_writable": 1,
        "database_revision_expected": 1,
        "event_figures_up": 1,
        "coupon_codes_left": 100,
        "coupon_codes_given": 0,
        "coupon_grants_waiting": 0,
    }
    assert {name: told[name] for name in expected} == expected


async def test_figures_are_read_again_once_they_are_old(world: World, monkeypatch: Any) -> None:
    reads, now = 0, 0.0

    async def counted(*given: Any) -> Vitals:
        nonlocal reads
        reads += 1
        return await read_vitals(*given)

    monkeypatch.setattr("server.observing.facts.read_vitals", counted)
    facts = Facts(Database(str(world.settings.database_url), pool_size=1), Calendar(SEOUL), wall_clock, lambda: now)
    try:
        await facts.look()
        assert reads == 1
        await world.sql.execute("UPDATE alembic_version SET version_num = 'another'")
        try:
            await facts.look()
        finally:
            await world.sql.execute("UPDATE alembic_version SET version_num = $1", EXPECTED_REVISION)
        told = []
        for later in (0.0, VITALS_SECONDS - 0.1, VITALS_SECONDS, VITALS_SECONDS + 0.1):
            now = later
            await facts.look()
            told.append(reads)
        assert told == [2, 2, 3, 3]
    finally:
        await facts.close()


async def test_seeds_and_seals_that_are_overdue(world: World) -> None:
    async def proofs(**ahead: float) -> Proofs:
        now = world.clock() + dt.timedelta(**ahead)
        return (await read_vitals(world.parts.database, world.parts.calendar, now)).proofs

    alice = await world.player()
    await alice.play()  # which is what a seed is for, and a line of the ledger
    assert [(await proofs(hours=hours)).seeds_overdue for hours in (12.99, 13, 37)] == [0, 1, 2]
    assert [(await proofs(days=days)).seeds_missing for days in (6, 7, 8)] == [0, 1, 2]
    assert [(await proofs(minutes=minutes)).unsealed_seconds for minutes in (-5, 30)] == [0, 1800]
    world.clock.advance(minutes=10)
    await alice.play()
    assert (await proofs(minutes=30)).unsealed_seconds == 2400
    await seal(world.parts.database, world.clock)
    assert (await proofs(minutes=30)).unsealed_seconds == 0
    for feature, minutes in ((FeatureType.LOTTERY, 5), (FeatureType.DICE, 20), (FeatureType.ROULETTE, 10)):
        until = world.clock() - dt.timedelta(minutes=minutes)
        await world.sql.execute("INSERT INTO draw_watch VALUES ($1, $2)", feature, until)
    assert [(await proofs(minutes=minutes)).uncounted_seconds for minutes in (-30, 1)] == [0, 1260]


async def test_faults_of_the_days_ahead_are_told_by_the_day(world: World) -> None:
    async def faults() -> Mapping[int, int]:
        return (await read_vitals(world.parts.database, world.parts.calendar, world.clock())).faults

    before = await faults()
    assert list(before) == list(range(DAYS_AHEAD))
    for days in (-1, 3, DAYS_AHEAD - 1, DAYS_AHEAD):
        date = world.parts.calendar.business_date(world.clock()) + dt.timedelta(days=days)
        await world.sql.execute("DELETE FROM feature_schedule WHERE date = $1", date)
    assert await faults() == {**before, 3: 1, DAYS_AHEAD - 1: 1}


async def test_finite_stocks_of_the_day_are_told(world: World) -> None:
    await world.today(FeatureType.LOTTERY)
    told = (await read_vitals(world.parts.database, world.parts.calendar, world.clock())).stocks
    prizes = await world.sql.fetch(
        "SELECT p.stock_id, s.left, s.initial FROM lottery_prize p LEFT JOIN lottery_stock s ON s.id = p.stock_id"
    )
    assert None in {prize["stock_id"] for prize in prizes}  # it is unlimited, and not told
    assert sorted((stock.stock_id, stock.left, stock.initial) for stock in told) == sorted(
        tuple(prize) for prize in prizes if prize["stock_id"] is not None
    )


@pytest.mark.parametrize("is_there", [False, True])
async def test_the_port_is_served_beside_the_workers_and_keeps_no_process(
    database_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, is_there: bool
) -> None:
    """Nor a session: one that is not given back is a warning, once it is collected."""
    url = as_application(database_url) if is_there else "postgresql://haru@127.0.0.1:1/haru"
    caplog.set_level("INFO", "uvicorn.access")
    with reserved_port() as port:
        settings = read_settings(DATABASE_URL=url, HARU_METRICS_PORT=port)
        with metrics_served(settings, wall_clock, tmp_path):
            assert {one.daemon for one in threading.enumerate() if one.name == "metrics"} == {True}
            async with asyncio.timeout(60), httpx.AsyncClient() as http:
                while True:
                    with suppress(httpx.ConnectError):
                        answer = await http.get(f"http://127.0.0.1:{port}/metrics", timeout=60)
                        break
                    await asyncio.sleep(0.01)
        assert f"haru_database_up {float(is_there)}" in answer.text
        assert "server" not in answer.headers
        assert "uvicorn.access" not in {record.name for record in caplog.records}
        assert not [one for one in threading.enumerate() if one.name == "metrics"]
    gc.collect()


async def test_where_there_is_no_database(tmp_path: Path) -> None:
    """Nor any worker: what one held that is dead is told no more."""
    held = tmp_path / f"gauge_livesum_{Path('/proc/sys/kernel/pid_max').read_text().strip()}.db"
    held.touch()
    told = await told_by("postgresql+asyncpg://haru@127.0.0.1:1/haru", tmp_path)
    assert told == {"database_up": 0, "event_figures_up": 0}
    assert not held.exists()


async def test_a_database_of_another_revision(world: World, tmp_path: Path) -> None:
    await world.sql.execute("UPDATE alembic_version SET version_num = 'another'")
    try:
        told = await told_by(str(world.settings.database_url), tmp_path)
    finally:
        await world.sql.execute("UPDATE alembic_version SET version_num = '20241206_0001'")
    assert (told["database_up"], told["database_revision_expected"], told["event_figures_up"]) == (1, 0, 0)


@pytest.mark.parametrize("failure", [TimeoutError("slow"), RuntimeError("a bug")])
async def test_figures_that_cannot_be_read(world: World, tmp_path: Path, monkeypatch: Any, failure: Exception) -> None:
    async def fail(*_: object) -> Vitals:
        raise failure

    monkeypatch.setattr("server.observing.facts.read_vitals", fail)
    told = await told_by(str(world.settings.database_url), tmp_path)
    assert (told["database_up"], told["event_figures_up"]) == (1, 0)
    assert "schedule_faults" not in told


async def test_the_log_tells_why_figures_cannot_be_read(
    world: World, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with world.sql.transaction():
        await world.sql.execute("LOCK TABLE coupon_waiting")
        assert (await told_by(str(world.settings.database_url), tmp_path))["event_figures_up"] == 0
    assert "the event's figures could not be read: somebody holds a lock: " in caplog.text


def test_coupon_types_are_bounded_and_those_with_the_fewest_codes_are_told() -> None:
    pools = [Pool(f"type {n}", n, 1000 + n, 2000 + n) for n in range(POOLS_SHOWN * 3)]
    Random(1).shuffle(pools)
    families = list(_of_event(Vitals([Stock(7, 1, 2)], pools, {0: 0}, Proofs(0, 0, 0.0, 0.0), Odds(1.0, {}))))
    for name, more in ("left", 0), ("given", 1000), ("waiting", 2000):
        [samples] = [
            family.samples for family in families if family.name.startswith("haru_coupon_") and name in family.name
        ]
        told = {sample.labels["coupon_type"]: sample.value for sample in samples}
        assert told == {f"type {n}": more + n for n in range(POOLS_SHOWN)}


def test_who_is_dead_is_forgotten(tmp_path: Path) -> None:
    alive = os.getpid()
    dead = int(Path("/proc/sys/kernel/pid_max").read_text())
    for pid in (alive, dead):
        for kind in ("gauge_livesum", "counter"):
            (tmp_path / f"{kind}_{pid}.db").touch()
    forget_dead(tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {
        f"gauge_livesum_{alive}.db",
        f"counter_{alive}.db",
        f"counter_{dead}.db",
    }
