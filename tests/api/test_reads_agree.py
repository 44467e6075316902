"""All that one answer tells of its player is of one moment, whatever is played meanwhile."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import pytest

from models import FeatureType
from services import history
from services.rules.day import Day
from tests.games import UNDER_TEST, another_session, on, only_points
from tests.world import Client, World, forge, running

SCREEN = """query Screen($first: Int!) {
  me { balances { type amount } ...lists }
  diceStatus { ... on DiceStatus { dailyLimit { used } } }
  seasonPassStatus { ... on SeasonPassStatus { progress { totalStamps currentXp } } }
}
fragment lists on Player {
  rewards(first: $first) { nodes { type balanceAfter } }
  plays(first: $first) { nodes { dailyLimit { used } } }
  more: plays(first: 2) { nodes { id } }
  events(first: 3) { nodes { id } }
}"""


def faults(answer: dict[str, Any], plays: int) -> list[str]:
    """Where the fields of a screen tell of different moments, of a player all of whose plays gave points."""
    me = answer["me"]
    newest = next((node["balanceAfter"] for node in me["rewards"]["nodes"] if node["type"] == "POINT"), 0)
    points = next(balance["amount"] for balance in me["balances"] if balance["type"] == "POINT")
    used, last = answer["diceStatus"]["dailyLimit"]["used"], me["plays"]["nodes"][:1]
    shown = last[0]["dailyLimit"]["used"] if last else 0
    stamps = answer["seasonPassStatus"]["progress"]["totalStamps"]
    told = [("points", points, newest), ("plays", used, shown), ("stamps", stamps, min(used, 1))]
    assert used <= plays
    return [f"{name}: {one} and {other}" for name, one, other in told if one != other]


async def test_lists_and_balances_and_statuses_are_of_one_moment(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A play that is stored between two statements of a read is seen by both, or by neither."""
    await on(world, UNDER_TEST[0], limit=0)
    await only_points(world)
    alice = await world.player()
    read = history.ledgers

    async def playing(*arguments: Any) -> Any:
        await alice.play()
        return await read(*arguments)

    monkeypatch.setattr(history, "ledgers", playing)
    async with running(world.settings.owner_url or "", demo=False) as reader:
        client = Client(reader.http, alice.token)
        for plays in (1, 2, 3):
            assert faults(await client.data(SCREEN, first=5), plays) == []
    assert await world.count("dice_log") == 3


async def test_screens_among_plays_agree(empty_database: str) -> None:
    """The same by chance: players who play and look at once, in two processes."""
    async with running(empty_database) as world, running(empty_database, demo=False) as other:
        await on(world, UNDER_TEST[0], limit=0)
        await only_points(world)
        players = [await world.player(f"p{number}") for number in range(4)]
        looks = [Client(process.http, player.token) for player in players for process in (world, other)]

        async def plays(player: Client) -> None:
            for _ in range(10):
                assert (await player.play())["__typename"] == "DicePlay"

        async def screens(client: Client) -> list[str]:
            return [fault for _ in range(10) for fault in faults(await client.data(SCREEN, first=2), 10)]

        _, found = await asyncio.gather(asyncio.gather(*map(plays, players)), asyncio.gather(*map(screens, looks)))
    assert [fault for one in found for fault in one] == []


