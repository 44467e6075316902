"""What happens to the machines, and which alerts it is to set off. Each is there from its beginning to its end."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from services.error_codes import WarningCode
from tests.ha.clients import Told
from tests.ha.network import cut
from tests.ha.site import URL_OF_PLAYERS, Site
from tests.serving import zone_of_noon

FEW, MANY = 40, 100_000

PUBLISH = """mutation Publish($input: UpsertLotteryConfigInput!) { upsertLotteryConfig(input: $input) {
    __typename ... on UserError { code message } ... on ValidationFailed { issues { path message } }
    ... on UpsertLotteryConfigPayload { config { prizes { stock stockId } } } } }"""
REMOVE_DAY = """mutation Remove($input: RemoveScheduledDayInput!) { removeScheduledDay(input: $input) {
    __typename ... on UserError { code message } } }"""
SCHEDULE = """mutation Schedule($input: UpsertFeatureScheduleInput!) { upsertFeatureSchedule(input: $input) {
    __typename ... on UserError { code message } ... on ValidationFailed { issues { path message } } } }"""
ADJUST = """mutation Adjust($input: AdjustStockInput!) { adjustStock(input: $input) {
    __typename ... on UserError { code message } } }"""


def lottery(revision: int, *, few: int) -> dict[str, Any]:
    """A lottery without a limit of plays, published after this revision, with so many of its first prize."""
    return {
        "name": "to the last",
        "maxDailyTickets": 0,
        "expectedRevision": revision,
        "acknowledge": list(WarningCode),
        "prizes": [
            {"label": "few", "weight": 10, "stock": few, "reward": {"type": "TOKEN", "amount": 3}},
            {"label": "many", "weight": 30, "stock": MANY, "reward": {"type": "POINT", "amount": 50}},
            {"label": "without end", "weight": 60, "reward": {"type": "POINT", "amount": 5}},
        ],
    }


@dataclass
class Stage:
    """Where faults happen, and what clients were told so far."""

    site: Site
    told: Told

    async def as_staff(self, document: str, **given: Any) -> dict[str, Any]:
        """What a mutation of staff's is answered with, which must be its success. Raises: RuntimeError."""
        headers = {"Authorization": f"Bearer {self.site.administrator}"}
        async with httpx.AsyncClient(base_url=URL_OF_PLAYERS, headers=headers, timeout=30) as http:
            response = await http.post("/graphql", json={"query": document, "variables": {"input": given}})
        answer = response.json()
        made: dict[str, Any] = next(iter((answer.get("data") or {"": {}}).values())) or {}
        if not made.get("__typename", "").endswith("Payload"):
            raise RuntimeError(f"staff were refused: {answer}")
        return made

    async def publish(self, revision: int, *, few: int) -> str:
        """Publish a lottery; the id of its first prize's stock."""
        made = await self.as_staff(PUBLISH, **lottery(revision, few=few))
        stock_id: str = made["config"]["prizes"][0]["stockId"]
        return stock_id


Happening = Callable[[Stage], AbstractAsyncContextManager[None]]


@dataclass(frozen=True)
class Fault:
    """Something that happens. `fires`: the alerts that have to; `may_fire`: those that may."""

    name: str
    happens: Happening
    fires: frozenset[str] = frozenset()
    may_fire: frozenset[str] = frozenset()
    is_meant: bool = False
    """It is no fault, and every attempt of a client's has to be answered at once."""


@asynccontextmanager
async def a_prize_runs_out(stage: Stage) -> AsyncIterator[None]:
    """The last of a prize is drawn, and staff add more."""
    stock_id = await stage.publish(2, few=FEW)
    yield
    await stage.as_staff(ADJUST, stockId=stock_id, by=MANY, expectedLeft=0, reason="The sponsor sent more.")


