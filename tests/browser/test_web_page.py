"""The page to play, in a real browser, on a real server with the demo data and a clock that the test holds."""

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import pytest

from models import FeatureType
from tests.browser.visit import Visit
from tests.serving import serving
from tests.staff import operator, upsert, valid
from tests.world import Client, World

if TYPE_CHECKING:
    from playwright.async_api import Browser, Route

LOOKS: dict[str, dict[str, Any]] = {
    "phone": {"viewport": {"width": 390, "height": 844}, "locale": "ko-KR"},
    "phone-dark": {"viewport": {"width": 390, "height": 844}, "locale": "en-US", "color_scheme": "dark"},
    "desktop": {"viewport": {"width": 1280, "height": 900}, "locale": "en-US"},
    "desktop-dark": {"viewport": {"width": 1280, "height": 900}, "locale": "ko-KR", "color_scheme": "dark"},
}


PUBLISH = """
mutation ($date: Date!, $rows: [RankingRowInput!]!) {
  publishRanking(input: {date: $date, rows: $rows}) { __typename }
}
"""
DAY = "query ($date: Date!) { featureSchedule(from: $date, to: $date) { revision } }"
TODAY = "{ todayFeature { ... on TodayFeature { date } } }"
HIDE = """
Object.defineProperty(document, "hidden", { get: () => true, configurable: true });
document.dispatchEvent(new Event("visibilitychange"));
"""
SHOW = HIDE.replace("true,", "false,")


class Play(Visit):
    """The page to play."""

    async def open(self) -> None:
        await self.page.goto(self.home)
        await self.page.locator(".hero h1").wait_for()
        await self.page.locator(".wallet dd").first.wait_for()
        await self.page.locator(".ranking li").first.wait_for()
        await self.page.locator(".season .levels").wait_for()

    async def sees(self, feature: str) -> None:
        """Wait until a feature is on."""
        await self.page.locator(".hero", has_text=f"Today's event · {feature}").wait_for()

    async def play(self) -> None:
        """Press the big button, and see what came out."""
        before = await self.page.get_by_test_id("limit").inner_text()
        await self.page.locator(".play").click()
        await self.page.locator(".outcome").wait_for()
        for _ in range(50):
            if await self.page.get_by_test_id("limit").inner_text() != before:
                return
            await asyncio.sleep(0.1)
        raise AssertionError("the daily limit stayed as it was")


@pytest.fixture
def look(request: pytest.FixtureRequest) -> str:
    return str(getattr(request, "param", "desktop"))


@pytest.fixture
async def visit(browser: "Browser", home: str, look: str) -> AsyncIterator[Play]:
    async with Play.to(browser, home, reduced_motion="reduce", timezone_id="Asia/Seoul", **LOOKS[look]) as visit:
        yield visit


async def reschedule(client: Client, feature: FeatureType, date: str = "2026-03-02", **more: Any) -> None:
    """Change a day, as an operator does."""
    (day,) = (await client.data(DAY, date=date))["featureSchedule"]
    given = valid("upsertFeatureSchedule", date=date, featureType=feature, expectedRevision=day["revision"], **more)
    assert (await upsert(client, "upsertFeatureSchedule", given))["__typename"] == "ScheduledDay"


def keys_sent(visit: Visit) -> list[str]:
    """The idempotency keys of the throws, in order."""
    return [sent.variables["input"]["idempotencyKey"] for sent in visit.of("PlayDice")]


every_look = pytest.mark.parametrize("look", LOOKS, indirect=True)


@every_look
@pytest.mark.parametrize(
    ("feature", "log"),
    [(FeatureType.DICE, "dice_log"), (FeatureType.ROULETTE, "roulette_log"), (FeatureType.LOTTERY, "lottery_log")],
)
async def test_a_game_is_played_on_its_day_until_its_limit(
    world: World, visit: Play, look: str, feature: FeatureType, log: str
) -> None:
    await world.today(feature)
    await visit.open()
    await visit.shoot(f"web/{feature.lower()}-{look}-before")
    await visit.play()
    await visit.shoot(f"web/{feature.lower()}-{look}-played")
    await visit.play()
    await visit.play()
    assert await visit.page.locator(".play").is_disabled()
    assert await world.count(log) == 3
    points = await world.sql.fetchval("SELECT amount FROM reward_balance WHERE user_id = 1 AND reward_type = 'POINT'")
    await visit.page.get_by_test_id("POINT").get_by_text(f"{points:,}", exact=True).wait_for()
    await visit.page.locator(".stamped").wait_for()  # the day's first play stamped the season pass
    await visit.shoot(f"web/{feature.lower()}-{look}-used-up")


