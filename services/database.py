"""Connections: a pool of plain asyncpg connections for what players do, an SQLAlchemy engine for everything else.

Players' statements are few, fixed and hot, so they skip the toolkit (a third of the server's CPU a play). Both sides
have the same time-outs: nothing waits for a lock, runs, or idles in a transaction without end.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import Any, TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy
from sqlalchemy import event, make_url, text
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from services.errors import HaruError, Unavailable

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"

UNREACHABLE = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InternalClientError,
    asyncpg.ReadOnlySQLTransactionError,  # a standby now: the primary is elsewhere
    OSError,
    TimeoutError,
)
"""What it looks like when the database, or the way to it, is gone for the moment."""

BLOCKED = (asyncpg.LockNotAvailableError, asyncpg.QueryCanceledError)
"""A lock or a statement that took too long."""

STATEMENT_TIMEOUT_SECONDS = 5.0
CONNECT_TIMEOUT_SECONDS = 2.0

SESSION = {
    "application_name": "haru",
    "timezone": "UTC",
    "default_transaction_isolation": "read committed",  # what is loaded behind a lock must be what is there by then
    "jit": "off",
    "statement_timeout": "5s",
    "idle_in_transaction_session_timeout": "5s",
}

HOT_SESSION = SESSION | {
    # The hot statements join tiny arrays to huge tables by key, whatever the statistics say: plan once, by index.
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
}


@contextmanager
def reachable(*, late: type[HaruError] = Unavailable) -> Iterator[None]:
    """Tell a database that is gone for the moment from a bug; `late`: what a lock or statement that took too long is.

    Raises: Unavailable, `late`; every other exception as it is.
    """
    try:
        yield
    except (*UNREACHABLE, PoolTimeoutError) as lost:
        raise Unavailable from lost
    except BLOCKED as blocked:
        raise late from blocked
    except DBAPIError as failure:
        cause = getattr(failure.orig, "__cause__", None) or failure.orig
        if failure.connection_invalidated or isinstance(cause, UNREACHABLE):
            raise Unavailable from failure
        if isinstance(cause, BLOCKED):
            raise late from failure
        raise


def sqlstate(failure: DBAPIError) -> str | None:
    """PostgreSQL's code of a failure."""
    return getattr(failure.orig, "sqlstate", None)


class Database:
    """The two pools. `url`: `postgresql+asyncpg://...`; `lock_wait_seconds`: the longest wait for a lock."""

    def __init__(self, url: str, *, lock_wait_seconds: float = 2.0, pool_size: int = 8) -> None:
        self.lock_wait_seconds = lock_wait_seconds
        self._arguments = connect_arguments(url)
        self.pool_size = pool_size
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None
        self._opening = asyncio.Lock()
        self.engine = create_engine(
            url,
            timeout=CONNECT_TIMEOUT_SECONDS,
            command_timeout=STATEMENT_TIMEOUT_SECONDS * 6,
            server_settings=SESSION | {"lock_timeout": f"{int(lock_wait_seconds * 1000)}ms"},
            pool={"pool_size": pool_size, "max_overflow": 0, "pool_timeout": CONNECT_TIMEOUT_SECONDS},
        )
        event.listen(self.engine.sync_engine, "checkout", _refuse_closed)
        self._autocommitting = self.engine.execution_options(isolation_level="AUTOCOMMIT")

    async def connect_hot(self, *, lock_timeout_seconds: float) -> asyncpg.Connection[asyncpg.Record]:
        """A connection of one's own for the hot statements."""
        settings = HOT_SESSION | {"lock_timeout": f"{int(lock_timeout_seconds * 1000)}ms"}
        return await asyncpg.connect(
            **self._arguments,
            timeout=CONNECT_TIMEOUT_SECONDS,
            command_timeout=STATEMENT_TIMEOUT_SECONDS,
            server_settings=settings,
        )

    @asynccontextmanager
    async def hot(self) -> AsyncIterator[Connection]:
        """A pooled connection for a hot statement.

        Raises: Unavailable when none can be had in time, or it is lost.
        """
        pool = self._pool or await self._open()
        with reachable():
            async with pool.acquire(timeout=CONNECT_TIMEOUT_SECONDS) as connection:
                try:
                    yield connection
                except asyncpg.ReadOnlySQLTransactionError:
                    connection.terminate()
                    raise

    async def _open(self) -> asyncpg.Pool[asyncpg.Record]:
        """The pool; made at the first use, so that a server starts before its database does."""
        async with self._opening:
            if self._pool is None:
                self._pool = await asyncpg.create_pool(
                    **self._arguments,
                    min_size=0,
                    max_size=self.pool_size,
                    reset=_nothing_to_reset,
                    timeout=CONNECT_TIMEOUT_SECONDS,
                    command_timeout=STATEMENT_TIMEOUT_SECONDS,
                    server_settings=HOT_SESSION | {"lock_timeout": f"{int(self.lock_wait_seconds * 1000)}ms"},
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

    async def revision(self) -> str | None:
        """The migration that the database is at; null before the first. Raises: Unavailable."""
        async with self.snapshot() as connection:
            if await connection.scalar(text("SELECT to_regclass('alembic_version')")) is None:
                return None
            found: str | None = await connection.scalar(text("SELECT version_num FROM alembic_version"))
            return found

    async def close(self) -> None:
        """Give all connections back."""
        if self._pool is not None:
            try:
                async with asyncio.timeout(CONNECT_TIMEOUT_SECONDS):
                    await self._pool.close()
            except TimeoutError:
                self._pool.terminate()
        await self.engine.dispose()


def _refuse_closed(dbapi_connection: Any, _record: object, _proxy: object) -> None:
    """Have the pool connect anew where the driver saw the connection end: a round trip cheaper than asking."""
    if dbapi_connection.driver_connection.is_closed():
        raise DisconnectionError


async def _nothing_to_reset(_connection: Connection) -> None:
    """Pooled sessions are never changed but within a transaction, so giving one back costs no round trip."""


def create_engine(url: str, *, pool: Mapping[str, Any], **connect: Any) -> AsyncEngine:
    """An engine of SQLAlchemy's whose connections are made as all others are; `connect`: arguments of asyncpg's."""
    connection = partial(asyncpg.connect, **connect_arguments(url), **connect)
    return create_async_engine("postgresql+asyncpg://", async_creator=connection, **pool)


def connect_arguments(url: str) -> dict[str, Any]:
    """SQLAlchemy's URL as asyncpg's arguments. Its query may say what libpq's may (`sslmode`), or `ssl` for that."""
    parsed = make_url(url).set(drivername="postgresql")
    query = {"sslmode" if name == "ssl" else name: value for name, value in parsed.query.items()}
    host, port = query.get("host"), query.get("port")
    if isinstance(host, str) and host.startswith("/"):
        where = {"host": host, "port": int(port) if isinstance(port, str) else None}
        return where | {"user": parsed.username, "password": parsed.password, "database": parsed.database}
    return {"dsn": parsed.set(query=query).render_as_string(hide_password=False)}
