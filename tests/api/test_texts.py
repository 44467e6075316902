"""Texts at every door of the API and of the command line: one rule, and one spelling."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from models import Role
from services.rules import texts
from tests.conftest import Haru
from tests.goods import COFFEE, admin, block, grant, grant_of
from tests.staff import kept, operator, upsert, valid
from tests.world import Client, World

TITLES = json.loads((Path(__file__).parents[1] / "cases" / "titles.json").read_text(encoding="utf-8"))
COMPOSED, DECOMPOSED = "하늘", "\u1112\u1161\u1102\u1173\u11af"
ISSUE = """mutation Issue($input: IssueTokenInput!) {
  issueToken(input: $input) { ... on IssuedToken { player { id externalId } } }
}"""
PUBLISH = """mutation Publish($input: PublishRankingInput!) { publishRanking(input: $input) {
  ... on PublishRankingPayload { snapshot { entries { nodes { rank displayName score } } me { rank } } }
  ... on ValidationFailed { code issues { path message } }
} }"""
SEARCH = "query Search($search: String!) { players(search: $search) { nodes { externalId } } }"


@pytest.fixture(params=[unicodedata, unicodedata.ucd_3_2_0], ids=["this interpreter's", "Unicode 3.2"])
def tables(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The interpreter's tables, and those of one of 2002."""
    monkeypatch.setattr(texts, "unicodedata", request.param)


Door = Callable[[World, str], Awaitable[dict[str, Any]]]


async def title(world: World, text: str) -> dict[str, Any]:
    return await upsert(await operator(world), "upsertFeatureConfig", valid("upsertFeatureConfig", title=text))


async def name(world: World, text: str) -> dict[str, Any]:
    return await upsert(await operator(world), "upsertSeason", valid("upsertSeason", name=text))


async def label(world: World, text: str) -> dict[str, Any]:
    given = valid("upsertRouletteConfig")
    given["segments"][3]["label"] = text
    return await upsert(await operator(world), "upsertRouletteConfig", given)


async def reason(world: World, text: str) -> dict[str, Any]:
    return await block(await admin(world), await world.player(), reason=text)


async def display_name(world: World, text: str) -> dict[str, Any]:
    return await publish(await operator(world), {"rank": 1, "displayName": text, "score": 1})


async def publish(client: Client, *rows: dict[str, Any]) -> dict[str, Any]:
    answer = (await client.data(PUBLISH, input={"date": "2025-06-01", "rows": rows}))["publishRanking"]
    made: dict[str, Any] = answer.get("snapshot", answer)
    return made


DOORS: list[Door] = [title, name, label, reason, display_name]
every_door = pytest.mark.parametrize("door", DOORS)


@every_door
@pytest.mark.usefixtures("tables")
@pytest.mark.parametrize("text", TITLES["accept"].values(), ids=TITLES["accept"].keys())
async def test_what_is_a_text(world: World, door: Door, text: str) -> None:
    answer = await door(world, text)
    assert "code" not in answer, answer.get("issues")


@every_door
@pytest.mark.usefixtures("tables")
@pytest.mark.parametrize("text", TITLES["refuse"].values(), ids=TITLES["refuse"].keys())
async def test_what_is_none(world: World, door: Door, text: str) -> None:
    await world.player()
    before = await kept(world)
    refused = await door(world, text)
    assert refused["code"] == "VALIDATION_FAILED"
    (issue,) = refused["issues"]
    assert "nothing in it can be seen" in issue["message"]
    assert await kept(world) == before


async def test_a_text_is_answered_in_nfc(world: World) -> None:
    assert (await title(world, DECOMPOSED))["title"] == COMPOSED
    assert (await label(world, DECOMPOSED))["segments"][3]["label"] == COMPOSED
    assert (await display_name(world, DECOMPOSED))["entries"]["nodes"][0]["displayName"] == COMPOSED
    await reason(world, DECOMPOSED)
    assert await world.sql.fetchval("SELECT after->>'reason' FROM audit_log ORDER BY id DESC LIMIT 1") == COMPOSED


