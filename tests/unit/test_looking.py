"""An audit's checks are looked at side by side, told in their order, and given up together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from services.audits.check import Check, Finding
from services.audits.run import TOLD, look

SNAPSHOTS: Any = [object(), object()]


async def test_they_are_told_in_their_order_whichever_ends_first() -> None:
    second_is_done = asyncio.Event()
    begun: list[tuple[int, str]] = []

    async def first(_snapshot: Any) -> AsyncIterator[Finding]:
        await second_is_done.wait()
        yield Finding("a table", {"id": 1}, "a fault")

    async def second(_snapshot: Any) -> AsyncIterator[Finding]:
        for number in range(TOLD + 1):
            yield Finding("a table", {"id": number}, "a fault")
        second_is_done.set()

    checks = [Check("first", "", first), Check("second", "", second), Check("third", "", second)]
    async with asyncio.timeout(30):
        looked = await look(SNAPSHOTS, checks, progress=lambda done, check: begun.append((done, check.name)))
    assert [(one.check.name, len(one.findings), one.count) for one in looked] == [
        ("first", 1, 1),
        ("second", TOLD, TOLD + 1),
        ("third", TOLD, TOLD + 1),
    ]
    assert begun == [(0, "first"), (0, "second"), (1, "third")]


async def test_where_one_fails_nobody_looks_on() -> None:
    left = asyncio.Event()

    async def endless(_snapshot: Any) -> AsyncIterator[Finding]:
        try:
            await asyncio.Event().wait()
        finally:
            left.set()
        yield Finding("a table", {}, "never")

    async def failing(_snapshot: Any) -> AsyncIterator[Finding]:
        raise ConnectionResetError
        yield Finding("a table", {}, "never")

    with pytest.raises(ConnectionResetError):
        async with asyncio.timeout(30):
            await look(SNAPSHOTS, [Check("endless", "", endless), Check("failing", "", failing)])
    assert left.is_set()
