"""What comes in floods: each thing is told at once, and then once a second how often it came."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from services import quiet as module
from services.quiet import QUIET_SECONDS, Quiet


class Told:
    """What was told, and how often it had come."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, int]] = []
        self._quiet = Quiet()

    def come(self, *things: str) -> list[tuple[str, int]]:
        """These things come; the lines that are told at once."""
        before = len(self.lines)
        for thing in things:
            self._quiet(thing, lambda times, thing=thing: self.lines.append((thing, times)))  # type: ignore[misc]
        return self.lines[before:]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    clock = SimpleNamespace(now=100.0)
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


def test_each_thing_is_told_once_a_second_with_all_that_came_meanwhile(clock: SimpleNamespace) -> None:
    told = Told()
    assert told.come("a", "a", "b", "a") == [("a", 1), ("b", 1)]
    clock.now += QUIET_SECONDS - 0.01
    assert told.come("a", "b") == []
    clock.now += 0.01
    assert told.come("a", "a", "b") == [("a", 4), ("b", 2)]
    clock.now += 2 * QUIET_SECONDS
    assert told.come("b", "a") == [("b", 1), ("a", 2)]


def test_with_too_many_kinds_of_things_all_begin_anew(clock: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REMEMBERED", 3)
    told = Told()
    assert told.come("a", "b", "c", "c", "b", "a") == [("a", 1), ("b", 1), ("c", 1)]
    assert told.come("d", "d", "a", "a") == [("d", 1), ("a", 1)]


@pytest.mark.usefixtures("clock")
async def test_what_came_is_told_though_no_more_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "QUIET_SECONDS", 0.05)
    told = Told()
    assert told.come("a", "b", "a", "a") == [("a", 1), ("b", 1)]
    async with asyncio.timeout(30):
        while len(told.lines) < 3:
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.15)
    assert told.lines == [("a", 1), ("b", 1), ("a", 2)]
