"""The page to play by keyboard, by screen reader, and on the smallest screens; axe looks at every picture."""

from typing import TYPE_CHECKING, Any

import pytest

from models import FeatureType
from tests.browser.playing import Play
from tests.world import World

if TYPE_CHECKING:
    from playwright.async_api import Browser

FOCUSED = "document.activeElement.matches(selector)"


async def has_focus(visit: Play, selector: str) -> bool:
    return bool(await visit.page.evaluate(f"selector => {FOCUSED}", selector))


async def names(visit: Play, role: Any) -> list[str]:
    """The accessible names of all that has a role, as a screen reader says them."""
    session = await visit.page.context.new_cdp_session(visit.page)
    tree = await session.send("Accessibility.getFullAXTree")
    return [
        node["name"]["value"]
        for node in tree["nodes"]
        if not node["ignored"] and node.get("role", {}).get("value") == role
    ]


@pytest.mark.parametrize("feature", [FeatureType.DICE, FeatureType.ROULETTE, FeatureType.LOTTERY])
async def test_the_focus_stays_on_the_button_that_plays(world: World, visit: Play, feature: FeatureType) -> None:
    await world.today(feature)
    await visit.open()
    await visit.page.locator(".play").focus()
    for left in (2, 1, 0):
        await visit.page.keyboard.press("Enter")
        await visit.page.get_by_text(f"{left} of 3 left today").wait_for()
        assert await has_focus(visit, ".play")
    await visit.page.keyboard.press("Enter")  # which cannot be pressed any more
    await visit.page.keyboard.press("Tab")
    assert not await has_focus(visit, ".play")
    assert len([sent for sent in visit.sent if "input" in sent.variables]) == 3


async def test_the_focus_stays_where_something_was_stamped_or_claimed(world: World, visit: Play) -> None:
    world.clock.advance(days=-1)
    await (await world.player("demo-player")).stamp()
    world.clock.advance(days=1)
    await world.today(FeatureType.SEASON_PASS)
    await visit.open()
    await visit.page.locator("button.stamp").focus()
    await visit.page.keyboard.press("Enter")
    await visit.page.locator("button.stamp").wait_for(state="detached")
    assert await has_focus(visit, ".stamping")
    await visit.page.keyboard.press("Tab")
    assert await has_focus(visit, ".levels button")
    await visit.page.keyboard.press("Enter")
    await visit.page.locator(".levels button").wait_for(state="detached")
    assert await has_focus(visit, ".levels li:nth-child(2) > div")
    await visit.page.get_by_test_id("POINT").get_by_text("60", exact=True).wait_for()


async def test_the_focus_stays_in_a_ranking_that_is_leafed_through(world: World, visit: Play) -> None:
    await world.today(FeatureType.RANKING)
    await visit.open()
    earlier, later = (visit.page.get_by_role("button", name=f"Day {name}") for name in ("before", "after"))
    await earlier.click()
    await later.focus()
    await visit.page.keyboard.press("Enter")
    await visit.page.locator(".ranking li").first.wait_for()
    assert await later.is_disabled()
    assert await has_focus(visit, '[aria-label="Day after"]')


async def test_buttons_bars_and_dice_have_names_of_their_own(world: World, visit: Play) -> None:
    world.clock.advance(days=-2)
    for _ in range(2):
        await (await world.player("demo-player")).stamp()
        world.clock.advance(days=1)
    await visit.open()
    await visit.page.get_by_role("button", name="Claim").first.wait_for()
    assert (await names(visit, "image"))[:4] == [
        "You, die 1: not rolled yet",
        "You, die 2: not rolled yet",
        "Dealer, die 1: not rolled yet",
        "Dealer, die 2: not rolled yet",
    ]
    await visit.play()
    await visit.page.get_by_role("button", name="Claim level 4: 40 points", exact=True).wait_for()
    for role in ("button", "progressbar", "image"):
        found = await names(visit, role)
        assert len(found) >= 4
        assert "" not in found
        assert len(set(found)) == len(found), found
    pips = await visit.page.locator(".die").evaluate_all(
        "dice => dice.map(die => die.querySelectorAll('[data-on=true]').length)"
    )
    assert [name[-3:] for name in await names(visit, "image")] == [f": {count}" for count in pips]


@pytest.mark.parametrize("width", [320, 390])
@pytest.mark.parametrize("locale", ["ko-KR", "en-US"])
async def test_the_header_holds_on_a_small_screen(browser: "Browser", home: str, width: int, locale: str) -> None:
    window = {"viewport": {"width": width, "height": 720}, "locale": locale, "reduced_motion": "reduce"}
    async with Play.to(browser, home, **window) as visit:
        await visit.open()
        boxes = [await visit.page.locator(part).bounding_box() for part in (".brand", ".switch", ".account summary")]
        brand, switch, account = [box for box in boxes if box]
        assert await visit.page.locator(".account summary").inner_text() == "Demo player"
        for box in (brand, switch, account):
            assert box["height"] < 44, boxes  # a single line
        assert brand["x"] + brand["width"] <= switch["x"]
        assert switch["x"] + switch["width"] <= account["x"]
        assert account["x"] + account["width"] <= width
        shown = "summary => summary.scrollWidth <= summary.clientWidth"
        assert await visit.page.locator(".account summary").evaluate(shown)
        await visit.shoot(f"web/{width}-{locale}")
