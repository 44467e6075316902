"""A headless Chromium, and a real haru for it to visit."""

import subprocess
import sys
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest

from tests.browser.playing import LOOKS, Play
from tests.outside import chromium, unavailable
from tests.serving import listening
from tests.world import World

if TYPE_CHECKING:
    from playwright.async_api import Browser


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator["Browser"]:
    from playwright.async_api import async_playwright

    executable = chromium()
    if subprocess.run([sys.executable, "-m", "playwright", "--version"], capture_output=True, check=False).returncode:
        unavailable("no libatomic, which Playwright's driver needs (Debian: apt-get install libatomic1)")
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


@pytest.fixture
def look(request: pytest.FixtureRequest) -> str:
    return str(getattr(request, "param", "desktop"))


@pytest.fixture
async def visit(browser: "Browser", home: str, look: str) -> AsyncIterator[Play]:
    async with Play.to(browser, home, reduced_motion="reduce", timezone_id="Asia/Seoul", **LOOKS[look]) as visit:
        yield visit
