"""The one place that begins, commits and retries what staff do.

Lock order, for whoever locks more than one thing: the turn at what is changed (a configuration, a day, a ranking;
`revisions.take_turn`), players by id, stocks of the lottery by id, coupon types by name, the audit log last.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random
from typing import TypeVar

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from services.calendar import Calendar, Clock
from services.database import Database
from services.errors import LockNotAcquired
from services.ids import Ids
from services.outages import reachable, sqlstate

ATTEMPTS = 5
RETRIED = {"40001", "40P01", "23505", "23P01"}
"""Serialization failure, deadlock, a lost race for a unique key or an exclusive range: run again from the start."""

ResultT = TypeVar("ResultT")


@dataclass(frozen=True)
class Transaction:
    """A command's transaction, and the one instant and business date at which all of it happens."""

    connection: AsyncConnection
    now: dt.datetime
    date: dt.date
    ids: Ids


class Transactor:
    """Runs a command in one transaction: commits when it returns, rolls back when it raises."""

    def __init__(self, database: Database, calendar: Calendar, clock: Clock, rng: Random) -> None:
        self._database = database
        self._calendar = calendar
        self._clock = clock
        self._ids = Ids(rng)

    async def __call__(self, command: Callable[[Transaction], Awaitable[ResultT]], *, dry_run: bool = False) -> ResultT:
        """Run `command`, again where it lost a race; a dry run writes nothing.

        Raises: what the command raises, LockNotAcquired, Unavailable.
        """
        now = self._clock()
        tx_date = self._calendar.business_date(now)
        attempt = 0
        while True:
            attempt += 1
            try:
                with reachable(late=LockNotAcquired):
                    async with self._database.engine.begin() as connection:
                        made = await command(Transaction(connection, now, tx_date, self._ids))
                        if dry_run:
                            await connection.rollback()
                        return made
            except DBAPIError as failure:
                if sqlstate(failure) not in RETRIED or attempt == ATTEMPTS:
                    raise