async def test_one_statement_is_no_transaction(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    began: list[dict[str, Any]] = []
    begin = asyncpg.Connection.transaction

    def noted(self: Any, **options: Any) -> Any:
        began.append(options)
        return begin(self, **options)

    monkeypatch.setattr(asyncpg.Connection, "transaction", noted)
    alice = await world.player()
    await alice.data("{ me { balances { amount } } diceStatus { __typename } seasonPassStatus { __typename } }")
    assert began == []
    await alice.data("{ me { balances { amount } rewards { nodes { id } } } }")
    assert began == [{"isolation": "repeatable_read", "readonly": True}]


async def test_a_list_with_a_bad_argument_is_refused_by_itself(world: World) -> None:
    alice = await world.player()
    answer = await alice.execute("{ me { externalId rewards(first: 0) { nodes { id } } } session { role } }")
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["BAD_REQUEST"]
    assert answer["data"]["session"] == {"role": "PLAYER"}


EDITS = {
    "feature_config": "UPDATE feature_config SET page_path = '/other' WHERE feature_type = 'DICE'",
    "feature_schedule": "DELETE FROM feature_schedule WHERE date = '2026-03-02'",
    "dice_config": "UPDATE dice_config SET name = 'other'",
    "roulette_segment": "UPDATE roulette_segment SET label = 'other'",
    "lottery_prize": "DELETE FROM lottery_prize WHERE position = 0",
    "lottery_stock": "UPDATE lottery_stock SET initial = initial + 1",
    "season_pass_config": "UPDATE season_pass_config SET base_xp_per_stamp = 7",
    "season_pass_level": "UPDATE season_pass_level SET required_xp = required_xp + 1",
    "truncated": "TRUNCATE feature_schedule",
}


async def today(world: World) -> Day:
    return (await world.parts.reads.day(world.clock())).day


DICE_AND_LOTTERY = (FeatureType.DICE, FeatureType.LOTTERY)


async def name_of(session: asyncpg.Connection[asyncpg.Record]) -> object:
    return await session.fetchval("SELECT revision FROM fact_revision WHERE facts = 'day'")


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
async def test_a_row_edited_by_hand_names_the_facts_anew(world: World, edit: str) -> None:
    before = await name_of(world.sql)
    await forge(world.sql, edit)
    assert await name_of(world.sql) not in {None, before}


async def test_what_is_no_fact_of_a_day_leaves_the_name(world: World) -> None:
    """A draw moves a stock, and a publication that is rolled back, or changes nothing, moves nothing."""
    alice = await world.player()
    await world.today(FeatureType.LOTTERY)
    before = await name_of(world.sql)
    for _ in range(3):
        assert (await alice.play("drawLottery"))["__typename"] == "LotteryDraw"
    await world.sql.execute('UPDATE lottery_stock SET "left" = "left" - 1')
    await world.sql.execute("UPDATE feature_config SET title = 'x' WHERE feature_type = 'NOPE'")
    transaction = world.sql.transaction()
    await transaction.start()
    await world.sql.execute("UPDATE feature_config SET title = 'x'")
    await transaction.rollback()
    assert await name_of(world.sql) == before


async def test_publications_under_way_hold_up_nobody_and_are_all_named(world: World) -> None:
    """Who publishes waits for another publication at its commit alone; a play, a draw or a read for none."""
    alice = await world.player()
    async with another_session(world.settings.owner_url or "") as other:
        mine, theirs = world.sql.transaction(), other.transaction()
        await mine.start()
        await theirs.start()
        await world.sql.execute("UPDATE feature_config SET title = 'mine' WHERE feature_type = 'DICE'")
        await other.execute("UPDATE feature_config SET title = 'theirs' WHERE feature_type = 'LOTTERY'")
        before = await today(world)
        assert (await alice.play())["__typename"] == "DicePlay"
        await theirs.commit()
        between = await today(world)
        await mine.commit()
        after = await today(world)
    titles = [
        (day.features[FeatureType.DICE].title, day.features[FeatureType.LOTTERY].title) for day in (between, after)
    ]
    assert titles[0][1] == titles[1][1] == "theirs"
    assert titles[1][0] == "mine" != titles[0][0]
    assert len({before.revision, between.revision, after.revision}) == 3


async def test_facts_are_never_kept_under_a_name_of_others(empty_database: str) -> None:
    """Publications and reads race; what is known under a name is what the database has under it."""
    async with running(empty_database) as world, another_session(empty_database) as editor:
        seen = dict[object, str]()

        async def publish() -> None:
            await today(world)  # whoever reads has a session by now
            for number in range(60):
                await editor.execute("UPDATE feature_config SET title = $1 WHERE feature_type = 'DICE'", str(number))

        async def read() -> None:
            while not publishing.done():
                day = await today(world)
                title = day.features[FeatureType.DICE].title
                assert seen.setdefault(day.revision, title) == title

        publishing = asyncio.create_task(publish())
        await asyncio.gather(publishing, read(), read())
        assert (await today(world)).features[FeatureType.DICE].title == "59"
    assert len(seen) > 1
