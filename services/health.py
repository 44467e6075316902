"""How the database is, asked on a session of its own: one that waits for nobody's turn in a pool."""

from __future__ import annotations

import asyncio
import datetime as dt
from dataclasses import dataclass

import asyncpg

from services.database import Database
from services.outages import reachable

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
        self._database = database
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None
        self._turn = asyncio.Lock()

    async def look(self) -> State:
        """Look, within a second. A session that does not answer in time is given up. Raises: Unavailable."""
        async with self._turn:
            try:
                with reachable():
                    async with asyncio.timeout(PATIENCE_SECONDS):
                        return await self._ask()
            except BaseException:
                self.close()
                raise

    async def _ask(self) -> State:
        if self._connection is None or self._connection.is_closed():
            self._connection = await self._database.connect_hot(lock_timeout_seconds=1.0)
        seen = await self._connection.fetchrow(LOOK)
        assert seen is not None
        revision = await self._connection.fetchval(REVISION) if seen["has_revision"] else None
        return State(revision, seen["is_writable"], seen["now"])

    def close(self) -> None:
        """Give the session back."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None
