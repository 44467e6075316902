"""Seeds: each business date's is made and committed to ahead of it, and revealed with the day's root after its end.

Every process has one `Seeds`. It makes what is missing of the days ahead, closes those that have passed, and knows what
today's draws come from. Many may do so at the same time: a seed is whichever was inserted first, and closing a day
takes the seed's row. A seed is sealed while it is secret, and never logged.

Closing needs this server's clock *and* the database's to be past the day's end, and then some: one that is ahead cannot
reveal a seed that others still draw from. One that is behind is refused by its store, which shares the seed's row.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from random import Random
from typing import NamedTuple

import asyncpg
from sqlalchemy import select, update

from models import DrawSeed, SealedSeed
from services import audit
from services.audit import Actor
from services.calendar import Calendar, Clock
from services.database import Connection, Database
from services.outages import FAILED, OutageLog
from services.roots import make_root
from services.rules.draws import SEED_BYTES, DaySeed, commitment_of, key_of, shuffled_by
from services.seed_seals import NONCE_BYTES, CannotUnsealError, Sealed, SeedKeys
from services.together import Together
from services.transaction import Transaction
from services.upkeep import Upkeep

logger = logging.getLogger("haru.seeds")
outages = OutageLog(logger)

ONE_DAY = dt.timedelta(days=1)
DAYS_AHEAD = 7
CLOSES_AFTER = dt.timedelta(minutes=5)
"""How long after its end a day is closed: plays that began within it have been stored by then."""

ROUND_SECONDS = 60.0
RETRY_SECONDS = 1.0
PATIENCE_SECONDS = 3.0
"""How long a play waits for what it is drawn from."""

READ = """
SELECT d.date, s.commitment, s.revealed_at, e.kid, e.nonce, e.sealed, r.root AS shuffle
FROM unnest($1::date[]) AS d(date)
LEFT JOIN draw_seed s ON s.date = d.date
LEFT JOIN draw_seed_sealed e ON e.date = d.date
LEFT JOIN draw_root r ON r.date = d.date - 2
"""

MAKE = """
WITH made AS (
    INSERT INTO draw_seed (date, commitment, committed_at)
    SELECT n.date, n.commitment, $6 FROM unnest($1::date[], $2::text[]) AS n(date, commitment)
    WHERE NOT EXISTS (SELECT FROM draw_root r WHERE r.date = n.date)
    ORDER BY n.date ON CONFLICT DO NOTHING RETURNING date
)
INSERT INTO draw_seed_sealed (date, kid, nonce, sealed)
SELECT n.date, n.kid, n.nonce, n.sealed
FROM unnest($1::date[], $3::text[], $4::bytea[], $5::bytea[]) AS n(date, kid, nonce, sealed) JOIN made USING (date)
"""
"""A day whose root is made is over, whatever a clock says: no seed is made for it any more."""

OPEN = "SELECT s.date FROM draw_seed s WHERE s.date < $1 AND s.revealed_at IS NULL"

TAKE_TURN = "SELECT pg_try_advisory_xact_lock(hashtextextended('haru.close:' || $1::date, 0))"
"""One server closes a day, and the others leave it to that one: a day of many draws takes a while."""

LOCK = "SELECT FROM draw_seed s WHERE s.date = $1 FOR UPDATE"

UNREVEALED = """
SELECT s.date, s.commitment, e.kid, e.nonce, e.sealed
FROM draw_seed s LEFT JOIN draw_seed_sealed e ON e.date = s.date WHERE s.date = $1 AND s.revealed_at IS NULL
"""

REVEAL = """
WITH opened AS (DELETE FROM draw_seed_sealed WHERE date = $1)
UPDATE draw_seed SET seed = $2, revealed_at = $3 WHERE date = $1 AND revealed_at IS NULL
"""


class Known(NamedTuple):
    """What is known of a date: what its draws come from, or why nothing can be drawn."""

    seed: DaySeed | None
    fault: str | None = None


async def database_clock(connection: Connection) -> dt.datetime:
    """The database's clock."""
    now: dt.datetime = await connection.fetchval("SELECT clock_timestamp()")
    return now


