"""Subscriptions through the public door: what is told, when, and to whom."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import Any, NoReturn

import pytest

from models import FeatureType, Role
from resolvers import subscriptions as resolvers
from services import signals as signals_module
from services.signals import DAY, announce
from tests.api.subscribing import FIRST_STOCK, PUBLISH, RANKING, STOCK, TODAY, is_quiet, row, signal
from tests.games import all_in_stock
from tests.live import Closed, events, socket
from tests.world import World, forge, running

pytestmark = pytest.mark.usefixtures("soon")


async def test_the_day_now_and_when_it_changes(live: World) -> None:
    alice = await live.player()
    async with socket(live.app, alice.token) as client:
        await client.subscribe(TODAY)
        told = (await client.data())["todayFeatureChanged"]
        assert (told["featureType"], told["date"]) == ("DICE", "2026-03-02")
        await live.today(FeatureType.LOTTERY)
        await signal(live)
        assert (await client.data())["todayFeatureChanged"]["featureType"] == "LOTTERY"
        await signal(live)
        assert await is_quiet(client)
        await live.today(None)
        await signal(live)
        assert (await client.data())["todayFeatureChanged"] == {
            "__typename": "NoFeatureToday",
            "code": "NO_FEATURE_TODAY",
            "retryable": False,
        }


async def test_a_broken_game_is_told_until_it_is_mended(live: World) -> None:
    alice = await live.player()
    await live.today(FeatureType.LOTTERY)
    await forge(live.sql, "UPDATE lottery_prize SET is_active = false")
    async with socket(live.app, alice.token) as day, socket(live.app, alice.token) as stock:
        await day.subscribe(TODAY)
        await stock.subscribe(STOCK)
        assert (await day.data())["todayFeatureChanged"]["code"] == "INVALID_FEATURE_SCHEDULE"
        assert (await stock.data())["lotteryStockChanged"]["code"] == "INVALID_LOTTERY_CONFIG"
        await forge(live.sql, "UPDATE lottery_prize SET is_active = true")
        await signal(live)
        assert (await day.data())["todayFeatureChanged"]["featureType"] == "LOTTERY"
        assert (await stock.data())["lotteryStockChanged"]["__typename"] == "LotteryStatus"


async def test_a_signal_of_a_transaction_that_is_rolled_back_is_none(live: World) -> None:
    alice = await live.player()
    async with socket(live.app, alice.token) as client:
        await client.subscribe(TODAY)
        await client.data()
        await live.today(FeatureType.LOTTERY)

        async def fails(tx: Any) -> None:
            await announce(tx, DAY)
            raise KeyError

        with pytest.raises(KeyError):
            await live.parts.transact(fails)
        assert await is_quiet(client)


async def test_midnight_in_the_events_time_zone(live: World) -> None:
    alice = await live.player()
    live.clock.now = dt.datetime(2026, 3, 2, 14, 59, 59, tzinfo=dt.UTC)  # 23:59:59 in Seoul
    alice = await live.player()
    async with socket(live.app, alice.token) as client:
        await client.subscribe(TODAY)
        assert (await client.data())["todayFeatureChanged"]["date"] == "2026-03-02"
        live.clock.advance(seconds=1)
        told = (await client.data())["todayFeatureChanged"]
        assert (told["date"], told["serverTime"]) == ("2026-03-03", "2026-03-02T15:00:00.000+00:00")


async def test_an_operator_who_reschedules_today_is_heard(live: World) -> None:
    alice, operator = await live.player(), await live.player("olga", Role.OPERATOR)
    revision = await live.sql.fetchval("SELECT revision FROM feature_schedule WHERE date = '2026-03-02'")
    change = """
    mutation ($revision: Int) {
      upsertFeatureSchedule(input: {date: "2026-03-02", featureType: LOTTERY, expectedRevision: $revision}) {
        __typename
      }
    }"""
    async with events(live.app, TODAY, token=alice.token) as client:
        assert (await client.data())["todayFeatureChanged"]["featureType"] == "DICE"
        await operator.data(change, revision=revision)
        assert (await client.data())["todayFeatureChanged"]["featureType"] == "LOTTERY"


async def test_the_stock_now_and_when_somebody_draws(live: World) -> None:
    alice, bob = await live.player("alice"), await live.player("bob")
    await live.today(FeatureType.LOTTERY)
    await all_in_stock(live.sql, 50)
    await forge(live.sql, "UPDATE lottery_prize SET weight = 1")
    async with socket(live.app, alice.token) as client:
        await client.subscribe(STOCK)
        before = (await client.data())["lotteryStockChanged"]
        assert {prize["stock"] for prize in before["config"]["prizes"]} == {50}
        assert before["dailyLimit"] == {"used": 0}
        await bob.play("drawLottery")
        after = (await client.data())["lotteryStockChanged"]
        assert min(prize["stock"] for prize in after["config"]["prizes"]) == 49
        assert after["dailyLimit"] == {"used": 0}


async def test_the_stock_is_told_at_most_twice_a_second(live: World) -> None:
    alice = await live.player("alice")
    await live.today(FeatureType.LOTTERY)
    loop = asyncio.get_running_loop()
    async with socket(live.app, alice.token) as client:
        await client.subscribe(STOCK)
        await client.data()
        start, told = loop.time(), 0
        for stock in range(100, 130):
            await live.sql.execute(FIRST_STOCK, stock)
            await signal(live, signals_module.STOCK)
            await asyncio.sleep(0.04)
        await live.sql.execute(FIRST_STOCK, 7)
        await signal(live, signals_module.STOCK)
        stock = 0
        while stock != 7:
            answer = (await client.data())["lotteryStockChanged"]
            stock, told = answer["config"]["prizes"][0]["stock"], told + 1
        assert told <= (loop.time() - start) / resolvers.STOCK_SECONDS + 1


async def test_the_lottery_is_told_for_each_player_from_one_read(live: World) -> None:
    players = [await live.player(f"p{n}") for n in range(5)]
    await live.today(FeatureType.LOTTERY)
    await players[3].play("drawLottery")
    used = []
    for player in players:
        async with socket(live.app, player.token) as client:
            await client.subscribe(STOCK)
            used.append((await client.data())["lotteryStockChanged"]["dailyLimit"]["used"])
    assert used == [0, 0, 0, 1, 0]


async def test_another_day_has_no_lottery(live: World) -> None:
    alice = await live.player()
    async with socket(live.app, alice.token) as client:
        await client.subscribe(STOCK)
        assert (await client.data())["lotteryStockChanged"] == {
            "__typename": "NoFeatureToday",
            "code": "NO_FEATURE_TODAY",
        }


async def test_a_ranking_when_it_is_published(live: World) -> None:
    alice, operator = await live.player("alice"), await live.player("olga", Role.OPERATOR)
    async with socket(live.app, alice.token) as client:
        await client.subscribe(RANKING, date="2026-03-01", first=1)
        assert (await client.data())["rankingPublished"] == {"code": "RANKING_NOT_FOUND"}
        rows = [row(1, "A", "alice"), row(2, "B")]
        await operator.data(PUBLISH, date="2026-03-01", rows=rows, revision=None)
        assert (await client.data())["rankingPublished"] == {
            "date": "2026-03-01",
            "revision": 1,
            "totalEntries": 2,
            "me": {"rank": 1},
            "entries": {"nodes": [{"rank": 1, "displayName": "A", "isMe": True}]},
        }
        await operator.data(PUBLISH, date="2026-03-01", rows=rows, revision=1)  # nothing new
        await operator.data(PUBLISH, date="2026-02-28", rows=rows, revision=None)  # another day
        assert await is_quiet(client)
        await operator.data(
            'mutation { deleteRanking(input: {date: "2026-03-01", expectedRevision: 1}) { __typename } }'
        )
        assert (await client.data())["rankingPublished"] == {"code": "RANKING_NOT_FOUND"}
        await operator.data(PUBLISH, date="2026-03-01", rows=rows[1:], revision=None)
        assert (await client.data())["rankingPublished"]["revision"] == 3


async def test_a_ranking_that_is_there_is_told_at_once(live: World) -> None:
    alice, operator = await live.player("alice"), await live.player("olga", Role.OPERATOR)
    await operator.data(PUBLISH, date="2026-03-01", rows=[row(1, "A")], revision=None)
    async with events(live.app, RANKING, token=alice.token, variables={"date": "2026-03-01"}) as client:
        assert (await client.data())["rankingPublished"]["totalEntries"] == 1


async def test_today_s_ranking_on_the_day_of_another_feature(live: World) -> None:
    alice = await live.player("alice")
    async with socket(live.app, alice.token) as client:
        await client.subscribe(RANKING, date="2026-03-02")
        assert (await client.data())["rankingPublished"] == {"code": "NO_FEATURE_TODAY"}
        await live.today(FeatureType.RANKING)
        await live.parts.transact(lambda tx: announce(tx, DAY))
        assert (await client.data())["rankingPublished"]["revision"] == 1


async def test_a_ranking_of_tomorrow_waits_for_tomorrow(live: World) -> None:
    live.clock.now = dt.datetime(2026, 3, 2, 14, 59, 59, tzinfo=dt.UTC)
    alice, operator = await live.player("alice"), await live.player("olga", Role.OPERATOR)
    await live.sql.execute("DELETE FROM feature_schedule WHERE date = '2026-03-03'")
    await live.sql.execute(
        "INSERT INTO feature_schedule (date, feature_type, updated_at) VALUES ('2026-03-03', 'RANKING', now())"
    )
    await operator.data(PUBLISH, date="2026-03-03", rows=[row(1, "A")], revision=None)
    async with socket(live.app, alice.token) as client:
        await client.subscribe(RANKING, date="2026-03-03")
        assert (await client.data())["rankingPublished"] == {"code": "RANKING_NOT_FOUND"}
        assert await is_quiet(client)
        live.clock.advance(seconds=1)
        assert (await client.data())["rankingPublished"]["revision"] == 1


@pytest.mark.parametrize(
    ("query", "roles"),
    [
        (TODAY, set(Role)),
        (STOCK, {Role.PLAYER}),
    ],
)
async def test_who_may_subscribe(live: World, query: str, roles: set[Role]) -> None:
    for role in Role:
        member = await live.player(f"a-{role}", role)
        async with socket(live.app, member.token) as client:
            await client.subscribe(query)
            message = await client.message()
            if role in roles:
                assert message["type"] == "next"
            else:
                assert message["type"] == "error"
                assert message["payload"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_nobody_is_told_anything_without_a_token(live: World) -> None:
    async with socket(live.app) as client:
        await client.init()
        await client.subscribe(TODAY)
        message = await client.message()
        assert message["type"] == "error"
        assert message["payload"][0]["extensions"]["code"] == "UNAUTHENTICATED"


async def test_a_token_that_expires_ends_a_websocket(live: World) -> None:
    alice = await live.player()
    async with socket(live.app, alice.token) as client:
        await client.subscribe(TODAY)
        await client.data()
        live.clock.advance(hours=2)
        await live.today(FeatureType.LOTTERY)
        await signal(live)
        with pytest.raises(Closed) as closed:
            await client.message()
        assert closed.value.code == 4403


async def test_a_token_that_expires_ends_an_event_stream_so_that_the_client_comes_again(live: World) -> None:
    alice = await live.player()
    async with events(live.app, TODAY, token=alice.token) as client:
        await client.data()
        live.clock.advance(hours=2)
        await live.today(FeatureType.LOTTERY)
        await signal(live)
        assert await client.event() is None


async def test_an_expired_token_ends_a_silent_connection(empty_database: str) -> None:
    async with running(empty_database, HARU_TOKEN_SECONDS=60) as world:
        alice = await world.player()
        world.clock.advance(seconds=59.9)
        async with socket(world.app, alice.token) as client, events(world.app, TODAY, token=alice.token) as stream:
            await client.subscribe(TODAY)
            await client.data()
            await stream.data()
            world.clock.advance(seconds=1)  # the nap until expiry is a tenth of a second
            assert await client.close_code() == 4403
            assert await stream.event() is None


async def test_the_listener_comes_back_and_tells_what_was_missed(live: World) -> None:
    alice = await live.player()
    async with socket(live.app, alice.token) as client:
        await client.subscribe(TODAY)
        await client.data()
        await kill_sessions(live)
        await live.today(FeatureType.LOTTERY)  # nobody signals: it may have been missed
        assert (await client.data())["todayFeatureChanged"]["featureType"] == "LOTTERY"
        await live.parts.signals.listening()
        await live.today(FeatureType.DICE)
        await signal(live)
        assert (await client.data())["todayFeatureChanged"]["featureType"] == "DICE"


async def away() -> NoReturn:
    raise ConnectionRefusedError


async def test_what_cannot_be_read_for_a_while_is_told_later(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    alice = await world.player()
    await world.parts.signals.listening()
    async with socket(world.app, alice.token) as client:
        await client.subscribe(TODAY)
        await client.data()
        with monkeypatch.context() as patch:
            patch.setattr(world.parts.reads._session, "get", away)
            await world.today(FeatureType.LOTTERY)
            await signal(world)
            with pytest.raises(TimeoutError):
                await client.next(1.0)
        assert (await client.data())["todayFeatureChanged"]["featureType"] == "LOTTERY"


async def test_what_cannot_be_read_at_first_is_an_error(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    alice = await world.player()
    async with socket(world.app, alice.token) as client:
        monkeypatch.setattr(world.parts.reads._session, "get", away)
        await client.subscribe(TODAY)
        message = await client.message()
        assert message["type"] == "error"
        assert message["payload"][0]["extensions"] == {"code": "UNAVAILABLE", "retryable": True}


async def kill_sessions(world: World) -> None:
    """End every session of the application; the test's own stays."""
    await world.sql.execute(
        "SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = 'haru'"
    )


