"""When a day turns, and on which day a play counts: tested for each game of the registry."""

from __future__ import annotations

import asyncio
import datetime as dt

import pytest

from models import FeatureType
from tests.api.test_games import refused
from tests.games import GameUnderTest, every_game, on, only_points
from tests.races.test_publishing import until_somebody_waits
from tests.world import World, running


@every_game
class TestTime:
    """A play belongs to the day on which it started."""

    async def test_the_day_turns_at_midnight(self, world: World, game: GameUnderTest) -> None:
        world.clock.now = dt.datetime(2026, 3, 2, 14, 59, 59, 999_000, tzinfo=dt.UTC)
        await on(world, game, limit=1)
        alice = await world.player()
        assert (await alice.play(game.mutation))["businessDate"] == "2026-03-02"
        await refused(world, alice, game, "DAILY_LIMIT_REACHED")
        world.clock.now = dt.datetime(2026, 3, 2, 15, 0, tzinfo=dt.UTC)
        await world.today(game.feature)
        tomorrow = await alice.play(game.mutation)
        assert (tomorrow["businessDate"], tomorrow["dailyLimit"]["used"]) == ("2026-03-03", 1)
        assert tomorrow["dailyLimit"]["resetsAt"] == "2026-03-03T15:00:00.000+00:00"
        assert tomorrow["seasonPass"]["addedStamp"] == 1

    async def test_a_play_that_straddles_midnight(self, world: World, game: GameUnderTest) -> None:
        """It waits for a lock on the last second of the day, and is served on the next."""
        await on(world, game, limit=1)
        world.clock.now = dt.datetime(2026, 3, 2, 14, 59, 59, 999_999, tzinfo=dt.UTC)
        alice = await world.player()
        async with world.sql.transaction():
            await world.sql.execute('SELECT FROM "user" WHERE id = $1 FOR UPDATE', alice.player_id)
            playing = asyncio.create_task(alice.play(game.mutation, "late"))
            await until_somebody_waits(world)
            world.clock.now += dt.timedelta(seconds=1)
        late = await playing
        assert (late["businessDate"], late["dailyLimit"]["used"]) == ("2026-03-02", 1)
        assert late["playedAt"] == "2026-03-02T14:59:59.999+00:00"
        await world.today(game.feature)
        assert (await alice.play(game.mutation, "next"))["businessDate"] == "2026-03-03"
        log = await world.sql.fetch(f"SELECT business_date, play_no FROM {game.log} ORDER BY id")
        assert [tuple(row) for row in log] == [(dt.date(2026, 3, 2), 1), (dt.date(2026, 3, 3), 1)]
        stamps = await world.sql.fetch("SELECT date FROM season_pass_stamp_log ORDER BY id")
        assert [row["date"] for row in stamps] == [dt.date(2026, 3, 2), dt.date(2026, 3, 3)]
        events = await world.sql.fetch("SELECT business_date FROM user_event_log WHERE event_name = 'PLAY' ORDER BY id")
        assert [row["business_date"] for row in events] == [dt.date(2026, 3, 2), dt.date(2026, 3, 3)]

    async def test_the_day_after_the_season_a_play_stamps_nothing(self, world: World, game: GameUnderTest) -> None:
        today = world.parts.calendar.business_date(world.clock())
        await world.sql.execute("UPDATE season_pass_config SET end_date = $1", today)
        await on(world, game)
        alice = await world.player()
        assert (await alice.play(game.mutation))["seasonPass"]["addedStamp"] == 1
        world.clock.advance(days=1)
        await world.today(game.feature)
        alice = await world.player()
        answer = await alice.play(game.mutation)
        assert (answer["__typename"], answer["seasonPass"]) == (game.played, None)
        assert await world.count("season_pass_stamp_log") == 1
        assert (await alice.stamp())["code"] == "NO_ACTIVE_SEASON"


@pytest.mark.parametrize("zone", ["America/New_York", "Pacific/Kiritimati", "UTC"])
async def test_the_event_s_zone_alone_says_which_day_it_is(empty_database: str, zone: str) -> None:
    async with running(empty_database, HARU_TIME_ZONE=zone) as world:
        midnight = dt.datetime(2026, 3, 3, tzinfo=world.settings.zone).astimezone(dt.UTC)
        await only_points(world)
        for instant, date in ((midnight - dt.timedelta(milliseconds=1), "2026-03-02"), (midnight, "2026-03-03")):
            world.clock.now = instant
            await world.today(FeatureType.DICE)
            alice = await world.player()
            assert (await alice.play())["businessDate"] == date
        noted = await world.sql.fetchval("SELECT array_agg(business_date::text ORDER BY id) FROM dice_log")
        assert noted == ["2026-03-02", "2026-03-03"]
