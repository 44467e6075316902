"""What operators see of `haru serve` outside of local: its log and its metrics, of two workers, as tools read them."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.observing.conftest import Observed
from tests.ports import reserved_port
from tests.serving import serving
from tests.world import Client

HOSTILE = 'Evil"}\n{"level":"error"'
TRACE = "0af7651916cd43dd8448eb211c80319c"


def value(metrics: str, name: str, **labels: str) -> float:
    """The sum of the samples of this name that have these labels."""
    found = [
        sample.value
        for family in text_string_to_metric_families(metrics)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    ]
    assert found, f"no {name} with {labels}"
    return sum(found)


def lines(observed: Observed) -> list[dict[str, Any]]:
    """The log, every line of which is JSON."""
    return [json.loads(line) for line in observed.served.log.read_text().splitlines()]


async def requests(observed: Observed, client: Client) -> None:
    """One request of each kind: answered, refused as data, refused before all else, and hostile."""
    await client.play("drawLottery")
    assert (await client.play("playDice"))["code"] == "NO_FEATURE_TODAY"
    http = observed.served.http
    headers = {"Authorization": f"Bearer {client.token}", "traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}
    query = {"query": "query Evil { evil: me { id } clock { __typename } }", "operationName": "Evil"}
    assert "errors" not in (await http.post("/graphql", json=query, headers=headers)).json()
    for body in ({"query": "{ " + "evil" * 60 + " }"}, {"query": HOSTILE, "operationName": HOSTILE}):
        await http.post("/graphql", json=body, headers=headers | {"X-Request-ID": HOSTILE.replace("\n", "")})
    await http.post("/graphql", json=query, headers={"Authorization": "Bearer stolen.token.of-somebody"})


async def test_the_log_and_the_metrics(observed: Observed) -> None:
    async with asyncio.timeout(60):
        while value(text := await observed.metrics(), "haru_workers") != 2 or not value(
            text, "haru_loop_lag_seconds_count"
        ):
            await asyncio.sleep(0.1)
    count = len(observed.players)
    for player in observed.players:
        await requests(observed, player)
    async with asyncio.timeout(60):  # a request is told of once its answer is on its way
        while len(told := [line for line in lines(observed) if line["logger"] == "haru.requests"]) < 6 * count:
            await asyncio.sleep(0.05)
    assert {(line["operation"], line["role"], line["outcome"], line["code"]) for line in told} == {
        ("drawLottery", "PLAYER", "ok", None),
        ("playDice", "PLAYER", "refused", "NO_FEATURE_TODAY"),
        ("me,clock", "PLAYER", "ok", None),
        (None, "PLAYER", "refused", "BAD_REQUEST"),
        (None, None, "refused", "UNAUTHENTICATED"),
    }
    assert len(told) == 6 * count
    assert {line["traceId"] for line in told if line["operation"] == "me,clock"} == {TRACE}
    assert all(line["time"].endswith("Z") and line["durationMs"] > 0 and line["bytes"] > 0 for line in told)
    log, metrics = observed.served.log.read_text(), await observed.metrics()
    for text in (log, metrics):
        assert "evil" not in text.lower()
        assert "stolen" not in text
        assert all(str(player.token) not in text and str(player.player_id) not in text for player in observed.players)

    assert value(metrics, "haru_requests_total", operation="drawLottery", transport="http", outcome="ok") == count
    assert value(metrics, "haru_request_duration_seconds_count", operation="several", outcome="ok") == count
    assert value(metrics, "haru_requests_total", operation="none") == 3 * count
    assert value(metrics, "haru_refusals_total", code="NO_FEATURE_TODAY") == count
    assert value(metrics, "haru_plays_total", game="LOTTERY") == count
    assert value(metrics, "haru_batch_size_sum", kind="plays") == 2 * count
    assert value(metrics, "haru_grants_total") >= count
    assert value(metrics, "haru_workers") == 2
    for name in ("database_up", "database_writable", "database_revision_expected", "event_figures_up"):
        assert value(metrics, f"haru_{name}") == 1
    assert abs(value(metrics, "haru_clock_difference_seconds")) < 5
    assert value(metrics, "haru_stock_left") <= value(metrics, "haru_stock_initial")
    assert value(metrics, "haru_coupon_codes_left", coupon_type="COFFEE") >= 0
    assert value(metrics, "haru_schedule_faults", days_ahead="0") == 0
    assert value(metrics, "haru_loop_lag_seconds_count") > 0

    public = await observed.served.http.get("/metrics")
    assert public.status_code == 404
    if shutil.which("promtool"):
        check = ["promtool", "check", "metrics"]
        checked = await asyncio.to_thread(subprocess.run, check, input=metrics, capture_output=True, text=True)
        assert (checked.returncode, checked.stderr) == (0, "")

    await a_killed_worker_is_made_anew(observed)


async def a_killed_worker_is_made_anew(observed: Observed) -> None:
    """What it counted stays counted, and what it held is held no more."""
    before, first = await observed.metrics(), workers(observed)
    os.kill(first[0], signal.SIGKILL)
    async with asyncio.timeout(60):
        while workers(observed) == first or value(after := await observed.metrics(), "haru_workers") != 2:
            await asyncio.sleep(0.1)
    assert value(after, "haru_plays_total") == value(before, "haru_plays_total") == len(observed.players)


def workers(observed: Observed) -> list[int]:
    """The processes that serve."""
    assert observed.served.process is not None
    pid = observed.served.process.pid
    found = []
    for child in map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()):
        with suppress(FileNotFoundError, ProcessLookupError):  # one that has just gone
            if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes():
                found.append(child)
    return found


async def test_one_worker_counts_as_many_do(empty_database: str) -> None:
    with reserved_port() as port:
        async with serving(empty_database, HARU_METRICS_PORT=port) as served:
            (alice,) = await served.players(1)
            await alice.play()
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20) as http:
                metrics = (await http.get("/metrics")).text
    assert value(metrics, "haru_plays_total", game="DICE") == 1
    assert value(metrics, "haru_workers") == 1
