"""Connections: plain asyncpg ones for what players do, pooled or one's own, an SQLAlchemy engine for everything else.

Players' statements are few, fixed and hot, so they skip the toolkit (a third of the server's CPU a play). Both sides
have the same time-outs: nothing waits for a lock, runs, or idles in a transaction without end.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, TypeAlias

import asyncpg
import orjson
from asyncpg.pool import PoolConnectionProxy
from sqlalchemy import ExceptionContext, event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from services.address import parse_address
from services.connector import Connector
from services.outages import reachable
from services.sessions import HOT_SESSION, LONG_SESSION, PATIENT_SESSION, SESSION
from services.watch import NOBODY, Watch

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"

STATEMENT_TIMEOUT_SECONDS = 5.0

TOOLKIT_TIMEOUT_SECONDS = 30.0
"""The server's own time-outs come first; this one is for a server that says nothing any more."""

LOCK_WAIT_SECONDS = 2.0

POOL_SIZE = 8

CLOSE_SECONDS = 2.0

LONGEST_CONNECT_SECONDS = 5.0
"""Whoever plays is answered within 7 s, however long an address is ready to wait."""


class Database:
    """The two pools. `url`: `postgresql+asyncpg://...`; `lock_wait_seconds`: the longest wait for a lock.

    `watch` is told of the work that is done with it.
    """

    def __init__(
        self,
        url: str,
        *,
        lock_wait_seconds: float = LOCK_WAIT_SECONDS,
        pool_size: int = POOL_SIZE,
        watch: Watch = NOBODY,
    ) -> None:
        self.watch = watch
        self.lock_wait_seconds = lock_wait_seconds
        self.pool_size = pool_size
        self._connector = Connector(parse_address(url), longest_seconds=LONGEST_CONNECT_SECONDS, opened=watch.opened)
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None
        self._opening = asyncio.Lock()
        self.engine = _engine(
            self._connector,
            dict(SESSION) | {"lock_timeout": milliseconds(lock_wait_seconds)},
            command_timeout=TOOLKIT_TIMEOUT_SECONDS,
            pool={"pool_size": pool_size, "max_overflow": 0, "pool_timeout": self._connector.timeout_seconds},
        )
        event.listen(self.engine.sync_engine, "checkout", _refuse_closed)
        event.listen(self.engine.sync_engine, "handle_error", _give_up_what_cannot_write)
        watch.joined(self.engine.sync_engine)
        self._autocommitting = self.engine.execution_options(isolation_level="AUTOCOMMIT")

    async def connect_hot(self, *, lock_timeout_seconds: float | None = None) -> asyncpg.Connection[asyncpg.Record]:
        """A connection of one's own for the hot statements; it waits for a lock as long as pooled ones unless told."""
        settings = self._hot_session(lock_timeout_seconds or self.lock_wait_seconds)
        return await self._connector(settings, command_timeout=STATEMENT_TIMEOUT_SECONDS)

    @staticmethod
    def _hot_session(lock_timeout_seconds: float) -> dict[str, str]:
        return dict(HOT_SESSION) | {"lock_timeout": milliseconds(lock_timeout_seconds)}

    @asynccontextmanager
    async def long(self) -> AsyncIterator[Connection]:
        """A connection of one's own for what reads many rows by key: it may take minutes, but not idle for long.

        Raises: Unavailable when the database cannot be reached, or the connection is lost.
        """
        with reachable():
            connection = await self._connector(LONG_SESSION)
            try:
                yield connection
                await connection.close()
            finally:
                connection.terminate()

    @asynccontextmanager
    async def hot(self) -> AsyncIterator[Connection]:
        """A pooled connection for a hot statement.

        Raises: Unavailable when none can be had in time, or it is lost.
        """
        pool = self._pool or await self._open()
        patience = self._connector.timeout_seconds
        with reachable():
            # One that is idle is had at once; a wait that may end would cost a task and a timer.
            connection = await pool.acquire(timeout=None if pool.get_idle_size() else patience)
            try:
                yield connection
            except asyncpg.ReadOnlySQLTransactionError:
                connection.terminate()
                raise
            finally:
                await pool.release(connection, timeout=patience)

    async def _open(self) -> asyncpg.Pool[asyncpg.Record]:
        """The pool; made at the first use, so that a server starts before its database does."""
        async with self._opening:
            if self._pool is None:
                self._pool = await asyncpg.create_pool(
                    connect=partial(self._connector, self._hot_session(self.lock_wait_seconds)),
                    min_size=0,
                    max_size=self.pool_size,
                    reset=_nothing_to_reset,
                    command_timeout=STATEMENT_TIMEOUT_SECONDS,
                )
            return self._pool

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection for a single reading statement, which costs a single round trip.

        Raises: Unavailable when the database cannot be reached.
        """
        with reachable():
            async with self._autocommitting.connect() as connection:
                yield connection

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[AsyncConnection]:
        """A short read-only transaction that sees one snapshot throughout, however many statements it runs.

        Raises: Unavailable when the database cannot be reached.
        """
        with reachable():
            async with self.engine.connect() as connection:
                await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
                yield connection

    @property
    def in_use(self) -> Mapping[str, int]:
        """Connections that somebody holds, by pool: one may be exhausted while the other is idle."""
        pool: Any = self.engine.pool
        hot = self._pool.get_size() - self._pool.get_idle_size() if self._pool is not None else 0
        return {"players": hot, "staff": int(pool.checkedout())}

    async def close(self) -> None:
        """Give all connections back."""
        if self._pool is not None:
            try:
                async with asyncio.timeout(CLOSE_SECONDS):
                    await self._pool.close()
            except TimeoutError:
                self._pool.terminate()
        await self.engine.dispose()


def _refuse_closed(dbapi_connection: Any, _record: object, _proxy: object) -> None:
    """Have the pool connect anew where the driver saw the connection end: a round trip cheaper than asking."""
    if dbapi_connection.driver_connection.is_closed():
        raise DisconnectionError


def _give_up_what_cannot_write(context: ExceptionContext) -> None:
    """Replace the sessions of a server that has become a standby, or of a time in which it was read-only."""
    if getattr(context.original_exception, "sqlstate", None) == asyncpg.ReadOnlySQLTransactionError.sqlstate:
        context.is_disconnect = True


async def _nothing_to_reset(_connection: Connection) -> None:
    """Pooled sessions are never changed but within a transaction, so giving one back costs no round trip."""


def milliseconds(seconds: float) -> str:
    """A time as PostgreSQL's settings take it."""
    return f"{int(seconds * 1000)}ms"


def create_engine(url: str, *, pool: Mapping[str, Any]) -> AsyncEngine:
    """An engine for whoever changes or verifies tables, whose connections are made as all others are."""
    return _engine(Connector(parse_address(url)), PATIENT_SESSION, pool=pool)


def _engine(
    connector: Connector, settings: Mapping[str, str], *, pool: Mapping[str, Any], **options: Any
) -> AsyncEngine:
    creator = partial(connector, settings, **options)
    # A number beyond 64 bits, such as an alarm's evidence, is a float: no answer takes an integer that is so great.
    json = {"json_deserializer": orjson.loads}
    return create_async_engine("postgresql+asyncpg://", async_creator=creator, **json, **pool)


def connect_arguments(url: str) -> dict[str, Any]:
    """An address as asyncpg's arguments."""
    return parse_address(url).arguments
