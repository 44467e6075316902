"""What players see of their past: plays, rewards and events."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from models import EventName, FeatureType
from schema.nodes import Kind, node_id, parts_of
from tests.conftest import Haru
from tests.statements import watched
from tests.world import DRAWN, GRANTED, RECEIPT, Client, World, forge

GAMES = {
    FeatureType.DICE: "playDice",
    FeatureType.ROULETTE: "spinRoulette",
    FeatureType.LOTTERY: "drawLottery",
}
PLAYS = f"""
query Plays($first: Int! = 20, $after: String) {{
  me {{ plays(first: $first, after: $after) {{
    nodes {{
      __typename id businessDate playedAt replayed
      reward {{ ...granted }}
      dailyLimit {{ max used remaining unlimited resetsAt }}
      seasonPass {RECEIPT}
      {" ".join(DRAWN.values())}
    }}
    edges {{ cursor node {{ id }} }}
    pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }}
  }} }}
}}
{GRANTED}
"""
EVENTS = """
query Events($first: Int! = 20, $after: String) {
  me { externalId events(first: $first, after: $after) {
    nodes { id featureType eventName meta createdAt player { externalId } }
    pageInfo { hasNextPage hasPreviousPage endCursor }
  } }
}
"""


async def plays_of(player: Client, **variables: Any) -> dict[str, Any]:
    page: dict[str, Any] = (await player.data(PLAYS, **variables))["me"]["plays"]
    return page


async def events_of(player: Client, **variables: Any) -> dict[str, Any]:
    page: dict[str, Any] = (await player.data(EVENTS, **variables))["me"]["events"]
    return page


async def pages(read: Any, player: Client, first: int) -> list[dict[str, Any]]:
    """All nodes of a list, page by page."""
    nodes, after = [], None
    while True:
        page = await read(player, first=first, after=after)
        assert len(page["nodes"]) <= first
        assert page["pageInfo"]["hasPreviousPage"] is (after is not None)
        nodes += page["nodes"]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            return nodes


async def play_days(world: World, alice: Client, days: int = 6, plays: int = 3) -> list[dict[str, Any]]:
    """Alice plays every game for some days; the answers, newest first."""
    answers = []
    for day in range(days):
        feature, mutation = list(GAMES.items())[day % 3]
        await world.today(feature)
        await world.player("alice")  # with a token of the day
        for _ in range(plays):
            answers.append(await alice.play(mutation))
            world.clock.advance(seconds=1)
        world.clock.advance(days=1)
    await world.player("alice")
    return answers[::-1]


async def test_plays_are_told_as_they_were_answered(world: World) -> None:
    alice = await world.player()
    answers = await play_days(world, alice)
    assert {answer["__typename"] for answer in answers} == {"DicePlay", "RouletteSpin", "LotteryDraw"}
    assert any(answer["seasonPass"]["leveledUp"] for answer in answers)
    page = await plays_of(alice)
    assert page["nodes"] == answers
    assert [edge["node"]["id"] for edge in page["edges"]] == [answer["id"] for answer in answers]


async def test_plays_page_by_page_come_once_each_even_within_one_instant(world: World) -> None:
    alice, bob = await world.player(), await world.player("bob")
    await forge(world.sql, "UPDATE dice_config SET max_daily_plays = 0")
    answers = [await alice.play() for _ in range(25)]
    await bob.play()
    for first in (1, 7, 25, 100):
        nodes = await pages(plays_of, alice, first)
        assert [node["id"] for node in nodes] == [answer["id"] for answer in answers[::-1]]
    assert len((await plays_of(bob))["nodes"]) == 1


async def test_nothing_played(world: World) -> None:
    page = await plays_of(await world.player())
    assert page == {
        "nodes": [],
        "edges": [],
        "pageInfo": {"hasNextPage": False, "hasPreviousPage": False, "startCursor": None, "endCursor": None},
    }


async def test_a_play_after_a_stamp_and_one_without_a_season(world: World) -> None:
    alice, bob = await world.player(), await world.player("bob")
    stamped = await alice.stamp()
    after_stamp = await alice.play()
    assert after_stamp["seasonPass"]["addedStamp"] == 0
    assert after_stamp["seasonPass"]["currentXp"] == stamped["currentXp"]
    assert (await plays_of(alice))["nodes"] == [after_stamp]

    await world.sql.execute("UPDATE season_pass_config SET end_date = '2026-03-01'")
    without = await bob.play()
    assert without["seasonPass"] is None
    assert (await plays_of(bob))["nodes"] == [without]


async def test_a_stamp_later_in_the_day_says_nothing_of_an_earlier_play(world: World) -> None:
    alice = await world.player()
    await world.sql.execute("UPDATE season_pass_config SET end_date = '2026-03-01'")
    early = await alice.play()
    await world.sql.execute("UPDATE season_pass_config SET end_date = '2026-03-31'")
    world.clock.advance(minutes=1)
    late = await alice.play()
    assert late["seasonPass"]["addedStamp"] == 1
    assert (await plays_of(alice))["nodes"] == [late, early]


async def test_a_level_reached_without_xp_stays_told(world: World) -> None:
    alice = await world.player()
    await world.sql.execute("UPDATE season_pass_config SET base_xp_per_stamp = 0")
    await world.sql.execute("UPDATE feature_config SET stamp_xp_bonus = 0")
    await world.sql.execute("UPDATE season_pass_level SET required_xp = required_xp - 100")
    answers = await play_days(world, alice, days=3, plays=2)
    assert [answer["seasonPass"]["leveledUp"] for answer in answers] == [False] * 5 + [True]
    assert (await plays_of(alice))["nodes"] == answers


async def only_coupons(world: World) -> None:
    """Whatever the dice show gives a coupon."""
    coupon = "{0}_reward_type = 'COUPON', {0}_reward_amount = 1, {0}_coupon_type = 'COFFEE'"
    given = ", ".join(map(coupon.format, ("win", "draw", "lose")))
    await forge(world.sql, f"UPDATE dice_config SET {given}")


async def test_a_coupon_s_code_shows_once_there_is_one(world: World, haru: Haru, tmp_path: Path) -> None:
    alice = await world.player()
    await forge(world.sql, "DELETE FROM coupon_code")
    await only_coupons(world)
    waiting = await alice.play()
    assert waiting["reward"] == {"type": "COUPON", "amount": 1, "balance": None, "couponCode": None}
    assert (await plays_of(alice))["nodes"] == [waiting]
    (codes := tmp_path / "codes.txt").write_text("NEW-1\n")
    assert (await haru("coupons", "import", str(codes), "--type", "COFFEE")).exit_code == 0
    (now,) = (await plays_of(alice))["nodes"]
    assert now == waiting | {"reward": waiting["reward"] | {"couponCode": "NEW-1"}}


async def test_coupons_and_levels_are_told_of_the_play_and_the_line_that_gave_them(world: World) -> None:
    """Of two players who have the same at the same places of their ledgers."""
    await only_coupons(world)
    await forge(world.sql, "UPDATE season_pass_config SET base_xp_per_stamp = 250")
    await forge(world.sql, "UPDATE season_pass_level SET auto_claim = true")
    coupon = "reward_type = 'COUPON', reward_amount = 1, coupon_type = 'COFFEE'"
    await forge(world.sql, f"UPDATE season_pass_level SET {coupon} WHERE level = 2")
    players = [await world.player(name) for name in ("alice", "bob")]
    answers = [[await player.play() for player in players] for _ in range(2)]
    for player, *played in zip(players, *answers, strict=True):
        assert (await plays_of(player))["nodes"] == played[::-1]
        first, second = played
        levels = first["seasonPass"]["rewards"]
        assert [level["level"] for level in levels] == [1, 2]
        given = [first["reward"], *(level["reward"] for level in levels), second["reward"]]
        document = "{ me { rewards { nodes { type amount couponCode } } } }"
        told = (await player.data(document))["me"]["rewards"]["nodes"]
        assert told == [{part: reward[part] for part in ("type", "amount", "couponCode")} for reward in given[::-1]]


async def test_a_prize_is_told_by_its_revision_where_the_event_is_gone(world: World) -> None:
    alice = await world.player()
    await world.today(FeatureType.LOTTERY)
    answer = await alice.play("drawLottery")
    await forge(world.sql, "DELETE FROM user_event_log")
    (node,) = (await plays_of(alice))["nodes"]
    assert node == answer


async def test_nothing_won(world: World) -> None:
    alice = await world.player()
    await forge(
        world.sql,
        "UPDATE dice_config SET win_reward_type = 'NONE', draw_reward_type = 'NONE', lose_reward_type = 'NONE'",
    )
    answer = await alice.play()
    assert answer["reward"] == {"type": "NONE", "amount": 0, "balance": None, "couponCode": None}
    assert (await plays_of(alice))["nodes"] == [answer]


async def test_a_page_costs_the_same_statements_whatever_its_size(world: World) -> None:
    alice = await world.player()
    await play_days(world, alice)
    await world.parts.reads.day(world.clock())
    counts = set()
    for first in (1, 5, 18):
        with watched(world) as statements:
            assert len((await plays_of(alice, first=first))["nodes"]) == first
        counts.add(len(statements))
    assert counts == {2}  # the account, the plays


async def test_a_level_that_is_claimed_at_once_is_none_of_the_play_s(world: World) -> None:
    """The clock has not moved on since the stamp."""
    await forge(world.sql, "UPDATE season_pass_config SET base_xp_per_stamp = 250")
    alice = await world.player()
    assert (await alice.play())["seasonPass"]["currentLevel"] == 2
    assert (await alice.claim(2))["level"] == 2
    (play,) = (await plays_of(alice))["nodes"]
    assert [reward["level"] for reward in play["seasonPass"]["rewards"]] == [1]


@pytest.mark.parametrize("field", ["plays", "events", "rewards"])
@pytest.mark.parametrize(
    "arguments",
    [
        "first: 0",
        "first: 101",
        "first: -1",
        'after: "nonsense"',
        'after: ""',
        'after: "WyIxIiwiMiJd"',  # ["1","2"]
        'after: "WyI5OTk5OTk5OTk5OTk5OTk5OTk5OTkiXQ"',  # ["999..."]
        'after: "WyIyMDI2LTAzLTAyVDAzOjAwOjAwIiwiMDE5Y2FiZjAtYTAwMC03MDAwLTgwMDAtMDAwMDAwMDAwMDAwIl0"',  # no zone
    ],
)
async def test_arguments_of_a_page_are_checked(world: World, field: str, arguments: str) -> None:
    alice = await world.player()
    assert await alice.error_code(f"{{ me {{ {field}({arguments}) {{ nodes {{ id }} }} }} }}") == "BAD_REQUEST"


async def test_events_newest_first(world: World) -> None:
    alice, bob = await world.player(), await world.player("bob")
    await bob.play()
    await play_days(world, alice)
    page = await events_of(alice, first=100)
    assert {node["player"]["externalId"] for node in page["nodes"]} == {"alice"}
    keys = [(node["createdAt"], parts_of(node["id"], Kind.USER_EVENT)) for node in page["nodes"]]
    assert keys == sorted(keys, reverse=True)
    assert {node["eventName"] for node in page["nodes"]} == {"PLAY", "SEASON_PASS_STAMP", "SEASON_PASS_LEVEL_UP"}
    assert all(isinstance(node["meta"], dict) for node in page["nodes"])
    assert await pages(events_of, alice, 7) == page["nodes"]


async def test_of_what_they_did_themselves_players_see_everything(world: World) -> None:
    alice = await world.player()
    await play_days(world, alice)
    claimable = await world.sql.fetchval("SELECT min(level) FROM season_pass_level WHERE NOT auto_claim")
    assert (await alice.claim(claimable))["__typename"] == "ClaimRewardPayload"
    nodes = (await events_of(alice, first=100))["nodes"]
    stored = await world.sql.fetch("SELECT id, meta_json FROM user_event_log WHERE user_id = $1", alice.player_id)
    assert {node["eventName"] for node in nodes} == set(EventName) - {"FEATURE_VIEW", "REWARD_GRANT"}
    named = {"playId", "revisionId", "drawn"}  # as the API names them
    assert {node["id"]: {key: node["meta"][key] for key in node["meta"].keys() - named} for node in nodes} == {
        node_id(Kind.USER_EVENT, alice.player_id, row["id"]): {key: meta[key] for key in meta.keys() - named}
        for row in stored
        for meta in [json.loads(row["meta_json"])]
    }
    plays = {play["id"] for play in (await plays_of(alice, first=100))["nodes"]}
    assert {node["meta"]["playId"] for node in nodes if "playId" in node["meta"]} == plays


async def test_what_was_drawn_is_named_as_the_api_names_it(world: World) -> None:
    alice = await world.player()
    for feature, mutation, part, kind in (
        (FeatureType.ROULETTE, "spinRoulette", "segment_id", Kind.ROULETTE_SEGMENT),
        (FeatureType.LOTTERY, "drawLottery", "prize_id", Kind.LOTTERY_PRIZE),
    ):
        await world.today(feature)
        await alice.play(mutation)
        drawn = await world.sql.fetchval(f"SELECT {part} FROM {feature.lower()}_log")
        events = (await events_of(alice, first=100))["nodes"]
        (meta,) = (one["meta"] for one in events if one["eventName"] == "PLAY" and one["featureType"] == feature)
        assert meta["drawn"]["id"] == node_id(kind, drawn)
