"""How the database is, asked on a session of its own: one that waits for nobody's turn in a pool."""

from __future__ import annotations

import asyncio
import datetime as dt
from dataclasses import dataclass

from services.database import Database
from services.outages import reachable
from services.own_session import OwnSession

LOOK = """
SELECT clock_timestamp() AS now, to_regclass('alembic_version') IS NOT NULL AS has_revision,
    NOT pg_is_in_recovery() AND current_setting('transaction_read_only') = 'off' AND coalesce((
        SELECT lower(split_part(setting, '=', 2)) NOT IN ('on', 'true', 'yes', '1')
        FROM pg_db_role_setting s, unnest(s.setconfig) AS setting
        WHERE setting LIKE 'default_transaction_read_only=%'
            AND s.setdatabase IN (0, (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()))
            AND s.setrole IN (0, (SELECT r.oid FROM pg_roles r WHERE r.rolname = session_user))
        ORDER BY s.setrole <> 0 DESC, s.setdatabase <> 0 DESC LIMIT 1
    ), true) AS is_writable
"""
"""The last part asks what new sessions will be, by the rank that PostgreSQL gives to such settings."""

PATIENCE_SECONDS = 0.8

REVISION = "SELECT version_num FROM alembic_version"


@dataclass(frozen=True)
class State:
    """What a look saw: the migration that the database is at (null before the first), and its clock."""

    revision: str | None
    is_writable: bool
    now: dt.datetime


class Health:
    """Looks at the database, one look at a time."""

    def __init__(self, database: Database) -> None:
        self._session = OwnSession(database)
        self._turn = asyncio.Lock()

    async def look(self) -> State:
        """Look, within a second. A session that does not answer in time is given up. Raises: Unavailable."""
        async with self._turn:
            with reachable():
                async with asyncio.timeout(PATIENCE_SECONDS), self._session.used() as connection:
                    seen = await connection.fetchrow(LOOK)
                    assert seen is not None
                    revision = await connection.fetchval(REVISION) if seen["has_revision"] else None
                    return State(revision, seen["is_writable"], seen["now"])

    def close(self) -> None:
        """Give the session back."""
        self._session.give_up()