async def test_waiting_holds_no_connection_of_the_database(live: World) -> None:
    clients = [await live.player(f"w{n}") for n in range(12)]
    sockets = []
    for client in clients:
        made = socket(live.app, client.token)
        sockets.append(made)
        opened = await made.__aenter__()
        await opened.subscribe(TODAY)
        await opened.data()
    try:
        assert live.parts.database.engine.pool.checkedout() == 0  # type: ignore[attr-defined]
        pool = live.parts.database._pool
        assert pool is not None
        assert pool.get_size() - pool.get_idle_size() == 0
    finally:
        for made in sockets:
            await made.__aexit__(None, None, None)
    assert not live.parts.signals._subscribers


async def test_a_client_that_does_not_read_costs_one_answer(live: World) -> None:
    alice = await live.player()
    async with socket(live.app, alice.token) as client:
        await client.subscribe(TODAY)
        await client.data()
        for feature in [FeatureType.LOTTERY, FeatureType.ROULETTE, FeatureType.DICE] * 5 + [FeatureType.LOTTERY]:
            await live.today(feature)
            await signal(live)
            await asyncio.sleep(0.02)
        told: list[str] = []
        while not told or told[-1] != "LOTTERY" or not await is_quiet(client):
            told.append((await client.data())["todayFeatureChanged"]["featureType"])
        assert len(told) <= 4  # one taken into the pipe, one waiting to be put into it, and the newest


async def test_the_servers_stop_ends_all(empty_database: str) -> None:
    async with running(empty_database) as world:
        alice = await world.player()
        async with (
            socket(world.app, alice.token) as client,
            socket(world.app) as stranger,
            events(world.app, TODAY, token=alice.token) as stream,
        ):
            await client.subscribe(TODAY)
            await client.data()
            await stream.data()
            world.app.state.places.stop()
            assert await client.close_code() == 1001
            assert await stranger.close_code() == 1001
            assert await stream.event() is None
