"""/readyz: what it answers, and how seldom it asks the database."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial
from typing import Any

import asyncpg
import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response

from server.migrations.upgrade import EXPECTED_REVISION
from server.readiness import FRESH_SECONDS, Readiness
from services.health import Health, State
from services.outages import because
from services.request_errors import Unavailable
from tests.world import NOON, World

ANYBODY = Request({"type": "http"})


class Looks:
    """A database that answers when it is told to, and a clock."""

    def __init__(self, answer: State | Exception | None = None) -> None:
        self.answer = answer or state()
        self.asked = 0
        self.now = 100.0
        self.others: list[str | Exception | None] = [None, None]
        self.up = asyncio.Event()
        others = [partial(self.other, number) for number, _ in enumerate(self.others)]
        self.readiness = Readiness(self.look, others, clock=lambda: NOON, monotonic=lambda: self.now)

    async def look(self) -> State:
        self.asked += 1
        await self.up.wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    async def other(self, number: int) -> str | None:
        answer = self.others[number]
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def ask(self) -> Response:
        return await self.readiness.readyz(ANYBODY)


def state(**changes: Any) -> State:
    """A database on which requests can be served, but for `changes`."""
    return replace(State(EXPECTED_REVISION, is_writable=True, now=NOON), **changes)


def apart(**delta: float) -> State:
    """A database with another clock."""
    return state(now=NOON + dt.timedelta(**delta))


@pytest.mark.parametrize(
    ("answer", "status", "told"),
    [
        (state(), 200, {"revision": EXPECTED_REVISION}),
        (state(revision="older"), 503, {"revision": "older", "reason": "the database is at another revision"}),
        (state(revision=None), 503, {"revision": None}),
        (state(is_writable=False), 503, {"reason": "the database is read-only", "revision": EXPECTED_REVISION}),
        (apart(seconds=5), 200, {}),
        (apart(seconds=-5), 200, {}),
        (apart(seconds=6), 503, {"reason": "the clocks of this server and of the database are 6 s apart"}),
        (apart(days=-1), 503, {"reason": "the clocks of this server and of the database are 86400 s apart"}),
        (Unavailable(), 503, {"reason": "the database does not answer"}),
        (ValueError("a secret of ours"), 503, {"reason": "the database does not answer as expected"}),
    ],
)
async def test_answers(answer: State | Exception, status: int, told: dict[str, str | None]) -> None:
    looks = Looks(answer)
    looks.up.set()
    response = await looks.ask()
    assert response.status_code == status
    body = json.loads(bytes(response.body))
    assert body.items() >= ({"ready": status == 200} | told).items()
    assert body.get("expectedRevision", EXPECTED_REVISION) == EXPECTED_REVISION


@pytest.mark.parametrize(
    ("others", "told"),
    [
        (["it could lose something", None], {"reason": "it could lose something", "revision": EXPECTED_REVISION}),
        ([None, "nothing can be drawn"], {"reason": "nothing can be drawn", "revision": EXPECTED_REVISION}),
        (["it could lose something", "nothing can be drawn"], {"reason": "it could lose something"}),
        ([Unavailable(), None], {"reason": "the database does not answer"}),
    ],
)
async def test_whatever_else_is_in_the_way_is_told(others: list[str | Exception | None], told: dict[str, str]) -> None:
    looks = Looks()
    looks.up.set()
    looks.others[:] = others
    response = await looks.ask()
    assert response.status_code == 503
    assert json.loads(bytes(response.body)).items() >= ({"ready": False} | told).items()
    looks.answer = state(is_writable=False)
    looks.now += FRESH_SECONDS
    assert json.loads(bytes((await looks.ask()).body))["reason"] == "the database is read-only"


async def test_the_log_tells_when_it_begins_and_ends_and_why(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("WARNING", "haru.readiness")
    looks = Looks()
    looks.up.set()
    refused = because(Unavailable(), asyncpg.InvalidPasswordError('password authentication failed for user "haru"'))
    bug = ValueError("a bug")
    for answer in (state(), refused, refused, state(is_writable=False), state(), state(), bug, bug, refused, bug):
        looks.answer = answer
        looks.now += FRESH_SECONDS
        await looks.ask()
    assert [record.getMessage() for record in caplog.records] == [
        'not ready: the login is refused: password authentication failed for user "haru"',
        "not ready: the database is read-only",
        "ready again",
        "readyz failed",
        "not ready: ValueError('a bug')",
        'not ready: the login is refused: password authentication failed for user "haru"',
        "not ready: ValueError('a bug')",
    ]
    assert [record.exc_info is not None for record in caplog.records].count(True) == 1


async def test_whoever_asks_at_once_shares_one_look() -> None:
    looks = Looks()
    asking = [asyncio.create_task(looks.ask()) for _ in range(100)]
    await asyncio.sleep(0)
    looks.now += 60  # a look that takes long is still the one to wait for
    asking += [asyncio.create_task(looks.ask()) for _ in range(100)]
    await asyncio.sleep(0)
    asking.pop(0).cancel()
    looks.up.set()
    assert {response.status_code for response in await asyncio.gather(*asking)} == {200}
    assert looks.asked == 1


async def test_a_look_that_is_under_way_is_given_up_with_the_server() -> None:
    looks, before = Looks(), asyncio.all_tasks()
    await looks.readiness.stop()
    asked = asyncio.create_task(looks.ask())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert looks.asked == 1
    await looks.readiness.stop()
    assert (await asyncio.gather(asked, return_exceptions=True))[0].__class__ is asyncio.CancelledError
    assert asyncio.all_tasks() == before


async def test_an_answer_is_good_for_a_second() -> None:
    looks = Looks()
    looks.up.set()
    assert (await looks.ask()).status_code == 200
    looks.answer = Unavailable()
    looks.now += FRESH_SECONDS * 0.99
    assert (await looks.ask()).status_code == 200
    assert looks.asked == 1
    looks.now += FRESH_SECONDS * 0.02
    assert (await looks.ask()).status_code == 503
    looks.answer = state()
    looks.now += FRESH_SECONDS
    assert (await looks.ask()).status_code == 200


async def test_the_application_is_ready(world: World) -> None:
    asked: list[httpx.Response] = await asyncio.gather(*(world.http.get("/readyz") for _ in range(20)))
    assert {response.status_code for response in asked} == {200}
    assert asked[0].json()["ready"] is True


async def test_the_look_has_a_session_of_its_own(world: World) -> None:
    """Whoever holds all of the pools keeps nobody from looking, and a session that has ended is replaced."""
    health, database = Health(world.parts.database), world.parts.database
    async with AsyncExitStack() as held:
        for _ in range(database.pool_size):
            await held.enter_async_context(database.hot())
            await held.enter_async_context(database.read())
        first, second = await health.look(), await health.look()
        assert first.revision == second.revision == EXPECTED_REVISION
        assert first.now < second.now
        assert health._session._connection is not None
        session = health._session._connection.get_server_pid()
        await world.sql.execute("SELECT pg_terminate_backend($1, 2000)", session)
        await asyncio.sleep(0.05)  # the end is on its way
        assert (await health.look()).is_writable
    health.close()
    health.close()
