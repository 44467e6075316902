"""A server as operators run it outside of local: two workers, a JSON log, and the port for metrics."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from models import FeatureType, Role
from server.auth import Tokens
from server.clock import wall_clock
from server.demo import load_demo
from services.calendar import Calendar
from services.database import Database
from services.transaction import Transactor
from tests.ports import reserved_port
from tests.serving import Served, serving, zone_of_noon
from tests.world import SEED_KEYS, Client

SECRET = "a secret of forty-two bytes for these tests"


@dataclass
class Observed:
    """The server, where its metrics are, and some clients."""

    served: Served
    metrics_url: str
    players: list[Client]
    staff: Client

    async def metrics(self) -> str:
        """What Prometheus is told."""
        async with httpx.AsyncClient(timeout=20) as client:
            response = await client.get(f"{self.metrics_url}/metrics")
        assert response.status_code == 200
        return response.text


@pytest.fixture
async def observed(empty_database: str) -> AsyncIterator[Observed]:
    """The server, with the demo data, about noon of a day of the lottery."""
    database, zone = Database(empty_database), zone_of_noon()
    transact = Transactor(database, Calendar(ZoneInfo(zone)), wall_clock, Random(20241206))
    await transact(lambda tx: load_demo(tx, FeatureType.LOTTERY))
    await database.close()
    settings: dict[str, Any] = {
        "HARU_ENV": "stage",
        "HARU_SECRET": SECRET,
        "HARU_SEED_KEYS": SEED_KEYS,
        "HARU_LOG_LEVEL": "info",
        "HARU_DEMO_TODAY": None,
        "HARU_TIME_ZONE": zone,
        "WORKERS": 2,
    }
    issuer = Tokens((SECRET,), issuer="haru", audience="haru", lifetime_seconds=3600, clock=wall_clock)
    with reserved_port() as port:
        async with serving(empty_database, HARU_METRICS_PORT=port, **settings) as served:
            served.issuer = issuer
            players = await served.players(4)
            (account,) = await served.players(1)
            staff = Client(served.http, issuer.issue(account.player_id, Role.OPERATOR).text, account.player_id)
            yield Observed(served, f"http://127.0.0.1:{port}", players, staff)
