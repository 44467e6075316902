"""A headless Chromium, and a real haru for it to visit."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest

from tests.outside import chromium
from tests.serving import listening
from tests.world import World

if TYPE_CHECKING:
    from playwright.async_api import Browser


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator["Browser"]:
    from playwright.async_api import async_playwright

    executable = chromium()
    async with async_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-dev-shm-usage"]  # CI's containers run as root, with a small /dev/shm
        browser = await playwright.chromium.launch(executable_path=executable, args=arguments)
        yield browser
        await browser.close()


@pytest.fixture
async def home(world: World) -> AsyncIterator[str]:
    """The address of the world's application: demo data, and a clock that the test holds."""
    async with listening(world.app) as url:
        yield url
