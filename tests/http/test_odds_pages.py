"""The odds for everybody: without a token, as text, in two languages, and a sheet that is the same for ever."""

from __future__ import annotations

import datetime as dt
import re
from fractions import Fraction
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from models import FeatureType, Language, RewardType
from server.pages.odds import language_of
from server.pages.sheets import STYLE, overview_page, percent, sheet_page
from services.odds import GameOdds, Stretch
from services.request_errors import Unavailable
from services.rules.registry import GAMES
from tests.staff import operator, upsert, valid
from tests.unit import rules
from tests.unit.rules import NOW
from tests.world import World, running


async def current(world: World, feature: FeatureType) -> dict[str, Any]:
    """A game's sheet that is on now, for programs."""
    games = (await world.http.get("/odds.json")).json()["games"]
    return next(game["current"] for game in games if game["featureType"] == feature)


async def test_whoever_comes_reads_what_is_on_in_their_language(world: World) -> None:
    await world.today(FeatureType.LOTTERY)
    korean = await world.http.get("/odds", headers={"Accept-Language": "ko-KR,ko;q=0.9"})
    english = await world.http.get("/odds", headers={"Accept-Language": "fr, en;q=0.5"})
    asked = await world.http.get("/odds?lang=en", headers={"Accept-Language": "ko"})
    assert (korean.status_code, korean.headers["vary"]) == (200, "Accept-Language")
    assert "오늘의 게임: <b>복권</b>" in korean.text
    assert "146 / 1296 ≈ 11.26543210 %" in korean.text
    assert "Today&#x27;s game" not in korean.text
    assert english.text == asked.text
    assert "<b>Lottery</b>" in english.text
    links = re.findall('<a href="/odds/([0-9a-f]{64})">([0-9a-f]+)…</a>', korean.text)
    assert links
    assert all(told == hash_[:12] for hash_, told in links)
    assert "<script" not in korean.text
    assert "script-src 'none'" in korean.headers["content-security-policy"]


async def test_what_is_left_and_the_chances_now_are_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.pages.odds.FRESH_SECONDS", 3600.0)
    olive = await operator(world)
    await upsert(olive, "upsertLotteryConfig", valid("upsertLotteryConfig"))
    first, second, _ = (await current(world, FeatureType.LOTTERY))["items"]
    assert (first["quantity"], first["left"], first["now"]) == (3, 3, {"weight": 1, "totalWeight": 10})
    await world.sql.execute('UPDATE lottery_stock SET "left" = 0')
    unchanged = (await current(world, FeatureType.LOTTERY))["items"][0]
    assert unchanged["left"] == 3  # as old as that, whatever it costs to ask
    async with running_again(world) as again:
        first, second, _ = (await current(again, FeatureType.LOTTERY))["items"]
        assert (first["left"], first["now"]) == (0, {"weight": 0, "totalWeight": 9})
        assert (first["weight"], first["totalWeight"]) == (1, 10)
        assert second["now"] == {"weight": 9, "totalWeight": 9}


def running_again(world: World) -> Any:
    """Another server on the same database, which has asked for nothing yet."""
    assert world.settings.owner_url
    return running(world.settings.owner_url, demo=False)


async def test_what_is_announced_and_what_was_is_told(world: World) -> None:
    olive = await operator(world)
    ahead = {"effectiveFrom": "2026-03-05T15:00:00Z", "effectiveUntil": "2026-03-06T15:00:00Z"}
    special = valid("upsertDiceConfig", emergencyReason="<b>오류</b>", **ahead)
    await upsert(olive, "upsertDiceConfig", special)
    later = valid("upsertDiceConfig", expectedRevision=2, effectiveFrom="2026-09-05T15:00:00Z")
    await upsert(olive, "upsertDiceConfig", later)
    sooner = valid("upsertDiceConfig", expectedRevision=3, effectiveFrom="2026-09-04T15:00:00Z")
    await upsert(olive, "upsertDiceConfig", sooner)
    async with running_again(world) as before:
        dice = (await before.http.get("/odds.json")).json()["games"][0]
        assert [sheet["revision"] for sheet in dice["announced"]] == [2, 4, 3]
        assert dice["announced"][0]["emergencyReason"] == "<b>오류</b>"
        assert [(one["from"], one["until"]) for one in dice["played"]] == [("2026-03-02T03:00:00.000Z", None)]
        assert "긴급 변경 사유: &lt;b&gt;오류&lt;/b&gt;" in (await before.http.get("/odds?lang=ko")).text
    async with running_again(world) as after:
        after.clock.now = dt.datetime(2026, 3, 7, tzinfo=dt.UTC)
        dice = (await after.http.get("/odds.json")).json()["games"][0]
        assert [sheet["revision"] for sheet in dice["announced"]] == [4, 3]
        assert [(one["from"][5:13], one["until"] and one["until"][5:13]) for one in dice["played"]] == [
            ("03-06T15", None),
            ("03-05T15", "03-06T15"),
            ("03-02T03", "03-05T15"),
        ]
    async with running_again(world) as much_later:  # what began before the last 90 days is told whole
        much_later.clock.now = dt.datetime(2026, 6, 10, tzinfo=dt.UTC)
        dice = (await much_later.http.get("/odds.json")).json()["games"][0]
        assert [(one["from"], one["until"]) for one in dice["played"]] == [("2026-03-02T03:00:00.000Z", None)]


