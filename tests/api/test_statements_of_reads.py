"""The reads of a day's first screen cost a fixed, small number of statements."""

from __future__ import annotations

import asyncio

from models import FeatureType
from services.days import FACTS
from tests.statements import watched
from tests.world import World, forge

TODAY = "{ todayFeature { __typename } }"
DICE = "{ diceStatus { __typename } }"
FIRST_SCREEN = """{ todayFeature { __typename } diceStatus { __typename } seasonPassStatus { __typename }
  me { externalId balances { type amount } } }"""
ME = "{ me { externalId balances { type amount } } }"


async def test_today_and_a_status_are_one_statement_and_the_first_view_one_more(world: World) -> None:
    alice = await world.player()
    await world.today(FeatureType.DICE)
    await world.parts.reads.day(world.clock())
    counts = []
    for query in (TODAY, TODAY, DICE):
        with watched(world) as statements:
            await alice.data(query)
        counts.append(len(statements))
    assert counts == [2, 1, 1]


async def test_a_player_and_the_balances_are_one_statement(world: World) -> None:
    alice = await world.player()
    await world.parts.reads.day(world.clock())
    with watched(world) as statements:
        await alice.data(ME)
    assert len(statements) == 1


async def test_a_first_screen_is_one_statement_and_its_view_another(world: World) -> None:
    alice = await world.player()
    await world.parts.reads.day(world.clock())
    with watched(world) as statements:
        await alice.data(FIRST_SCREEN)
    assert len(statements) == 2


async def test_screens_of_one_moment_ride_together(world: World) -> None:
    """However many come at once: one connection, a statement for each batch of 256, and none refused."""
    players = [await world.player(f"p{number}") for number in range(300)]
    with watched(world) as statements:
        answers = await asyncio.gather(*(player.data(FIRST_SCREEN) for player in players))
    assert [answer["me"]["externalId"] for answer in answers] == [f"p{number}" for number in range(300)]
    assert {answer["diceStatus"]["__typename"] for answer in answers} == {"DiceStatus"}
    assert len(statements) < 60


async def test_the_facts_of_a_day_are_read_once_until_they_are_others(world: World) -> None:
    """By whoever comes first, player or reader; whatever changed, everybody reads them once more."""
    alice, bob = await world.player(), await world.player("bob")
    told = []
    for ask in (alice.data(ME), bob.play(), alice.data(DICE)):
        with watched(world) as statements:
            await ask
        told.append([statement for statement, _ in statements.sent].count(FACTS))
    assert told == [1, 0, 0]
    await world.sql.execute("UPDATE feature_config SET title = 'Other' WHERE feature_type = 'LOTTERY'")
    with watched(world) as statements:
        assert (await bob.play())["__typename"] == "DicePlay"
    assert [statement for statement, _ in statements.sent].count(FACTS) == 1


async def test_facts_without_a_name_are_read_by_everybody(world: World) -> None:
    """Somebody emptied the table by hand: then nothing is known, and everything still works."""
    alice = await world.player()
    assert (await alice.play())["__typename"] == "DicePlay"
    await world.sql.execute("TRUNCATE fact_revision")
    await forge(world.sql, "UPDATE dice_config SET max_daily_plays = 1")
    await world.sql.execute("TRUNCATE fact_revision")
    assert (await alice.play())["code"] == "DAILY_LIMIT_REACHED"
    assert (await alice.data("{ diceStatus { ... on DiceStatus { dailyLimit { max } } } }"))["diceStatus"] == {
        "dailyLimit": {"max": 1}
    }


async def test_what_an_operator_changed_is_seen_by_who_asks_next(world: World) -> None:
    alice = await world.player()
    assert (await alice.data(DICE))["diceStatus"]["__typename"] == "DiceStatus"
    await world.today(FeatureType.LOTTERY)
    assert (await alice.data(DICE))["diceStatus"]["__typename"] == "NoFeatureToday"