class Seeds(Upkeep):
    """What one process knows of seeds. Use as an async context manager, which keeps making and closing days."""

    def __init__(
        self,
        database: Database,
        calendar: Calendar,
        clock: Clock,
        rng: Random,
        keys: SeedKeys,
        *,
        database_clock: Callable[[Connection], Awaitable[dt.datetime]] = database_clock,
    ) -> None:
        self._database = database
        self._calendar = calendar
        self._clock = clock
        self.rng = rng
        """Where seeds come from. Tests set another, as they do the database's clock."""
        self._keys = keys
        self.database_clock = database_clock
        self._known: dict[dt.date, DaySeed] = {}
        self._unsealed: set[dt.date] = set()
        self._look: Together[dt.date, Known] = Together(self._ensure)
        self._looking = asyncio.Lock()
        self._told: str | None = None

    async def of(self, date: dt.date) -> DaySeed | None:
        """What a date's draws come from; made, where nobody has. None where nothing can be drawn: the log tells why."""
        known = self._known.get(date)
        if known is None:
            found = await self._patiently(date)
            known = found.seed
            self._tell(found.fault)
        return known

    async def __aexit__(self, *how: object) -> None:
        await super().__aexit__(*how)
        await self._look.stop()

    def forget(self, date: dt.date) -> None:
        """Read a date anew before it is drawn from again."""
        self._known.pop(date, None)

    async def fault(self) -> str | None:
        """Why nothing can be drawn today, or tomorrow; None where all is well."""
        today = self._calendar.business_date(self._clock())
        tomorrow = today + ONE_DAY
        if today in self._known and tomorrow in self._unsealed:
            return None
        now, then = await asyncio.gather(self._patiently(today), self._patiently(tomorrow))
        return now.fault or (None if tomorrow in self._unsealed else then.fault)

    async def look(self) -> None:
        """Make what is missing of the days ahead, and close those that have passed. Raises: what `FAILED` names.

        Looks of one process take turns: each would leave to the other what that has begun, and be done before it.
        """
        async with self._looking:
            today = self._calendar.business_date(self._clock())
            async with self._database.hot() as connection:
                for row in await connection.fetch(OPEN, today):
                    await self._close(connection, row["date"])
            await asyncio.gather(*(self._look(today + number * ONE_DAY) for number in range(DAYS_AHEAD + 1)))
            self._known = {date: seed for date, seed in self._known.items() if date >= today - ONE_DAY}
            self._unsealed = {date for date in self._unsealed if date >= today}

    def _tell(self, fault: str | None) -> None:
        """Tell operators why nothing can be drawn, whenever the reason is another one."""
        if fault != self._told:
            logger.error("nothing can be drawn: %s", fault) if fault else logger.warning("draws go on")
            self._told = fault

    async def _patiently(self, date: dt.date) -> Known:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await self._look(date)
        except FAILED as failure:
            outages.note("seeds cannot be read", failure)
            return Known(None, "seeds cannot be read")

    async def _ensure(self, dates: Sequence[dt.date]) -> Mapping[dt.date, Known]:
        """What is known of dates, once what is missing of them has been made."""
        async with self._database.hot() as connection:
            rows = await connection.fetch(READ, dates)
            missing = [row["date"] for row in rows if row["commitment"] is None]
            unshuffled = [row["date"] for row in rows if row["shuffle"] is None]
            if missing:
                await self._make(connection, missing)
            for date in unshuffled:
                await self._close(connection, shuffled_by(date))
            if missing or unshuffled:
                rows = await connection.fetch(READ, dates)
        return {row["date"]: self._known_of(row) for row in rows}

    def _known_of(self, row: asyncpg.Record) -> Known:
        date, commitment = row["date"], row["commitment"]
        if commitment is None or row["revealed_at"] is not None:
            return Known(None, f"{date} is over: its draws are closed")
        try:
            seed = self._unseal(row)
        except CannotUnsealError as sealed:
            return Known(None, str(sealed))
        self._unsealed.add(date)
        if row["shuffle"] is None:
            return Known(None, f"{date} is shuffled by the draws of {shuffled_by(date)}, whose root is missing")
        known = self._known[date] = DaySeed(date, commitment, key_of(date, seed, row["shuffle"]))
        return Known(known)

    def _unseal(self, row: asyncpg.Record) -> bytes:
        if row["kid"] is None:
            raise CannotUnsealError(f"the seed of {row['date']} is lost")
        return self._keys.unseal(row["date"], row["commitment"], Sealed(row["kid"], row["nonce"], row["sealed"]))

    async def _make(self, connection: Connection, dates: Sequence[dt.date]) -> None:
        """Make the seeds of dates, and commit to them; those that somebody else has made meanwhile stay."""
        commitments, sealed = [], []
        for date in dates:
            seed = self.rng.randbytes(SEED_BYTES)
            commitments.append(commitment_of(date, seed))
            sealed.append(self._keys.seal(date, commitments[-1], seed, self.rng.randbytes(NONCE_BYTES)))
        columns = [list(column) for column in zip(*sealed, strict=True)]
        await connection.execute(MAKE, dates, commitments, *columns, self._clock())

    async def _close(self, connection: Connection, date: dt.date) -> None:
        """Make the root of a date that is over by both clocks, and reveal its seed: both, or none."""
        now, closes_at = self._clock(), self._calendar.ends_at(date) + CLOSES_AFTER
        if now < closes_at or await self.database_clock(connection) < closes_at:
            return
        self.forget(date)
        async with connection.transaction():
            if not await connection.fetchval(TAKE_TURN, date):
                return
            await connection.execute(LOCK, date)
            await make_root(connection, date, now)
            for row in await connection.fetch(UNREVEALED, date):
                try:
                    await connection.execute(REVEAL, date, self._unseal(row), now)
                except CannotUnsealError as sealed:
                    outages.note("a seed cannot be revealed", sealed)

    async def _keep(self) -> None:
        """Look every minute, and sooner where that failed."""
        while True:
            pause = RETRY_SECONDS
            with outages.told("seeds were not looked after; it will be tried again"):
                await self.look()
                pause = ROUND_SECONDS
            await asyncio.sleep(pause)


async def reseal(tx: Transaction, *, keys: SeedKeys, rng: Random, actor: Actor, action: str) -> list[dt.date]:
    """Seal every seed that is still secret anew, under the key that seals: the dates of those that were not.

    Raises: LockNotAcquired, CannotUnsealError.
    """
    rows = await tx.connection.execute(
        select(SealedSeed.date, DrawSeed.commitment, SealedSeed.kid, SealedSeed.nonce, SealedSeed.sealed)
        .join(DrawSeed, DrawSeed.date == SealedSeed.date)
        .where(SealedSeed.kid != keys.sealing)
        .order_by(SealedSeed.date)
        .with_for_update(of=SealedSeed)
    )
    dates = []
    for date, commitment, kid, nonce, sealed in rows.all():
        seed = keys.unseal(date, commitment, Sealed(kid, nonce, sealed))
        anew = keys.seal(date, commitment, seed, rng.randbytes(NONCE_BYTES))
        await tx.connection.execute(update(SealedSeed).where(SealedSeed.date == date).values(anew._asdict()))
        dates.append(date)
    if dates:
        told = {"dates": dates, "kid": keys.sealing}
        await audit.record(tx, actor=actor, action=action, target="draw_seed_sealed", before=None, after=told)
    return dates
