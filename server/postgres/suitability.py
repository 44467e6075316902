"""Whether a PostgreSQL can be haru's: asked before anything else, and where it is for real, while it is served.

A server may be started before its database, and another database may come to be where it was, after a failover.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import product

import asyncpg

from server.postgres.durability import WEAK_SETTINGS, WeakSetting
from services.address import parse_address
from services.connector import Connector
from services.outages import reachable

OLDEST_VERSION = 15
ENCODING = "UTF8"
LOOKS = 4
ANSWER_SECONDS = 5.0

SHARED_SESSIONS = (asyncpg.InvalidSQLStatementNameError, asyncpg.DuplicatePreparedStatementError)
"""What a pooler makes of prepared statements that give way to another client's."""


ONE_ROLE = (
    "HARU_OWNER_URL: DATABASE_URL is the address of the tables' owner, so that whoever serves may rewrite the past."
    " Serve as a role of its own: docs/deploy.md, Roles."
)

OWNS_TABLES = """
SELECT EXISTS (SELECT FROM pg_class WHERE oid = to_regclass('reward_ledger') AND pg_has_role(relowner, 'MEMBER'))
"""

FRESH_SECONDS = 60.0
PATIENCE_SECONDS = 0.8


class UnsuitableDatabaseError(RuntimeError):
    """The database cannot be used as it is; the message says why, and what to change."""


async def check_suitability(url: str, *, for_real: bool = False) -> str | None:
    """Check version, encoding, and that sessions are haru's own; what is to be warned of, or none.

    Where it is for real, also that nothing that is confirmed can be lost by a crash; that the role owns the tables, and
    may rewrite the past, is a warning. Raises: UnsuitableDatabaseError, Unavailable.
    """
    connector = Connector(parse_address(url))
    with reachable():
        connection = await connector({}, statement_cache_size=0)
        try:
            version, encoding = connection.get_server_version(), connection.get_settings().server_encoding
            if version.major < OLDEST_VERSION:
                raise UnsuitableDatabaseError(
                    f"This is PostgreSQL {version.major}; haru needs {OLDEST_VERSION} or newer."
                )
            if encoding != ENCODING:
                raise UnsuitableDatabaseError(
                    f"The database's encoding is {encoding}; haru needs {ENCODING}:"
                    " CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0."
                )
            if await _shares_sessions(connector, connection):
                raise UnsuitableDatabaseError(
                    "A pooler (PgBouncer) lends out the database's sessions for single transactions; haru sets its"
                    " sessions (lock_timeout), prepares statements and listens, so it needs pool_mode = session,"
                    " or an address that leads past the pooler."
                )
            return await _check_for_real(connection) if for_real else None
        finally:
            connection.terminate()


async def _check_for_real(connection: asyncpg.Connection[asyncpg.Record]) -> str | None:
    weak = [str(WeakSetting(*row)) for row in await connection.fetch(WEAK_SETTINGS, [])]
    if weak:
        raise UnsuitableDatabaseError(f"A crash could lose what haru has confirmed: {'; '.join(weak)}.")
    return ONE_ROLE if await connection.fetchval(OWNS_TABLES) else None


class Suitability:
    """Whether the database that is served for real can be haru's, as it is known for a minute: for /readyz."""

    def __init__(self, url: str, monotonic: Callable[[], float]) -> None:
        self._url = url
        self._monotonic = monotonic
        self._asks_at = monotonic()

    async def fault(self) -> str | None:
        """Why it cannot; none where it can. What was wrong is asked again every time. Raises: Unavailable."""
        if self._monotonic() < self._asks_at:
            return None
        try:
            with reachable():
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await check_suitability(self._url, for_real=True)
        except UnsuitableDatabaseError as unsuitable:
            return str(unsuitable)
        self._asks_at = self._monotonic() + FRESH_SECONDS
        return None


async def _shares_sessions(connector: Connector, first: asyncpg.Connection[asyncpg.Record]) -> bool:
    """Whether a pooler gives two connections the same session, or one connection several.

    A pooler makes up the process id that it tells at the start; without one there is nothing to share.
    """
    try:
        if await _process_of(first) == first.get_server_pid():
            return False
        second = await connector({}, statement_cache_size=0)
        try:
            seen = {(one, await _process_of(one)) for _, one in product(range(LOOKS), (first, second))}
        finally:
            second.terminate()
    except SHARED_SESSIONS:
        return True
    return len(seen) != 2 or len({process for _, process in seen}) != 2


async def _process_of(connection: asyncpg.Connection[asyncpg.Record]) -> int:
    process: int = await connection.fetchval("SELECT pg_backend_pid()", timeout=ANSWER_SECONDS)
    return process
