"""/readyz: what it answers, and how seldom it asks the database."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response

from server.database import EXPECTED_REVISION
from server.readiness import FRESH_SECONDS, Readiness
from services.errors import Unavailable
from tests.world import World

ANYBODY = Request({"type": "http"})


class Revisions:
    """A database that answers when it is told to, and a clock."""

    def __init__(self, answer: str | Exception | None = EXPECTED_REVISION) -> None:
        self.answer = answer
        self.asked = 0
        self.now = 100.0
        self.up = asyncio.Event()
        self.readiness = Readiness(self.revision, monotonic=lambda: self.now)

    async def revision(self) -> str | None:
        self.asked += 1
        await self.up.wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    async def ask(self) -> Response:
        return await self.readiness.readyz(ANYBODY)


@pytest.mark.parametrize(
    ("answer", "status", "told"),
    [
        (EXPECTED_REVISION, 200, {"revision": EXPECTED_REVISION, "expectedRevision": EXPECTED_REVISION}),
        ("older", 503, {"revision": "older", "expectedRevision": EXPECTED_REVISION}),
        (None, 503, {"revision": None, "expectedRevision": EXPECTED_REVISION}),
        (Unavailable(), 503, {"reason": "the database does not answer"}),
        (ValueError("a secret of ours"), 503, {"reason": "the database does not answer as expected"}),
    ],
)
async def test_answers(answer: str | Exception | None, status: int, told: dict[str, str]) -> None:
    revisions = Revisions(answer)
    revisions.up.set()
    response = await revisions.ask()
    assert response.status_code == status
    assert json.loads(bytes(response.body)) == {"ready": status == 200} | told


async def test_whoever_asks_at_once_shares_one_look() -> None:
    revisions = Revisions()
    asking = [asyncio.create_task(revisions.ask()) for _ in range(100)]
    await asyncio.sleep(0)
    revisions.now += 60  # a look that takes long is still the one to wait for
    asking += [asyncio.create_task(revisions.ask()) for _ in range(100)]
    await asyncio.sleep(0)
    asking.pop(0).cancel()
    revisions.up.set()
    assert {response.status_code for response in await asyncio.gather(*asking)} == {200}
    assert revisions.asked == 1


async def test_an_answer_is_good_for_a_second() -> None:
    revisions = Revisions()
    revisions.up.set()
    assert (await revisions.ask()).status_code == 200
    revisions.answer = Unavailable()
    revisions.now += FRESH_SECONDS * 0.99
    assert (await revisions.ask()).status_code == 200
    assert revisions.asked == 1
    revisions.now += FRESH_SECONDS * 0.02
    assert (await revisions.ask()).status_code == 503
    revisions.answer = EXPECTED_REVISION
    revisions.now += FRESH_SECONDS
    assert (await revisions.ask()).status_code == 200


async def test_the_application_is_ready(world: World) -> None:
    asked: list[httpx.Response] = await asyncio.gather(*(world.http.get("/readyz") for _ in range(20)))
    assert {response.status_code for response in asked} == {200}
    assert asked[0].json()["ready"] is True
