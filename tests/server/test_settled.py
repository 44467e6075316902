"""The garbage collector leaves alone what a serving process is made of, and works while nobody waits."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from typing import Any

import pytest

from server.app import create_app, settled
from server.settings import read_settings
from server.tidying import DUE, collect_early, collect_when_idle


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


@pytest.fixture
def collected(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The generations that were asked for."""
    asked: list[int] = []
    collect = gc.collect

    def collecting(generation: int = 2) -> int:
        asked.append(generation)
        return collect(generation)

    monkeypatch.setattr(gc, "collect", collecting)
    return asked


def test_what_serves_is_frozen() -> None:
    app = create_app(read_settings(DATABASE_URL="postgresql://nobody@localhost/none"))
    before = gc.get_freeze_count()
    assert settled(app) is app
    assert gc.get_freeze_count() - before > 50_000  # the schema's objects are some 100,000
    assert gc.get_threshold() == DUE


@pytest.mark.parametrize(
    ("count", "asked"), [((9_999, 9, 9), []), ((0, 10, 9), [1]), ((0, 0, 10), [2]), ((0, 20, 20), [2])]
)
def test_what_is_halfway_to_being_due_is_collected(
    collected: list[int], monkeypatch: pytest.MonkeyPatch, count: tuple[int, int, int], asked: list[int]
) -> None:
    monkeypatch.setattr(gc, "get_count", lambda: count)
    collect_early()
    assert collected == asked


async def test_nobody_waits_for_it(collected: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    looked, is_idle = asyncio.Event(), False

    def look() -> bool:
        looked.set()
        return is_idle

    monkeypatch.setattr(gc, "get_count", lambda: (0, 0, 10))
    monkeypatch.setattr("server.tidying.LOOK_SECONDS", 0.001)
    task: asyncio.Task[Any] = asyncio.create_task(collect_when_idle(look))
    async with asyncio.timeout(30):
        for _ in range(3):
            looked.clear()
            await looked.wait()
        assert not collected
        is_idle = True
        while not collected:
            await asyncio.sleep(0.001)
    task.cancel()