async def test_composed_and_decomposed_spellings_are_one_player(world: World, haru: Haru) -> None:
    shop, staff = await world.player("shop", Role.SERVICE), await admin(world)
    answers = [
        await shop.data(ISSUE, input={"externalId": COMPOSED}),
        await shop.data(ISSUE, input={"externalId": DECOMPOSED}),
        await shop.data('mutation { issueToken(input: {externalId: "\\u1112\\u1161\\u1102\\u1173\\u11af"})'
                        " { ... on IssuedToken { player { id externalId } } } }"),
    ]  # fmt: skip
    assert (await haru("token", "--external-id", DECOMPOSED)).exit_code == 0
    assert {answer["issueToken"]["player"]["externalId"] for answer in answers} == {COMPOSED}
    assert len({answer["issueToken"]["player"]["id"] for answer in answers}) == 1
    assert await world.sql.fetchval('SELECT count(*) FROM "user" WHERE external_id = $1', COMPOSED) == 1
    assert await world.sql.fetchval('SELECT count(*) FROM "user" WHERE external_id = $1', DECOMPOSED) == 0
    for search in (COMPOSED, DECOMPOSED, DECOMPOSED[:2]):
        found = (await staff.data(SEARCH, search=search))["players"]["nodes"]
        assert found == [{"externalId": COMPOSED}]


async def test_both_spellings_are_one_row_of_a_ranking(world: World) -> None:
    player, staff = await world.player(COMPOSED), await operator(world)
    row = {"rank": 1, "displayName": "a", "score": 1, "externalId": DECOMPOSED}
    refused = await publish(staff, row, row | {"rank": 2, "externalId": COMPOSED})
    assert refused["issues"] == [
        {"path": ["rows", "1", "externalId"], "message": "This external id is in row 0 already."}
    ]
    await publish(staff, row)
    mine = await player.data('{ rankingSnapshot(date: "2025-06-01") { ... on RankingSnapshot { me { rank } } } }')
    assert mine["rankingSnapshot"]["me"] == {"rank": 1}


async def test_both_spellings_are_one_pool_of_coupons(world: World, haru: Haru, tmp_path: Path) -> None:
    file = tmp_path / "codes"
    file.write_text("C-1\n")
    assert (await haru("coupons", "import", str(file), "--type", DECOMPOSED)).exit_code == 0
    granted = await grant(await admin(world), grant_of(await world.player(), COFFEE | {"couponType": COMPOSED}))
    assert granted["couponCode"] == "C-1"
    again = grant_of(await world.player(), COFFEE | {"couponType": DECOMPOSED})
    assert (await grant(await admin(world), again))["couponCode"] == "C-1"


async def test_a_key_is_never_another_one(world: World) -> None:
    """U+212A is K in NFC; a key is what was sent, and this one is not of ASCII."""
    given = grant_of(await world.player(), idempotencyKey="\u212a")
    document = "mutation G($input: GrantRewardInput!) { grantReward(input: $input) { __typename } }"
    assert await (await admin(world)).error_code(document, input=given) == "BAD_REQUEST"


@pytest.mark.parametrize("score", ["9100", "9100.0", "9100.00"])
async def test_a_whole_number_may_be_written_with_a_point(world: World, score: str) -> None:
    staff = await operator(world)
    document = 'mutation { publishRanking(input: {date: "2025-06-01", rows: ROWS}) { RESULT } }'
    document = document.replace(
        "RESULT", "... on PublishRankingPayload { snapshot { entries { nodes { rank score } } } }"
    )
    literal = document.replace("ROWS", f'[{{rank: 1, displayName: "a", score: {score}}}]')
    expected = {"publishRanking": {"snapshot": {"entries": {"nodes": [{"rank": 1, "score": 9100}]}}}}
    assert await staff.data(literal) == expected
    row = {"rank": 1.0, "displayName": "a", "score": json.loads(score)}
    answer = await publish(staff, row)
    assert answer["entries"]["nodes"] == [{"rank": 1, "displayName": "a", "score": 9100}]
    for bad in ("1e5", "9100.5", '"9100"'):
        refused = await staff.error_code(literal.replace(score, bad))
        assert refused == "BAD_REQUEST"
    for value in (9100.5, "9100", "1,234", "1e5"):
        assert await staff.error_code(PUBLISH, input={"date": "2025-06-01", "rows": [row | {"score": value}]})
