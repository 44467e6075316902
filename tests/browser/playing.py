"""The page to play, as tests visit it."""

import asyncio
from typing import Any

import pytest

from models import FeatureType
from tests.browser.visit import Visit
from tests.staff import upsert, valid
from tests.world import Client

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
document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
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
        await self.page.locator("[aria-busy]").first.wait_for(state="detached")  # all that it asks for is there

    async def sees(self, feature: str) -> None:
        """Wait until a feature is on."""
        await self.page.locator(".hero", has_text=f"Today's event · {feature}").wait_for()

    async def play(self) -> None:
        """Press the big button, and see what came out."""
        before = await self.page.get_by_test_id("limit").inner_text()
        await self.page.locator(".play").click()
        await self.page.locator(".outcome").wait_for()
        async with asyncio.timeout(60):
            while await self.page.get_by_test_id("limit").inner_text() == before:
                await asyncio.sleep(0.1)


async def reschedule(client: Client, feature: FeatureType, date: str = "2026-03-02", **more: Any) -> None:
    """Change a day, as an operator does."""
    (day,) = (await client.data(DAY, date=date))["featureSchedule"]
    given = valid("upsertFeatureSchedule", date=date, featureType=feature, expectedRevision=day["revision"], **more)
    assert (await upsert(client, "upsertFeatureSchedule", given))["__typename"] == "ScheduledDay"


def keys_sent(visit: Visit) -> list[str]:
    """The idempotency keys of the throws, in order."""
    return [sent.variables["input"]["idempotencyKey"] for sent in visit.of("PlayDice")]


every_look = pytest.mark.parametrize("look", LOOKS, indirect=True)
