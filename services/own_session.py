"""A session of one's own, for whoever needs one at a time: it waits for nobody's turn in a pool, and costs no turn."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from services.database import Database
from services.outages import reachable


class OwnSession:
    """Opened when it is first needed, and anew where it has ended or was given up."""

    def __init__(self, database: Database, *, lock_timeout_seconds: float | None = None) -> None:
        """Wait for a lock as long as all others do, or for `lock_timeout_seconds`."""
        self._database = database
        self._lock_timeout_seconds = lock_timeout_seconds
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None

    async def get(self) -> asyncpg.Connection[asyncpg.Record]:
        """The session. Raises: what `Connector` raises."""
        connection = self._connection
        if connection is None or connection.is_closed():
            connection = self._connection = await self._database.connect_hot(
                lock_timeout_seconds=self._lock_timeout_seconds
            )
        return connection

    @asynccontextmanager
    async def used(self) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
        """The session, which is given up whatever fails with it. Raises: Unavailable."""
        with reachable():
            try:
                yield await self.get()
            except BaseException:
                self.give_up()
                raise

    def give_up(self) -> None:
        """Close it, whatever it is doing."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None
