"""Dry runs, of every command of staff: all is checked and told, and nothing is written, nor announced."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from graphql import GraphQLObjectType, GraphQLUnionType, get_named_type, get_nullable_type

from models import Base, Role
from schema.nodes import Kind, node_id
from services.signals import CHANNEL
from tests.documents import roots
from tests.goods import grant_of
from tests.staff import REFUSED, STAFF, operator, upsert, valid
from tests.world import Client, World, forge

PAST = "2025-06-01"
CSV = b"rank,display_name,score,external_id\n1,haru,70,alice\n2,bada,50,\n"
ROWS = [{"rank": 1, "displayName": "haru", "score": 70}]

Given = Callable[[Client], dict[str, Any]]

INPUTS: dict[str, Given] = {
    "upsertFeatureSchedule": lambda _: valid("upsertFeatureSchedule"),
    "upsertFeatureConfig": lambda _: valid("upsertFeatureConfig", reason="a new name"),
    "upsertDiceConfig": lambda _: valid("upsertDiceConfig"),
    "upsertRouletteConfig": lambda _: valid("upsertRouletteConfig"),
    "upsertLotteryConfig": lambda _: valid("upsertLotteryConfig"),
    "republishConfig": lambda _: {"expectedRevision": 1},
    "withdrawConfig": lambda _: {"reason": "The date was wrong."},
    "adjustStock": lambda _: {"by": 2, "expectedLeft": 3, "reason": "Two more were found."},
    "upsertSeason": lambda _: valid("upsertSeason"),
    "removeSeason": lambda _: {"seasonId": node_id(Kind.SEASON, SUMMER), "expectedRevision": 1},
    "removeScheduledDay": lambda _: {"date": "2026-03-03", "expectedRevision": 1},
    "uploadRanking": lambda _: {"date": PAST},
    "publishRanking": lambda _: {"date": PAST, "rows": ROWS},
    "deleteRanking": lambda _: {"date": "2026-02-26", "expectedRevision": 1},
    "grantReward": grant_of,
    "setPlayerBlocked": lambda player: {"playerId": player.id, "blocked": True, "reason": "cheats"},
    "revokeTokens": lambda player: {"playerId": player.id, "reason": "a phone was stolen"},
}
"""A valid input for each command of staff, in a world with the demo data."""

MADE = {
    "upsertFeatureSchedule": "day { revision }",
    "upsertFeatureConfig": "feature { revision }",
    "upsertDiceConfig": "config { revision }",
    "upsertRouletteConfig": "config { revision }",
    "upsertLotteryConfig": "config { revision }",
    "republishConfig": "config { revision }",
    "withdrawConfig": "config { revision isWithdrawn }",
    "adjustStock": "prize { stock initialStock }",
    "upsertSeason": "season { revision }",
    "removeSeason": "removedId",
    "removeScheduledDay": "removedId",
    "uploadRanking": "snapshot { revision }",
    "publishRanking": "snapshot { revision }",
    "deleteRanking": "deleted { deletedEntries }",
    "grantReward": "entry { amount } replayed player { balances { amount } }",
    "setPlayerBlocked": "player { isBlocked }",
    "revokeTokens": "player { isBlocked }",
}
"""What each makes."""

SUMMER = 4711
"""The id of a season that has not begun."""

FRIDAY = "2026-03-06T00:00:00+09:00"


async def input_of(world: World, name: str, player: Client) -> dict[str, Any]:
    """A command's valid input, once there is what it is about."""
    given = INPUTS[name](player)
    if name == "withdrawConfig":
        await upsert(await operator(world), "upsertDiceConfig", valid("upsertDiceConfig", effectiveFrom=FRIDAY))
    if name in {"republishConfig", "withdrawConfig"}:
        given["configId"] = node_id(Kind.DICE_CONFIG, await world.sql.fetchval("SELECT max(id) FROM dice_config"))
    if name == "adjustStock":
        stock = await world.sql.fetchval('SELECT id FROM lottery_stock WHERE "left" = 3')
        given["stockId"] = node_id(Kind.LOTTERY_STOCK, stock)
    return given


every_command = pytest.mark.parametrize("name", INPUTS)


def members(name: str) -> list[GraphQLObjectType]:
    """What a command may answer."""
    (answer,) = [get_named_type(field.type) for _, mutation, field in roots("mutation") if mutation == name]
    assert isinstance(answer, GraphQLUnionType)
    return list(answer.types)


async def send(client: Client, name: str, given: dict[str, Any]) -> dict[str, Any]:
    """Send a command: the member of its union."""
    payload, *refusals = sorted(members(name), key=lambda member: "StaffPayload" not in map(str, member.interfaces))
    data = " ".join(f"... on {one.name} {REFUSED[one.name]}" for one in refusals if one.name in REFUSED)
    document = f"""mutation Send($input: {name[0].upper()}{name[1:]}Input!) {{ {name}(input: $input) {{
        __typename ... on {payload.name} {{ {MADE[name]} }} {STAFF} ... on UserError {{ code message }} {data}
    }} }}"""
    if name == "uploadRanking":
        whole = await client.upload(document, CSV, "input.file", {"input": given})
    else:
        whole = await client.execute(document, input=given)
    assert "errors" not in whole, whole["errors"]
    answer: dict[str, Any] = whole["data"][name]
    return answer


