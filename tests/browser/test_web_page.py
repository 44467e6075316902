"""The page to play, in a real browser, on a real server with the demo data and a clock that the test holds."""

from typing import TYPE_CHECKING

import pytest

from models import FeatureType
from server.demo import PLAYER_IDS
from tests.api.test_draws import close_the_day
from tests.browser.playing import LOOKS, PUBLISH, Play, every_look, keys_sent
from tests.staff import operator, upsert, valid
from tests.world import World

if TYPE_CHECKING:
    from playwright.async_api import Route


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
    points = await world.sql.fetchval(
        "SELECT amount FROM reward_balance WHERE user_id = $1 AND reward_type = 'POINT'", PLAYER_IDS["demo-player"]
    )
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
        assert (await staff.data(PUBLISH, date=date, rows=rows))["publishRanking"][
            "__typename"
        ] == "PublishRankingPayload"
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
    visit.forget("ERR_CONNECTION_RESET")


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
    visit.forget("ERR_CONNECTION_REFUSED")


async def test_a_failure_is_told_in_the_players_language(world: World, visit: Play) -> None:
    await visit.open()
    await world.sql.execute('UPDATE "user" SET is_blocked = true WHERE id = $1', PLAYER_IDS["demo-player"])
    await visit.page.locator(".play").click()
    await visit.page.get_by_role("alert").get_by_text("This account is blocked.").wait_for()
    await visit.page.get_by_role("button", name="한국어").click()
    await visit.page.get_by_role("alert").get_by_text("이용이 제한된 계정이에요.").wait_for()


async def test_the_language_is_remembered(visit: Play) -> None:
    await visit.open()
    await visit.page.get_by_role("button", name="Roll the dice").wait_for()
    await visit.page.get_by_role("button", name="한국어").click()
    await visit.page.get_by_role("button", name="주사위 굴리기").wait_for()
    assert await visit.page.locator(".hero h1").inner_text() == "주사위 대결"
    await visit.page.reload()
    await visit.page.get_by_role("button", name="주사위 굴리기").wait_for()
    assert await visit.page.evaluate("document.documentElement.lang") == "ko"
    assert await visit.page.evaluate("localStorage.length") == 0


async def test_what_was_drawn_is_named_in_the_players_language(world: World, visit: Play) -> None:
    await world.today(FeatureType.LOTTERY)
    await visit.open()
    await visit.play()
    await visit.page.locator(".wallet li").first.wait_for()
    await visit.page.locator(".stamped").get_by_text("Stamped today").wait_for()  # all is asked for that a play changes
    drawn, rows = visit.page.locator(".ticket strong"), visit.page.locator(".odds li > span:first-child")
    english = await rows.all_inner_texts()
    assert english == ["Grand prize", "Coffee coupon", "3 tokens", "5 points"]
    place = english.index(await drawn.inner_text())
    before = len(visit.sent)
    await visit.page.get_by_role("button", name="한국어").click()
    assert await rows.all_inner_texts() == ["대상", "커피 쿠폰", "토큰 3개", "5 포인트"]
    assert await drawn.inner_text() == (await rows.all_inner_texts())[place]
    assert len(visit.sent) == before


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


async def test_a_token_that_is_refused_is_said_to_be(visit: Play) -> None:
    await visit.open()
    await visit.page.locator(".account summary").click()
    await visit.page.get_by_label("Access token").fill("not.a.token")
    await visit.page.get_by_role("button", name="Sign in", exact=True).click()
    await visit.page.get_by_role("alert").get_by_text("The token has run out or is not right.").wait_for()
    await visit.shoot("web/refused-token")
    visit.forget("401")


async def test_what_could_not_be_read_can_be_asked_for_again(visit: Play) -> None:
    await visit.page.route("**/graphql", lambda route: route.abort("connectionrefused"))
    await visit.page.goto(visit.home)
    await visit.page.locator('[data-code="NETWORK"]').wait_for()
    await visit.shoot("web/unanswered")
    await visit.page.unroute("**/graphql")
    await visit.page.get_by_role("button", name="Try again").click()
    await visit.sees("Dice")
    assert await visit.page.locator('[data-code="NETWORK"]').count() == 0
    visit.forget("ERR_CONNECTION_REFUSED")


async def test_the_sheet_is_linked_beside_the_odds_and_a_change_is_announced(world: World, visit: Play) -> None:
    olive = await operator(world)
    ahead = {"effectiveFrom": "2026-03-05T15:00:00Z", "effectiveUntil": "2026-03-06T15:00:00Z"}
    await upsert(olive, "upsertDiceConfig", valid("upsertDiceConfig", **ahead))
    await world.today(FeatureType.DICE)
    await visit.page.clock.set_fixed_time(world.clock.now)
    await visit.open()
    hashes = [row["hash"] for row in await world.sql.fetch("SELECT hash FROM dice_config ORDER BY revision")]
    links = visit.page.locator(".sheet a")
    await links.nth(1).wait_for()
    assert [await one.get_attribute("href") for one in await links.all()] == [f"/odds/{digest}" for digest in hashes]
    await visit.shoot("web/dice-announced")
    await links.nth(1).click()
    await visit.page.get_by_text(hashes[1]).first.wait_for()


async def test_a_play_of_yesterday_is_checked_in_the_browser(world: World, visit: Play) -> None:
    await world.today(FeatureType.DICE)
    player = await world.player("demo-player")
    assert (await player.play())["id"]
    await close_the_day(world)
    await world.today(FeatureType.DICE)
    await visit.open()
    await visit.page.locator(".proofs summary").click()
    async with visit.page.context.expect_page() as opened:
        await visit.page.locator(".proofs a").click()
    verify = await opened.value
    await verify.locator("#verdict.good").wait_for()
    assert await verify.locator("#faults li").count() == 0
