"""Whose tokens hold: of no account whose tokens were revoked since, and of no member of staff who is blocked.

Each process knows of every revocation that a valid token may meet, and of the staff that it has served, whether they
are blocked. It reads both again twice a second, and at once when it is told of a change (`signals.TOKENS`), with a
single statement that costs the same however many play. What it knows is never older than a second: where it would be,
because the database does not answer, players are served on, who get nothing without the database, and staff are not.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from uuid import UUID

from models import Role
from services.calendar import Clock
from services.database import Database
from services.errors import HaruError
from services.outages import reachable
from services.own_session import OwnSession
from services.request_errors import Unauthenticated
from services.rules.standing import LONGEST_TOKEN_SECONDS, Account, Bearer, account_of, holds
from services.signals import Signals
from services.together import Together
from services.upkeep import Upkeep
from services.watch import BatchKind

logger = logging.getLogger("haru.standing")

POLL_SECONDS = 0.5
FRESH_SECONDS = 1.0
PATIENCE_SECONDS = 0.8
KEPT = dt.timedelta(seconds=LONGEST_TOKEN_SECONDS + 600)
"""A revocation that is older meets no token that has not expired, whosever clock issued it."""

ACCOUNTS = """
SELECT u.id, u.is_blocked, u.tokens_valid_from FROM "user" u WHERE u.tokens_valid_from > $1::timestamptz
UNION
SELECT u.id, u.is_blocked, u.tokens_valid_from FROM "user" u WHERE u.id = ANY ($2::uuid[])
"""


class Standing(Upkeep):
    """What one process knows of accounts whose tokens may not hold. Use as an async context manager."""

    def __init__(self, database: Database, heard: Signals, clock: Clock) -> None:
        self._signals = heard
        self._clock = clock
        self._session = OwnSession(database)
        self._staff: set[UUID] = set()
        self._read_of: frozenset[UUID] = frozenset()
        """The staff of whom the last read told."""
        self._accounts: Mapping[UUID, Account] = {}
        self._read_at = -math.inf
        self._reading: Together[None, None] = Together(self._read, kind=BatchKind.STANDING)
        self.when_changed: Callable[[], None] = lambda: None
        """Called after something has changed."""

    def holds(self, bearer: Bearer) -> bool:
        """Whether a token holds, as far as is known."""
        account = self._accounts.get(bearer.player_id)
        return account is None or holds(account, bearer)

    async def check(self, bearer: Bearer) -> None:
        """Check that a token holds.

        Raises: Unauthenticated when it does not; Unavailable when nobody can tell whether a member of staff's does.
        """
        if bearer.role is not Role.PLAYER and not self._is_known(bearer.player_id):
            self._staff.add(bearer.player_id)  # few, and nobody is among them without a token of ours
            await self.refresh()
        if not self.holds(bearer):
            raise Unauthenticated

    async def refresh(self) -> None:
        """Read again. Raises: Unavailable."""
        await self._reading(None)

    def _is_known(self, player_id: UUID) -> bool:
        age = asyncio.get_running_loop().time() - self._read_at
        return player_id in self._read_of and age <= FRESH_SECONDS

    async def _read(self, _: Sequence[None]) -> Mapping[None, None]:
        read_at = asyncio.get_running_loop().time()
        staff = frozenset(self._staff)
        with reachable():
            # On a session of its own, which waits for nobody's turn in a pool; one that fails is given up.
            async with asyncio.timeout(PATIENCE_SECONDS), self._session.used() as connection:
                rows = await connection.fetch(ACCOUNTS, self._clock() - KEPT, list(staff))
        before, self._accounts = self._accounts, {row["id"]: account_of(row[1], row[2]) for row in rows}
        self._read_at, self._read_of = read_at, staff
        if self._accounts != before:
            self.when_changed()
        return {None: None}

    async def __aexit__(self, *how: object) -> None:
        await super().__aexit__(*how)
        await self._reading.stop()
        self._session.give_up()

    async def _keep(self) -> None:
        """Read again when told to, and twice a second."""
        changed = self._signals.tokens_changed
        while True:
            changed.clear()
            try:
                await self.refresh()
            except HaruError:  # told by whoever keeps the connection
                pass
            except Exception:
                logger.exception("whose tokens hold could not be read; it will be tried again")
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS):
                    await changed.wait()
