"""Do the last pieces of a prize come up as often as published? Here, because a naive store leaves faults behind."""

from __future__ import annotations

import pytest

from services import store
from tests.games import UNDER_TEST, on
from tests.races.test_draws import SEED, weigh
from tests.races.workers import Race, race

FIVE_AGAIN = """
UPDATE lottery_stock SET initial = initial + 5 - "left", "left" = 5
WHERE id = (SELECT stock_id FROM lottery_prize WHERE position = 0)
"""


async def share(racing: Race, runs: int) -> float:
    """How often a prize of odds 0.5, of which there are five, is drawn where the recorded table has it."""
    players = await racing.players(40)
    for run in range(runs):
        await racing.world.sql.execute(FIVE_AGAIN)
        await racing.run((racing.of(one).play("drawLottery", f"run {run}") for one in players), at_once=40)
    counted = await racing.fetch(
        "SELECT avg((p.position = 0)::int)::float FROM lottery_log l JOIN lottery_prize p ON p.id = l.prize_id"
        " WHERE l.drawn_from[1] > 0"
    )
    found: float = counted[0][0]
    print(f"; drawn in {found:.4f} of the draws whose table had it", end="")
    return found


@pytest.mark.soak
async def test_the_last_pieces_come_up_as_often_as_published(empty_database: str) -> None:
    """A store that fails for whoever won alone decides winners anew, from a later table: 0.490 of 0.5."""
    async with race(empty_database, workers=2, seed=SEED, HARU_LANES=2) as racing:
        await on(racing.world, UNDER_TEST[2], limit=0)
        await weigh(racing.world, (1, 5), (1, None))
        assert abs(await share(racing, 2_000) - 0.5) < 0.012


@pytest.mark.soak
async def test_a_naive_store_would_be_found(empty_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    naive = store.NUMBER_DRAWS.replace('s."left" = d."left" OR least(s."left", d."left") >= ${draws}::bigint', "true")
    assert naive != store.NUMBER_DRAWS
    monkeypatch.setattr(store, "NUMBER_DRAWS", naive)
    store._statement.cache_clear()
    try:
        async with race(empty_database, workers=2, seed=SEED, HARU_LANES=2) as racing:
            await on(racing.world, UNDER_TEST[2], limit=0)
            await weigh(racing.world, (1, 5), (1, None))
            assert await share(racing, 2_000) < 0.495
    finally:
        store._statement.cache_clear()