async def everything(world: World) -> dict[str, list[str]]:
    """Every row of every table."""
    tables = [table.name for table in Base.metadata.sorted_tables]
    return {
        table: [row[0] for row in await world.sql.fetch(f'SELECT t::text FROM "{table}" t ORDER BY 1')]
        for table in tables
    }


@asynccontextmanager
async def listening(world: World) -> AsyncIterator[list[Any]]:
    """What is announced meanwhile."""
    heard: list[Any] = []

    def hear(*told: Any) -> None:
        heard.append(told[-1])

    await world.sql.add_listener(CHANNEL, hear)
    try:
        yield heard
        await world.sql.execute("SELECT pg_notify($1, 'end')", CHANNEL)
        async with asyncio.timeout(5):
            while "end" not in heard:
                await asyncio.sleep(0.01)
        heard.remove("end")
    finally:
        await world.sql.remove_listener(CHANNEL, hear)


def test_every_command_of_staff_has_a_mode_and_is_tried_here() -> None:
    """Whatever only staff may do, but for issuing tokens, which are none until they are signed."""
    commands = {
        name
        for _, name, field in roots("mutation")
        if "mode" in getattr(get_nullable_type(field.args["input"].type), "fields", {})
    }
    players = {"playDice", "spinRoulette", "drawLottery", "stamp", "claimReward", "issueToken"}
    assert commands == INPUTS.keys() == {name for _, name, _ in roots("mutation")} - players


@pytest.fixture(autouse=True)
async def summer(world: World) -> None:
    """A season that has not begun."""
    await world.sql.execute(
        "INSERT INTO season_pass_config (id, name, start_date, end_date, base_xp_per_stamp, max_level, revision,"
        " published_at) VALUES ($1, 'far', '2027-06-01', '2027-06-30', 100, 1, 1, $2)",
        SUMMER,
        world.clock(),
    )
    await world.sql.execute(
        "INSERT INTO season_pass_level (season_id, level, required_xp, auto_claim, reward_type, reward_amount)"
        " VALUES ($1, 1, 100, true, 'POINT', 10)",
        SUMMER,
    )


@every_command
async def test_a_dry_run_tells_what_a_run_does_and_does_nothing(world: World, name: str) -> None:
    alice, ada = await world.player(), await world.player("ada", Role.ADMIN)
    given = await input_of(world, name, alice)
    before = await everything(world)
    async with listening(world) as heard:
        tried = await send(ada, name, given | {"mode": "DRY_RUN"})
    assert heard == []
    assert await everything(world) == before
    assert tried["dryRun"]
    assert tried["changes"]
    made = MADE[name].split()[0]
    assert (tried[made] is None) == (made != "removedId")
    async with listening(world) as heard:
        done = await send(ada, name, given | {"acknowledge": [one["code"] for one in tried["warnings"]]})
    assert heard or name == "grantReward" or name in {"upsertSeason", "removeSeason"}
    assert not done["dryRun"]
    assert (done["changes"], done["warnings"]) == (tried["changes"], tried["warnings"])
    assert done[made] is not None
    after = await everything(world)
    assert after != before
    assert len(after["audit_log"]) == len(before["audit_log"]) + 1


@every_command
async def test_a_dry_run_checks_what_a_run_checks(world: World, name: str) -> None:
    """What a first run makes stale, or gone, a dry run refuses as a second run does."""
    alice, ada = await world.player(), await world.player("ada", Role.ADMIN)
    given = await input_of(world, name, alice)
    warned = (await send(ada, name, given | {"mode": "DRY_RUN"}))["warnings"]
    given |= {"acknowledge": [one["code"] for one in warned]}
    await send(ada, name, given)
    if name in {"publishRanking", "uploadRanking"}:  # what is published already is answered
        await forge(world.sql, "UPDATE ranking_revision SET content_hash = 'another' WHERE date = '2025-06-01'")
    before = await everything(world)
    again = await send(ada, name, given | {"mode": "DRY_RUN"})
    assert await everything(world) == before
    if name in {"setPlayerBlocked", "revokeTokens"}:
        assert again["changes"] == []
    elif name == "grantReward":
        assert (again["replayed"], again["entry"], again["changes"]) == (True, {"amount": 100}, [])
    elif name in {"removeSeason", "removeScheduledDay"}:
        assert again["code"] == "NOT_FOUND"
    elif name == "deleteRanking":
        assert again["code"] == "RANKING_NOT_FOUND"
    elif name == "withdrawConfig":
        assert again["issues"] == [{"path": ["configId"], "message": "Revision 2 is withdrawn already."}]
    elif name == "adjustStock":
        assert (again["code"], again["currentRevision"]) == ("REVISION_CONFLICT", None)
    else:
        assert again["code"] == "REVISION_CONFLICT"
        assert isinstance(again["currentRevision"], int)


async def test_a_change_is_told_by_its_path(world: World) -> None:
    olive = await world.player("olive", Role.OPERATOR)
    given = valid("upsertFeatureSchedule", mode="DRY_RUN")
    assert (await send(olive, "upsertFeatureSchedule", given))["changes"] == [
        {"path": ["featureType"], "before": "RANKING", "after": "DICE"},
        {"path": ["revision"], "before": 1, "after": 2},
    ]
    alice = await world.player()
    ada = await world.player("ada", Role.ADMIN)
    assert (await send(ada, "grantReward", grant_of(alice, mode="DRY_RUN")))["changes"] == [
        {"path": ["balance"], "before": 0, "after": 100},
        {"path": ["reward"], "before": None, "after": {"type": "POINT", "amount": 100, "couponType": None}},
    ]