@every_look
async def test_a_season_pass_is_stamped_and_a_level_claimed(world: World, visit: Play, look: str) -> None:
    world.clock.advance(days=-1)
    player = await world.player("demo-player")
    assert (await player.stamp())["currentXp"] == 150
    world.clock.advance(days=1)
    await world.today(FeatureType.SEASON_PASS)
    await visit.open()
    await visit.shoot(f"web/season_pass-{look}-before")
    await visit.page.locator("button.stamp").click()
    await visit.page.locator(".stamped").get_by_text("+150 XP").wait_for()
    await visit.page.get_by_test_id("POINT").get_by_text("40", exact=True).wait_for()  # levels 1 and 3, by themselves
    await visit.shoot(f"web/season_pass-{look}-stamped")
    await visit.page.locator(".levels button").click()
    await visit.page.locator(".levels button").wait_for(state="detached")
    await visit.page.get_by_test_id("POINT").get_by_text("60", exact=True).wait_for()
    claimed = await visit.page.locator('.levels [data-state="CLAIMED"]').count()
    assert claimed == await world.count("season_pass_reward_log") == 3
    await visit.shoot(f"web/season_pass-{look}-claimed")


@every_look
async def test_a_ranking_is_read_and_leafed_through(world: World, visit: Play, look: str) -> None:
    await world.today(FeatureType.RANKING)
    staff = await operator(world)
    for date, players in (("2026-02-28", 12), ("2026-02-27", 1)):
        rows = [{"rank": rank, "displayName": f"no. {rank}", "score": -rank} for rank in range(1, players + 1)]
        assert (await staff.data(PUBLISH, date=date, rows=rows))["publishRanking"]["__typename"] == "RankingSnapshot"
    await visit.open()
    ranking = visit.page.locator(".ranking")
    assert await ranking.locator("li").count() == 11  # the first ten, and the player's own row
    assert await ranking.locator('[data-me="true"] b').inner_text() == "11"
    more = ranking.locator("button.quiet")
    assert await more.count() == 0
    await visit.shoot(f"web/ranking-{look}")
    earlier = ranking.locator("nav button").first
    await earlier.click()
    await ranking.locator('[data-code="RANKING_NOT_FOUND"]').wait_for()
    await earlier.click()
    await more.wait_for()
    assert await ranking.locator("li").count() == 10
    await more.click()
    await more.wait_for(state="detached")
    assert await ranking.locator("li").count() == 12
    await earlier.click()
    alone = "1명 참여" if "ko" in LOOKS[look]["locale"] else "1 player ·"
    await ranking.locator(".note", has_text=alone).wait_for()


async def test_a_lost_answer_is_asked_for_again_with_the_same_key(world: World, visit: Play) -> None:
    lost = 0

    async def lose_the_first(route: "Route") -> None:
        nonlocal lost
        if "PlayDice" in str(route.request.post_data) and lost == 0:
            lost += 1
            await route.fetch()  # the server has played,
            await route.abort("connectionreset")  # and nobody hears of it
        else:
            await route.continue_()

    await visit.page.route("**/graphql", lose_the_first)
    await visit.open()
    await visit.play()
    keys = keys_sent(visit)
    assert len(keys) == 2
    assert len(set(keys)) == 1
    assert await world.count("dice_log") == 1
    await visit.page.get_by_text("The result of a request that was already done").wait_for()
    await visit.play()
    assert len(set(keys_sent(visit))) == 2
    visit.complaints = [text for text in visit.complaints if "ERR_CONNECTION_RESET" not in text]


