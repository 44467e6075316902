"""What staff look up: players, events, the audit log; each list by key, each page at the same cost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from models import FeatureType, Role
from schema.nodes import Kind, parts_of
from tests.statements import watched
from tests.world import Client, World

PAGE = "pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"
PLAYERS = f"""
query Players($search: String, $first: Int! = 20, $after: String) {{
  players(search: $search, first: $first, after: $after) {{ nodes {{ id externalId isBlocked createdAt }} {PAGE} }}
}}
"""
EVENTS = f"""
query Events($filter: UserEventFilter, $first: Int! = 20, $after: String) {{
  userEvents(filter: $filter, first: $first, after: $after) {{
    nodes {{ id featureType eventName meta createdAt player {{ id externalId }} }} {PAGE}
  }}
}}
"""
AUDIT = f"""
query Audit($first: Int! = 20, $after: String) {{
  auditLog(first: $first, after: $after) {{
    nodes {{ id actor action target before after createdAt }} {PAGE}
  }}
}}
"""
NESTED = """
query Nested($first: Int!) {
  players(first: $first) { nodes {
    externalId
    balances { type amount }
    rewards(first: 3) { nodes { amount balanceAfter } }
    plays(first: 2) { nodes { id reward { amount } seasonPass { addedStamp } } pageInfo { hasNextPage } }
    events(first: 2) { nodes { eventName player { externalId balances { amount } } } }
  } }
}
"""
READERS = [Role.AUDITOR, Role.OPERATOR, Role.ADMIN]
FIELDS = ["players", "userEvents", "auditLog"]


async def auditor(world: World) -> Client:
    return await world.player("auditor", Role.AUDITOR)


async def read(client: Client, document: str, **variables: Any) -> dict[str, Any]:
    (page,) = (await client.data(document, **variables)).values()
    answer: dict[str, Any] = page
    return answer


async def names(client: Client, **variables: Any) -> list[str]:
    return [node["externalId"] for node in (await read(client, PLAYERS, **variables))["nodes"]]


async def pages(client: Client, document: str, first: int, **variables: Any) -> list[dict[str, Any]]:
    """All nodes of a list, page by page."""
    nodes, after = [], None
    while True:
        page = await read(client, document, first=first, after=after, **variables)
        assert page["pageInfo"]["hasPreviousPage"] is (after is not None)
        nodes += page["nodes"]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            return nodes


async def many_players(world: World, count: int) -> None:
    await world.sql.execute(
        """
        INSERT INTO "user" (id, external_id, created_at)
        SELECT md5(n::text)::uuid, 'p-' || lpad(n::text, 6, '0'), $2::timestamptz + n / 3 * interval '1 second'
        FROM generate_series(1, $1) n
        """,
        count,
        world.clock(),
    )


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("role", list(Role))
async def test_who_may_look_up(world: World, field: str, role: Role) -> None:
    somebody = await world.player("somebody", role)
    document = f"{{ {field} {{ nodes {{ id }} }} }}"
    if role in READERS:
        assert field in await somebody.data(document)
    else:
        assert await somebody.error_code(document) == "FORBIDDEN"
    assert await world.nobody.error_code(document) == "UNAUTHENTICATED"


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("arguments", ["first: 0", "first: 101", 'after: "x"', 'after: "WyIxIiwieCIsIjMiXQ"'])
async def test_arguments_are_checked(world: World, field: str, arguments: str) -> None:
    staff = await auditor(world)
    assert await staff.error_code(f"{{ {field}({arguments}) {{ nodes {{ id }} }} }}") == "BAD_REQUEST"


async def test_players_newest_first(world: World) -> None:
    await many_players(world, 50)
    staff = await auditor(world)
    found = await pages(staff, PLAYERS, 7)
    assert len(found) == await world.count("user")
    keys = [(node["createdAt"], parts_of(node["id"], Kind.PLAYER)) for node in found]
    assert keys == sorted(keys, reverse=True)
    assert await pages(staff, PLAYERS, 100) == found


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        ("al", ["al%ice", "al_ice", "alice", "alicia"]),
        ("al%", ["al%ice"]),
        ("al_", ["al_ice"]),
        ("alic", ["alice", "alicia"]),
        ("ALIC", ["ALICE"]),
        ("하", ["하나", "하늘"]),
        ("\\", ["\\alice"]),
        ("'", []),
        ("x" * 200, []),
    ],
)
async def test_a_search_finds_what_begins_so_to_the_letter(world: World, search: str, expected: list[str]) -> None:
    for name in ("alice", "alicia", "al%ice", "al_ice", "ALICE", "bob", "하늘", "하나", "\\alice", "malice"):
        await world.player(name)
    staff = await world.player("zoe", Role.AUDITOR)
    assert await names(staff, search=search) == expected


async def test_a_search_page_by_page(world: World) -> None:
    await many_players(world, 50)
    staff = await auditor(world)
    found = [node["externalId"] for node in await pages(staff, PLAYERS, 7, search="p-0000")]
    assert found == [f"p-{number:06}" for number in range(1, 51)]
    assert await names(staff, search="", first=3) == await names(staff, first=3)


async def test_a_cursor_of_another_list_is_refused(world: World) -> None:
    await many_players(world, 5)
    staff = await auditor(world)
    cursor = (await read(staff, PLAYERS, first=1))["pageInfo"]["endCursor"]
    assert await staff.error_code(PLAYERS, search="p", after=cursor) == "BAD_REQUEST"


async def some_events(world: World) -> tuple[Client, Client]:
    alice, bob = await world.player(), await world.player("bob")
    await alice.play()
    world.clock.advance(minutes=1)
    await bob.play()
    await bob.play()
    world.clock.advance(minutes=1)
    await world.today(FeatureType.ROULETTE)
    await alice.play("spinRoulette")
    return alice, bob


async def test_events_newest_first(world: World) -> None:
    await some_events(world)
    staff = await auditor(world)
    found = await pages(staff, EVENTS, 2)
    assert len(found) == await world.count("user_event_log")
    keys = [(node["createdAt"], parts_of(node["id"], Kind.PLAYER)) for node in found]
    assert keys == sorted(keys, reverse=True)
    assert await pages(staff, EVENTS, 100) == found


FILTERS: list[tuple[dict[str, Any], Callable[[dict[str, Any]], bool]]] = [
    ({}, lambda _: True),
    ({"playerId": "alice"}, lambda node: node["player"]["externalId"] == "alice"),
    ({"featureType": "ROULETTE"}, lambda node: node["featureType"] == "ROULETTE"),
    ({"eventName": "PLAY"}, lambda node: node["eventName"] == "PLAY"),
    ({"from": "2026-03-02T12:01:00+09:00"}, lambda node: node["createdAt"] >= "2026-03-02T03:01:00"),
    ({"to": "2026-03-02T03:01:00Z"}, lambda node: node["createdAt"] < "2026-03-02T03:01:00"),
    (
        {"from": "2026-03-02T03:01:00Z", "to": "2026-03-02T03:02:00Z"},
        lambda node: node["player"]["externalId"] == "bob",
    ),
    (
        {"playerId": "alice", "featureType": "DICE", "eventName": "PLAY"},
        lambda node: node["player"]["externalId"] == "alice" and node["featureType"] == "DICE",
    ),
    ({"playerId": "alice", "to": "2026-03-02T03:01:00Z"}, lambda node: node["createdAt"] < "2026-03-02T03:01:00"),
]


@pytest.mark.parametrize(("wanted", "fits"), FILTERS)
async def test_events_that_fit_a_filter(
    world: World, wanted: dict[str, Any], fits: Callable[[dict[str, Any]], bool]
) -> None:
    alice, _ = await some_events(world)
    staff = await auditor(world)
    everything = await pages(staff, EVENTS, 100)
    if "playerId" in wanted:
        wanted = wanted | {"playerId": alice.id}
    found = await pages(staff, EVENTS, 2, filter=wanted)
    assert found == [
        node for node in everything if fits(node) and node["eventName"] == wanted.get("eventName", node["eventName"])
    ]
    assert found
    assert len(found) < len(everything) or not wanted


@pytest.mark.parametrize(
    "wanted",
    [
        {"playerId": "nonsense"},
        {"playerId": "-1"},
        {"playerId": "0"},
        {"playerId": "99999999999999999999999"},
        {"playerId": "\u0661"},  # a digit, but not of ASCII
        {"playerId": "999999"},
        {"eventName": "REWARD_CLAIM"},
        {"from": "2030-01-01T00:00:00Z"},
        {"from": "2026-03-02T03:01:00Z", "to": "2026-03-02T03:01:00Z"},
    ],
)
async def test_filters_that_nothing_fits(world: World, wanted: dict[str, Any]) -> None:
    await some_events(world)
    assert (await read(await auditor(world), EVENTS, filter=wanted))["nodes"] == []


async def test_what_belongs_to_no_feature_is_found(world: World) -> None:
    alice, _ = await some_events(world)
    admin = await world.player("ada", Role.ADMIN)
    grant = {"idempotencyKey": "g", "playerId": alice.id, "reward": {"type": "POINT", "amount": 5}, "reason": "sorry"}
    await admin.data("mutation G($input: GrantRewardInput!) { grantReward(input: $input) { __typename } }", input=grant)
    staff = await auditor(world)
    newest = (await read(staff, EVENTS, first=1))["nodes"]
    assert [(node["featureType"], node["eventName"]) for node in newest] == [(None, "REWARD_GRANT")]
    for wanted in ({"eventName": "REWARD_GRANT"}, {"playerId": alice.id, "eventName": "REWARD_GRANT"}):
        assert await pages(staff, EVENTS, 1, filter=wanted) == newest
    assert await pages(staff, EVENTS, 1, filter={"playerId": alice.id, "featureType": None}) == [
        node for node in await pages(staff, EVENTS, 2) if node["player"]["externalId"] == "alice"
    ]
    for feature in FeatureType:
        assert await pages(staff, EVENTS, 2, filter={"eventName": "REWARD_GRANT", "featureType": feature}) == []


async def test_the_play_that_stamped_is_told_by_its_id(world: World) -> None:
    alice = await world.player()
    played = await alice.play()
    events = (await read(await auditor(world), EVENTS, filter={"eventName": "SEASON_PASS_STAMP"}))["nodes"]
    assert [event["meta"]["playId"] for event in events] == [played["id"]]


async def test_an_event_of_no_kind_is_refused(world: World) -> None:
    staff = await auditor(world)
    assert await staff.error_code(EVENTS, filter={"eventName": "NOTHING"}) == "BAD_REQUEST"


async def test_a_filter_of_nulls_is_none(world: World) -> None:
    await some_events(world)
    wanted = dict.fromkeys(["playerId", "featureType", "eventName", "from", "to"])
    staff = await auditor(world)
    assert await pages(staff, EVENTS, 50, filter=wanted) == await pages(staff, EVENTS, 50, filter=None)


async def test_the_audit_log_newest_first(world: World) -> None:
    await world.sql.execute(
        """
        INSERT INTO audit_log (actor, action, target, before, after, created_at)
        SELECT 'olive (OPERATOR)', 'upsert', 'thing ' || n, NULL, jsonb_build_object('n', n),
            $1::timestamptz + n / 3 * interval '1 second'
        FROM generate_series(1, 20) n
        """,
        world.clock(),
    )
    staff = await auditor(world)
    found = await pages(staff, AUDIT, 3)
    assert [node["after"] for node in found] == [{"n": number} for number in range(20, 0, -1)]
    assert {node["before"] for node in found} == {None}
    assert found[0]["target"] == "thing 20"


async def test_a_list_costs_the_same_statements_whatever_its_length(world: World) -> None:
    for number in range(8):
        player = await world.player(f"player-{number}")
        for _ in range(number % 3):
            await player.play()
        world.clock.advance(seconds=1)  # the newest are those who played
    staff = await auditor(world)
    counts = set()
    for first in (2, 5, 9):
        with watched(world) as statements:
            found = (await staff.data(NESTED, first=first))["players"]["nodes"]
        assert len(found) == first
        counts.add(len(statements))
    assert counts == {6}, counts  # players; balances, rewards, plays, events; the players of the events
    by_name = {node["externalId"]: node for node in found}
    assert len(by_name["player-2"]["plays"]["nodes"]) == 2
    assert by_name["player-2"]["plays"]["pageInfo"]["hasNextPage"] is False
    assert by_name["player-3"]["plays"]["nodes"] == by_name["player-0"]["plays"]["nodes"] == []
    assert all(
        event["player"]["externalId"] == name for name, node in by_name.items() for event in node["events"]["nodes"]
    )


async def test_a_list_of_events_costs_the_same_statements_whatever_its_length(world: World) -> None:
    await some_events(world)
    staff = await auditor(world)
    counts = set()
    for first in (1, 3, 8):
        with watched(world) as statements:
            document = """query E($first: Int!) {
              userEvents(first: $first) { nodes { player { externalId balances { amount } } } } }"""
            assert len((await staff.data(document, first=first))["userEvents"]["nodes"]) == first
        counts.add(len(statements))
    assert counts == {3}
