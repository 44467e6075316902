"""What a check of the audit is, what it sees, and what it finds.

A check is a function: its docstring is the promise that it looks at, in words for an auditor, and its name, after that
of its module, is the check's. Most are one query of what breaks the promise, decorated with `query`; what SQL cannot
tell by itself is an asynchronous generator, decorated with `check`. The work is done in the database, and no more than
a few rows at a time come here.

Every promise is looked at by one check: what is wrong in one way is told once, at the row that is wrong.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from models import Base
from services.calendar import Calendar
from services.rules.game import Game
from services.rules.registry import GAMES

MARGIN = "interval '1 minute'"
"""How long what was published may go unseen, or be seen early: a transaction's time, and the distance of two clocks."""

ALWAYS = dt.datetime.min.replace(tzinfo=dt.UTC)


@dataclass(frozen=True)
class Finding:
    """A row that is not as it ought to be. `key`: its primary key, by column; `fault`: what is wrong with it."""

    table: str
    key: dict[str, Any]
    fault: str


@dataclass(frozen=True)
class Snapshot:
    """The one state of the database that all checks see. What is older than `since` is trusted; `now`: of the look."""

    connection: AsyncConnection
    calendar: Calendar
    now: dt.datetime
    since: dt.datetime = ALWAYS

    async def rows(self, statement: str, **parameters: Any) -> AsyncIterator[Any]:
        """The rows of a query, a few at a time; `:since` and `:now` are known to it."""
        query = text(statement)
        known = {"since": self.since, "now": self.now, **parameters}
        asked = {name: value for name, value in known.items() if name in query._bindparams}
        async with self.connection.stream(query, asked) as found:
            async for row in found:
                yield row

    async def findings(self, statement: str, **parameters: Any) -> AsyncIterator[Finding]:
        """What a query finds: its columns are those of `row_of`, and `fault`."""
        async for row in self.rows(f"SELECT f.table, f.key::text AS key, f.fault FROM ({statement}) f", **parameters):
            yield Finding(row.table, json.loads(row.key), row.fault)


@dataclass(frozen=True)
class Check:
    """One promise, and how it is looked at."""

    name: str
    promise: str
    find: Callable[[Snapshot], AsyncIterator[Finding]]


def check(find: Callable[[Snapshot], AsyncIterator[Finding]]) -> Check:
    """A check of this name that finds these."""
    assert find.__doc__ is not None, "a check says what it promises"
    subject = find.__module__.rpartition(".")[2]
    return Check(f"{subject}.{find.__name__}", " ".join(find.__doc__.split()), find)


def query(of: Callable[[], str]) -> Check:
    """A check of this name that finds what its query does."""
    statement = of()

    def find(snapshot: Snapshot) -> AsyncIterator[Finding]:
        return snapshot.findings(statement)

    find.__name__, find.__module__, find.__doc__ = of.__name__, of.__module__, of.__doc__
    return check(find)


def row_of(table: type[Base], alias: str) -> str:
    """The columns that name a row of a table, which the query calls `alias`: its table, and its primary key."""
    names = [column.name for column in table.__table__.primary_key]
    pairs = ", ".join(f"'{name}', {alias}.{name}" for name in names)
    return f"CAST('{table.__tablename__}' AS text) AS table, jsonb_build_object({pairs}) AS key"


def of_games(statement: Callable[[Game[Any, Any]], str]) -> str:
    """The rows of a query of each game, together."""
    return "\nUNION ALL\n".join(statement(game) for game in GAMES.values())


def instant(value: str) -> str:
    """An instant as the API and the audit log write it, in SQL."""
    return f"""replace(to_char({value} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), '.000000Z', 'Z')"""
