"""The page to play goes on showing what is true: the day turns, operators change things, another tab plays."""

import asyncio
import re
from typing import TYPE_CHECKING

import pytest

from models import FeatureType
from tests.browser.playing import HIDE, PUBLISH, SHOW, TODAY, Play, every_look, reschedule
from tests.serving import serving
from tests.staff import POINTS, operator, upsert, valid
from tests.world import Client, World

if TYPE_CHECKING:
    from playwright.async_api import Browser, Route

DELETE = """
mutation ($date: Date!) { deleteRanking(input: {date: $date, expectedRevision: 2}) { __typename } }
"""
PRESSES = {FeatureType.DICE: ("DiceStatus", "playDice"), FeatureType.ROULETTE: ("RouletteStatus", "spinRoulette")}
"""The lottery's stream would tell it before the press."""


async def test_the_day_turns_while_the_page_is_open(world: World, visit: Play) -> None:
    await visit.page.clock.install(time=world.clock.now)
    await visit.open()
    assert await visit.page.locator(".hero h1").inner_text() == "Dice duel"
    await visit.play()
    world.clock.advance(hours=12, seconds=2)
    await world.today(FeatureType.ROULETTE)
    await visit.page.clock.run_for(1000)
    await visit.page.clock.fast_forward("12:00:01")
    await visit.page.clock.run_for(2000)
    await visit.page.locator(".hero h1", has_text="Lucky roulette").wait_for()
    await visit.page.get_by_text("3 of 3 left today").wait_for()
    visit.forget("401")  # the demo token had run out, too


async def test_what_an_operator_changes_is_shown_without_a_reload(world: World, visit: Play) -> None:
    staff = await operator(world)
    await visit.open()
    await visit.play()
    await reschedule(staff, FeatureType.LOTTERY)
    await visit.sees("Lottery")
    await visit.play()
    assert await world.count("lottery_log") == 1
    await reschedule(staff, FeatureType.LOTTERY, isActive=False)
    await visit.page.locator('[data-code="NO_FEATURE_TODAY"]').wait_for()
    await reschedule(staff, FeatureType.ROULETTE)
    await visit.sees("Roulette")


async def test_a_stream_whose_token_ran_out_is_taken_up_with_a_new_one(world: World, visit: Play) -> None:
    async with visit.page.expect_response(lambda answer: "query Sheets" in str(answer.request.post_data)):
        await visit.open()  # and nothing that it asks for is still under way
    await visit.until(lambda: visit.of("TodayChanges"))
    world.clock.advance(hours=2)
    await reschedule(await operator(world), FeatureType.LOTTERY)  # the stream ends instead of telling it
    await visit.sees("Lottery")
    assert len({sent.authorization for sent in visit.of("TodayChanges")}) == 2
    await visit.play()
    await visit.until(lambda: visit.complaints)
    assert len([text for text in visit.complaints if "401" in text]) == 1  # all that follows has the new token
    visit.forget("401")


async def test_a_stream_that_the_server_ended_is_taken_up_again(browser: "Browser", empty_database: str) -> None:
    async with serving(empty_database) as served, Play.to(browser, served.url, locale="en-US") as visit:
        await visit.open()
        await visit.until(lambda: visit.of("TodayChanges"))
        await served.stop()
        await visit.until(lambda: visit.complaints)  # the page tries, and nobody is there
        await served.start()
        staff = Client(served.http, served.tokens["OPERATOR"])
        date = (await staff.data(TODAY))["todayFeature"]["date"]
        await reschedule(staff, FeatureType.LOTTERY, date)
        await visit.sees("Lottery")
        visit.forget("Failed to load resource")  # refused or cut off, as far as the server's end had come


async def test_a_page_that_nobody_sees_needs_no_stream(world: World, visit: Play) -> None:
    await visit.open()
    await visit.until(lambda: visit.of("TodayChanges"))
    await visit.page.evaluate(HIDE)
    await reschedule(await operator(world), FeatureType.LOTTERY)
    await asyncio.sleep(0.5)
    await visit.sees("Dice")
    await visit.page.evaluate(SHOW)
    await visit.sees("Lottery")


async def test_a_title_that_is_changed_is_shown_and_nothing_else_begins_anew(world: World, visit: Play) -> None:
    await visit.open()
    await visit.play()
    given = valid("upsertFeatureConfig", title="한밤의 주사위")
    assert (await upsert(await operator(world), "upsertFeatureConfig", given))["__typename"] == "FeatureConfig"
    await visit.page.locator(".hero h1", has_text="한밤의 주사위").wait_for()
    assert await visit.page.locator(".outcome").count() == 1
    assert len(visit.of("Today")) == 1


@every_look
async def test_a_day_without_an_event_has_its_season_and_wallet(world: World, visit: Play, look: str) -> None:
    await world.today(None)
    await visit.page.goto(visit.home)
    await visit.page.locator('.hero [data-code="NO_FEATURE_TODAY"]').wait_for()
    await visit.page.locator("button.stamp").click()
    await visit.page.locator(".stamped").get_by_text("+150 XP").wait_for()
    await visit.page.get_by_test_id("POINT").get_by_text("10", exact=True).wait_for()
    assert re.fullmatch(r"\d\d:\d\d:\d\d", await visit.page.locator(".countdown time").inner_text())
    await visit.shoot(f"web/no-feature-{look}")


