"""The reads of a day's first screen cost a fixed, small number of statements."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from models import FeatureType
from tests.world import World

TODAY = "{ todayFeature { __typename } }"
DICE = "{ diceStatus { __typename } }"


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every statement that is sent with the plain driver."""
    sent: list[str] = []
    original = asyncpg.Connection._execute  # type: ignore[attr-defined]

    async def noted(self: Any, query: str, *arguments: Any, **options: Any) -> Any:
        sent.append(query)
        return await original(self, query, *arguments, **options)

    monkeypatch.setattr(asyncpg.Connection, "_execute", noted)
    return sent


async def test_today_and_a_status_are_one_statement_and_the_first_view_one_more(
    world: World, statements: list[str]
) -> None:
    alice = await world.player()
    await world.today(FeatureType.DICE)
    counts = []
    for query in (TODAY, TODAY, DICE):
        statements.clear()
        await alice.data(query)
        counts.append(len(statements))
    assert counts == [2, 1, 1], statements
