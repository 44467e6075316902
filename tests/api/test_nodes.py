"""Anything that has an id is found again by it, by those who may see it."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

import pytest

from models import LAST_DATE, FeatureType, Role
from resolvers.nodes import FINDERS
from schema.nodes import Kind, Part, node_id, parts_of, read_id
from tests.world import Client, World

FIND = "query ($id: ID!) { node(id: $id) { __typename id } }"
FIND_ALL = "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"

OF_A_PLAYER = {
    "Player": "{ me { id } }",
    "RewardEntry": "{ me { rewards { nodes { id } } } }",
    "UserEvent": "{ me { events { nodes { id } } } }",
    "DicePlay": "{ me { plays { nodes { id } } } }",
    "DiceStatus": "{ diceStatus { ... on DiceStatus { id } } }",
    "SeasonPassStatus": "{ seasonPassStatus { ... on SeasonPassStatus { id } } }",
}
OF_EVERYBODY = {
    "DiceConfig": "{ diceStatus { ... on DiceStatus { config { id } } } }",
    "Season": "{ seasonPassStatus { ... on SeasonPassStatus { season { id } } } }",
    "RankingSnapshot": '{ rankingSnapshot(date: "2026-02-26") { ... on RankingSnapshot { id } } }',
}
OF_STAFF = {
    "ScheduledDay": '{ featureSchedule(from: "2026-03-02", to: "2026-03-02") { id } }',
    "FeatureConfig": "{ featureConfigs { id } }",
    "AuditEntry": "{ auditLog { nodes { id } } }",
}
PARTS: dict[type, Part] = {
    UUID: UUID(int=7),
    int: 2**63 - 2,
    dt.date: dt.date(9999, 12, 31),
    FeatureType: FeatureType.LOTTERY,
}


def first_id(answer: Any) -> str:
    """The first `id` in an answer, the deepest of its branch."""
    if isinstance(answer, list):
        return first_id(answer[0])
    if "id" in answer:
        return str(answer["id"])
    return first_id(next(iter(answer.values())))


async def found(client: Client, node: str) -> Any:
    return (await client.data(FIND, id=node))["node"]


@pytest.fixture
async def alice(world: World) -> Client:
    """A player who has thrown the dice, in a world in which an admin did something."""
    client = await world.player()
    assert (await client.play())["__typename"] == "DicePlay"
    ada = await world.player("ada", Role.ADMIN)
    issued = await ada.data('mutation { issueToken(input: {externalId: "bob"}) { __typename } }')
    assert issued == {"issueToken": {"__typename": "IssuedToken"}}
    return client


@pytest.mark.parametrize("kind", OF_A_PLAYER)
async def test_what_is_a_player_s_is_found_by_the_player_and_staff(world: World, alice: Client, kind: str) -> None:
    node = first_id(await alice.data(OF_A_PLAYER[kind]))
    told = {"__typename": kind, "id": node}
    assert await found(alice, node) == told
    assert await found(await world.player("audrey", Role.AUDITOR), node) == told
    for stranger in (await world.player("bob"), await world.player("svc", Role.SERVICE)):
        assert await found(stranger, node) is None


@pytest.mark.parametrize("kind", OF_EVERYBODY)
async def test_what_everybody_is_shown_is_found_by_everybody(world: World, alice: Client, kind: str) -> None:
    node = first_id(await alice.data(OF_EVERYBODY[kind]))
    for client in (alice, await world.player("bob"), await world.player("audrey", Role.AUDITOR)):
        assert await found(client, node) == {"__typename": kind, "id": node}


@pytest.mark.parametrize("kind", OF_STAFF)
async def test_what_is_staff_s_is_found_by_staff(world: World, alice: Client, kind: str) -> None:
    audrey = await world.player("audrey", Role.AUDITOR)
    node = first_id(await audrey.data(OF_STAFF[kind]))
    assert await found(audrey, node) == {"__typename": kind, "id": node}
    assert await found(alice, node) is None


async def test_the_last_day_is_found(world: World) -> None:
    await world.sql.execute("UPDATE feature_schedule SET date = $1 WHERE date = '2026-03-02'", LAST_DATE)
    node = node_id(Kind.SCHEDULED_DAY, LAST_DATE)
    told = {"__typename": "ScheduledDay", "id": node}
    assert await found(await world.player("audrey", Role.AUDITOR), node) == told


async def test_what_is_drawn_is_found(world: World) -> None:
    alice = await world.player()
    for feature, game, shown in (
        (
            FeatureType.ROULETTE,
            "spinRoulette",
            "{ rouletteStatus { ... on RouletteStatus { config { segments { id } } } } }",
        ),
        (FeatureType.LOTTERY, "drawLottery", "{ lotteryStatus { ... on LotteryStatus { config { prizes { id } } } } }"),
    ):
        await world.today(feature)
        play = await alice.play(game)
        assert (await found(alice, play["id"]))["__typename"] == play["__typename"]
        (parts,) = (await alice.data(shown)).values()
        for part in parts["config"].popitem()[1]:
            assert (await found(alice, part["id"]))["id"] == part["id"]
    segment = node_id(Kind.ROULETTE_SEGMENT, await world.sql.fetchval("SELECT min(id) FROM roulette_segment"))
    assert await found(alice, segment) is None  # its game is not on any more
    assert await found(await world.player("audrey", Role.AUDITOR), segment) is not None


async def test_a_page_of_a_snapshot_that_is_found_again(world: World) -> None:
    alice = await world.player()
    entries = "entries(first: 2) { nodes { rank } }"
    shown = f'{{ rankingSnapshot(date: "2026-02-26") {{ ... on RankingSnapshot {{ id {entries} }} }} }}'
    snapshot = (await alice.data(shown))["rankingSnapshot"]
    again = f"query ($id: ID!) {{ node(id: $id) {{ ... on RankingSnapshot {{ id {entries} }} }} }}"
    assert (await alice.data(again, id=snapshot["id"]))["node"] == snapshot


async def test_yesterday_s_status_is_no_more(world: World, alice: Client) -> None:
    node = first_id(await alice.data(OF_A_PLAYER["DiceStatus"]))
    world.clock.advance(days=1)
    await world.today(FeatureType.DICE)
    fresh = await world.player()
    assert await found(fresh, node) is None
    assert await found(fresh, first_id(await fresh.data(OF_A_PLAYER["DiceStatus"]))) is not None


async def test_what_is_on_is_not_taken_for_another(world: World, alice: Client) -> None:
    of_a_player = OF_A_PLAYER["SeasonPassStatus"], OF_A_PLAYER["RewardEntry"]
    for document in (*of_a_player, OF_EVERYBODY["Season"], OF_EVERYBODY["RankingSnapshot"]):
        kind, (*those, number) = read_id(first_id(await alice.data(document))) or pytest.fail("no id")
        assert isinstance(number, int)  # of the season, the line, or the revision
        assert await found(alice, node_id(kind, *those, number)) is not None
        assert await found(alice, node_id(kind, *those, number + 1)) is None


async def test_a_season_that_is_over_is_none_of_a_player_s(world: World) -> None:
    documents = OF_A_PLAYER["SeasonPassStatus"], OF_EVERYBODY["Season"]
    nodes = [first_id(await (await world.player()).data(document)) for document in documents]
    world.clock.advance(days=400)
    later = await world.player()
    assert [await found(later, node) for node in nodes] == [None, None]


@pytest.mark.parametrize("kind", Kind)
async def test_what_does_not_exist_is_null(world: World, kind: Kind) -> None:
    audrey = await world.player("audrey", Role.AUDITOR)
    parts = [PARTS[type_] for type_ in kind.parts]
    node = node_id(kind, *parts)
    assert (read_id(node), parts_of(node, kind)) == ((kind, parts), parts)
    if kind is not Kind.FEATURE_CONFIG:  # which exists
        assert await found(audrey, node) is None


@pytest.mark.parametrize("node", ["", "x", "7", "é", "AAAA", "_____w", node_id(Kind.SEASON, 1) + "=", "A" * 5000])
async def test_what_is_no_id_is_null(world: World, node: str) -> None:
    audrey = await world.player("audrey", Role.AUDITOR)
    assert await found(audrey, node) is None


@pytest.mark.parametrize("kept", ["rewards", "plays", "events"])
async def test_each_of_several_is_itself(world: World, alice: Client, kept: str) -> None:
    await alice.play()
    await alice.play()
    shown = f"{{ me {{ {kept} {{ nodes {{ __typename id }} }} }} }}"
    nodes = (await alice.data(shown))["me"][kept]["nodes"]
    assert len(nodes) >= 3
    assert (await alice.data(FIND_ALL, ids=[node["id"] for node in nodes]))["nodes"] == nodes


async def test_several_in_their_order(world: World, alice: Client) -> None:
    ids = [first_id(await alice.data(document)) for document in (*OF_A_PLAYER.values(), *OF_EVERYBODY.values())]
    asked = [*reversed(ids), "nonsense", ids[0]]
    answer = (await alice.data(FIND_ALL, ids=asked))["nodes"]
    assert [one and one["id"] for one in answer] == [*reversed(ids), None, ids[0]]
    assert (await alice.data(FIND_ALL, ids=[]))["nodes"] == []
    assert len((await alice.data(FIND_ALL, ids=ids[:1] * 100))["nodes"]) == 100
    assert await alice.error_code(FIND_ALL, ids=ids[:1] * 101) == "BAD_REQUEST"


def test_every_type_with_an_id_has_a_finder() -> None:
    """Stocks, grants and levels' rewards are named by ids, but are no types of the API."""
    assert set(Kind) - FINDERS.keys() == {Kind.SEASON_LEVEL, Kind.ADMIN_GRANT, Kind.LOTTERY_STOCK}
