"""Seasons: making them, and changing one while players are in it."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from server.demo import SEASON_NAME
from tests.staff import COFFEE, POINTS, kept, operator, upsert, valid
from tests.world import World, forge

STATUS = """{ seasonPassStatus { ... on SeasonPassStatus {
    season { name revision } progress { currentLevel currentXp nextLevelXp } levels { level requiredXp state } } } }"""


def level(number: int, xp: int, *, auto: bool = True, reward: dict[str, Any] = POINTS) -> dict[str, Any]:
    return {"level": number, "requiredXp": xp, "reward": reward, "autoClaim": auto}


def running_from(
    start: str, world: World, *levels: dict[str, Any], revision: int | None = None, **changes: Any
) -> dict[str, Any]:
    """A season that ends in two weeks."""
    given = valid("upsertSeason", name="spring", startDate=start, endDate="2026-03-16", levels=list(levels))
    return given | {"expectedRevision": revision} | changes


running = partial(running_from, "2026-03-01")
"""One that began yesterday."""


async def without_demo_season(world: World) -> None:
    await forge(world.sql, "TRUNCATE season_pass_config CASCADE")


async def test_a_season_is_made_and_changed(world: World) -> None:
    olive = await operator(world)
    made = await upsert(olive, "upsertSeason", valid("upsertSeason"))
    assert made == {
        "__typename": "Season",
        "id": made["id"],
        "name": "summer",
        "startDate": "2026-06-01",
        "endDate": "2026-06-30",
        "maxLevel": 2,
        "baseXpPerStamp": 100,
        "revision": 1,
        "levels": [
            level(1, 100, reward=POINTS | {"couponType": None}),
            level(2, 300, auto=False, reward=COFFEE),
        ],
    }
    later = valid("upsertSeason", startDate="2026-07-01", endDate="2026-07-31", expectedRevision=1)
    later["levels"] = [level(3, 30), level(1, 10), level(2, 20)]
    changed = await upsert(olive, "upsertSeason", later)
    assert (changed["id"], changed["revision"], changed["maxLevel"]) == (made["id"], 2, 3)
    assert [one["requiredXp"] for one in changed["levels"]] == [10, 20, 30]
    listed = (await olive.data("{ seasons { nodes { name maxLevel levels { level } } } }"))["seasons"]["nodes"]
    assert [(one["name"], one["maxLevel"], len(one["levels"])) for one in listed] == [
        ("summer", 3, 3),
        (SEASON_NAME, 10, 10),
    ]
    page = "query ($after: String) { seasons(first: 1, after: $after) { nodes { name } pageInfo { endCursor } } }"
    latest = (await olive.data(page))["seasons"]
    assert latest["nodes"] == [{"name": "summer"}]
    earlier = (await olive.data(page, after=latest["pageInfo"]["endCursor"]))["seasons"]
    assert earlier["nodes"] == [{"name": SEASON_NAME}]


async def test_an_overlap_names_the_other_season(world: World) -> None:
    olive = await operator(world)
    await upsert(olive, "upsertSeason", valid("upsertSeason"))
    before = await kept(world)
    for first, last, field in (
        ("2026-06-30", "2026-07-31", "startDate"),
        ("2026-05-20", "2026-06-01", "endDate"),
        ("2026-06-10", "2026-06-20", "startDate"),
        ("2026-05-20", "2026-07-20", "endDate"),
    ):
        refused = await upsert(olive, "upsertSeason", valid("upsertSeason", name="rain", startDate=first, endDate=last))
        assert refused["code"] == "VALIDATION_FAILED"
        (issue,) = refused["issues"]
        assert issue["path"] == [field]
        assert '"summer", 2026-06-01 to 2026-06-30' in issue["message"]
    both = valid("upsertSeason", name="rain", startDate="2026-04-01", endDate="2026-06-01", baseXpPerStamp=-1)
    refused = await upsert(olive, "upsertSeason", both)
    assert [issue["path"] for issue in refused["issues"]] == [["baseXpPerStamp"], ["startDate"], ["endDate"]]
    assert await kept(world) == before
    beside = valid("upsertSeason", name="rain", startDate="2026-07-01", endDate="2026-07-31")
    assert (await upsert(olive, "upsertSeason", beside))["revision"] == 1


async def test_a_season_that_has_begun_keeps_its_start(world: World) -> None:
    await without_demo_season(world)
    olive = await operator(world)
    await upsert(olive, "upsertSeason", running(world, level(1, 100)))
    before = await kept(world)
    moved = running(world, level(1, 100), revision=1, startDate="2026-02-20")
    refused = await upsert(olive, "upsertSeason", moved)
    assert [issue["path"] for issue in refused["issues"]] == [["startDate"]]
    assert await kept(world) == before
    shorter = running(world, level(1, 100), revision=1, endDate="2026-03-02", baseXpPerStamp=7)
    assert (await upsert(olive, "upsertSeason", shorter))["endDate"] == "2026-03-02"


async def test_a_season_that_has_ended_stays_as_it_was(world: World) -> None:
    await without_demo_season(world)
    await upsert(await operator(world), "upsertSeason", running(world, level(1, 100)))
    world.clock.advance(days=15)
    olive, before = await operator(world), await kept(world)
    refused = await upsert(olive, "upsertSeason", running(world, level(1, 100), revision=1))
    assert [issue["path"] for issue in refused["issues"]] == [["endDate"]]
    revived = running(world, level(1, 100), revision=1, endDate="2026-04-30")
    refused = await upsert(olive, "upsertSeason", revived)
    assert [issue["path"] for issue in refused["issues"]] == [["name"]]
    assert "ended on 2026-03-16" in refused["issues"][0]["message"]
    assert await kept(world) == before


@pytest.mark.parametrize("start", ["2026-03-01", "2026-03-02"])
async def test_no_level_is_taken_from_a_player_who_has_it(world: World, start: str) -> None:
    await without_demo_season(world)
    olive, alice = await operator(world), await world.player()
    running = partial(running_from, start)
    await upsert(olive, "upsertSeason", running(world, level(1, 50), level(2, 100, auto=False), level(3, 500)))
    assert (await alice.stamp())["currentLevel"] == 2
    before = await kept(world)
    harder = running(world, level(1, 60), level(3, 900), level(2, 120), revision=1)
    refused = await upsert(olive, "upsertSeason", harder)
    assert [issue["path"] for issue in refused["issues"]] == [
        ["levels", "0", "requiredXp"],
        ["levels", "2", "requiredXp"],
    ]
    assert refused["issues"][0]["message"] == "Players have reached level 1 with 50 XP: it may need less, but not more."
    refused = await upsert(olive, "upsertSeason", running(world, level(1, 50), revision=1))
    assert [(issue["path"], issue["message"]) for issue in refused["issues"]] == [
        (["levels"], "Players have reached level 2: it must stay.")
    ]
    assert await kept(world) == before
    ahead = running(world, level(1, 50), level(2, 100, auto=False), revision=1)
    assert (await upsert(olive, "upsertSeason", ahead))["maxLevel"] == 2  # nobody has reached level 3
    assert (await alice.data(STATUS))["seasonPassStatus"]["progress"] == {
        "currentLevel": 2,
        "currentXp": 150,
        "nextLevelXp": None,
    }


async def test_nobody_has_reached_a_level_of_a_season_without_players(world: World) -> None:
    await without_demo_season(world)
    olive, alice = await operator(world), await world.player()
    winter = running_from("2026-02-01", world, level(1, 50), level(2, 100), name="winter", endDate="2026-03-02")
    await upsert(olive, "upsertSeason", winter)
    assert (await alice.stamp())["currentLevel"] == 2
    world.clock.advance(days=1)
    olive = await operator(world)
    await upsert(olive, "upsertSeason", running_from("2026-03-03", world, level(1, 50), level(2, 100)))
    harder = running_from("2026-03-03", world, level(1, 500), revision=1)
    assert (await upsert(olive, "upsertSeason", harder))["maxLevel"] == 1


async def test_levels_that_need_less_are_reached_at_the_next_stamp_and_paid_once(world: World) -> None:
    await without_demo_season(world)
    olive, alice = await operator(world), await world.player()
    first = running(world, level(1, 50), level(2, 100, auto=False), level(3, 1000), level(4, 2000, auto=False))
    await upsert(olive, "upsertSeason", first)
    stamped = await alice.stamp()
    assert (stamped["currentLevel"], len(stamped["rewards"])) == (2, 1)
    assert (await alice.claim(2))["level"] == 2

    richer = POINTS | {"amount": 999}
    easier = running(
        world,
        level(1, 10, reward=richer),
        level(2, 20, reward=richer),
        level(3, 30, reward=richer),
        level(4, 40, auto=False, reward=richer),
        revision=1,
    )
    assert (await upsert(olive, "upsertSeason", easier))["revision"] == 2
    status = (await alice.data(STATUS))["seasonPassStatus"]
    assert status["progress"]["currentLevel"] == 2  # until the next stamp
    assert [one["state"] for one in status["levels"]] == ["CLAIMED", "CLAIMED", "LOCKED", "LOCKED"]
    assert (await alice.claim(4))["code"] == "LEVEL_NOT_REACHED"

    world.clock.advance(days=1)
    alice = await world.player()
    stamped = await alice.stamp()
    assert stamped["currentLevel"] == 4
    assert [(one["level"], one["reward"]["amount"]) for one in stamped["rewards"]] == [(3, 999)]
    assert (await alice.claim(4))["reward"]["amount"] == 999
    paid = await world.sql.fetchval("SELECT array_agg(level::int ORDER BY level) FROM season_pass_reward_log")
    assert paid == [1, 2, 3, 4]
    assert await world.sql.fetchval("SELECT sum(amount) FROM reward_ledger WHERE cause = 'SEASON_LEVEL'") == 2018


@pytest.mark.parametrize("by_claim", [True, False])
async def test_a_level_that_comes_to_claim_itself_is_claimed_or_paid_at_the_next_stamp(
    world: World, *, by_claim: bool
) -> None:
    await without_demo_season(world)
    olive, alice = await operator(world), await world.player()
    await upsert(olive, "upsertSeason", running(world, level(1, 50, auto=False)))
    await alice.stamp()
    await upsert(olive, "upsertSeason", running(world, level(1, 50), revision=1))
    if by_claim:
        status = (await alice.data(STATUS))["seasonPassStatus"]
        assert [one["state"] for one in status["levels"]] == ["CLAIMABLE"]
        assert (await alice.claim(1))["level"] == 1
        assert (await alice.claim(1))["code"] == "AUTO_CLAIM_LEVEL"
    world.clock.advance(days=1)
    stamped = await (await world.player()).stamp()
    assert [one["level"] for one in stamped["rewards"]] == ([] if by_claim else [1])
