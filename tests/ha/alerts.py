"""Prometheus with the rules of deploy/, and what it says of the alerts.

Its times are divided by `FASTER`: how often it asks, how long a fault has to last, and how far rates look back. What is
measured is not: a threshold of ten minutes in a metric stays one.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import httpx

from server.settings import PROJECT
from tests.ha.programs import Program

ADDRESS = "10.0.0.30"
FASTER = 6
"""A minute of the rules is ten seconds."""

SHIPPED = PROJECT / "deploy" / "prometheus"
DURATIONS = re.compile(r"((?:\bfor|_interval): |\[)(\d+)([smh])\b")
SECONDS = {"s": 1, "m": 60, "h": 3600}
TARGETS = re.compile(r'targets: \["127\.0\.0\.1:(\d+)"\]')
LOOK_SECONDS = 0.5
PATIENCE_SECONDS = 150.0


def faster(text: str) -> str:
    """Rules or settings whose times are divided by `FASTER`."""

    def shorter(found: re.Match[str]) -> str:
        return f"{found[1]}{int(found[2]) * SECONDS[found[3]] * 1000 // FASTER}ms"

    return DURATIONS.sub(shorter, text)


@dataclass
class Alert:
    """An alert that fired; `ended_at` is null while it does. Instants are in seconds of the monotonic clock."""

    name: str
    of: str
    """The value of the label that tells what it is about, or nothing."""
    severity: str
    fired_at: float
    ended_at: float | None = None

    def __str__(self) -> str:
        return f"{self.name}{{{self.of}}}" if self.of else self.name


class Alerts:
    """What Prometheus says of the alerts, asked twice a second, and noted."""

    def __init__(self, directory: Path, machines: dict[str, str]) -> None:
        """`machines` are the addresses of those that Prometheus asks, by their names."""
        self._machines = machines
        self._directory = directory
        self.noted: list[Alert] = []
        self.prometheus = Program(
            "watch",
            [
                "prometheus",
                f"--config.file={directory / 'prometheus.yml'}",
                f"--storage.tsdb.path={directory / 'prometheus'}",
                f"--web.listen-address={ADDRESS}:9090",
                "--log.level=warn",
            ],
            directory / "prometheus.log",
        )
        self._http = httpx.AsyncClient(base_url=f"http://{ADDRESS}:9090", timeout=10)
        self._watching: asyncio.Task[None] | None = None
        self._pending: set[str] = set()

    async def start(self, servers: Iterable[str], proxy: str) -> None:
        """Start Prometheus, by the files of deploy/ with these addresses, and wait until it answers."""
        of_port: dict[str, Iterable[str]] = {"9464": servers, "8405": [proxy]}

        def addressed(found: re.Match[str]) -> str:
            return f"targets: {[f'{address}:{found[1]}' for address in of_port[found[1]]]}"

        # Alerts are asked for here, and sent to nobody.
        settings = TARGETS.sub(addressed, re.sub(r"(?s)alerting:.*?\n\n", "", (SHIPPED / "prometheus.yml").read_text()))
        (self._directory / "prometheus.yml").write_text(faster(settings))
        (self._directory / "alerts.yml").write_text(faster((SHIPPED / "alerts.yml").read_text()))
        await self.prometheus.start()
        async with asyncio.timeout(60):
            while not await self._is_ready():
                await asyncio.sleep(0.2)
        self._watching = asyncio.create_task(self._watch())

    async def _is_ready(self) -> bool:
        try:
            return (await self._http.get("/-/ready")).status_code == 200
        except httpx.TransportError:
            return False

    async def stop(self) -> None:
        """Look no more, and stop Prometheus."""
        if self._watching is not None:
            self._watching.cancel()
        await self._http.aclose()
        if self.prometheus.runs:
            await self.prometheus.stop()

    async def value(self, query: str) -> dict[str, float]:
        """What a query is answered with, by the name of the machine that it is of."""
        answer = await self._http.get("/api/v1/query", params={"query": query})
        found = answer.raise_for_status().json()["data"]["result"]
        return {self._name_of(one["metric"]): float(one["value"][1]) for one in found}

    def _name_of(self, labels: dict[str, str]) -> str:
        """What an alert or a value is about: a server by its name in HAProxy, a machine, or another label's value."""
        rest = {name: value for name, value in labels.items() if name not in {"alertname", "severity", "job"}}
        address = rest.get("instance", "").partition(":")[0]
        return rest.get("server") or self._machines.get(address, address) or next(iter(rest.values()), "")

    async def _watch(self) -> None:
        while True:
            answer = (await self._http.get("/api/v1/alerts")).raise_for_status().json()
            alerts = answer["data"]["alerts"]
            self._note([one["labels"] for one in alerts if one["state"] == "firing"])
            self._pending = {f"{one['labels']['alertname']} (pending)" for one in alerts if one["state"] == "pending"}
            await asyncio.sleep(LOOK_SECONDS)

    def _note(self, firing: list[dict[str, Any]]) -> None:
        now, there = monotonic(), {(one["alertname"], self._name_of(one)): one["severity"] for one in firing}
        for alert in self.firing():
            if there.pop((alert.name, alert.of), None) is None:
                alert.ended_at = now
        self.noted += [Alert(*what, severity, now) for what, severity in there.items()]

    def firing(self) -> Iterator[Alert]:
        """What fires just now."""
        return (alert for alert in self.noted if alert.ended_at is None)

    def since(self, instant: float) -> list[Alert]:
        """What fired at or after an instant."""
        return [alert for alert in self.noted if alert.fired_at >= instant]

    async def fired(self, names: Iterable[str], since: float) -> set[str]:
        """Wait until each of these has fired since then; those that did not in good time."""
        return await self._until(lambda: set(names) - {alert.name for alert in self.since(since)})

    async def ended(self) -> set[str]:
        """Wait until nothing fires, or is about to; what does still, after a good time."""
        return await self._until(lambda: {str(alert) for alert in self.firing()} | self._pending)

    async def _until(self, missing: Any) -> set[str]:
        deadline = monotonic() + PATIENCE_SECONDS
        while (left := missing()) and monotonic() < deadline:
            if self._watching is not None and self._watching.done():
                self._watching.result()
            await asyncio.sleep(LOOK_SECONDS)
        found: set[str] = left
        return found
