"""Several applications on one database: what worker processes are to each other, in one process of tests."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from random import Random
from typing import Any

import pytest

from models import Role
from tests.games import only_points
from tests.world import Client, World, running

Answers = list[dict[str, Any]]

SIZES = ("small", pytest.param("full", marks=pytest.mark.soak))
in_both_sizes = pytest.mark.parametrize("size", SIZES)


class Patient(Client):
    """A client who sends the same again where the server asks for it, as on a busy machine."""

    async def data(self, query: str, **variables: Any) -> dict[str, Any]:
        while is_to_be_sent_again(answer := await self.execute(query, **variables)):
            await asyncio.sleep(0.05)
        assert "errors" not in answer, answer["errors"]
        data: dict[str, Any] = answer["data"]
        return data


def is_to_be_sent_again(answer: dict[str, Any]) -> bool:
    """Whether a server asks for the same once more: of the whole, or of one of its fields."""
    if errors := answer.get("errors"):
        return any(error["extensions"]["retryable"] for error in errors)
    return any(isinstance(field, dict) and field.get("retryable") for field in answer["data"].values())


def patient(client: Client) -> Patient:
    return Patient(client.http, client.token, client.player_id)


@dataclass(frozen=True)
class Race:
    """The applications, and the order in which requests are sent to them."""

    workers: Sequence[World]
    order: Random

    @property
    def world(self) -> World:
        """The first of them: for the clock's sake, and for SQL."""
        return self.workers[0]

    async def players(self, count: int) -> list[list[Client]]:
        """That many players, each with a patient client of every application."""
        rows = await self.world.sql.fetch(
            "INSERT INTO \"user\" (external_id, created_at) SELECT 'racer ' || n, $2 FROM generate_series(1, $1) AS n"
            " RETURNING id",
            count,
            self.world.clock(),
        )
        issue = self.world.parts.issue_token
        tokens = [(row["id"], issue(row["id"], Role.PLAYER).text) for row in rows]
        return [[Patient(worker.http, token, number) for worker in self.workers] for number, token in tokens]

    def of(self, player: Sequence[Client]) -> Client:
        """A player's client of any of the applications."""
        return self.order.choice(player)

    async def run(self, requests: Iterable[Awaitable[dict[str, Any]]], *, at_once: int = 400) -> Answers:
        """Send requests, `at_once` of them under way; the answers in the order given.

        Chance changes their order among neighbours, so that copies which stand together are under way together.
        """
        waiting = sorted(enumerate(requests), key=lambda one: one[0] + self.order.uniform(0, at_once), reverse=True)
        answers: dict[int, dict[str, Any]] = {}

        async def client() -> None:
            while waiting:
                position, request = waiting.pop()
                answers[position] = await request

        await asyncio.gather(*(client() for _ in range(min(at_once, len(waiting)))))
        return [answers[position] for position in range(len(answers))]

    async def fetch(self, query: str, *arguments: Any) -> list[tuple[Any, ...]]:
        """Rows, as tuples."""
        return [tuple(row) for row in await self.world.sql.fetch(query, *arguments)]


@asynccontextmanager
async def race(url: str, *, workers: int, seed: int, **overrides: Any) -> AsyncIterator[Race]:
    """That many applications on the demo data, at noon of a day of the dice; every draw gives ten points."""
    async with AsyncExitStack() as stack:
        worlds = []
        for number in range(workers):
            # Two lanes in one and one in the next: players meet in other lanes elsewhere.
            options = {"HARU_LANES": 1 + (number + 1) % 2} | overrides
            world = await stack.enter_async_context(running(url, demo=number == 0, **options))
            world.rng.seed(seed * 100 + number)
            worlds.append(world)
        await only_points(worlds[0])
        print(f"seed {seed}, {workers} workers", end="")
        yield Race(worlds, Random(seed))


def outcomes(answers: Answers) -> Counter[str]:
    """How often each type or code was answered; prints it."""
    counts = Counter(answer.get("code") or answer["__typename"] for answer in answers)
    print(f"; {len(answers)} requests: {dict(counts)}", end="")
    return counts