@pytest.mark.parametrize("feature", PRESSES)
async def test_a_refusal_tells_that_another_tab_has_played(world: World, visit: Play, feature: FeatureType) -> None:
    await world.today(feature)
    await visit.open()
    await visit.page.get_by_text("3 of 3 left today").wait_for()
    query, mutation = PRESSES[feature]
    other = await world.player("demo-player")
    for _ in range(3):
        await other.play(mutation)

    async def refuse(route: "Route") -> None:
        if f"query {query}" in str(route.request.post_data):
            await route.abort("connectionrefused")
        else:
            await route.continue_()

    await visit.page.route("**/graphql", refuse)  # the refusal is all that there is to learn it from
    await visit.page.locator(".play").click()
    await visit.page.locator('[data-code="DAILY_LIMIT_REACHED"]').wait_for()
    await visit.page.get_by_text("0 of 3 left today").wait_for()
    assert await visit.page.locator(".play").is_disabled()
    await visit.shoot(f"web/{feature.lower()}-refused")
    await visit.page.unroute_all()
    visit.forget("ERR_CONNECTION_REFUSED")


async def test_who_comes_back_sees_what_another_tab_did(world: World, visit: Play) -> None:
    await visit.open()
    await visit.page.evaluate(HIDE)
    played = await (await world.player("demo-player")).play()
    await visit.page.evaluate(SHOW)
    await visit.page.get_by_text("2 of 3 left today").wait_for()
    points = played["reward"]["balance"] + 10  # the first level's
    await visit.page.get_by_test_id("POINT").get_by_text(str(points), exact=True).wait_for()
    await visit.page.locator(".stamped").get_by_text("Stamped today").wait_for()


async def test_the_stock_is_shown_as_others_take_it(world: World, visit: Play) -> None:
    await world.today(FeatureType.LOTTERY)
    await visit.open()
    prizes = visit.page.locator(".odds li")
    assert "500 left" in await prizes.nth(2).inner_text()
    given = valid("upsertLotteryConfig", prizes=[{"label": "the only one", "weight": 1, "stock": 2, "reward": POINTS}])
    assert (await upsert(await operator(world), "upsertLotteryConfig", given))["__typename"] == "LotteryConfig"
    await prizes.filter(has_text="the only one").get_by_text("2 left").wait_for()
    await visit.page.get_by_text("5 of 5 left today").wait_for()
    alice = await world.player("alice")
    await alice.play("drawLottery")
    await prizes.get_by_text("1 left").wait_for()
    await alice.play("drawLottery")
    await prizes.get_by_text("Sold out").wait_for()
    await visit.page.locator(".hint", has_text="All prizes are gone.").wait_for()
    assert await visit.page.locator(".play").is_disabled()
    await visit.shoot("web/lottery-sold-out")


async def test_nobody_plays_by_odds_that_the_page_did_not_show(world: World, visit: Play) -> None:
    await world.today(FeatureType.ROULETTE)
    await visit.open()
    given = valid("upsertRouletteConfig")
    assert "code" not in await upsert(await operator(world), "upsertRouletteConfig", given)
    await visit.page.locator(".play").click()
    await visit.page.locator('[data-code="REVISION_CONFLICT"]').wait_for()
    await visit.page.locator(".odds li", has_text="segment 3").wait_for()
    assert await world.count("roulette_log") == 0
    await visit.shoot("web/roulette-new-odds")
    await visit.page.locator(".play").click()
    await visit.page.get_by_text("4 of 5 left today").wait_for()
    assert await world.count("roulette_log") == 1


async def test_a_ranking_that_is_published_replaces_the_one_on_the_page(world: World, visit: Play) -> None:
    await world.today(FeatureType.RANKING)
    await visit.open()
    rows = [{"rank": 1, "displayName": "a new first", "score": 1}]
    again = PUBLISH.replace("rows: $rows", "rows: $rows, expectedRevision: 1")
    answer = await (await operator(world)).data(again, date="2026-03-02", rows=rows)
    assert answer["publishRanking"]["__typename"] == "PublishRankingPayload"
    await visit.page.locator(".ranking li", has_text="a new first").wait_for()
    assert await visit.page.locator(".ranking li").count() == 1
    deleted = await (await operator(world)).data(DELETE, date="2026-03-02")
    assert deleted["deleteRanking"]["__typename"] == "DeleteRankingPayload"
    await visit.page.locator('.ranking [data-code="RANKING_NOT_FOUND"]').wait_for()


async def test_the_last_levels_bar_is_full(world: World, visit: Play) -> None:
    levels = [{"level": 1, "requiredXp": 50, "reward": POINTS, "autoClaim": True}]
    dates = {"startDate": "2026-01-01", "endDate": "2026-05-01"}
    given = valid("upsertSeason", name="첫 시즌", levels=levels, expectedRevision=1, **dates)
    assert (await upsert(await operator(world), "upsertSeason", given))["__typename"] == "Season"
    await visit.open()
    bar = visit.page.locator(".season progress")
    assert await bar.evaluate("bar => bar.value / bar.max") == 0
    await visit.page.locator("button.stamp").click()
    await visit.page.locator(".season", has_text="You are at the last level").wait_for()
    assert await bar.evaluate("bar => bar.value / bar.max") == 1
    await visit.shoot("web/season_pass-last-level")
