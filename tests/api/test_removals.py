"""What has not begun can be renamed and removed: seasons, and days of the schedule."""

from __future__ import annotations

from typing import Any

import pytest

from models import Role
from schema.nodes import Kind, node_id
from tests.api.test_dry_runs import everything, send
from tests.staff import operator, upsert, valid
from tests.statements import watched
from tests.world import Client, World

DAY = "2026-03-03"


async def remove_day(client: Client, date: str = DAY, expected: int = 1) -> dict[str, Any]:
    return await send(client, "removeScheduledDay", {"date": date, "expectedRevision": expected})


async def remove_season(client: Client, season_id: str, expected: int = 1) -> dict[str, Any]:
    return await send(client, "removeSeason", {"seasonId": season_id, "expectedRevision": expected})


async def test_a_day_of_the_future_is_removed(world: World) -> None:
    olive, days = await operator(world), "SELECT * FROM feature_schedule WHERE date <> '2026-03-03' ORDER BY date"
    others = await world.sql.fetch(days)
    removed = await remove_day(olive)
    assert removed["removedId"] == node_id(Kind.SCHEDULED_DAY, world.clock().date().replace(day=3))
    assert removed["changes"][0] == {"path": ["date"], "before": DAY, "after": None}
    assert await world.sql.fetchval("SELECT count(*) FROM feature_schedule WHERE date = '2026-03-03'") == 0
    assert await world.sql.fetch(days) == others
    assert (await remove_day(olive))["code"] == "NOT_FOUND"


async def test_the_revisions_of_a_day_go_on_after_its_removal(world: World) -> None:
    """Nobody who saw what was removed changes what came after it, be it in the same instant or later."""
    olive = await operator(world)
    await remove_day(olive)
    world.clock.advance(seconds=1)
    again = valid("upsertFeatureSchedule", expectedRevision=None)
    assert (await upsert(olive, "upsertFeatureSchedule", again))["revision"] == 2
    assert (await upsert(olive, "upsertFeatureSchedule", valid("upsertFeatureSchedule")))["currentRevision"] == 2
    assert (await remove_day(olive, expected=2))["__typename"] == "RemovePayload"
    with watched(world) as statements:
        assert (await upsert(olive, "upsertFeatureSchedule", again))["revision"] == 3
    assert max(statements.rows) == 1, "of what the day was before the newest is read alone"


@pytest.mark.parametrize("date", ["2026-03-01", "2026-03-02"])
async def test_a_day_that_has_begun_stays(world: World, date: str) -> None:
    olive = await operator(world)
    revision = await world.sql.fetchval("SELECT revision FROM feature_schedule WHERE date = $1::text::date", date)
    before = await everything(world)
    refused = await remove_day(olive, date, revision)
    assert (refused["code"], [issue["path"] for issue in refused["issues"]]) == ("VALIDATION_FAILED", [["date"]])
    assert await everything(world) == before


async def test_what_somebody_changed_meanwhile_is_not_removed(world: World) -> None:
    olive = await operator(world)
    summer = (await upsert(olive, "upsertSeason", valid("upsertSeason")))["id"]
    before = await everything(world)
    assert (await remove_day(olive, expected=7))["currentRevision"] == 1
    assert (await remove_season(olive, summer, expected=7))["currentRevision"] == 1
    assert await everything(world) == before


async def test_a_season_that_has_not_begun_is_removed(world: World) -> None:
    olive, alice = await operator(world), await world.player()
    assert (await alice.stamp())["addedStamp"] == 1
    seasons = "SELECT * FROM season_pass_config c JOIN season_pass_level l ON season_id = c.id ORDER BY c.id, level"
    others = await world.sql.fetch(seasons)
    summer = (await upsert(olive, "upsertSeason", valid("upsertSeason")))["id"]
    assert (await remove_season(olive, summer))["removedId"] == summer
    assert await world.sql.fetch(seasons) == others
    assert (await remove_season(olive, summer))["code"] == "NOT_FOUND"
    assert (await remove_season(olive, "x"))["code"] == "NOT_FOUND"
    assert (await upsert(olive, "upsertSeason", valid("upsertSeason")))["id"] != summer


async def test_a_season_that_has_begun_or_that_somebody_is_in_stays(world: World) -> None:
    olive, alice = await operator(world), await world.player()
    begun = node_id(Kind.SEASON, await world.sql.fetchval("SELECT id FROM season_pass_config"))
    summer = await upsert(olive, "upsertSeason", valid("upsertSeason"))
    await world.sql.execute(
        "INSERT INTO season_pass_progress (user_id, id, season_id, current_xp, current_level, total_stamps,"
        " last_stamp_date, created_at, updated_at) SELECT $1, gen_random_uuid(), id, 1, 0, 1, start_date, $2, $2"
        " FROM season_pass_config WHERE name = 'summer'",
        alice.player_id,
        world.clock(),
    )
    before = await everything(world)
    for season, told in ((begun, "began on"), (summer["id"], "Players are in")):
        refused = await remove_season(olive, season)
        assert [issue["path"] for issue in refused["issues"]] == [["seasonId"]]
        assert told in refused["issues"][0]["message"]
    assert await everything(world) == before


async def test_a_season_that_has_not_begun_is_renamed(world: World) -> None:
    olive = await operator(world)
    summer = await upsert(olive, "upsertSeason", valid("upsertSeason"))
    renamed = valid("upsertSeason", seasonId=summer["id"], name="holidays", expectedRevision=1)
    changed = await upsert(olive, "upsertSeason", renamed)
    assert (changed["id"], changed["name"], changed["revision"]) == (summer["id"], "holidays", 2)
    assert (await upsert(olive, "upsertSeason", renamed))["currentRevision"] == 2
    for unknown in ("x", node_id(Kind.SEASON, 99)):
        assert (await upsert(olive, "upsertSeason", renamed | {"seasonId": unknown}))["code"] == "NOT_FOUND"