async def test_a_press_after_all_retries_goes_on_with_the_same_key(world: World, visit: Play) -> None:
    await visit.open()
    await visit.page.route("**/graphql", lambda route: route.abort("connectionrefused"))
    await visit.page.locator(".play").click()
    await visit.page.locator('[data-code="NETWORK"]').wait_for()
    await visit.shoot("web/no-network")
    await visit.page.unroute("**/graphql")
    await visit.play()
    assert len(set(keys_sent(visit))) == 1
    assert await world.count("dice_log") == 1
    visit.complaints = [text for text in visit.complaints if "ERR_CONNECTION_REFUSED" not in text]


async def test_a_failure_is_told_in_the_players_language(world: World, visit: Play) -> None:
    await visit.open()
    await world.sql.execute('UPDATE "user" SET is_blocked = true WHERE id = 1')
    await visit.page.locator(".play").click()
    await visit.page.get_by_role("alert").get_by_text("This account is blocked.").wait_for()
    await visit.page.get_by_role("button", name="한국어").click()
    await visit.page.get_by_role("alert").get_by_text("이용이 제한된 계정이에요.").wait_for()


async def test_the_language_is_remembered(visit: Play) -> None:
    await visit.open()
    await visit.page.get_by_role("button", name="Roll the dice").wait_for()
    await visit.page.get_by_role("button", name="한국어").click()
    await visit.page.get_by_role("button", name="주사위 굴리기").wait_for()
    await visit.page.reload()
    await visit.page.get_by_role("button", name="주사위 굴리기").wait_for()
    assert await visit.page.evaluate("document.documentElement.lang") == "ko"
    assert await visit.page.evaluate("localStorage.length") == 0


async def test_somebody_else_signs_in_with_a_pasted_token(world: World, visit: Play) -> None:
    alice = await world.player("alice")
    await alice.play()
    await visit.open()
    await visit.page.locator(".account summary").click()
    await visit.shoot("web/account")
    await visit.page.get_by_label("Access token").fill(f"Authorization: Bearer {alice.token}\n")
    await visit.page.get_by_role("button", name="Sign in", exact=True).click()
    await visit.page.get_by_text("2 of 3 left today").wait_for()
    await visit.page.reload()
    await visit.page.get_by_text("2 of 3 left today").wait_for()

    await visit.page.locator(".account summary").click()
    await visit.page.get_by_role("button", name="Sign out").click()
    await visit.page.get_by_text("Sign in to take part").wait_for()
    await visit.shoot("web/signed-out")
    await visit.page.get_by_role("button", name="Be the demo player").click()
    await visit.page.get_by_text("3 of 3 left today").wait_for()


async def test_the_day_turns_while_the_page_is_open(world: World, visit: Play) -> None:
    await visit.page.clock.install(time=world.clock.now)
    await visit.open()
    assert await visit.page.locator(".hero h1").inner_text() == "주사위 대결"
    await visit.play()
    world.clock.advance(hours=12, seconds=2)
    await world.today(FeatureType.ROULETTE)
    await visit.page.clock.run_for(1000)
    await visit.page.clock.fast_forward("12:00:01")
    await visit.page.clock.run_for(2000)
    await visit.page.locator(".hero h1", has_text="행운의 룰렛").wait_for()
    await visit.page.get_by_text("3 of 3 left today").wait_for()
    visit.complaints = [text for text in visit.complaints if "401" not in text]  # the demo token had run out, too


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
    await visit.open()
    await visit.until(lambda: visit.of("TodayChanges"))
    world.clock.advance(hours=2)
    await reschedule(await operator(world), FeatureType.LOTTERY)  # the stream ends instead of telling it
    await visit.sees("Lottery")
    assert len({sent.authorization for sent in visit.of("TodayChanges")}) == 2
    visit.complaints = [text for text in visit.complaints if "401" not in text]


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
        visit.complaints = [text for text in visit.complaints if "ERR_CONNECTION_REFUSED" not in text]


async def test_a_page_that_nobody_sees_needs_no_stream(world: World, visit: Play) -> None:
    await visit.open()
    await visit.until(lambda: visit.of("TodayChanges"))
    await visit.page.evaluate(HIDE)
    await reschedule(await operator(world), FeatureType.LOTTERY)
    await asyncio.sleep(0.5)
    await visit.sees("Dice")
    await visit.page.evaluate(SHOW)
    await visit.sees("Lottery")
