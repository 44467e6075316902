"""Subscriptions of `haru serve`, two workers and another server: real sockets, signals, a lost database, a stop."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import asyncpg
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.games import another_session
from tests.serving import Served, serving

TODAY = "subscription { todayFeatureChanged { ... on TodayFeature { featureType } } }"
RESCHEDULE = """
mutation ($date: Date!, $feature: FeatureType!, $revision: Int) {
  upsertFeatureSchedule(input: {date: $date, featureType: $feature, expectedRevision: $revision}) {
    __typename ... on UpsertFeatureSchedulePayload { day { revision } }
  }
}
"""
LISTENERS = """
SELECT count(*) FROM pg_stat_activity
WHERE (query ILIKE 'LISTEN%' OR query = 'SELECT') AND application_name = 'haru' AND datname = current_database()
"""
"""A session that listens is spoken to now and then: `Signals` probes it."""

ALL_SESSIONS = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE application_name = 'haru' AND datname = current_database() AND pid <> pg_backend_pid()
"""


async def send(client: ClientConnection, kind: str, **rest: Any) -> None:
    await client.send(json.dumps({"type": kind, **rest}))


async def message(client: ClientConnection, seconds: float = 30) -> dict[str, Any]:
    async with asyncio.timeout(seconds):
        received: dict[str, Any] = json.loads(await client.recv())
        return received


async def feature_told(client: ClientConnection, seconds: float = 30) -> str:
    told: str = (await message(client, seconds))["payload"]["data"]["todayFeatureChanged"]["featureType"]
    return told


@asynccontextmanager
async def subscribed(served: Served, token: str) -> AsyncIterator[ClientConnection]:
    url = served.url.replace("http", "ws") + "/graphql"
    async with connect(url, subprotocols=[Subprotocol("graphql-transport-ws")]) as client:
        await send(client, "connection_init", payload={"Authorization": token})
        assert await message(client) == {"type": "connection_ack"}
        await send(client, "subscribe", id="1", payload={"query": TODAY})
        yield client


async def listening(sql: asyncpg.Connection[asyncpg.Record], processes: int) -> None:
    """Wait until so many processes listen: the last worker may still be starting."""
    async with asyncio.timeout(60):
        while await sql.fetchval(LISTENERS) < processes:
            await asyncio.sleep(0.05)


async def test_processes_hear_of_each_other_survive_the_database_and_stop_gracefully(empty_database: str) -> None:
    async with AsyncExitStack() as stack:
        served = await stack.enter_async_context(serving(empty_database, WORKERS=2))
        other = await stack.enter_async_context(serving(empty_database))
        sql = await stack.enter_async_context(another_session(empty_database))
        (alice,) = await served.players(1)
        assert alice.token is not None
        today = await sql.fetchrow(
            "SELECT date, revision FROM feature_schedule WHERE date = (now() AT TIME ZONE $1)::date",
            served.environment["HARU_TIME_ZONE"],
        )
        assert today is not None
        revision = today["revision"]

        async def reschedule(feature: str) -> None:
            nonlocal revision
            variables = {"date": str(today["date"]), "feature": feature, "revision": revision}
            headers = {"Authorization": f"Bearer {served.tokens['OPERATOR']}"}
            while True:
                body = {"query": RESCHEDULE, "variables": variables}
                answer = (await served.http.post("/graphql", json=body, headers=headers)).json()
                if "errors" not in answer:  # a session that was ended may be met once
                    break
                await asyncio.sleep(0.05)
            revision = answer["data"]["upsertFeatureSchedule"]["day"]["revision"]

        await listening(sql, 3)
        places = [served] * 6 + [other] * 2
        clients = [await stack.enter_async_context(subscribed(place, alice.token)) for place in places]
        assert {await feature_told(client) for client in clients} == {"DICE"}
        assert await sql.fetchval(LISTENERS) == 3  # one for each process, however many subscribe

        await reschedule("LOTTERY")
        assert {await feature_told(client) for client in clients} == {"LOTTERY"}

        assert await sql.fetchval(ALL_SESSIONS) >= 3
        await sql.execute("UPDATE feature_schedule SET feature_type = 'ROULETTE' WHERE date = $1", today["date"])
        assert {await feature_told(client) for client in clients} == {"ROULETTE"}  # missed, and made up for
        await reschedule("DICE")
        assert {await feature_told(client) for client in clients} == {"DICE"}

        headers = {"Authorization": f"Bearer {alice.token}", "Accept": "text/event-stream"}
        async with served.http.stream("POST", "/graphql", json={"query": TODAY}, headers=headers) as response:
            assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
            lines = response.aiter_lines()
            assert [await anext(lines) for _ in range(2)] == [":", "event: next"]
            stopping = asyncio.create_task(served.stop())
            async with asyncio.timeout(30):
                rest = [line async for line in lines]
            assert not any("complete" in line for line in rest)
        assert await other.stop() == 0
        for client in clients:
            with pytest.raises(ConnectionClosed) as closed:
                await message(client)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1001
        async with asyncio.timeout(30):
            assert await stopping == 0
        assert "graceful shutdown exceeded" not in served.log.read_text()  # nobody had to be cut off
