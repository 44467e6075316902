"""The two roles of a test's database: its owner empties and forges its tables, and the application plays on them."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
import pytest
from sqlalchemy import make_url

from models import Base
from models.rights import RIGHTS
from server.migrations.roles import make_grants
from server.migrations.upgrade import upgrade
from server.postgres.cluster import APPLICATION
from services.database import LONGEST_CONNECT_SECONDS, connect_arguments
from tests.doors import place_of

NEEDED = """
DATABASE_URL's role must be allowed to create databases and roles (CREATEDB CREATEROLE, or a superuser); or give the
application's role as DATABASE_URL, and as HARU_OWNER_URL another one that may create databases (CREATEDB) and look at
what the application does (GRANT application TO owner).
"""

GUARDED = tuple(table.__tablename__ for table, rights in RIGHTS.items() if rights.is_append_only)
"""The tables whose triggers refuse what no command does."""

TABLES = ", ".join(f'"{table.name}"' for table in Base.metadata.sorted_tables)

APART = "; ".join(
    f"""SELECT setval(pg_get_serial_sequence('"{table.name}"', 'id'), {number * 1000})"""
    for number, table in enumerate(
        (one for one in Base.metadata.sorted_tables if one.autoincrement_column is not None), 1
    )
)
"""No id of one table is one of another's, or a revision, a position or a level: who takes one for the other is told."""


def unguarded(statement: str, tables: tuple[str, ...] = GUARDED) -> str:
    """A statement for which the triggers of these tables are off, as their owner may switch them."""
    return "; ".join(
        [
            *(f'ALTER TABLE "{table}" DISABLE TRIGGER USER' for table in tables),
            statement,
            *(f'ALTER TABLE "{table}" ENABLE TRIGGER USER' for table in tables),
        ]
    )


EMPTY = unguarded(f"TRUNCATE {TABLES} RESTART IDENTITY; {APART}")
"""Takes every row away."""


EMBEDDED = (APPLICATION, None)

_login: tuple[str, str | None] = EMBEDDED
"""The application's role and password: the embedded server's, unless another server is given."""

EMBEDDED_PLACES: set[tuple[str, int]] = set()
"""Where embedded servers are, which tests start beside one that is given."""


def login_at(url: str) -> tuple[str, str | None]:
    """The application's role and password at the server that `url` leads to."""
    return EMBEDDED if place_of(url) in EMBEDDED_PLACES else _login


def as_application(url: str) -> str:
    """The application's address of the database that `url` is the owner's address of.

    It is as patient as any may be: where many tests share a machine, a session may take seconds to begin.
    """
    name, password = login_at(url)
    there = make_url(url)._replace(username=name, password=password)
    patient = there.update_query_dict({"connect_timeout": f"{LONGEST_CONNECT_SECONDS:.0f}"})
    return patient.render_as_string(hide_password=False)


def furnish(url: str) -> None:
    """Make the tables, as the owner, whose address `url` is, and give the application its rights."""
    upgrade(url)
    asyncio.run(make_grants(url, login_at(url)[0]))


@contextmanager
def roles_of(given: str, owner: str | None) -> Iterator[str]:
    """The owner's address on somebody's own server: two addresses are known, or one of a role that makes others."""
    global _login  # noqa: PLW0603
    before = _login
    try:
        if owner is not None:
            there = make_url(given)
            _login = (str(there.username), there.password and str(there.password))
            yield owner
            return
        _login = (f"haru_test_{os.getpid()}", secrets.token_hex(16))
        made = f"CREATE ROLE {_login[0]} LOGIN PASSWORD '{_login[1]}'; GRANT {_login[0]} TO CURRENT_USER"
        asyncio.run(_execute(given, made))
        try:
            yield given
        finally:
            asyncio.run(_execute(given, f"DROP ROLE {_login[0]}"))
    finally:
        _login = before


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(**connect_arguments(url))
    try:
        await connection.execute(statement)
    except asyncpg.InsufficientPrivilegeError:
        pytest.exit(NEEDED)
    finally:
        await connection.close()
