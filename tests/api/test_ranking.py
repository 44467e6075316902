"""Rankings, through the public door: reading, publishing, removing, and every refusal."""

from __future__ import annotations

from typing import Any

import pytest

from models import FeatureType, Role
from tests.world import Client, World

PAST, TODAY, FUTURE = "2025-06-01", "2026-03-02", "2026-12-24"
HEADER = b"rank,display_name,score,external_id\n"
SNAPSHOT = """
fragment result on RankingSnapshot {
  date revision publishedAt totalEntries
  me { rank score displayName }
  entries(first: 3) { nodes { rank displayName score isMe } }
}
fragment refusal on UserError { code message retryable ... on ValidationFailed { issues { path message } } }
"""
PAYLOAD = "fragment payload on PublishRankingPayload { snapshot { __typename ...result } }"
READ = (
    "query R($date: Date) { rankingSnapshot(date: $date) { __typename ... on RankingSnapshot { ...result }"
    " ... on UserError { ...refusal } } }" + SNAPSHOT
)
PUBLISH = (
    "mutation P($input: PublishRankingInput!) { publishRanking(input: $input) { __typename ...payload ...refusal } }"
    + SNAPSHOT
    + PAYLOAD
)
UPLOAD = (
    "mutation U($file: Upload!) { uploadRanking(input: {date: DATE, file: $file, expectedRevision: EXPECTED})"
    " { __typename ...payload ...refusal } }" + SNAPSHOT + PAYLOAD
)
DELETE = (
    "mutation D($input: DeleteRankingInput!) { deleteRanking(input: $input)"
    " { __typename ... on DeleteRankingPayload { deleted { __typename date deletedEntries } }"
    " ... on UserError { code message } ... on RevisionConflict { currentRevision } } }"
)
ROWS = [
    {"rank": 2, "displayName": "바다", "score": 70, "externalId": "bob"},
    {"rank": 1, "displayName": "하늘", "score": 9007199254740991, "externalId": "alice"},
    {"rank": 3, "displayName": "구름", "score": -5},
]


async def read(client: Client, date: str | None = PAST) -> dict[str, Any]:
    answer: dict[str, Any] = (await client.data(READ, date=date))["rankingSnapshot"]
    return answer


async def publish(client: Client, rows: Any = ROWS, date: str = PAST, **more: Any) -> dict[str, Any]:
    variables = {"date": date, "rows": rows} | more
    answer = (await client.data(PUBLISH, input=variables))["publishRanking"]
    made: dict[str, Any] = answer.get("snapshot", answer)
    return made


async def upload(client: Client, content: bytes, date: str = PAST, expected: str = "null") -> dict[str, Any]:
    query = UPLOAD.replace("DATE", f'"{date}"').replace("EXPECTED", expected)
    whole = await client.upload(query, content)
    assert "errors" not in whole, whole
    answer = whole["data"]["uploadRanking"]
    made: dict[str, Any] = answer.get("snapshot", answer)
    return made


async def delete(client: Client, date: str = PAST, expected: int = 1) -> dict[str, Any]:
    given = {"date": date, "expectedRevision": expected}
    answer = (await client.data(DELETE, input=given))["deleteRanking"]
    made: dict[str, Any] = answer.get("deleted", answer)
    return made


async def operator(world: World) -> Client:
    return await world.player("demo-operator", Role.OPERATOR)


async def written(world: World) -> dict[str, int]:
    return {table: await world.count(table) for table in ("ranking_daily", "ranking_revision", "audit_log")}


# Publishing rows


async def test_a_published_ranking_is_read_at_once_by_everybody(world: World) -> None:
    published = await publish(await operator(world))
    assert published == {
        "__typename": "RankingSnapshot",
        "date": PAST,
        "revision": 1,
        "publishedAt": "2026-03-02T03:00:00.000+00:00",
        "totalEntries": 3,
        "me": None,
        "entries": {
            "nodes": [
                {"rank": 1, "displayName": "하늘", "score": 9007199254740991, "isMe": False},
                {"rank": 2, "displayName": "바다", "score": 70, "isMe": False},
                {"rank": 3, "displayName": "구름", "score": -5, "isMe": False},
            ]
        },
    }
    seen = await read(await world.player("bob"))
    assert seen["me"] == {"rank": 2, "score": 70, "displayName": "바다"}
    assert [entry["isMe"] for entry in seen["entries"]["nodes"]] == [False, True, False]


