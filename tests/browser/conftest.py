"""The toy server in a thread, and a headless Chromium that visits it."""

import os
import shutil
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING

import pytest
import uvicorn

from tests.browser.toy import Toy, Visit

if TYPE_CHECKING:
    from playwright.async_api import Browser

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def unavailable(reason: str) -> None:
    """Skip on a developer's machine; fail in CI, where a silent skip would be a test that never runs."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def toy() -> Iterator[Toy]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        toy = Toy(f"http://127.0.0.1:{listening.getsockname()[1]}")
        server = uvicorn.Server(uvicorn.Config(toy.app(), log_level="error", lifespan="off", ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        yield toy
        server.should_exit = True
        thread.join(10)


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator["Browser"]:
    try:
        from playwright.async_api import async_playwright
    except ModuleNotFoundError:
        unavailable("playwright is not installed; it is in the dev dependency group")
    executable = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if executable is None:
        unavailable("there is no Chromium on this machine (Debian: apt-get install chromium)")
    async with async_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-dev-shm-usage"]  # CI's containers run as root, with a small /dev/shm
        browser = await playwright.chromium.launch(executable_path=executable, args=arguments)
        yield browser
        await browser.close()


@pytest.fixture
async def visit(browser: "Browser", toy: Toy) -> AsyncIterator[Visit]:
    """A fresh visit; at its end nothing was asked of another host and nothing was complained about."""
    toy.sent.clear()
    context = await browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(15_000)
    visit = Visit(await context.new_page(), toy)
    await visit.watch()
    yield visit
    await context.close()
    assert visit.foreign_requests == []
    assert visit.complaints == []
