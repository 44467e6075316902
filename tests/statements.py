"""Which statements an answer costs, and what these read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import pytest
from sqlalchemy import event

from services.standing import ACCOUNTS
from tests.world import World


@dataclass
class Statements:
    """The statements that were sent while they were watched, with their parameters."""

    sent: list[tuple[str, Any]] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    """How many rows each that was answered has read, or written."""

    def __len__(self) -> int:
        return len(self.sent)

    async def blocks(self, world: World) -> int:
        """How many blocks these statements read, run once more."""
        total = 0
        for statement, parameters in self.sent:
            plan = await world.sql.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}", *parameters)
            root = json.loads(plan)[0]["Plan"]
            total += root["Shared Hit Blocks"] + root["Shared Read Blocks"]
        return total


@contextmanager
def watched(world: World) -> Iterator[Statements]:
    """Watch the statements that are sent, but for what goes on at leisure: signals of stock, and whose tokens hold."""
    statements, engine = Statements(), world.parts.database.engine.sync_engine
    execute = asyncpg.Connection._execute  # type: ignore[attr-defined]

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        statements.sent.append((statement, parameters))

    def answered(_connection: Any, cursor: Any, *_: Any) -> None:
        statements.rows.append(cursor.rowcount)

    async def noted(self: Any, query: str, arguments: Any, *rest: Any, **options: Any) -> Any:
        if "pg_notify" not in query and query != ACCOUNTS:
            statements.sent.append((query, arguments))
        found = await execute(self, query, arguments, *rest, **options)
        if query != ACCOUNTS:
            statements.rows.append(len(found))
        return found

    event.listen(engine, "before_cursor_execute", note)
    event.listen(engine, "after_cursor_execute", answered)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(asyncpg.Connection, "_execute", noted)
            yield statements
    finally:
        event.remove(engine, "before_cursor_execute", note)
        event.remove(engine, "after_cursor_execute", answered)
