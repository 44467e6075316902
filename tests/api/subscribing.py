"""Subscriptions, for tests: documents, signals, and worlds that hear them."""

from __future__ import annotations

from typing import Any

import pytest

from services import signals as signals_module
from services.signals import DAY, announce
from tests.world import World

TODAY = """
subscription {
  todayFeatureChanged {
    __typename
    ... on TodayFeature { date featureType title serverTime endsAt }
    ... on UserError { code retryable }
  }
}
"""
STOCK = """
subscription {
  lotteryStockChanged {
    __typename
    ... on LotteryStatus { dailyLimit { used } config { revision prizes { label stock odds { weight totalWeight } } } }
    ... on UserError { code }
  }
}
"""
RANKING = """
subscription ($date: Date!, $first: Int! = 10) {
  rankingPublished(date: $date) {
    ... on RankingSnapshot {
      date revision totalEntries me { rank } entries(first: $first) { nodes { rank displayName isMe } }
    }
    ... on UserError { code }
  }
}
"""
PUBLISH = """
mutation ($date: Date!, $rows: [RankingRowInput!]!, $revision: Int) {
  publishRanking(input: {date: $date, rows: $rows, expectedRevision: $revision}) {
    __typename ... on PublishRankingPayload { snapshot { revision } } ... on UserError { code message }
  }
}
"""
FIRST_STOCK = """
UPDATE lottery_stock SET "left" = $1, initial = 1000
WHERE id = (SELECT stock_id FROM lottery_prize WHERE position = 0)
"""
QUIET = 0.3
"""Seconds in which nothing is told, where nothing is to be told."""


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at the clock often: it is the test's."""
    monkeypatch.setattr(signals_module, "LONGEST_NAP_SECONDS", 0.02)


@pytest.fixture
async def live(world: World, soon: None) -> World:
    """A world that hears signals."""
    await world.parts.signals.listening()
    return world


async def signal(world: World, topic: str = DAY) -> None:
    await world.parts.transact(lambda tx: announce(tx, topic))


async def is_quiet(client: Any) -> bool:
    try:
        await client.next(QUIET)
    except TimeoutError:
        return True
    return False


def row(rank: int, name: str, external_id: str | None = None) -> dict[str, Any]:
    return {"rank": rank, "displayName": name, "score": 100 - rank, "externalId": external_id}