async def test_a_publication_replaces_the_former_one_whole(world: World) -> None:
    staff, others = await operator(world), f"SELECT * FROM ranking_daily WHERE date <> '{PAST}' ORDER BY date, rank"
    before = await world.sql.fetch(others)
    assert before
    await publish(staff)
    replaced = await publish(staff, ROWS[:1], expectedRevision=1)
    assert (replaced["revision"], replaced["totalEntries"]) == (2, 1)
    assert await world.sql.fetch(others) == before
    assert (await read(staff))["entries"]["nodes"] == replaced["entries"]["nodes"]
    entries = await world.sql.fetch(
        "SELECT actor, action, target, before->>'revision' AS b, after->>'revision' AS a FROM audit_log ORDER BY id"
    )
    told = ("demo-operator (OPERATOR)", "publishRanking", f"ranking_daily {PAST}")
    assert [tuple(entry) for entry in entries] == [(*told, None, "1"), (*told, "1", "2")]


async def test_the_same_content_again_is_no_new_revision_whatever_was_expected(world: World) -> None:
    staff = await operator(world)
    first = await publish(staff)
    before = await written(world)
    assert await publish(staff, list(reversed(ROWS))) == first
    assert await publish(staff, ROWS, expectedRevision=7) == first
    assert await written(world) == before


@pytest.mark.parametrize("expected", [None, 2, 0])
async def test_a_stale_revision_is_a_conflict_that_tells_the_current_one(world: World, expected: int | None) -> None:
    staff = await operator(world)
    await publish(staff)
    before = await written(world)
    content = HEADER + b"1,a,1,\n"
    for refused in (
        await publish(staff, ROWS[:1], expectedRevision=expected),
        await upload(staff, content, expected="null" if expected is None else str(expected)),
    ):
        assert refused["code"] == "REVISION_CONFLICT"
        assert "it is revision 1." in refused["message"]
    assert await written(world) == before


async def test_expecting_a_revision_where_none_is_published_is_a_conflict(world: World) -> None:
    refused = await publish(await operator(world), expectedRevision=1)
    assert refused["code"] == "REVISION_CONFLICT"
    assert "there is none yet" in refused["message"]


async def test_every_bad_row_is_named_and_nothing_changes(world: World) -> None:
    staff = await operator(world)
    await publish(staff)
    before = await written(world)
    rows = [
        {"rank": 0, "displayName": " ", "score": 1},
        {"rank": 5, "displayName": "x" * 101, "score": 1, "externalId": "carol"},
        {"rank": 5, "displayName": "y", "score": 1, "externalId": "carol"},
        {"rank": 6, "displayName": "z", "score": 1, "externalId": " dave"},
    ]
    refused = await publish(staff, rows, expectedRevision=1)
    assert refused["code"] == "VALIDATION_FAILED"
    assert [issue["path"] for issue in refused["issues"]] == [
        ["rows", "0", "rank"],
        ["rows", "0", "displayName"],
        ["rows", "1", "displayName"],
        ["rows", "2", "rank"],
        ["rows", "2", "externalId"],
        ["rows", "3", "externalId"],
    ]
    assert refused["issues"][3]["message"] == "Rank 5 is in row 1 already."
    assert await written(world) == before
    assert (await read(staff))["revision"] == 1


async def test_no_rows_are_no_ranking(world: World) -> None:
    refused = await publish(await operator(world), [])
    assert refused["issues"] == [{"path": ["rows"], "message": "Must be 1 to 200000 rows."}]


# Removing


async def test_a_removed_ranking_is_gone_and_its_numbers_go_on(world: World) -> None:
    staff = await operator(world)
    await publish(staff)
    assert await delete(staff) == {"__typename": "DeletedRanking", "date": PAST, "deletedEntries": 3}
    assert (await read(staff))["code"] == "RANKING_NOT_FOUND"
    assert (await publish(staff, expectedRevision=1))["code"] == "REVISION_CONFLICT"
    assert (await publish(staff))["revision"] == 3
    history = await world.sql.fetch(
        "SELECT revision, total_entries, is_deleted FROM ranking_revision WHERE date = $1::text::date ORDER BY 1", PAST
    )
    assert [tuple(row) for row in history] == [(1, 3, False), (2, 0, True), (3, 3, False)]
    actions = [row["action"] for row in await world.sql.fetch("SELECT action FROM audit_log ORDER BY id")]
    assert actions == ["publishRanking", "deleteRanking", "publishRanking"]


async def test_only_the_ranking_that_was_seen_is_removed(world: World) -> None:
    staff = await operator(world)
    await publish(staff)
    before = await written(world)
    refusal = await delete(staff, expected=2)
    assert (refusal["code"], refusal["currentRevision"]) == ("REVISION_CONFLICT", 1)
    assert await written(world) == before
    assert (await read(staff))["revision"] == 1
    assert (await delete(staff))["deletedEntries"] == 3


