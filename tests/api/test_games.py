"""What every chance game has in common: one contract, tested for each game of the registry."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from typing import Any
from uuid import UUID

from models import MAX_SAFE_INTEGER, FeatureType, Role
from schema.nodes import Kind, node_id, read_id
from services.rules.registry import GAMES
from tests.games import GameUnderTest, every_game, on, only_points
from tests.world import NOON, Client, World, forge, running

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
async def test_a_balance_at_its_bound_is_told_and_nothing_is_drawn(world: World, game: GameUnderTest) -> None:
    alice = await world.player()
    await on(world, game)
    await only_points(world)
    insert = "INSERT INTO reward_balance (user_id, reward_type, amount) VALUES ($1, 'POINT', $2)"
    await world.sql.execute(insert, alice.player_id, MAX_SAFE_INTEGER - 9)
    answer = await refused(world, alice, game, "VALIDATION_FAILED", "k")
    assert answer["__typename"] == "Problem"
    assert answer["message"] == "The balance is 9007199254740982 POINT: it must stay within 0 to 9007199254740991."
    await world.sql.execute("DELETE FROM reward_balance")
    assert (await alice.play(game.mutation, "k"))["__typename"] == game.played


@every_game
class TestGate:
    """A game is played on its day, or not at all."""

    async def test_on_its_day(self, world: World, game: GameUnderTest) -> None:
        alice = await world.player()
        await on(world, game)
        answer = await alice.play(game.mutation)
        assert answer["__typename"] == game.played
        assert (answer["businessDate"], answer["playedAt"]) == ("2026-03-02", "2026-03-02T03:00:00.000+00:00")
        assert answer["replayed"] is False
        assert answer["dailyLimit"] == {
            "max": 3,
            "used": 1,
            "remaining": 2,
            "unlimited": False,
            "resetsAt": "2026-03-02T15:00:00.000+00:00",
        }

    async def test_the_revision_that_is_shown_is_the_one_that_is_played(
        self, world: World, game: GameUnderTest
    ) -> None:
        await world.today(game.feature)
        alice, status = await world.player(), f"{game.status[0].upper()}{game.status[1:]}"
        shown = f"{{ {game.status} {{ ... on {status} {{ config {{ isActive isWithdrawn revision }} }} }} }}"
        config = (await alice.data(shown))[game.status]["config"]
        assert config == {"isActive": True, "isWithdrawn": False, "revision": 1}

    async def test_nothing_scheduled(self, world: World, game: GameUnderTest) -> None:
        await world.today(None)
        alice = await world.player()
        await refused(world, alice, game, "NO_FEATURE_TODAY")
        assert (await alice.data(STATUS % game.status))[game.status]["code"] == "NO_FEATURE_TODAY"

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
        await forge(world.sql, f"UPDATE {game.config} SET effective_from = '2900-01-01'")
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
        ghost = Client(world.http, world.parts.issue_token(UUID(int=1), Role.PLAYER).text)
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
            "resetsAt": "2026-03-02T15:00:00.000+00:00",
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
        assert world.settings.owner_url
        async with running(world.settings.owner_url, demo=False) as restarted:
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
        await forge(world.sql, f"UPDATE {game.config} SET effective_from = '2900-01-01'")
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
class TestTrace:
    """A play leaves one log row, one event, and one ledger line with its cause."""

    async def test_what_a_play_leaves(self, world: World, game: GameUnderTest) -> None:
        await only_points(world)
        await on(world, game)
        alice = await world.player()
        answer = await alice.play(game.mutation, "k")
        revision = await world.sql.fetchval(f"SELECT max(id) FROM {game.config}")
        row = await world.sql.fetchrow(f"SELECT * FROM {game.log}")
        assert row is not None
        assert read_id(answer["id"]) == (game.play, [alice.player_id, row["id"]])
        assert (row["user_id"], row["play_no"], row["daily_max"]) == (alice.player_id, 1, 3)
        assert (row["business_date"], row["created_at"], row["config_id"]) == (dt.date(2026, 3, 2), NOON, revision)
        assert (row["reward_type"], row["reward_amount"]) == ("POINT", 10)

        line = await world.sql.fetchrow("SELECT * FROM reward_ledger WHERE cause = $1", game.cause)
        assert line is not None
        assert (line["cause_id"], line["amount"], line["created_at"]) == (row["id"], 10, NOON)
        assert answer["reward"] == {"type": "POINT", "amount": 10, "balance": 10, "couponCode": None}

        events = await world.sql.fetch("SELECT * FROM user_event_log ORDER BY id")
        assert [event["event_name"] for event in events] == ["PLAY", "SEASON_PASS_STAMP", "SEASON_PASS_LEVEL_UP"]
        assert {event["business_date"] for event in events} == {dt.date(2026, 3, 2)}
        play, stamp, level_up = (json.loads(event["meta_json"]) for event in events)
        assert events[0]["feature_type"] == game.feature
        assert (play["playId"], play["playNo"], play["revisionId"]) == (str(row["id"]), 1, revision)
        assert play["reward"] == {"type": "POINT", "amount": 10, "couponType": None}
        assert play["drawn"]["type"] == GAMES[game.feature].drawn.__struct_config__.tag
        assert (stamp["playId"], stamp["source"], stamp["xpAdded"]) == (str(row["id"]), game.feature, 120)
        assert (level_up["fromLevel"], level_up["toLevel"], level_up["stampId"]) == (0, 1, stamp["stampId"])

        assert await world.count("idempotency_key") == 1
        assert await world.sql.fetchval('SELECT version FROM "user" WHERE id = $1', alice.player_id) != 0

    async def test_the_log_points_at_what_was_drawn(self, world: World, game: GameUnderTest) -> None:
        await on(world, game, limit=0)
        alice = await world.player()
        answers = {answer["id"]: answer for answer in [await alice.play(game.mutation) for _ in range(20)]}
        for row in await world.sql.fetch(f"SELECT * FROM {game.log}"):
            answer = answers.pop(node_id(game.play, alice.player_id, row["id"]))
            assert answer["reward"]["type"] == row["reward_type"]
            match game.feature:
                case FeatureType.DICE:
                    dice = [row["user_dice_1"], row["user_dice_2"], row["dealer_dice_1"], row["dealer_dice_2"]]
                    assert answer["userDice"] + answer["dealerDice"] == dice
                    assert (answer["userSum"], answer["dealerSum"]) == (sum(dice[:2]), sum(dice[2:]))
                    assert answer["outcome"] == row["outcome"]
                case FeatureType.ROULETTE:
                    assert answer["segment"]["id"] == node_id(Kind.ROULETTE_SEGMENT, row["segment_id"])
                case FeatureType.LOTTERY:
                    assert answer["prize"]["prizeId"] == node_id(Kind.LOTTERY_PRIZE, row["prize_id"])
        assert not answers


EXPECTING = """
mutation Play($input: PlayInput!) {
  GAME(input: $input) {
    __typename
    ... on GamePlay { replayed }
    ... on UserError { code retryable }
    ... on RevisionConflict { currentRevision }
  }
}
"""


@every_game
async def test_odds_that_were_seen_are_odds_that_are_drawn(world: World, game: GameUnderTest) -> None:
    alice = await world.player()
    await on(world, game)
    revision = await world.sql.fetchval(f"SELECT max(revision) FROM {game.config}")
    document = EXPECTING.replace("GAME", game.mutation)
    before = await world.written()
    refusal = (await alice.data(document, input={"idempotencyKey": "k", "expectedRevision": revision + 1}))[
        game.mutation
    ]
    conflict = {"__typename": "RevisionConflict", "code": "REVISION_CONFLICT", "retryable": False}
    assert refusal == conflict | {"currentRevision": revision}
    assert await world.written() == before
    seen = {"idempotencyKey": "k", "expectedRevision": revision}
    for replayed in (False, True):
        played = (await alice.data(document, input=seen))[game.mutation]
        assert played == {"__typename": game.played, "replayed": replayed}
    for other in ({}, {"expectedRevision": revision + 1}):
        refusal = (await alice.data(document, input={"idempotencyKey": "k"} | other))[game.mutation]
        assert refusal["code"] == "IDEMPOTENCY_KEY_REUSED"
