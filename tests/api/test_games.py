"""What every chance game has in common: one contract, tested for each game of the registry."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from typing import Any

import pytest

from models import FeatureType, Role
from tests.games import GameUnderTest, every_game, on, only_points
from tests.world import NOON, Client, World, running

MALFORMED_KEYS = ("", "k" * 129, "\t", "a\nb", "ä", "열쇠", "\u0000", "k\u007f", "\ud800", "🔑")
STATUS = "query { %s { __typename ... on UserError { code } } }"


async def refused(world: World, player: Client, game: GameUnderTest, code: str, key: str | None = None) -> Any:
    """Play, which must be refused with `code`, and leave no trace."""
    before = await world.written()
    answer = await player.play(game.mutation, key)
    assert answer.get("code") == code, answer
    assert answer["retryable"] is False
    assert await world.written() == before
    return answer


@every_game
class TestGate:
    """A game is played on its day, or not at all."""

    async def test_on_its_day(self, world: World, game: GameUnderTest) -> None:
        alice = await world.player()
        await on(world, game)
        answer = await alice.play(game.mutation)
        assert answer["__typename"] == game.played
        assert (answer["businessDate"], answer["playedAt"]) == ("2026-03-02", "2026-03-02T03:00:00+00:00")
        assert answer["replayed"] is False
        assert answer["dailyLimit"] == {
            "max": 3,
            "used": 1,
            "remaining": 2,
            "unlimited": False,
            "resetsAt": "2026-03-02T15:00:00+00:00",
        }

    async def test_nothing_scheduled(self, world: World, game: GameUnderTest) -> None:
        await world.today(None)
        await refused(world, await world.player(), game, "NO_FEATURE_TODAY")

    async def test_another_game_s_day(self, world: World, game: GameUnderTest) -> None:
        alice = await world.player()
        for feature in FeatureType:
            if feature is not game.feature:
                await world.today(feature)
                await refused(world, alice, game, "NO_FEATURE_TODAY")

    async def test_an_inactive_day(self, world: World, game: GameUnderTest) -> None:
        await world.today(game.feature)
        await world.sql.execute("UPDATE feature_schedule SET is_active = false")
        await refused(world, await world.player(), game, "NO_FEATURE_TODAY")

    async def test_a_disabled_feature(self, world: World, game: GameUnderTest) -> None:
        await world.today(game.feature)
        await world.sql.execute("UPDATE feature_config SET is_enabled = false WHERE feature_type = $1", game.feature)
        await refused(world, await world.player(), game, "NO_FEATURE_TODAY")

    async def test_a_feature_without_a_configuration(self, world: World, game: GameUnderTest) -> None:
        await world.today(game.feature)
        await world.sql.execute("DELETE FROM feature_config WHERE feature_type = $1", game.feature)
        await refused(world, await world.player(), game, "NO_FEATURE_TODAY")

    async def test_no_active_revision(self, world: World, game: GameUnderTest) -> None:
        alice = await world.player()
        await world.today(game.feature)
        await world.sql.execute(f"UPDATE {game.config} SET is_active = false")
        await refused(world, alice, game, game.invalid)
        assert (await alice.data(STATUS % game.status))[game.status]["code"] == game.invalid
        assert (await alice.data(STATUS % "todayFeature"))["todayFeature"]["code"] == "INVALID_FEATURE_SCHEDULE"

    async def test_an_operator_s_switch_works_at_once(self, world: World, game: GameUnderTest) -> None:
        alice = await world.player()
        await on(world, game)
        assert (await alice.play(game.mutation))["__typename"] == game.played
        await world.sql.execute("UPDATE feature_schedule SET is_active = false")
        await refused(world, alice, game, "NO_FEATURE_TODAY")
        await world.sql.execute("UPDATE feature_schedule SET is_active = true")
        assert (await alice.play(game.mutation))["dailyLimit"]["used"] == 2

    async def test_a_player_who_does_not_exist(self, world: World, game: GameUnderTest) -> None:
        await on(world, game)
        ghost = Client(world.http, world.parts.issue_token(987_654_321, Role.PLAYER).text)
        query = f'mutation {{ {game.mutation}(input: {{idempotencyKey: "k"}}) {{ __typename }} }}'
        assert await ghost.error_code(query) == "UNAUTHENTICATED"


@every_game
class TestLimit:
    """So many plays a day, and not one more."""

    async def test_the_limit_is_exact(self, world: World, game: GameUnderTest) -> None:
        alice, bob, limit = await world.player(), await world.player("bob"), 2
        await on(world, game, limit=limit)
        plays = [await alice.play(game.mutation) for _ in range(limit)]
        assert [play["dailyLimit"]["remaining"] for play in plays] == list(reversed(range(limit)))
        answer = await refused(world, alice, game, "DAILY_LIMIT_REACHED")
        assert answer["__typename"] == "DailyLimitReached"
        assert answer["dailyLimit"] == {
            "max": limit,
            "used": limit,
            "remaining": 0,
            "unlimited": False,
            "resetsAt": "2026-03-02T15:00:00+00:00",
        }
        assert (await bob.play(game.mutation))["dailyLimit"]["used"] == 1

    async def test_zero_is_unlimited(self, world: World, game: GameUnderTest) -> None:
        alice = await world.player()
        await on(world, game, limit=0)
        plays = [await alice.play(game.mutation) for _ in range(12)]
        limits = [play["dailyLimit"] for play in plays]
        assert [limit["used"] for limit in limits] == list(range(1, 13))
        assert {(limit["max"], limit["remaining"], limit["unlimited"]) for limit in limits} == {(0, 0, True)}

    async def test_a_limit_that_was_lowered(self, world: World, game: GameUnderTest) -> None:
        alice = await world.player()
        await on(world, game, limit=5)
        for _ in range(4):
            await alice.play(game.mutation)
        await on(world, game, limit=2)
        answer = await refused(world, alice, game, "DAILY_LIMIT_REACHED")
        assert (answer["dailyLimit"]["used"], answer["dailyLimit"]["remaining"]) == (4, 0)
        await on(world, game, limit=5)
        assert (await alice.play(game.mutation))["dailyLimit"]["used"] == 5

    async def test_games_have_limits_of_their_own(self, world: World, game: GameUnderTest) -> None:
        alice = await world.player()
        await on(world, game, limit=1)
        await alice.play(game.mutation)
        await on(world, game.another, limit=1)
        assert (await alice.play(game.another.mutation))["dailyLimit"]["used"] == 1


@every_game
class TestKey:
    """A key is one command, whenever it is sent."""

    async def test_the_first_answer_comes_again(self, world: World, game: GameUnderTest) -> None:
        alice, bob = await world.player(), await world.player("bob")
        await on(world, game)
        first = await alice.play(game.mutation, "k")
        before = await world.written()
        for _ in range(3):
            assert await alice.play(game.mutation, "k") == first | {"replayed": True}
        assert await world.written() == before
        assert (await bob.play(game.mutation, "k"))["replayed"] is False  # keys belong to their player

    async def test_parallel_copies_are_one_play(self, world: World, game: GameUnderTest) -> None:
        alice = await world.player()
        await on(world, game)
        answers = await asyncio.gather(*(alice.play(game.mutation, "k") for _ in range(20)))
        assert sorted(answer["replayed"] for answer in answers) == [False] + [True] * 19
        assert len({json.dumps(answer | {"replayed": None}) for answer in answers}) == 1
        assert await world.count(game.log) == 1

    async def test_the_first_answer_comes_again_after_a_restart(self, world: World, game: GameUnderTest) -> None:
        alice = await world.player()
        await on(world, game)
        first = await alice.play(game.mutation, "k")
        assert world.settings.database_url
        async with running(world.settings.database_url, demo=False) as restarted:
            again = Client(restarted.http, alice.token, alice.player_id)
            assert await again.play(game.mutation, "k") == first | {"replayed": True}

    async def test_the_first_answer_comes_again_on_another_day(self, world: World, game: GameUnderTest) -> None:
        alice = await world.player()
        await on(world, game)
        first = await alice.play(game.mutation, "k")
        for days in (1, 20):
            world.clock.now = NOON + dt.timedelta(days=days)
            alice = await world.player()
            assert await alice.play(game.mutation, "k") == first | {"replayed": True}
        await world.today(None)
        assert await alice.play(game.mutation, "k") == first | {"replayed": True}

    async def test_the_first_answer_comes_again_past_the_limit_and_when_blocked(
        self, world: World, game: GameUnderTest
    ) -> None:
        alice = await world.player()
        await on(world, game, limit=1)
        first = await alice.play(game.mutation, "k")
        await refused(world, alice, game, "DAILY_LIMIT_REACHED")
        await world.sql.execute('UPDATE "user" SET is_blocked = true WHERE id = $1', alice.player_id)
        await refused(world, alice, game, "USER_BLOCKED")
        assert await alice.play(game.mutation, "k") == first | {"replayed": True}

    async def test_the_first_answer_comes_again_when_the_rules_are_broken(
        self, world: World, game: GameUnderTest
    ) -> None:
        alice = await world.player()
        await on(world, game)
        first = await alice.play(game.mutation, "k")
        await world.sql.execute(f"UPDATE {game.config} SET is_active = false")
        assert await alice.play(game.mutation, "k") == first | {"replayed": True}

    async def test_a_key_is_for_one_operation(self, world: World, game: GameUnderTest) -> None:
        alice = await world.player()
        await on(world, game)
        await alice.play(game.mutation, "k")
        await refused(world, alice, game.another, "IDEMPOTENCY_KEY_REUSED", "k")
        assert (await alice.stamp(key="k"))["code"] == "IDEMPOTENCY_KEY_REUSED"
        assert (await alice.claim(1, key="k"))["code"] == "IDEMPOTENCY_KEY_REUSED"
        assert (await alice.stamp(key="s"))["code"] == "ALREADY_STAMPED_TODAY"
        assert (await alice.play(game.mutation, "s"))["replayed"] is False  # a refusal leaves no trace of its key

    async def test_a_stamp_s_key_cannot_play(self, world: World, game: GameUnderTest) -> None:
        alice = await world.player()
        await on(world, game)
        assert (await alice.stamp(key="k"))["addedStamp"] == 1
        await refused(world, alice, game, "IDEMPOTENCY_KEY_REUSED", "k")

    async def test_a_refused_attempt_leaves_no_trace(self, world: World, game: GameUnderTest) -> None:
        alice = await world.player()
        await world.today(None)
        await refused(world, alice, game, "NO_FEATURE_TODAY", "k")
        await on(world, game)
        assert (await alice.play(game.mutation, "k"))["replayed"] is False

    async def test_a_malformed_key(self, world: World, game: GameUnderTest) -> None:
        alice = await world.player()
        await on(world, game)
        before = await world.written()
        query = f"mutation ($key: String!) {{ {game.mutation}(input: {{idempotencyKey: $key}}) {{ __typename }} }}"
        headers = {"Authorization": f"Bearer {alice.token}", "Content-Type": "application/json"}
        for key in MALFORMED_KEYS:
            body = json.dumps({"query": query, "variables": {"key": key}})
            answer = (await world.http.post("/graphql", content=body, headers=headers)).json()
            assert [error["extensions"]["code"] for error in answer["errors"]] == ["BAD_REQUEST"], key
        assert await world.written() == before

    async def test_a_printable_key(self, world: World, game: GameUnderTest) -> None:
        alice = await world.player()
        await on(world, game, limit=0)
        for key in ("k", "k" * 128, "a b", "~!@#$%^&*()'\"\\{}", " "):
            assert (await alice.play(game.mutation, key))["replayed"] is False
            assert (await alice.play(game.mutation, key))["replayed"] is True


@every_game
class TestBlocked:
    """A blocked player plays nothing."""

    async def test_blocked_and_free_again(self, world: World, game: GameUnderTest) -> None:
        alice, bob = await world.player(), await world.player("bob")
        await on(world, game)
        await world.sql.execute('UPDATE "user" SET is_blocked = true WHERE id = $1', alice.player_id)
        await refused(world, alice, game, "USER_BLOCKED", "k")
        assert (await bob.play(game.mutation))["__typename"] == game.played
        await world.sql.execute('UPDATE "user" SET is_blocked = false WHERE id = $1', alice.player_id)
        assert (await alice.play(game.mutation, "k"))["replayed"] is False

    async def test_a_blocked_player_may_look(self, world: World, game: GameUnderTest) -> None:
        alice = await world.player()
        await on(world, game)
        await world.sql.execute('UPDATE "user" SET is_blocked = true')
        status = (await alice.data(STATUS % game.status))[game.status]
        assert status["__typename"] == f"{game.feature.title()}Status"


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
        assert tomorrow["dailyLimit"]["resetsAt"] == "2026-03-03T15:00:00+00:00"
        assert tomorrow["seasonPass"]["addedStamp"] == 1

    async def test_a_play_that_straddles_midnight(self, world: World, game: GameUnderTest) -> None:
        """It waits for a lock on the last second of the day, and is served on the next."""
        await on(world, game, limit=1)
        world.clock.now = dt.datetime(2026, 3, 2, 14, 59, 59, 999_999, tzinfo=dt.UTC)
        alice = await world.player()
        async with world.sql.transaction():
            await world.sql.execute('SELECT FROM "user" WHERE id = $1 FOR UPDATE', alice.player_id)
            playing = asyncio.create_task(alice.play(game.mutation, "late"))
            await asyncio.sleep(0.1)
            world.clock.now += dt.timedelta(seconds=1)
        late = await playing
        assert (late["businessDate"], late["dailyLimit"]["used"]) == ("2026-03-02", 1)
        assert late["playedAt"] == "2026-03-02T14:59:59.999999+00:00"
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


@every_game
class TestTrace:
    """A play leaves one log row, one event, and one ledger line with its cause."""

    async def test_what_a_play_leaves(self, world: World, game: GameUnderTest) -> None:
        await only_points(world)
        await on(world, game)
        alice = await world.player()
        answer = await alice.play(game.mutation, "k")
        revision = await world.sql.fetchval(f"SELECT id FROM {game.config} WHERE is_active")
        row = await world.sql.fetchrow(f"SELECT * FROM {game.log}")
        assert row is not None
        assert (str(row["id"]), row["user_id"], row["play_no"], row["daily_max"]) == (
            answer["id"],
            alice.player_id,
            1,
            3,
        )
        assert (row["business_date"], row["created_at"], row["config_id"]) == (dt.date(2026, 3, 2), NOON, revision)
        assert (row["reward_type"], row["reward_amount"]) == ("POINT", 10)

        line = await world.sql.fetchrow("SELECT * FROM reward_ledger WHERE cause = $1", game.cause)
        assert line is not None
        assert (str(line["cause_id"]), line["amount"], line["created_at"]) == (answer["id"], 10, NOON)
        assert answer["reward"] == {"type": "POINT", "amount": 10, "balance": 10, "couponCode": None}

        events = await world.sql.fetch("SELECT * FROM user_event_log ORDER BY id")
        assert [event["event_name"] for event in events] == ["PLAY", "SEASON_PASS_STAMP", "SEASON_PASS_LEVEL_UP"]
        assert {event["business_date"] for event in events} == {dt.date(2026, 3, 2)}
        play, stamp, level_up = (json.loads(event["meta_json"]) for event in events)
        assert events[0]["feature_type"] == game.feature
        assert (play["playId"], play["playNo"], play["revisionId"]) == (answer["id"], 1, revision)
        assert play["reward"] == {"type": "POINT", "amount": 10, "couponType": None}
        assert play["drawn"]["type"] in {"dice", "segment", "prize"}
        assert (stamp["playId"], stamp["source"], stamp["xpAdded"]) == (answer["id"], game.feature, 120)
        assert (level_up["fromLevel"], level_up["toLevel"], level_up["stampId"]) == (0, 1, stamp["stampId"])

        assert await world.count("idempotency_key") == 1
        version = await world.sql.fetchval('SELECT version FROM "user" WHERE id = $1', alice.player_id)
        assert version == 1

    async def test_the_log_points_at_what_was_drawn(self, world: World, game: GameUnderTest) -> None:
        await on(world, game, limit=0)
        alice = await world.player()
        answers = {answer["id"]: answer for answer in [await alice.play(game.mutation) for _ in range(20)]}
        for row in await world.sql.fetch(f"SELECT * FROM {game.log}"):
            answer = answers.pop(str(row["id"]))
            assert answer["reward"]["type"] == row["reward_type"]
            match game.feature:
                case FeatureType.DICE:
                    dice = [row["user_dice_1"], row["user_dice_2"], row["dealer_dice_1"], row["dealer_dice_2"]]
                    assert answer["userDice"] + answer["dealerDice"] == dice
                    assert (answer["userSum"], answer["dealerSum"]) == (sum(dice[:2]), sum(dice[2:]))
                    assert answer["outcome"] == row["outcome"]
                case FeatureType.ROULETTE:
                    assert answer["segment"]["id"] == str(row["segment_id"])
                case FeatureType.LOTTERY:
                    assert answer["prize"]["id"] == str(row["prize_id"])
        assert not answers