async def test_what_is_not_published_cannot_be_removed(world: World) -> None:
    staff = await operator(world)
    before = await written(world)
    assert (await delete(staff))["code"] == "RANKING_NOT_FOUND"
    assert await written(world) == before
    await publish(staff)
    await delete(staff)
    assert (await delete(staff))["code"] == "RANKING_NOT_FOUND"


# Reading


@pytest.mark.parametrize("date", [None, TODAY])
async def test_today_s_ranking_is_read_on_a_ranking_s_day_alone(world: World, date: str | None) -> None:
    alice = await world.player()
    assert (await read(alice, date))["code"] == "NO_FEATURE_TODAY"
    await world.today(None)
    assert (await read(alice, date))["code"] == "NO_FEATURE_TODAY"
    await world.today(FeatureType.RANKING)
    assert (await read(alice, date))["totalEntries"] == 11
    world.clock.advance(days=1)
    await world.today(FeatureType.DICE)
    assert (await read(await world.player(), TODAY))["totalEntries"] == 11


async def test_a_future_ranking_is_published_ahead_and_read_on_its_day(world: World) -> None:
    assert (await publish(await operator(world), date=FUTURE))["totalEntries"] == 3
    refused = await read(await world.player(), FUTURE)
    assert (refused["code"], refused["retryable"]) == ("RANKING_NOT_FOUND", False)
    world.clock.now = world.clock.now.replace(month=12, day=24)
    await world.today(FeatureType.RANKING)
    assert (await read(await world.player(), None))["date"] == FUTURE


async def test_a_reader_without_an_account_is_nobody(world: World) -> None:
    staff, alice = await operator(world), await world.player()
    await publish(staff)
    await world.sql.execute("DELETE FROM \"user\" WHERE external_id = 'alice'")
    assert await alice.error_code(READ, date=PAST) == "UNAUTHENTICATED"


@pytest.mark.parametrize("role", [Role.PLAYER, Role.SERVICE, Role.AUDITOR])
async def test_only_operators_publish_and_remove(world: World, role: Role) -> None:
    caller = await world.player("somebody", role)
    assert await caller.error_code(PUBLISH, input={"date": PAST, "rows": ROWS}) == "FORBIDDEN"
    assert await caller.error_code(DELETE, input={"date": PAST, "expectedRevision": 1}) == "FORBIDDEN"


PAGE = """
query Page($date: Date!, $size: Int!, $after: String) {
  rankingSnapshot(date: $date) {
    ... on RankingSnapshot {
      ...page
      top: entries(first: 1) { edges { node { rank } } }
    }
  }
}
fragment page on RankingSnapshot {
  revision
  entries(first: $size, after: $after) {
    edges { cursor node { rank } }
    nodes { rank }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}
"""


async def test_paging_leads_through_every_entry_once(world: World) -> None:
    rows = [{"rank": 3 * n, "displayName": f"n{n}", "score": n} for n in range(1, 251)]
    await publish(await operator(world), rows)
    alice, seen, after = await world.player(), list[int](), None
    for page in range(3):
        snapshot = (await alice.data(PAGE, date=PAST, size=100, after=after))["rankingSnapshot"]
        entries = snapshot["entries"]
        assert snapshot["top"] == {"edges": [{"node": {"rank": 3}}]}
        assert entries["nodes"] == [edge["node"] for edge in entries["edges"]]
        assert entries["pageInfo"] == {
            "hasNextPage": page < 2,
            "hasPreviousPage": page > 0,
            "startCursor": entries["edges"][0]["cursor"],
            "endCursor": entries["edges"][-1]["cursor"],
        }
        seen += [node["rank"] for node in entries["nodes"]]
        after = entries["pageInfo"]["endCursor"]
    assert seen == [row["rank"] for row in rows]
    empty = (await alice.data(PAGE, date=PAST, size=100, after=after))["rankingSnapshot"]["entries"]
    assert (empty["nodes"], empty["pageInfo"]["endCursor"]) == ([], None)


@pytest.mark.parametrize(
    ("size", "after"), [(0, None), (101, None), (-1, None), (10, "x"), (10, "WyIwIl0"), (10, "WyI5OTk5OTk5OTk5OTkiXQ")]
)
async def test_a_page_that_is_none_is_a_bad_request(world: World, size: int, after: str | None) -> None:
    await publish(await operator(world))
    alice = await world.player()
    assert await alice.error_code(PAGE, date=PAST, size=size, after=after) == "BAD_REQUEST"
