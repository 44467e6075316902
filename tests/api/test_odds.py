"""The odds' registry: sheets of what is, was and will be played, and the notice that changed odds are given."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from schema.nodes import Kind, node_id
from services.error_codes import WarningCode
from services.rules.registry import GAMES
from services.rules.windows import Window
from tests.games import UNDER_TEST, GameUnderTest, every_game
from tests.staff import kept, operator, send_upsert, upsert, valid
from tests.world import Client, World, running

DICE, ROULETTE, LOTTERY = UNDER_TEST
HOUR = dt.timedelta(hours=1)

SHEETS = """query ($game: FeatureType!, $from: Date!, $to: Date!, $first: Int! = 20, $after: String) {
    oddsSheets(featureType: $game, from: $from, to: $to, first: $first, after: $after) {
        pageInfo { hasNextPage endCursor }
        nodes { id featureType revision hash announcedAt effectiveFrom effectiveUntil noticeHours emergencyReason
            cost korean: cost(language: KO) english: cost(language: EN)
            items { label english: label(language: EN) quantity reward { type amount couponType }
                odds { weight totalWeight percent } } } } }"""


async def sheets(client: Client, game: GameUnderTest, day: str = "2026-03-02", last: str = "", **more: Any) -> Any:
    """The sheets of a game's revisions on some days."""
    variables = {"game": game.feature, "from": day, "to": last or day, **more}
    return (await client.data(SHEETS, **variables))["oddsSheets"]


@every_game
async def test_a_player_reads_the_odds_exactly(world: World, game: GameUnderTest) -> None:
    alice = await world.player()
    (sheet,) = (await sheets(alice, game))["nodes"]
    rules = await world.sql.fetchrow(f"SELECT * FROM {game.config}")
    assert rules is not None
    assert (sheet["hash"], sheet["revision"], sheet["noticeHours"]) == (rules["hash"], 1, 0)
    assert sheet["emergencyReason"] is sheet["cost"] is None
    total = {item["odds"]["totalWeight"] for item in sheet["items"]}
    assert {sum(item["odds"]["weight"] for item in sheet["items"])} == total
    again = await alice.data("query ($id: ID!) { node(id: $id) { ... on OddsSheet { hash } } }", id=sheet["id"])
    assert again["node"] == {"hash": sheet["hash"]}


async def test_what_a_play_costs_and_how_many_there_are_is_told(world: World) -> None:
    olive = await operator(world)
    cost = [{"language": "KO", "text": "열쇠 1개"}, {"language": "EN", "text": "1 key"}]
    await upsert(olive, "upsertLotteryConfig", valid("upsertLotteryConfig", cost=cost))
    newest, *_ = (await sheets(await world.player(), LOTTERY))["nodes"]
    assert (newest["cost"], newest["korean"], newest["english"]) == ("열쇠 1개", "열쇠 1개", "1 key")
    told = [(item["label"], item["odds"]["weight"], item["quantity"]) for item in newest["items"]]
    assert told == [("first", 1, 3), ("second", 9, None), ("later", 0, None)]
    assert newest["items"][0]["odds"] == {"weight": 1, "totalWeight": 10, "percent": 10.0}
    await world.sql.execute('UPDATE lottery_stock SET "left" = 0')
    assert (await sheets(await world.player(), LOTTERY))["nodes"][0] == newest


@every_game
async def test_a_cost_is_checked_as_every_text_is(world: World, game: GameUnderTest) -> None:
    olive = await operator(world)
    for cost, path in (
        ([{"language": "KO", "text": ""}], ["cost", "0", "text"]),
        ([{"language": "EN", "text": "a"}, {"language": "EN", "text": "b"}], ["cost", "1", "language"]),
    ):
        answer = await send_upsert(olive, game.upsert, valid(game.upsert, cost=cost))
        assert [issue["path"] for issue in answer["issues"]] == [path]


async def test_the_sheets_of_some_days_are_those_that_may_be_played_on_them(world: World) -> None:
    olive = await operator(world)
    special = {"effectiveFrom": "2026-03-05T15:00:00Z", "effectiveUntil": "2026-03-06T15:00:00Z"}
    await upsert(olive, "upsertDiceConfig", valid("upsertDiceConfig", **special))
    alice = await world.player()

    async def on(day: str, **more: Any) -> list[int]:
        return [sheet["revision"] for sheet in (await sheets(alice, DICE, day, **more))["nodes"]]

    assert await on("2026-03-05") == [1]
    assert await on("2026-03-06") == [2]  # it is all day long
    assert await on("2026-03-07") == [1]
    assert await on("2026-03-04", last="2026-03-08") == [2, 1]
    assert await on("2026-03-01") == []  # nothing was published
    page = await sheets(alice, DICE, "2026-03-04", "2026-03-08", first=1)
    assert page["pageInfo"]["hasNextPage"] is True
    rest = await sheets(alice, DICE, "2026-03-04", "2026-03-08", first=1, after=page["pageInfo"]["endCursor"])
    assert [sheet["revision"] for sheet in rest["nodes"]] == [1]


@pytest.mark.parametrize("variables", [{"game": "RANKING"}, {"to": "2026-03-01"}, {"to": "2027-03-03"}, {"first": 0}])
async def test_a_question_that_has_no_answer_is_a_bad_request(world: World, variables: dict[str, Any]) -> None:
    asked = {"game": "DICE", "from": "2026-03-02", "to": "2026-03-02"} | variables
    assert await (await world.player()).error_code(SHEETS, **asked) == "BAD_REQUEST"