async def test_where_no_game_is_on_and_nothing_was_published_the_page_says_so(empty_database: str) -> None:
    async with running(empty_database, demo=False) as world:
        page = await world.http.get("/odds?lang=en")
        assert page.text.count("No game is on") == 1 + len(GAMES)
        assert (await world.http.get("/odds.json")).json()["today"] is None


async def test_a_sheet_is_the_same_whatever_happens_since(world: World) -> None:
    olive = await operator(world)
    await upsert(olive, "upsertLotteryConfig", valid("upsertLotteryConfig"))
    sheet = await current(world, FeatureType.LOTTERY)
    path = f"/odds/{sheet['hash']}"
    page, text = await world.http.get(path), await world.http.get(f"{path}.json")
    assert sha256(text.content).hexdigest() == sheet["hash"]
    assert (page.headers["etag"], page.headers["cache-control"][-9:]) == (f'"{sheet["hash"]}"', "immutable")
    await world.sql.execute('UPDATE lottery_stock SET initial = 9, "left" = 1')
    await upsert(olive, "upsertLotteryConfig", valid("upsertLotteryConfig", expectedRevision=2))
    async with running_again(world) as later:
        later.clock.advance(days=31)
        assert (await later.http.get(path)).content == page.content == (await world.http.get(path)).content
        assert (await later.http.get(f"{path}.json")).content == text.content


def test_a_sheet_of_last_year_is_written_as_it_was_then() -> None:
    """Whoever kept a page may hold it against this one: what is written here of old never changes."""
    page = sheet_page(GAMES[FeatureType.LOTTERY], rules.lottery([(1, 3), (2, None)]), ZoneInfo("Asia/Seoul"))
    assert sha256(page.encode()).hexdigest() == "d84cc567f7bb6c1bf92a24648bf0e44c2a6e42a3fd5e8216d424a30aa6859e56"


OVERVIEW = Path(__file__).parents[1] / "cases" / "odds-overview.html"


def test_the_page_of_all_games_is_literally_this() -> None:
    """What is on with what is left of it, what is announced and why, what was, and where there is nothing of these."""
    day, dice, lottery = dt.timedelta(days=1), rules.dice(), rules.lottery([(1, 3000), (2, None)])
    coupon = {"reward_type": RewardType.COUPON, "reward_amount": 1, "coupon_type": "TEA"}
    first, second = lottery.prizes
    gone = replace(first, stock=0, labels={Language.EN: "First <prize>"}, **coupon)
    on = replace(lottery, cost={Language.KO: "열쇠 1개"}, prizes=(gone, replace(second, reward_amount=1500)))
    ahead = replace(dice, emergency_reason="<b>", effective_until=NOW + day)
    told = [
        GameOdds(GAMES[FeatureType.DICE], None, [ahead], []),
        GameOdds(GAMES[FeatureType.LOTTERY], on, [], [Stretch(NOW, None, on), Stretch(NOW - day, NOW, dice)]),
    ]
    page = overview_page(told, FeatureType.LOTTERY, NOW, ZoneInfo("Asia/Seoul"), Language.EN)
    lines = re.sub("(?=<h|<p>|<t[rd])", "\n", page.replace(STYLE, ""))
    assert lines == OVERVIEW.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["0" * 64, "0" * 63, "A" * 64, f"{'0' * 64}.html", f"{'0' * 64}.", "x.json"])
async def test_what_no_revision_has_is_not_found(world: World, name: str) -> None:
    answer = await world.http.get(f"/odds/{name}")
    assert (answer.status_code, answer.headers["cache-control"]) == (404, "no-store")


async def test_a_revision_that_was_withdrawn_keeps_its_sheet_and_is_announced_no_more(world: World) -> None:
    olive = await operator(world)
    ahead = valid("upsertDiceConfig", effectiveFrom="2026-03-05T15:00:00Z")
    made = await upsert(olive, "upsertDiceConfig", ahead)
    withdraw = """mutation ($input: WithdrawConfigInput!) { withdrawConfig(input: $input) { __typename } }"""
    await olive.data(withdraw, input={"configId": made["id"], "reason": "a typo"})
    dice = (await world.http.get("/odds.json")).json()["games"][0]
    assert dice["announced"] == []
    digest = await world.sql.fetchval("SELECT hash FROM dice_config WHERE revision = 2")
    assert (await world.http.get(f"/odds/{digest}")).status_code == 200