async def test_a_name_is_one_season_s_and_stays_once_it_has_begun(world: World) -> None:
    olive = await operator(world)
    summer = await upsert(olive, "upsertSeason", valid("upsertSeason"))
    row = await world.sql.fetchrow("SELECT * FROM season_pass_config WHERE name <> 'summer'")
    assert row is not None
    taken = valid("upsertSeason", seasonId=summer["id"], name=row["name"], expectedRevision=1)
    refused = await upsert(olive, "upsertSeason", taken)
    assert [issue["path"] for issue in refused["issues"]] == [["name"]]
    dates = {"startDate": str(row["start_date"]), "endDate": str(row["end_date"])}
    begun = node_id(Kind.SEASON, row["id"])
    another = valid("upsertSeason", seasonId=begun, name="another", expectedRevision=1, **dates)
    refused = await upsert(olive, "upsertSeason", another)
    assert [(issue["path"], "name stays" in issue["message"]) for issue in refused["issues"]] == [(["name"], True)]


AUDIT = """query ($filter: AuditFilter) { auditLog(filter: $filter) {
  nodes { action actor actorId actorRole target targetNode { __typename id } before after } } }"""


async def found(client: Client, **wanted: Any) -> list[str]:
    """The actions of the entries that are found."""
    return [entry["action"] for entry in (await client.data(AUDIT, filter=wanted))["auditLog"]["nodes"]]


async def test_the_audit_log_is_searched_and_names_nodes(world: World) -> None:
    olive, ada, alice = await operator(world), await world.player("ada", Role.ADMIN), await world.player()
    start = world.clock()
    day = valid("upsertFeatureSchedule")
    made = {
        "upsertFeatureSchedule": (olive, day),
        "upsertFeatureConfig": (olive, valid("upsertFeatureConfig")),
        "upsertDiceConfig": (olive, valid("upsertDiceConfig")),
        "upsertSeason": (olive, valid("upsertSeason")),
        "publishRanking": (
            olive,
            {"date": "2025-06-01", "rows": [{"rank": 1, "displayName": "haru", "score": 70}]},
        ),
        "revokeTokens": (ada, {"playerId": alice.id, "reason": "a phone was stolen"}),
    }
    for name, (client, given) in made.items():
        assert (await send(client, name, given))["dryRun"] is False
        world.clock.advance(seconds=1)
    entries = (await ada.data(AUDIT))["auditLog"]["nodes"][::-1]
    assert (entries[1]["before"]["stampXpBonus"], entries[1]["after"]) == (
        20,
        {"featureType": "DICE", "title": "Dice", "titles": {}, "pagePath": "/dice"}
        | {"isEnabled": True, "stampXpBonus": 5, "revision": 2},
    )
    assert entries[3]["after"]["levels"][1] == {
        "level": 2,
        "requiredXp": 300,
        "autoClaim": False,
        "rewardType": "COUPON",
        "rewardAmount": 1,
        "couponType": "COFFEE",
    }
    assert entries[5]["after"]["reason"] == "a phone was stolen"
    assert [entry["action"] for entry in entries] == list(made)
    assert {entry["actorId"] for entry in entries[:-1]} == {olive.id}
    assert (entries[-1]["actorId"], entries[-1]["actorRole"]) == (ada.id, "ADMIN")
    types = [entry["targetNode"]["__typename"] for entry in entries]
    assert types == ["ScheduledDay", "FeatureConfig", "DiceConfig", "Season", "RankingSnapshot", "Player"]
    for entry in entries:
        assert await found(ada, targetId=entry["targetNode"]["id"]) == [entry["action"]]
    assert await found(ada, actorId=ada.id) == ["revokeTokens"]
    assert await found(ada, actorId="x") == []
    assert await found(ada, targetId="x") == []
    assert await found(ada, targetId=node_id(Kind.DICE_CONFIG, 1)) == []
    assert await found(ada, targetId=node_id(Kind.AUDIT_ENTRY, 1)) == []
    assert await found(ada, action="upsertSeason", actorId=olive.id) == ["upsertSeason"]
    second = {"from": start.isoformat(), "to": start.replace(second=2).isoformat()}
    assert await found(ada, **second) == ["upsertFeatureConfig", "upsertFeatureSchedule"]
    await send(olive, "upsertDiceConfig", valid("upsertDiceConfig", expectedRevision=2))
    revisions = (await ada.data(AUDIT, filter={"action": "upsertDiceConfig"}))["auditLog"]["nodes"]
    ids = await world.sql.fetch("SELECT id FROM dice_config WHERE revision > 1 ORDER BY revision DESC")
    assert [one["targetNode"]["id"] for one in revisions] == [node_id(Kind.DICE_CONFIG, row["id"]) for row in ids]


async def test_a_target_that_is_gone_or_is_no_node_is_null(world: World) -> None:
    olive = await operator(world)
    await remove_day(olive)
    await world.sql.execute(
        "INSERT INTO audit_log (actor, action, target, created_at) SELECT 'cli', 'a', unnest($1::text[]), $2",
        ["coupon COFFEE", "dice_config revision 99", "ranking_daily 2025-06-01"],
        world.clock(),
    )
    entries = (await olive.data(AUDIT))["auditLog"]["nodes"]
    assert [entry["targetNode"] for entry in entries] == [None] * 4
    assert [(entry["actorId"], entry["actorRole"]) for entry in entries[:3]] == [(None, None)] * 3
