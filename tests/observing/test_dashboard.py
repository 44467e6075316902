"""The alerts, and a real Prometheus that asks a real server: every query of the dashboard is answered with data."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from server.settings import PROJECT
from tests.observing.conftest import Observed
from tests.ports import reserved_port

DEPLOY = PROJECT / "deploy"
ALERTS = DEPLOY / "prometheus" / "alerts.yml"
DASHBOARD = DEPLOY / "grafana" / "haru.json"
NAMES = re.compile(r"^ +- alert: (\w+)$", re.MULTILINE)

needs_prometheus = pytest.mark.skipif(
    shutil.which("prometheus") is None or shutil.which("promtool") is None, reason="no Prometheus on this machine"
)


def promtool(*arguments: str) -> None:
    done = subprocess.run(
        ["promtool", *arguments], cwd=ALERTS.parent, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr


@needs_prometheus
def test_the_alerts_fire_and_end() -> None:
    promtool("test", "rules", "alerts.test.yml")
    promtool("check", "config", "prometheus.yml")


def test_every_alert_is_tried_and_told_what_to_do() -> None:
    alerts = NAMES.findall(ALERTS.read_text())
    tried = ALERTS.with_name("alerts.test.yml").read_text()
    told = re.findall(r"^## (\w+)$", (PROJECT / "docs" / "runbook.md").read_text(), re.MULTILINE)
    assert alerts == [name for name in told if name.startswith("Haru")]
    for name in alerts:
        assert f"alertname: {name}\n" in tried
        assert f"runbook_url: docs/runbook.md#{name.lower()}\n" in ALERTS.read_text()


def queries() -> Iterator[str]:
    """Every query of the dashboard."""
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        for target in panel.get("targets", ()):
            yield target["expr"].replace("$__rate_interval", "20s")


def test_dashboard_and_alerts_ask_for_metrics_that_there_are() -> None:
    told = set(re.findall(r"`(haru_\w+)`", (PROJECT / "docs" / "deploy.md").read_text()))
    asked = set(re.findall(r"haru_\w+", " ".join(queries()) + ALERTS.read_text()))
    assert {re.sub("_(bucket|sum|count)$", "", name) for name in asked} <= told


@asynccontextmanager
async def prometheus(observed: Observed, directory: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A Prometheus that asks the server every second."""
    config = directory / "prometheus.yml"
    config.write_text(
        "global: {scrape_interval: 1s, evaluation_interval: 1s}\n"
        f"rule_files: ['{ALERTS}']\n"
        "scrape_configs: [{job_name: haru, static_configs: [{targets: ['"
        + observed.metrics_url.removeprefix("http://")
        + "']}]}]\n"
    )
    with reserved_port() as port:
        process = await asyncio.create_subprocess_exec(
            "prometheus",
            f"--config.file={config}",
            f"--storage.tsdb.path={directory / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--log.level=error",
        )
        try:
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as http:
                yield http
        finally:
            process.terminate()
            await process.wait()


async def answered(http: httpx.AsyncClient, query: str) -> list[Any]:
    """What Prometheus answers; nothing while it is starting."""
    try:
        response = await http.get("/api/v1/query", params={"query": query})
    except httpx.TransportError:
        return []
    if response.status_code == 503:
        return []
    assert response.status_code == 200, response.text
    found: list[Any] = response.json()["data"]["result"]
    return [one for one in found if one["value"][1] != "NaN"]


@needs_prometheus
async def test_every_query_of_the_dashboard_is_answered_with_data(observed: Observed, tmp_path: Path) -> None:
    left = list(queries())
    async with prometheus(observed, tmp_path) as http, asyncio.timeout(200):
        while left:
            for player in observed.players:
                await player.play("drawLottery")
                await player.play("playDice")  # which is refused
                await player.data("{ me { id } lotteryStatus { __typename } }")
            left = [query for query in left if not await answered(http, query)]
            await asyncio.sleep(0.5)
        firing = await answered(http, 'ALERTS{alertstate="firing", severity="page"}')
    assert not firing