async def test_readers_are_counted_like_everybody_else(empty_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.app.time", SimpleNamespace(monotonic=lambda: 100.0))
    async with running(empty_database, HARU_ADDRESS_RATE=0.5) as world:
        answers = [await world.http.get("/odds.json") for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert answers[-1].headers["retry-after"] == "3"  # one in two seconds, and one to be sure
        assert answers[-1].text == "Too many requests; try again later.\n"


async def test_what_each_day_is_committed_to_is_public(world: World) -> None:
    for date in (dt.date(2025, 3, 8), dt.date(2025, 3, 9)):
        made = "INSERT INTO draw_seed (date, commitment, committed_at) VALUES ($1, $2, $3)"
        await world.sql.execute(made, date, f"{date.day:064}", NOW)
    first, today, *rest = (await world.http.get("/draws.json")).json()["days"]
    assert first["date"] == "2025-03-09"  # of a year
    assert [day["date"] for day in (today, *rest)] == [f"2026-03-{number:02}" for number in range(2, 10)]
    assert (len(today["commitment"]), today["seed"], today["revealedAt"]) == (64, None, None)
    assert today.keys() == {"date", "commitment", "committedAt", "shuffle", "seed", "revealedAt", "root"}
    one = (await world.http.get("/draws.json?from=2026-03-02&to=2026-03-02")).json()["days"]
    assert one == [today]


@pytest.mark.parametrize(
    "query", ["from=2026-03-02", "from=x&to=y", "from=2026-03-02&to=2026-03-01", "from=2020-01-01&to=2026-03-01"]
)
async def test_days_that_are_none_are_a_bad_request(world: World, query: str) -> None:
    answer = await world.http.get(f"/draws.json?{query}")
    assert (answer.status_code, answer.headers["cache-control"]) == (400, "no-store")


async def test_a_database_that_is_away_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: Any) -> Any:
        raise Unavailable

    monkeypatch.setattr("services.odds.at_a_glance", away)
    monkeypatch.setattr("services.odds.sheet_of", away)
    for path in ("/odds", "/odds.json", f"/odds/{'0' * 64}"):
        answer = await world.http.get(path)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


async def test_a_crowd_costs_one_question_a_second(empty_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """And a sheet one question, which is never asked again."""
    from services import odds

    asked: list[str] = []
    second = SimpleNamespace(now=100.0)

    def count(name: str) -> None:
        ask = getattr(odds, name)

        async def counted(*arguments: Any) -> Any:
            asked.append(name)
            return await ask(*arguments)

        monkeypatch.setattr(odds, name, counted)

    count("at_a_glance")
    count("sheet_of")
    monkeypatch.setattr("server.app.time", SimpleNamespace(monotonic=lambda: second.now))
    async with running(empty_database) as world:
        for second.now, times in ((100.0, 1), (100.99, 1), (101.0, 2), (101.99, 2), (102.5, 3)):
            for path in ("/odds?lang=ko", "/odds?lang=en", "/odds.json", "/draws.json", "/odds"):
                assert (await world.http.get(path)).status_code == 200
            assert asked == ["at_a_glance"] * times
        digest = (await current(world, FeatureType.DICE))["hash"]
        for path in (f"/odds/{digest}", f"/odds/{digest}.json", f"/odds/{digest}"):
            assert (await world.http.get(path)).status_code == 200
        assert asked[3:] == ["sheet_of"]


@pytest.mark.parametrize(
    ("share", "written"),
    [
        (Fraction(1, 8), "= 12.5 %"),
        (Fraction(1, 3), "≈ 33.33333333 %"),
        (Fraction(1), "= 100 %"),
        (Fraction(0), "= 0 %"),
        (Fraction(1, 10**9), "= 0.0000001 %"),
        (Fraction(1, 10**12), "= 0.0000000001 %"),
        (Fraction(1, 999_999_999), "≈ 0.00000010 %"),
    ],
)
def test_a_chance_is_written_exactly_where_it_can_be(share: Fraction, written: str) -> None:
    assert percent(share) == written


@pytest.mark.parametrize(
    ("asked", "accepted", "language"),
    [(None, "", "KO"), ("en", "ko", "EN"), ("fr", "en-GB", "EN"), (None, "de, KO;q=0.1, en", "KO"), ("", "de", "KO")],
)
def test_the_language_is_the_one_asked_for_or_the_first_that_is_accepted(
    asked: str | None, accepted: str, language: str
) -> None:
    assert language_of(asked, accepted) is Language(language)
