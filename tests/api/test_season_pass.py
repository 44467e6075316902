"""The season pass through the public door: stamps, claims, and every way in which they are refused."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from typing import Any

import pytest

from models import MAX_SAFE_INTEGER, FeatureType, Role
from tests.world import NOON, Client, World, running

STATUS = """{ seasonPassStatus { ... on SeasonPassStatus {
    progress { currentXp currentLevel totalStamps lastStampDate nextLevelXp } today { date stamped }
    levels { level state claimedAt }
} } }"""


async def levels(world: World, *steps: tuple[int, bool], base_xp: int = 100) -> None:
    """Let the season have these levels: `(required_xp, auto_claim)`, each worth ten points of its number."""
    season = await world.sql.fetchval("UPDATE season_pass_config SET base_xp_per_stamp = $1 RETURNING id", base_xp)
    await world.sql.execute("DELETE FROM season_pass_level")
    await world.sql.execute("UPDATE season_pass_config SET max_level = $1", len(steps))
    await world.sql.executemany(
        "INSERT INTO season_pass_level (season_id, level, required_xp, reward_type, reward_amount, auto_claim)"
        " VALUES ($1, $2, $3, 'POINT', $4, $5)",
        [(season, level, xp, level * 10, auto) for level, (xp, auto) in enumerate(steps, start=1)],
    )


async def refused(world: World, answering: Any, code: str) -> None:
    before = await world.written()
    answer = await answering
    assert (answer.get("code"), answer.get("retryable")) == (code, False), answer
    assert await world.written() == before


async def status(player: Client) -> Any:
    return (await player.data(STATUS))["seasonPassStatus"]


async def test_a_balance_at_its_bound_is_told_and_nothing_is_stamped(world: World) -> None:
    await levels(world, (1, True), (2, True), (3, False))
    alice = await world.player()
    insert = "INSERT INTO reward_balance (user_id, reward_type, amount) VALUES ($1, 'POINT', $2)"
    await world.sql.execute(insert, alice.player_id, MAX_SAFE_INTEGER - 29)  # levels 1 and 2 are worth 30 together
    await refused(world, alice.stamp(), "VALIDATION_FAILED")
    await refused(world, alice.play(), "VALIDATION_FAILED")
    await world.sql.execute("DELETE FROM reward_balance")
    assert len((await alice.stamp())["rewards"]) == 2
    await world.sql.execute("UPDATE reward_balance SET amount = $1", MAX_SAFE_INTEGER - 29)  # level 3 is worth 30
    await refused(world, alice.claim(3), "VALIDATION_FAILED")
    await world.sql.execute("UPDATE reward_balance SET amount = 30")
    assert (await alice.claim(3))["reward"]["balance"] == 60


async def test_a_stamp(world: World) -> None:
    await levels(world, (100, True), (150, True), (151, False))
    alice = await world.player()
    answer = await alice.stamp(key="k")
    assert answer == {
        "__typename": "StampPayload",
        "replayed": False,
        "addedStamp": 1,
        "xpAdded": 150,
        "currentXp": 150,
        "currentLevel": 2,
        "leveledUp": True,
        "rewards": [
            {
                "level": level,
                "claimedAt": NOON.isoformat(timespec="milliseconds"),
                "reward": {"type": "POINT", "amount": level * 10, "balance": balance, "couponCode": None},
            }
            for level, balance in ((1, 10), (2, 30))
        ],
    }
    assert await alice.stamp(key="k") == answer | {"replayed": True}
    progress = await world.sql.fetchrow("SELECT * FROM season_pass_progress")
    stamp = await world.sql.fetchrow("SELECT * FROM season_pass_stamp_log")
    assert progress is not None
    assert stamp is not None
    assert (progress["current_xp"], progress["current_level"], progress["total_stamps"]) == (150, 2, 1)
    assert (stamp["progress_id"], stamp["play_id"], stamp["source_feature"]) == (progress["id"], None, "SEASON_PASS")
    assert (stamp["xp_earned"], stamp["xp_after"]) == (150, 150)
    assert (stamp["level_before"], stamp["level_after"]) == (0, 2)
    rewards = await world.sql.fetch("SELECT * FROM season_pass_reward_log ORDER BY level")
    assert [(row["level"], row["progress_id"], row["stamp_id"]) for row in rewards] == [
        (1, progress["id"], stamp["id"]),
        (2, progress["id"], stamp["id"]),
    ]
    causes = await world.sql.fetch("SELECT cause, cause_id FROM reward_ledger ORDER BY line_no")
    assert [tuple(row) for row in causes] == [("SEASON_LEVEL", row["id"]) for row in rewards]
    events = await world.sql.fetchval("SELECT array_agg(event_name ORDER BY id) FROM user_event_log")
    assert events == ["SEASON_PASS_STAMP", "SEASON_PASS_LEVEL_UP"]


@pytest.mark.parametrize(("source", "xp"), [("SEASON_PASS", 150), ("DICE", 120)])
async def test_the_source_s_bonus_counts(world: World, source: str, xp: int) -> None:
    alice = await world.player()
    assert (await alice.stamp(source))["xpAdded"] == xp
    assert await world.sql.fetchval("SELECT source_feature FROM season_pass_stamp_log") == source


@pytest.mark.parametrize("source", ["ROULETTE", "LOTTERY", "RANKING"])
async def test_a_source_that_is_not_on(world: World, source: str) -> None:
    await refused(world, (await world.player()).stamp(source), "INVALID_STAMP_SOURCE")


async def test_a_source_that_nobody_knows(world: World) -> None:
    alice = await world.player()
    query = 'mutation { stamp(input: {idempotencyKey: "k", sourceFeature: CHESS}) { __typename } }'
    assert await alice.error_code(query) == "BAD_REQUEST"


async def test_with_nothing_on_the_season_pass_is_stamped_all_the_same(world: World) -> None:
    alice = await world.player()
    await world.today(None)
    await refused(world, alice.stamp("DICE"), "INVALID_STAMP_SOURCE")
    assert (await alice.stamp())["addedStamp"] == 1


async def test_a_second_stamp(world: World) -> None:
    alice = await world.player()
    await alice.stamp()
    await refused(world, alice.stamp(), "ALREADY_STAMPED_TODAY")
    await refused(world, alice.stamp("DICE"), "ALREADY_STAMPED_TODAY")
    world.clock.now = dt.datetime(2026, 3, 2, 15, 0, tzinfo=dt.UTC)
    alice = await world.player()
    assert (await alice.stamp())["currentXp"] == 300
    progress = (await status(alice))["progress"]
    assert (progress["totalStamps"], progress["lastStampDate"]) == (2, "2026-03-03")


async def test_a_stamp_after_a_play(world: World) -> None:
    alice = await world.player()
    assert (await alice.play())["seasonPass"]["addedStamp"] == 1
    await refused(world, alice.stamp(), "ALREADY_STAMPED_TODAY")


async def test_a_play_after_a_stamp(world: World) -> None:
    alice = await world.player()
    stamped = await alice.stamp()
    played = await alice.play()
    nothing = {"addedStamp": 0, "xpAdded": 0, "leveledUp": False, "rewards": []}
    assert {"__typename": "StampPayload", "replayed": False} | played["seasonPass"] == stamped | nothing
    assert await world.count("season_pass_stamp_log") == 1


async def test_only_the_first_play_of_a_day_stamps(world: World) -> None:
    alice = await world.player()
    stamps = [(await alice.play())["seasonPass"]["addedStamp"] for _ in range(3)]
    assert stamps == [1, 0, 0]
    stamp = await world.sql.fetchrow("SELECT * FROM season_pass_stamp_log")
    first = await world.sql.fetchval("SELECT id FROM dice_log WHERE play_no = 1")
    assert stamp is not None
    assert (stamp["play_id"], stamp["source_feature"]) == (first, "DICE")


async def test_a_claim(world: World) -> None:
    await levels(world, (100, False), (110, True), (1000, False))
    alice = await world.player()
    await refused(world, alice.claim(1), "LEVEL_NOT_REACHED")
    await alice.stamp()
    answer = await alice.claim(1, key="c")
    assert answer == {
        "__typename": "ClaimRewardPayload",
        "replayed": False,
        "level": 1,
        "claimedAt": NOON.isoformat(timespec="milliseconds"),
        "reward": {"type": "POINT", "amount": 10, "balance": 30, "couponCode": None},
    }
    assert await alice.claim(1, key="c") == answer | {"replayed": True}
    await refused(world, alice.claim(1), "REWARD_ALREADY_CLAIMED")
    await refused(world, alice.claim(2), "AUTO_CLAIM_LEVEL")
    await refused(world, alice.claim(3), "LEVEL_NOT_REACHED")
    for unknown in (0, -1, 4, 2**31 - 1, -(2**31)):
        await refused(world, alice.claim(unknown), "LEVEL_NOT_FOUND")
    await refused(world, alice.claim(3, key="c"), "IDEMPOTENCY_KEY_REUSED")
    progress = await world.sql.fetchval("SELECT id FROM season_pass_progress")
    row = await world.sql.fetchrow("SELECT * FROM season_pass_reward_log WHERE level = 1")
    assert row is not None
    assert (row["progress_id"], row["stamp_id"], row["reward_amount"]) == (progress, None, 10)
    line = await world.sql.fetchrow("SELECT * FROM reward_ledger ORDER BY line_no DESC LIMIT 1")
    assert line is not None
    assert (line["cause"], line["cause_id"], line["balance_after"]) == ("SEASON_LEVEL", row["id"], 30)
    event = await world.sql.fetchrow("SELECT * FROM user_event_log WHERE event_name = 'REWARD_CLAIM'")
    assert event is not None
    assert json.loads(event["meta_json"])["level"] == 1
    assert [level["state"] for level in (await status(alice))["levels"]] == ["CLAIMED", "CLAIMED", "LOCKED"]


async def test_a_claim_on_another_day_than_the_stamp(world: World) -> None:
    await levels(world, (100, False))
    alice = await world.player()
    await alice.stamp()
    world.clock.advance(days=3)
    await world.today(None)
    alice = await world.player()
    assert (await alice.claim(1))["claimedAt"] == "2026-03-05T03:00:00.000+00:00"


async def test_what_is_shown(world: World) -> None:
    await levels(world, (100, False), (200, True), (400, False))
    alice = await world.player()
    assert (await status(alice))["progress"] == {
        "currentXp": 0,
        "currentLevel": 0,
        "totalStamps": 0,
        "lastStampDate": None,
        "nextLevelXp": 100,
    }
    await alice.play()
    shown = await status(alice)
    assert shown["progress"]["nextLevelXp"] == 200
    assert (shown["progress"]["currentXp"], shown["progress"]["lastStampDate"]) == (120, "2026-03-02")
    assert shown["today"] == {"date": "2026-03-02", "stamped": True}
    assert [level["state"] for level in shown["levels"]] == ["CLAIMABLE", "LOCKED", "LOCKED"]


async def test_without_a_season(world: World) -> None:
    alice = await world.player()
    await world.sql.execute("UPDATE season_pass_config SET start_date = $1", dt.date(2026, 3, 3))
    await refused(world, alice.stamp(), "NO_ACTIVE_SEASON")
    await refused(world, alice.claim(1), "NO_ACTIVE_SEASON")
    query = "{ seasonPassStatus { ... on UserError { code } } }"
    assert (await alice.data(query))["seasonPassStatus"] == {"code": "NO_ACTIVE_SEASON"}
    assert (await alice.play())["seasonPass"] is None


async def test_the_day_after_the_season_s_end(world: World) -> None:
    alice = await world.player()
    await world.sql.execute("UPDATE season_pass_config SET end_date = $1", dt.date(2026, 3, 2))
    world.clock.now = dt.datetime(2026, 3, 2, 14, 59, 59, 999_999, tzinfo=dt.UTC)
    alice = await world.player()
    assert (await alice.stamp())["addedStamp"] == 1
    world.clock.now = dt.datetime(2026, 3, 2, 15, 0, tzinfo=dt.UTC)
    alice = await world.player()
    await refused(world, alice.stamp(), "NO_ACTIVE_SEASON")
    await refused(world, alice.claim(2), "NO_ACTIVE_SEASON")


async def test_a_new_season_begins_from_nothing(world: World) -> None:
    alice = await world.player()
    await alice.stamp()
    await world.sql.execute("UPDATE season_pass_config SET end_date = $1", dt.date(2026, 3, 2))
    new = await world.sql.fetchval(
        "INSERT INTO season_pass_config"
        " (name, start_date, end_date, base_xp_per_stamp, max_level, revision, published_at)"
        " VALUES ('second', $1, $2, 30, 1, 1, $3) RETURNING id",
        dt.date(2026, 3, 3),
        dt.date(2026, 3, 9),
        NOON,
    )
    await world.sql.execute(
        "INSERT INTO season_pass_level (season_id, level, required_xp, reward_type, reward_amount, auto_claim)"
        " VALUES ($1, 1, 80, 'POINT', 7, false)",
        new,
    )
    world.clock.advance(days=1)
    alice = await world.player()
    stamped = await alice.stamp()
    assert (stamped["currentXp"], stamped["currentLevel"]) == (80, 1)
    assert (await alice.claim(1))["reward"]["amount"] == 7
    progress = await world.sql.fetch("SELECT id, season_id FROM season_pass_progress ORDER BY season_id")
    assert len(progress) == 2
    logs = await world.sql.fetch(
        "SELECT DISTINCT season_id, progress_id FROM season_pass_reward_log"
        " UNION SELECT season_id, progress_id FROM season_pass_stamp_log ORDER BY season_id"
    )
    assert [(row["progress_id"], row["season_id"]) for row in logs] == [tuple(row) for row in progress]


async def test_a_blocked_player(world: World) -> None:
    await levels(world, (100, False))
    alice = await world.player()
    stamped = await alice.stamp(key="k")
    await world.sql.execute('UPDATE "user" SET is_blocked = true')
    world.clock.advance(days=1)
    alice = await world.player()
    await refused(world, alice.stamp(), "USER_BLOCKED")
    await refused(world, alice.claim(1), "USER_BLOCKED")
    assert await alice.stamp(key="k") == stamped | {"replayed": True}


async def test_a_key_is_for_one_input(world: World) -> None:
    await levels(world, (1, False), (2, False))
    alice = await world.player()
    await alice.stamp("DICE", key="s")
    await refused(world, alice.stamp("SEASON_PASS", key="s"), "IDEMPOTENCY_KEY_REUSED")
    await alice.claim(1, key="c")
    await refused(world, alice.claim(2, key="c"), "IDEMPOTENCY_KEY_REUSED")
    await refused(world, alice.stamp(key="c"), "IDEMPOTENCY_KEY_REUSED")
    await refused(world, alice.play(key="c"), "IDEMPOTENCY_KEY_REUSED")


async def test_the_first_answers_come_again_after_a_restart(world: World) -> None:
    await levels(world, (1, False), (2, True))
    alice = await world.player()
    stamp, claim = await alice.stamp(key="s"), await alice.claim(1, key="c")
    assert world.settings.owner_url
    async with running(world.settings.owner_url, demo=False) as restarted:
        restarted.clock.advance(days=5)
        again = await restarted.player()
        assert await again.stamp(key="s") == stamp | {"replayed": True}
        assert await again.claim(1, key="c") == claim | {"replayed": True}


@pytest.mark.parametrize("key", ["", "k" * 129, "a\nb", "ä"])
async def test_a_malformed_key(world: World, key: str) -> None:
    alice = await world.player()
    before = await world.written()
    stamp = "mutation ($key: String!) { stamp(input: {idempotencyKey: $key}) { __typename } }"
    claim = "mutation ($key: String!) { claimReward(input: {idempotencyKey: $key, level: 1}) { __typename } }"
    assert [await alice.error_code(query, key=key) for query in (stamp, claim)] == ["BAD_REQUEST"] * 2
    assert await world.written() == before


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.PLAYER])
async def test_roles_that_do_not_play(world: World, role: Role) -> None:
    staff = await world.player("staff", role)
    stamp = 'mutation { stamp(input: {idempotencyKey: "k"}) { __typename } }'
    claim = 'mutation { claimReward(input: {idempotencyKey: "k", level: 1}) { __typename } }'
    before = await world.written()
    assert [await staff.error_code(query) for query in (stamp, claim)] == ["FORBIDDEN"] * 2
    assert [await world.nobody.error_code(query) for query in (stamp, claim)] == ["UNAUTHENTICATED"] * 2
    assert await world.written() == before


async def test_parallel_stamps_and_plays_are_one_stamp(world: World) -> None:
    alice = await world.player()
    commands = [alice.stamp(), alice.play(), alice.stamp(), alice.play(), alice.stamp("DICE")]
    answers = await asyncio.gather(*commands)
    stamps = [answer.get("addedStamp", (answer.get("seasonPass") or {}).get("addedStamp", 0)) for answer in answers]
    assert sum(stamps) == 1
    assert await world.count("season_pass_stamp_log") == 1


async def test_coupons_of_levels(world: World) -> None:
    await levels(world, (1, True), (2, True), (3, False))
    await world.sql.execute(
        "UPDATE season_pass_level SET reward_type = 'COUPON', reward_amount = 1, coupon_type = 'TEA'"
    )
    await world.sql.execute(
        "INSERT INTO coupon_code (coupon_type, code, imported_at) VALUES ('TEA', 'TEA-1', $1)", NOON
    )
    alice = await world.player()
    stamped = await alice.stamp(key="s")
    assert [reward["reward"]["couponCode"] for reward in stamped["rewards"]] == ["TEA-1", None]
    assert await alice.stamp(key="s") == stamped | {"replayed": True}
    waiting = await world.sql.fetch("SELECT coupon_type, user_id, line_no FROM coupon_waiting")
    assert [tuple(row) for row in waiting] == [("TEA", alice.player_id, 2)]
    assert (await alice.claim(3))["reward"] == {"type": "COUPON", "amount": 1, "balance": None, "couponCode": None}
    assert await world.count("coupon_waiting") == 2


async def test_a_day_of_the_season_pass(world: World) -> None:
    await world.today(FeatureType.SEASON_PASS)
    alice = await world.player()
    assert (await alice.stamp())["xpAdded"] == 150
    assert (await alice.play())["code"] == "NO_FEATURE_TODAY"
