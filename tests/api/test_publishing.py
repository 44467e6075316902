"""Publishing the games' configurations, and configuring features and days."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from models import MAX_AMOUNT, FeatureType, Role
from schema.nodes import Kind, node_id
from tests.staff import COFFEE, INPUTS, NOTHING, POINTS, kept, operator, upsert, valid
from tests.world import World, forge

UPSERTS = list(INPUTS)
GAMES = {
    "upsertDiceConfig": "dice_config",
    "upsertRouletteConfig": "roulette_config",
    "upsertLotteryConfig": "lottery_config",
}


async def audit(world: World) -> list[dict[str, Any]]:
    rows = await world.sql.fetch("SELECT * FROM audit_log ORDER BY id")
    return [
        {
            name: json.loads(value) if name in {"before", "after"} and value is not None else value
            for name, value in row.items()
        }
        for row in rows
    ]


async def test_a_revision_is_published_and_played(world: World) -> None:
    olive, alice = await operator(world), await world.player()
    published = await upsert(olive, "upsertDiceConfig", valid("upsertDiceConfig"))
    assert published == {
        "__typename": "DiceConfig",
        "id": published["id"],
        "name": "spring",
        "revision": 2,
        "isActive": True,
        "isWithdrawn": False,
        "publishedAt": "2026-03-02T03:00:00.000+00:00",
        "announcedAt": "2026-03-02T03:00:00.000+00:00",
        "effectiveFrom": "2026-03-02T03:00:00.000+00:00",
        "effectiveUntil": None,
        "maxDailyPlays": 5,
        "winReward": POINTS | {"couponType": None},
        "drawReward": COFFEE,
        "loseReward": NOTHING | {"couponType": None},
    }
    assert (await alice.play())["dailyLimit"]["max"] == 5
    played = await world.sql.fetchval("SELECT config_id FROM dice_log")
    assert published["id"] == node_id(Kind.DICE_CONFIG, played)


async def test_roulette_is_published_by_slot(world: World) -> None:
    given = valid("upsertRouletteConfig")
    given["segments"].reverse()
    published = await upsert(await operator(world), "upsertRouletteConfig", given)
    assert [segment["slot"] for segment in published["segments"]] == list(range(6))
    assert published["segments"][5]["odds"] == {"weight": 5, "totalWeight": 15, "percent": 100 / 3}
    assert [segment["isJackpot"] for segment in published["segments"]] == [False] * 5 + [True]


async def test_lottery_takes_the_stock_that_the_operator_gives(world: World) -> None:
    await world.today(FeatureType.LOTTERY)
    given = valid("upsertLotteryConfig")
    given["prizes"][0]["weight"], given["prizes"][1]["weight"] = 1, 0
    olive, alice = await operator(world), await world.player()
    published = await upsert(olive, "upsertLotteryConfig", given)
    assert [prize["stock"] for prize in published["prizes"]] == [3, None, None]
    assert [prize["odds"]["weight"] for prize in published["prizes"]] == [1, 0, 0]
    assert (await alice.play("drawLottery"))["prize"]["stockAfter"] == 2
    again = await upsert(olive, "upsertLotteryConfig", given | {"expectedRevision": 2})
    assert again["prizes"][0]["stock"] == 3
    stocks = await world.sql.fetch(
        'SELECT c.revision, s."left" FROM lottery_prize p JOIN lottery_config c ON c.id = p.config_id'
        " JOIN lottery_stock s ON s.id = p.stock_id"
        " WHERE p.position = 0 AND c.revision > 1 ORDER BY 1"
    )
    assert [tuple(row) for row in stocks] == [(2, 2), (3, 3)]


@pytest.mark.parametrize("mutation", UPSERTS)
async def test_every_upsert_is_on_record(world: World, mutation: str) -> None:
    changed = await upsert(await operator(world), mutation, valid(mutation))
    (entry,) = await audit(world)
    assert entry["actor"] == "olive (OPERATOR)"
    assert entry["action"] == mutation
    assert entry["created_at"] == world.clock()
    assert entry["after"]["revision"] == changed["revision"]
    assert (entry["before"] or {}).get("revision") == INPUTS[mutation].get("expectedRevision")
    for name in ("name", "isEnabled", "featureType", "maxDailyPlays", "startDate"):
        if name in changed:
            assert entry["after"][name] == changed[name]


async def test_an_entry_names_its_target_and_holds_both_states(world: World) -> None:
    olive = await operator(world)
    await upsert(olive, "upsertFeatureSchedule", valid("upsertFeatureSchedule", isActive=False))
    await upsert(olive, "upsertRouletteConfig", valid("upsertRouletteConfig"))
    day, roulette = await audit(world)
    assert day["target"] == "feature_schedule 2026-03-03"
    assert day["before"] == {"date": "2026-03-03", "featureType": "RANKING", "isActive": True, "revision": 1}
    assert day["after"] == {"date": "2026-03-03", "featureType": "DICE", "isActive": False, "revision": 2}
    assert roulette["target"] == "roulette_config revision 2"
    assert roulette["before"]["revision"] == 1
    assert roulette["after"]["segments"][3] == {
        "id": roulette["after"]["segments"][3]["id"],
        "slot": 3,
        "label": "segment 3",
        "labels": {},
        "weight": 3,
        "isJackpot": False,
        "rewardType": "POINT",
        "rewardAmount": 10,
        "couponType": None,
    }


async def test_an_actor_without_an_account_changes_nothing(world: World) -> None:
    olive = await operator(world)
    await world.sql.execute('DELETE FROM "user" WHERE external_id = $1', "olive")
    before = await kept(world)
    document = "mutation ($input: UpsertDiceConfigInput!) { upsertDiceConfig(input: $input) { __typename } }"
    assert await olive.error_code(document, input=valid("upsertDiceConfig")) == "UNAUTHENTICATED"
    assert await kept(world) == before


@pytest.mark.parametrize("mutation", UPSERTS)
async def test_a_stale_revision_says_the_current_one_and_writes_nothing(world: World, mutation: str) -> None:
    olive = await operator(world)
    current = (await upsert(olive, mutation, valid(mutation)))["revision"]
    before = await kept(world)
    for stale in (None, current - 1, current + 1):
        refused = await upsert(olive, mutation, valid(mutation, expectedRevision=stale))
        assert refused["code"] == "REVISION_CONFLICT"
        assert f"revision {current}." in refused["message"]
        assert refused["retryable"] is False
    assert await kept(world) == before
    assert (await upsert(olive, mutation, valid(mutation, expectedRevision=current)))["revision"] == current + 1


async def test_where_there_is_none_yet_the_expected_revision_is_null(world: World) -> None:
    await forge(world.sql, "TRUNCATE dice_config, feature_config CASCADE")
    olive = await operator(world)
    for mutation in ("upsertDiceConfig", "upsertFeatureConfig"):
        refused = await upsert(olive, mutation, valid(mutation, expectedRevision=1))
        assert refused["code"] == "REVISION_CONFLICT"
        assert "there is none yet" in refused["message"]
        assert (await upsert(olive, mutation, valid(mutation, expectedRevision=None)))["revision"] == 1


@pytest.mark.parametrize("mutation", UPSERTS)
async def test_operators_and_admins_alone_publish(world: World, mutation: str) -> None:
    input_type = f"{mutation[0].upper()}{mutation[1:]}Input!"
    document = f"mutation Upsert($input: {input_type}) {{ {mutation}(input: $input) {{ __typename }} }}"
    before = await kept(world)
    for role in (Role.PLAYER, Role.SERVICE, Role.AUDITOR):
        client = await world.player(f"{role}", role)
        assert await client.error_code(document, input=valid(mutation)) == "FORBIDDEN"
    assert await world.nobody.error_code(document, input=valid(mutation)) == "UNAUTHENTICATED"
    assert await kept(world) == before
    ada = await world.player("ada", Role.ADMIN)
    assert "errors" not in await ada.execute(document, input=valid(mutation))


Change = Callable[[dict[str, Any]], Any]
LONG = "x" * 101
TOO_MANY = MAX_AMOUNT + 1

FAULTS: list[tuple[str, Change, list[list[str]]]] = [
    ("upsertFeatureSchedule", lambda i: i.update(date="2026-03-01"), [["date"]]),
    ("upsertFeatureSchedule", lambda i: i.update(date="3000-01-01"), [["date"]]),
    ("upsertFeatureConfig", lambda i: i.update(title=""), [["title"]]),
    ("upsertFeatureConfig", lambda i: i.update(title=LONG), [["title"]]),
    ("upsertFeatureConfig", lambda i: i.update(pagePath=""), [["pagePath"]]),
    ("upsertFeatureConfig", lambda i: i.update(pagePath="//elsewhere.example"), [["pagePath"]]),
    ("upsertFeatureConfig", lambda i: i.update(pagePath="dice"), [["pagePath"]]),
    ("upsertFeatureConfig", lambda i: i.update(pagePath="/" + "x" * 200), [["pagePath"]]),
    ("upsertFeatureConfig", lambda i: i.update(stampXpBonus=-1), [["stampXpBonus"]]),
    ("upsertFeatureConfig", lambda i: i.update(stampXpBonus=100_001), [["stampXpBonus"]]),
    ("upsertDiceConfig", lambda i: i.update(name=""), [["name"]]),
    ("upsertDiceConfig", lambda i: i.update(name=" \u3000"), [["name"]]),
    ("upsertDiceConfig", lambda i: i.update(name="two\nlines"), [["name"]]),
    ("upsertDiceConfig", lambda i: i.update(name=LONG), [["name"]]),
    ("upsertDiceConfig", lambda i: i.update(maxDailyPlays=-1), [["maxDailyPlays"]]),
    ("upsertDiceConfig", lambda i: i.update(maxDailyPlays=10_001), [["maxDailyPlays"]]),
    ("upsertDiceConfig", lambda i: i.update(winReward=POINTS | {"amount": -1}), [["winReward", "amount"]]),
    ("upsertDiceConfig", lambda i: i.update(drawReward=POINTS | {"amount": TOO_MANY}), [["drawReward", "amount"]]),
    ("upsertDiceConfig", lambda i: i.update(loseReward=NOTHING | {"amount": 1}), [["loseReward", "amount"]]),
    ("upsertDiceConfig", lambda i: i.update(winReward=COFFEE | {"amount": 2}), [["winReward", "amount"]]),
    ("upsertDiceConfig", lambda i: i.update(winReward=COFFEE | {"couponType": None}), [["winReward", "couponType"]]),
    ("upsertDiceConfig", lambda i: i.update(winReward=COFFEE | {"couponType": ""}), [["winReward", "couponType"]]),
    ("upsertDiceConfig", lambda i: i.update(winReward=COFFEE | {"couponType": LONG}), [["winReward", "couponType"]]),
    ("upsertDiceConfig", lambda i: i.update(winReward=POINTS | {"couponType": "X"}), [["winReward", "couponType"]]),
    ("upsertRouletteConfig", lambda i: i.update(name=""), [["name"]]),
    ("upsertRouletteConfig", lambda i: i.update(maxDailySpins=-1), [["maxDailySpins"]]),
    ("upsertRouletteConfig", lambda i: i["segments"].pop(), [["segments"], ["segments"]]),
    ("upsertRouletteConfig", lambda i: i["segments"][2].update(slot=1), [["segments", "2", "slot"], ["segments"]]),
    ("upsertRouletteConfig", lambda i: i["segments"][2].update(slot=6), [["segments", "2", "slot"], ["segments"]]),
    ("upsertRouletteConfig", lambda i: i["segments"][3].update(label=""), [["segments", "3", "label"]]),
    ("upsertRouletteConfig", lambda i: i["segments"][3].update(weight=-1), [["segments", "3", "weight"]]),
    ("upsertRouletteConfig", lambda i: [s.update(weight=0) for s in i["segments"]], [["segments"]]),
    ("upsertRouletteConfig", lambda i: [s.update(weight=MAX_AMOUNT) for s in i["segments"]], [["segments"]]),
    (
        "upsertRouletteConfig",
        lambda i: i["segments"][0].update(reward=POINTS | {"amount": -5}),
        [["segments", "0", "reward", "amount"]],
    ),
    ("upsertLotteryConfig", lambda i: i.update(name=""), [["name"]]),
    ("upsertLotteryConfig", lambda i: i.update(maxDailyTickets=-1), [["maxDailyTickets"]]),
    ("upsertLotteryConfig", lambda i: i.update(prizes=[]), [["prizes"], ["prizes"]]),
    ("upsertLotteryConfig", lambda i: i.update(prizes=i["prizes"] * 34), [["prizes"]]),
    ("upsertLotteryConfig", lambda i: i["prizes"][1].update(label=" x"), [["prizes", "1", "label"]]),
    ("upsertLotteryConfig", lambda i: i["prizes"][1].update(weight=-1), [["prizes", "1", "weight"]]),
    ("upsertLotteryConfig", lambda i: i["prizes"][0].update(stock=-1), [["prizes", "0", "stock"]]),
    ("upsertLotteryConfig", lambda i: i["prizes"][0].update(stock=TOO_MANY), [["prizes", "0", "stock"]]),
    ("upsertLotteryConfig", lambda i: [p.update(isActive=False) for p in i["prizes"]], [["prizes"]]),
    (
        "upsertLotteryConfig",
        lambda i: i["prizes"][1].update(reward={"type": "COUPON", "amount": 0}),
        [["prizes", "1", "reward", "amount"], ["prizes", "1", "reward", "couponType"]],
    ),
    ("upsertSeason", lambda i: i.update(name=""), [["name"]]),
    ("upsertSeason", lambda i: i.update(startDate="2026-07-01"), [["endDate"]]),
    ("upsertSeason", lambda i: i.update(endDate="2036-07-01"), [["endDate"]]),
    ("upsertSeason", lambda i: i.update(startDate="2999-12-01", endDate="3000-01-01"), [["endDate"]]),
    ("upsertSeason", lambda i: i.update(startDate="2025-01-01", endDate="2025-01-31"), [["endDate"]]),
    ("upsertSeason", lambda i: i.update(baseXpPerStamp=-1), [["baseXpPerStamp"]]),
    ("upsertSeason", lambda i: i.update(baseXpPerStamp=100_001), [["baseXpPerStamp"]]),
    ("upsertSeason", lambda i: i.update(levels=[]), [["levels"]]),
    ("upsertSeason", lambda i: i["levels"][1].update(level=3), [["levels"]]),
    ("upsertSeason", lambda i: i["levels"][1].update(level=1), [["levels", "1", "level"]]),
    ("upsertSeason", lambda i: i["levels"][0].update(level=0), [["levels", "0", "level"], ["levels"]]),
    ("upsertSeason", lambda i: i["levels"][1].update(requiredXp=100), [["levels", "1", "requiredXp"]]),
    ("upsertSeason", lambda i: i["levels"][1].update(requiredXp=99), [["levels", "1", "requiredXp"]]),
    ("upsertSeason", lambda i: i["levels"][0].update(requiredXp=-1), [["levels", "0", "requiredXp"]]),
    (
        "upsertSeason",
        lambda i: i["levels"][1].update(reward=POINTS | {"amount": -1}),
        [["levels", "1", "reward", "amount"]],
    ),
]


@pytest.mark.parametrize(
    ("mutation", "change", "paths"), FAULTS, ids=[f"{fault[0]}-{number}" for number, fault in enumerate(FAULTS)]
)
async def test_a_fault_is_told_with_its_path_and_nothing_is_written(
    world: World, mutation: str, change: Change, paths: list[list[str]]
) -> None:
    olive, given = await operator(world), valid(mutation)
    change(given)
    before = await kept(world)
    refused = await upsert(olive, mutation, given)
    assert refused["__typename"] == "ValidationFailed"
    assert refused["code"] == "VALIDATION_FAILED"
    assert [issue["path"] for issue in refused["issues"]] == paths
    assert all(issue["message"] for issue in refused["issues"])
    assert await kept(world) == before


async def test_every_fault_is_told_at_once(world: World) -> None:
    given = valid("upsertRouletteConfig", name="", maxDailySpins=-1)
    given["segments"][0] |= {"label": "", "weight": -1, "reward": {"type": "COUPON", "amount": 5}}
    refused = await upsert(await operator(world), "upsertRouletteConfig", given)
    assert [".".join(issue["path"]) for issue in refused["issues"]] == [
        "name",
        "maxDailySpins",
        "segments.0.label",
        "segments.0.reward.amount",
        "segments.0.reward.couponType",
        "segments.0.weight",
    ]


async def test_bounds_are_inclusive_and_emoji_are_text(world: World) -> None:
    olive = await operator(world)
    given = valid("upsertDiceConfig", name="👨‍👩‍👧 가족", maxDailyPlays=10_000)
    given["winReward"] = {"type": "POINT", "amount": MAX_AMOUNT}
    assert (await upsert(olive, "upsertDiceConfig", given))["name"] == "👨‍👩‍👧 가족"
    heavy = valid("upsertRouletteConfig")
    for segment in heavy["segments"]:
        segment["weight"] = MAX_AMOUNT if segment["slot"] == 0 else 0
    published = await upsert(olive, "upsertRouletteConfig", heavy)
    assert published["segments"][0]["odds"] == {"weight": MAX_AMOUNT, "totalWeight": MAX_AMOUNT, "percent": 100}
    many = valid("upsertLotteryConfig", maxDailyTickets=0)
    many["prizes"] = [{"label": f"{n}", "weight": 1, "stock": 0, "reward": POINTS} for n in range(100)]
    assert len((await upsert(olive, "upsertLotteryConfig", many))["prizes"]) == 100


LISTS = {
    "diceConfigs": "revision isActive winReward { amount }",
    "rouletteConfigs": "revision isActive segments { slot label }",
    "lotteryConfigs": "revision isActive prizes { label stock }",
}


@pytest.mark.parametrize(("mutation", "query"), list(zip(GAMES, LISTS, strict=True)))
async def test_revisions_are_listed_newest_first(world: World, mutation: str, query: str) -> None:
    olive = await operator(world)
    for revision in (1, 2, 3):
        await upsert(olive, mutation, valid(mutation, expectedRevision=revision))
    found = (await olive.data(f"{{ {query} {{ nodes {{ {LISTS[query]} }} }} }}"))[query]["nodes"]
    assert [(one["revision"], one["isActive"]) for one in found] == [(4, True), (3, False), (2, False), (1, False)]
    page = "nodes { revision } pageInfo { endCursor hasNextPage }"
    paged = f"query ($after: String) {{ {query}(first: 2, after: $after) {{ {page} }} }}"
    newest = (await olive.data(paged))[query]
    assert [one["revision"] for one in newest["nodes"]] == [4, 3]
    older = (await olive.data(paged, after=newest["pageInfo"]["endCursor"]))[query]
    assert [one["revision"] for one in older["nodes"]] == [2, 1]
    assert (newest["pageInfo"]["hasNextPage"], older["pageInfo"]["hasNextPage"]) == (True, False)
    assert await olive.error_code(f"{{ {query}(first: 101) {{ nodes {{ revision }} }} }}") == "BAD_REQUEST"
    if query != "diceConfigs":
        assert all(next(value for value in one.values() if isinstance(value, list)) for one in found)


async def test_a_broken_revision_is_listed_all_the_same(world: World) -> None:
    await forge(world.sql, "DELETE FROM roulette_segment WHERE slot > 1")
    await forge(world.sql, "UPDATE roulette_segment SET weight = 0")
    found = await (await operator(world)).data(
        "{ rouletteConfigs { nodes { segments { odds { percent totalWeight } } } } }"
    )
    assert found["rouletteConfigs"]["nodes"] == [{"segments": [{"odds": {"percent": 0, "totalWeight": 0}}] * 2}]
