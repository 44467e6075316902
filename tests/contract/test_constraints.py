"""Every named constraint refuses what violates it, by its name, and lets the last thing pass that does not."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import (
    CheckConstraint,
    Constraint,
    Enum,
    ForeignKeyConstraint,
    Index,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import ExcludeConstraint

from models import Base
from server.migrations.upgrade import upgrade
from services.database import connect_arguments
from tests.conftest import run_sql
from tests.contract.cases import CHECKS, IMPLIED, OVERLAPPING, Case
from tests.contract.rows import NEW, STORED, Row
from tests.contract.test_database import scratch
from tests.roles import GUARDED

Refusal = tuple[Table, Row, str]

ABSENT: dict[type, Any] = {
    int: 999_999,
    dt.date: "2027-01-01",
    UUID: "00000000-0000-0000-0000-00000000dead",
    dt.datetime: "2026-03-02T05:00:00Z",
}
"""A value that nothing stored has, by the type of its column."""

COUPON_OF_A_LINE = "ALTER TABLE reward_ledger ALTER CONSTRAINT fk_reward_ledger_coupon_id"
ONE_BY_ONE = f"""
ALTER TABLE reward_ledger DISABLE TRIGGER reward_ledger_follows;
{COUPON_OF_A_LINE} DEFERRABLE INITIALLY DEFERRED
"""
"""Here lines need not follow each other; a line and the coupon that it hands out name each other."""
AS_IT_WAS = f"{COUPON_OF_A_LINE} NOT DEFERRABLE"


def checks(table: Table) -> Iterator[CheckConstraint]:
    return (one for one in table.constraints if isinstance(one, CheckConstraint))


def enums(table: Table) -> dict[str, str]:
    """The columns with a closed vocabulary, by the constraints that close it."""
    return {f"ck_{table.name}_{one.type.name}": one.name for one in table.c if isinstance(one.type, Enum)}


def cases(table: Table) -> dict[str, Case]:
    """What each check of a table refuses and accepts. Fails on a check without a case."""
    closed = {name: Case(refused=({column: "NOPE"},)) for name, column in enums(table).items()}
    return {str(one.name): closed.get(str(one.name)) or CHECKS[str(one.name)] for one in checks(table)}


def refusals() -> Iterator[Refusal]:
    """A row for each way to violate a constraint of the models: the table, the row, and the constraint's name."""
    for table in Base.metadata.sorted_tables:
        stored, new = STORED[table.name][0], NEW[table.name]
        for constraint in sorted(table.constraints, key=by_name):
            name = str(constraint.name)
            if isinstance(constraint, (PrimaryKeyConstraint, UniqueConstraint)):
                yield table, new | {column.name: stored[column.name] for column in constraint.columns}, name
            elif isinstance(constraint, ForeignKeyConstraint):
                last = list(constraint.columns)[-1]
                yield table, new | {last.name: ABSENT[last.type.python_type]}, name
            elif isinstance(constraint, ExcludeConstraint):
                yield from ((table, new | dates, name) for dates in OVERLAPPING)
            else:
                assert isinstance(constraint, CheckConstraint), constraint
        for name, case in sorted(cases(table).items()):
            yield from ((table, new | change, name) for change in case.refused)
        for index in sorted(table.indexes, key=by_name):
            if index.unique:
                yield table, new | {column.name: stored[column.name] for column in index.columns}, str(index.name)


def by_name(part: Constraint | Index) -> str:
    """The order of what SQLAlchemy keeps in sets: every process that shares a run has the same tests."""
    return str(part.name)


@pytest.fixture(scope="module")
def stored_url(server_url: str) -> Iterator[str]:
    """A database that holds a row or two of every table, with what stands before their constraints out of the way."""

    async def fill(url: str) -> None:
        connection = await asyncpg.connect(**connect_arguments(url))
        await connection.execute(ONE_BY_ONE)
        async with connection.transaction():
            for table in Base.metadata.sorted_tables:
                for row in STORED[table.name]:
                    await insert(connection, table, row)
        await connection.execute(AS_IT_WAS)
        await connection.close()

    with scratch(server_url, "constraints") as url:
        upgrade(url)
        asyncio.run(run_sql(url, *(f"ALTER TABLE {table} DISABLE TRIGGER USER" for table in GUARDED)))
        asyncio.run(fill(url))
        yield url


@pytest.fixture(scope="module")
async def session(stored_url: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    made = await asyncpg.connect(**connect_arguments(stored_url))
    yield made
    await made.close()


@pytest.fixture
async def connection(
    session: asyncpg.Connection[asyncpg.Record],
) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """A connection whose work is taken back."""
    transaction = session.transaction()
    await transaction.start()
    yield session
    await transaction.rollback()


async def insert(connection: asyncpg.Connection[asyncpg.Record], table: Table, row: Row) -> None:
    columns = ", ".join(f'"{name}"' for name in row)
    await connection.execute(
        f'INSERT INTO "{table.name}" ({columns}) SELECT {columns} FROM json_populate_record(NULL::"{table.name}", $1)',
        json.dumps(row),
    )


def told(value: object) -> str | None:
    return value if isinstance(value, str) else value.name if isinstance(value, Table) else None


@pytest.mark.parametrize(("table", "row", "name"), list(refusals()), ids=told)
async def test_what_violates_a_constraint_is_refused_by_its_name(
    connection: asyncpg.Connection[asyncpg.Record], table: Table, row: Row, name: str
) -> None:
    for other in IMPLIED.get(name, ()):
        await connection.execute(f'ALTER TABLE "{table.name}" DROP CONSTRAINT {other} CASCADE')
    with pytest.raises(asyncpg.IntegrityConstraintViolationError) as violation:
        await insert(connection, table, row)
    assert violation.value.constraint_name == name


@pytest.mark.parametrize("table", Base.metadata.sorted_tables, ids=told)
async def test_the_last_that_does_not_violate_one_is_kept(
    connection: asyncpg.Connection[asyncpg.Record], table: Table
) -> None:
    accepted = [change for case in cases(table).values() for change in case.accepted]
    for change in [{}, *accepted]:
        nested = connection.transaction()
        await nested.start()
        await insert(connection, table, NEW[table.name] | change)
        await nested.rollback()


def test_no_case_is_left_of_a_constraint_that_is_gone() -> None:
    tables = Base.metadata.sorted_tables
    known = {str(one.name) for table in tables for one in table.constraints}
    known |= {str(one.name) for table in tables for one in table.indexes}
    assert CHECKS.keys() <= known
    assert {name for pair in IMPLIED.items() for name in (pair[0], *pair[1])} <= known
    assert STORED.keys() == NEW.keys() == Base.metadata.tables.keys()
