"""The reads of a day's first screen cost a fixed, small number of statements."""

from __future__ import annotations

from models import FeatureType
from tests.statements import watched
from tests.world import World

TODAY = "{ todayFeature { __typename } }"
DICE = "{ diceStatus { __typename } }"
ME = "{ me { externalId balances { type amount } } }"


async def test_today_and_a_status_are_one_statement_and_the_first_view_one_more(world: World) -> None:
    alice = await world.player()
    await world.today(FeatureType.DICE)
    counts = []
    for query in (TODAY, TODAY, DICE):
        with watched(world) as statements:
            await alice.data(query)
        counts.append(len(statements))
    assert counts == [2, 1, 1]


async def test_a_player_is_one_statement_and_the_balances_one_more(world: World) -> None:
    alice = await world.player()
    with watched(world) as statements:
        await alice.data(ME)
    assert len(statements) == 2
