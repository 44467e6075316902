"""Running the audit: every check on one snapshot of the database, which it only reads."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.pool import NullPool

from services.audits.check import Check, Finding, Snapshot
from services.audits.registry import CHECKS
from services.database import create_engine
from services.outages import reachable

TOLD = 100
"""Findings of a check that are told; the others are counted."""

READERS = 2
"""Connections that share the snapshot: each keeps one core of the database busy."""

WORK_MEMORY = "SET LOCAL work_mem = '64MB'"
"""Joins of whole tables; what needs more goes through files, so that memory stays bounded."""


@dataclass(frozen=True)
class Looked:
    """What a check found: the first of the rows, and how many there are."""

    check: Check
    findings: Sequence[Finding]
    count: int


Progress = Callable[[int, Check], None]
"""Is told how many checks are done, and which is next."""


def nobody_looks(_done: int, _next: Check) -> None:
    """Tell nobody how far it is."""


@asynccontextmanager
async def reading(url: str, readers: int = READERS) -> AsyncIterator[list[AsyncConnection]]:
    """Connections that all see one snapshot throughout, read only, and have the time that it takes.

    Raises: Unavailable.
    """
    engine = create_engine(url, pool={"poolclass": NullPool})
    try:
        with reachable():
            async with AsyncExitStack() as stack:
                first = await stack.enter_async_context(_reader(engine))
                snapshot = (await first.exec_driver_sql("SELECT pg_export_snapshot()")).scalar_one()
                others = [await stack.enter_async_context(_reader(engine, snapshot)) for _ in range(readers - 1)]
                yield [first, *others]
    finally:
        await engine.dispose()


@asynccontextmanager
async def _reader(engine: AsyncEngine, snapshot: str | None = None) -> AsyncIterator[AsyncConnection]:
    """A connection that sees its first statement's snapshot, or the one that another connection exported."""
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        if snapshot is not None:
            await connection.exec_driver_sql(f"SET TRANSACTION SNAPSHOT '{snapshot}'")
        await connection.exec_driver_sql(WORK_MEMORY)
        yield connection


async def look(
    snapshots: Sequence[Snapshot], checks: Sequence[Check] = CHECKS, *, progress: Progress = nobody_looks
) -> list[Looked]:
    """Look at everything, as many checks at a time as there are readers of the snapshot; the checks' order is kept.

    `progress` is told of each check before it begins.
    """
    waiting, looked = deque(enumerate(checks)), dict[int, Looked]()

    async def reader(snapshot: Snapshot) -> None:
        while waiting:
            number, check = waiting.popleft()
            progress(len(looked), check)
            looked[number] = await _look(snapshot, check)

    readers = [asyncio.create_task(reader(snapshot)) for snapshot in snapshots]
    try:
        await asyncio.gather(*readers)
    finally:
        for one in readers:
            one.cancel()
        await asyncio.gather(*readers, return_exceptions=True)
    return [looked[number] for number in range(len(checks))]


async def _look(snapshot: Snapshot, check: Check) -> Looked:
    findings: list[Finding] = []
    count = 0
    async for finding in check.find(snapshot):
        count += 1
        if count <= TOLD:
            findings.append(finding)
    return Looked(check, findings, count)
