"""Clients that go away: what only reads stops, what they commanded is done; and nobody waits for ever."""

from __future__ import annotations

import asyncio
import json
from typing import Any, NoReturn

import pytest
from sqlalchemy import text
from starlette.types import Message

from models import Role
from server.http.places import Over
from server.http.requests import WhileThere
from server.observing.record import Record
from services.connector import Connector
from tests.games import another_session
from tests.http.conftest import make_endpoint
from tests.http.test_websocket import app
from tests.http.toy import SLEEPING
from tests.live import Exchange, socket
from tests.world import running

READING = "{ sleeps(seconds: 600) }"
COMMAND = "mutation { sleeps(seconds: 0.5) }"


@pytest.fixture(autouse=True)
def nobody_sleeps() -> None:
    SLEEPING.clear()


async def until(*told: str) -> None:
    async with asyncio.timeout(30):
        while list(told) != SLEEPING:
            await asyncio.sleep(0.01)


async def leave_over_http(query: str, kind: str) -> tuple[list[Record], Exchange]:
    """Send a request, and go away while it is under way."""
    told: list[Record] = []
    headers = [(b"content-type", b"application/json"), (b"authorization", b"Bearer mia")]
    scope = {"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": headers}
    exchange = Exchange(make_endpoint(told=(told.append,)), scope)
    await exchange.given.put({"type": "http.request", "body": json.dumps({"query": query}).encode()})
    await exchange.start()
    await until(kind)
    await exchange.given.put({"type": "http.disconnect"})
    return told, exchange


async def test_a_query_over_http_stops() -> None:
    told, exchange = await leave_over_http(READING, "query")
    await until("query", "stopped")
    await exchange.ended()
    assert exchange.taken.empty()
    assert [record.outcome for record in told] == ["gone"]


async def test_a_mutation_over_http_is_done() -> None:
    _, exchange = await leave_over_http(COMMAND, "mutation")
    await until("mutation", "awoke")
    await exchange.ended()


async def test_what_a_resolver_raises_is_not_taken_for_a_client_that_left() -> None:
    headers = [(b"content-type", b"application/json"), (b"authorization", b"Bearer mia")]
    scope = {"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": headers}

    def make_context(*_: Any) -> Any:
        raise TimeoutError

    exchange = Exchange(make_endpoint(make_context=make_context), scope)
    await exchange.given.put({"type": "http.request", "body": json.dumps({"query": "{ matrix }"}).encode()})
    await exchange.start()
    assert (await exchange.next())["status"] == 503
    await exchange.ended()


@pytest.mark.parametrize("leaves", [True, False], ids=["leaves", "completes"])
async def test_a_query_over_websocket_stops(leaves: bool) -> None:
    async with socket(app(), "mia") as client:
        await client.subscribe(READING)
        await until("query")
        if not leaves:
            await client.send("complete", id="1")
            await until("query", "stopped")
    await until("query", "stopped")


async def test_a_mutation_over_websocket_is_done() -> None:
    async with socket(app(), "mia") as client:
        await client.subscribe(COMMAND)
        await until("mutation")
    await until("mutation", "awoke")


BLOCKED = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


async def test_a_request_ends_in_its_time_and_its_statements_with_it(empty_database: str) -> None:
    """Somebody holds a lock for longer than a request may take, though not for longer than it may wait for a lock."""
    patient: dict[str, Any] = {"HARU_REQUEST_SECONDS": 2.5, "HARU_LOCK_WAIT_SECONDS": 4.0}
    async with running(empty_database, **patient) as world, another_session(empty_database) as holder:
        ada = await world.player("ada", Role.OPERATOR)
        async with holder.transaction():
            await holder.execute("LOCK TABLE coupon_code IN ACCESS EXCLUSIVE MODE")
            asked = asyncio.create_task(ada.post("{ couponPools { left } }"))
            async with asyncio.timeout(30):
                while await world.sql.fetchval(BLOCKED) == 0:
                    await asyncio.sleep(0.02)
            answer = await asked
            assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (503, "UNAVAILABLE")
            assert answer.json()["errors"][0]["message"] == "The request took too long; try again shortly."
            async with asyncio.timeout(2):  # it would wait for the lock for longer
                while await world.sql.fetchval(BLOCKED) != 0:
                    await asyncio.sleep(0.02)


@pytest.mark.parametrize("look_seconds", [0.01, 0.0])
async def test_whoever_was_answered_is_not_waited_for(look_seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither by a look that was still to come, nor by one that is under way."""
    monkeypatch.setattr(WhileThere, "look_seconds", look_seconds)
    looks, before = [0], asyncio.all_tasks()

    async def receive() -> Message:
        looks[0] += 1
        await asyncio.get_running_loop().create_future()
        raise AssertionError("nobody answers")

    async with WhileThere(receive):
        for _ in range(0 if look_seconds else 5):
            await asyncio.sleep(0)
    was_looked_after = looks[0]
    await asyncio.sleep(0.1)
    assert looks[0] == was_looked_after == (0 if look_seconds else 1)
    assert asyncio.all_tasks() <= before


SESSIONS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'haru'"


async def test_a_server_that_stops_does_what_it_has_to_and_gives_its_sessions_back(empty_database: str) -> None:
    done: list[object] = []
    async with another_session(empty_database) as watch:
        async with running(empty_database) as world:
            alice, places = await world.player(), world.app.state.places
            assert (await alice.post("{ me { plays(first: 1) { edges { cursor } } } }")).status_code == 200
            assert (await world.http.get("/readyz")).status_code == 200

            async def work() -> None:
                done.append(await places.over(None))
                async with world.parts.database.read() as connection:
                    done.append(await connection.scalar(text("SELECT 1")))

            asked = asyncio.create_task(places.to_the_end(work()))
            await asyncio.sleep(0)
            assert await watch.fetchval(SESSIONS) > 2
        assert done == [Over.STOPPING, 1]
        await asked
        async with asyncio.timeout(30):
            while await watch.fetchval(SESSIONS) > 0:
                await asyncio.sleep(0.02)


async def test_a_server_that_stops_leaves_nothing_under_way(
    empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What still connects when all sessions are given back would have one that nobody gives back: `running` looks."""
    connecting = asyncio.Semaphore(0)

    async def hang(*_: object) -> NoReturn:
        connecting.release()
        await asyncio.get_running_loop().create_future()
        raise AssertionError

    async with running(empty_database) as world:
        alice = await world.player()
        monkeypatch.setattr(Connector, "_connect_to", hang)
        await world.sql.execute(
            "SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'haru'"
        )
        gone = [
            asyncio.create_task(alice.post("{ me { externalId } }")),
            asyncio.create_task(world.http.get("/readyz")),
        ]
        for _ in ("a read", "a look", "whose tokens hold", "signals"):
            await connecting.acquire()
        for client in gone:
            client.cancel()
        await asyncio.gather(*gone, return_exceptions=True)