@asynccontextmanager
async def tomorrow_has_nothing(stage: Stage) -> AsyncIterator[None]:
    """Staff take tomorrow's feature away, and put one there."""
    tomorrow = dt.datetime.now(ZoneInfo(zone_of_noon())).date() + dt.timedelta(days=1)
    meant = {"date": str(tomorrow), "acknowledge": list(WarningCode)}
    await stage.as_staff(REMOVE_DAY, expectedRevision=1, **meant)
    yield
    await stage.as_staff(SCHEDULE, featureType="DICE", **meant)


@asynccontextmanager
async def a_rolling_restart(stage: Stage) -> AsyncIterator[None]:
    """Each server is stopped and started, one after another; sockets come back, and spread."""
    for name, server in stage.site.servers.items():
        if code := await server.stop():
            raise RuntimeError(f"the server {name} exited with {code}")
        await stage.site.serves(but={name})
        await server.start()
        await stage.site.serves()
    yield


@asynccontextmanager
async def a_server_is_killed(stage: Stage) -> AsyncIterator[None]:
    """`kill -9`, and nobody starts it again for a while."""
    await stage.site.servers["two"].kill()
    yield
    await stage.site.servers["two"].start()


@asynccontextmanager
async def a_server_is_cut_off_from_the_database(_: Stage) -> AsyncIterator[None]:
    """What it sends to PgBouncer is lost."""
    with cut("two", "pooler"):
        yield


@asynccontextmanager
async def a_server_is_cut_off_from_the_proxy(_: Stage) -> AsyncIterator[None]:
    """What HAProxy sends to it is lost, and it is well otherwise."""
    with cut("two", "proxy"):
        yield


@asynccontextmanager
async def the_proxy_is_killed(stage: Stage) -> AsyncIterator[None]:
    """`kill -9`, and nobody starts it again for a while."""
    await stage.site.proxy.kill()
    yield
    await stage.site.proxy.start()


@asynccontextmanager
async def the_database_is_read_only(stage: Stage) -> AsyncIterator[None]:
    """Somebody sets it so."""
    await stage.site.database.execute("ALTER DATABASE haru SET default_transaction_read_only = on")
    yield
    await stage.site.database.execute("ALTER DATABASE haru RESET default_transaction_read_only")


@asynccontextmanager
async def the_database_restarts(stage: Stage) -> AsyncIterator[None]:
    """PostgreSQL is stopped, and started a while later."""
    await stage.site.database.postgres.stop()
    yield
    await stage.site.database.start()


@asynccontextmanager
async def the_disk_is_full(stage: Stage) -> AsyncIterator[None]:
    """The database's; somebody makes room, and starts PostgreSQL where that has given up."""
    with stage.site.database.full_disk():
        yield
    await stage.site.database.start()


OUT = frozenset({"HaruServerOut"})
DEAR = frozenset({"HaruFailing", "HaruSlow"})
"""What a short fault may set off besides, by how many requests it meets."""

FAULTS = (
    Fault("a prize runs out", a_prize_runs_out, frozenset({"HaruStockLow"}), is_meant=True),
    Fault("tomorrow has no feature", tomorrow_has_nothing, frozenset({"HaruScheduleFaultSoon"}), is_meant=True),
    Fault("a rolling restart", a_rolling_restart, is_meant=True),
    Fault("a server is killed (kill -9)", a_server_is_killed, OUT | {"HaruDown"}, DEAR),
    Fault(
        "a server is cut off from the database",
        a_server_is_cut_off_from_the_database,
        OUT | {"HaruDatabaseDown"},
        DEAR,
    ),
    Fault("a server is cut off from the proxy", a_server_is_cut_off_from_the_proxy, OUT, DEAR),
    Fault("the proxy is killed (kill -9)", the_proxy_is_killed, frozenset({"HaruProxyDown"}), DEAR),
    Fault("the database is read-only", the_database_is_read_only, OUT | {"HaruDatabaseReadOnly"}, DEAR),
    Fault("the database restarts", the_database_restarts, OUT | {"HaruDatabaseDown"}, DEAR),
    Fault(
        "the database's disk is full",
        the_disk_is_full,
        frozenset({"HaruFailing"}),
        DEAR | OUT | {"HaruDatabaseDown", "HaruPlaysContended"},
    ),
)