async def test_no_sheet_has_the_id_of_another_thing(world: World) -> None:
    alice = await world.player()
    for wrong in (
        node_id(Kind.ODDS_SHEET, GAMES[DICE.feature].feature, 999_999),
        node_id(Kind.ODDS_SHEET, list(type(DICE.feature))[-1], 1),
    ):
        assert (await alice.data("query ($id: ID!) { node(id: $id) { id } }", id=wrong))["node"] is None


@every_game
async def test_odds_that_were_seen_are_odds_that_are_drawn(world: World, game: GameUnderTest) -> None:
    """`expectedRevision` of a play is the sheet's, or the play is refused."""
    await world.today(game.feature)
    alice, olive = await world.player(), await operator(world)
    (seen,) = (await sheets(alice, game))["nodes"]
    await upsert(olive, game.upsert, valid(game.upsert))
    play = f"""mutation ($input: PlayInput!) {{ {game.mutation}(input: $input) {{
        ... on GamePlay {{ id }} ... on RevisionConflict {{ code currentRevision }} ... on UserError {{ code }} }} }}"""
    stale = {"idempotencyKey": "k", "expectedRevision": seen["revision"]}
    before = await world.written()
    refused = (await alice.data(play, input=stale))[game.mutation]
    assert refused == {"code": "REVISION_CONFLICT", "currentRevision": 2}
    assert await world.written() == before
    assert "id" in (await alice.data(play, input=stale | {"expectedRevision": 2}))[game.mutation]


LIKELIER: dict[GameUnderTest, dict[str, Any]] = {
    DICE: {"winReward": {"type": "POINT", "amount": 7}},
    ROULETTE: {
        "segments": [
            {"slot": slot, "label": "one", "weight": 1, "reward": {"type": "POINT", "amount": 1}} for slot in range(6)
        ]
    },
    LOTTERY: {"prizes": [{"label": "one", "weight": 1, "reward": {"type": "POINT", "amount": 1}}]},
}


@every_game
async def test_changed_odds_are_announced_in_time_or_carry_a_reason(empty_database: str, game: GameUnderTest) -> None:
    async with running(empty_database, HARU_ODDS_NOTICE_HOURS=48) as world:
        olive = await operator(world)
        given = valid(game.upsert, **LIKELIER[game])
        before = await kept(world)
        soon = str(world.clock() + 48 * HOUR - dt.timedelta(seconds=1)).replace(" ", "T")
        earlier: list[dict[str, Any]] = [{}, {"effectiveFrom": soon}, {"effectiveFrom": soon, "mode": "DRY_RUN"}]
        for early in earlier:
            refused = await send_upsert(olive, game.upsert, given | early)
            at = "2026-03-04T02:59:59Z" if early else "2026-03-02T03:00:00Z"
            message = (
                f"The odds would change at {at}, and are announced 48 h ahead: begin at 2026-03-04T03:00:00Z or later,"
                " or say why not."
            )
            assert refused["issues"] == [{"path": ["emergencyReason"], "message": message}]
        assert await kept(world) == before

        in_time = str(world.clock() + 48 * HOUR).replace(" ", "T")
        assert (await upsert(olive, game.upsert, given | {"effectiveFrom": in_time}))["revision"] == 2
        excused = {"emergencyReason": "A label was wrong.", "expectedRevision": 2}
        assert (await upsert(olive, game.upsert, given | excused))["revision"] == 3
        told = (await sheets(await world.player(), game, "2026-03-02", "2026-03-05"))["nodes"]
        assert [(sheet["revision"], sheet["noticeHours"], sheet["emergencyReason"]) for sheet in told] == [
            (3, 48, "A label was wrong."),
            (2, 48, None),
            (1, 0, None),
        ]


async def test_the_same_odds_need_no_notice_and_a_rollback_does(empty_database: str) -> None:
    async with running(empty_database, HARU_ODDS_NOTICE_HOURS=24) as world:
        olive = await operator(world)
        config = await world.sql.fetchval("SELECT id FROM dice_config")
        again: dict[str, Any] = {
            "configId": node_id(Kind.DICE_CONFIG, config),
            "expectedRevision": 1,
            "acknowledge": [*WarningCode],
        }
        assert (await republish(olive, again))["config"]["revision"] == 2  # it says what was said
        excused = valid("upsertDiceConfig", emergencyReason="Too generous.", expectedRevision=2)
        await upsert(olive, "upsertDiceConfig", excused)
        back = again | {"expectedRevision": 3}
        assert (await republish(olive, back))["issues"] == [{"path": ["emergencyReason"]}]
        assert (await republish(olive, back | {"emergencyReason": ""}))["issues"] == [{"path": ["emergencyReason"]}]
        assert (await republish(olive, back | {"emergencyReason": "As it was."}))["config"]["revision"] == 4


async def republish(client: Client, given: dict[str, Any]) -> Any:
    document = """mutation ($input: RepublishConfigInput!) { republishConfig(input: $input) {
        ... on ConfigPayload { config { revision } } ... on ValidationFailed { issues { path } }
        ... on UserError { code message } } }"""
    return (await client.data(document, input=given))["republishConfig"]


def test_the_window_that_is_asked_for_has_no_reason_of_its_own() -> None:
    assert Window().emergency_reason is None
