"""What has to be done again and again: old keys deleted, seeds and roots made, the ledger sealed where that is overdue.

Servers do all of it by themselves; `haru db maintain` does it where none is up, and tells how far it is. Whoever does
it at the same time does no harm: what is done is passed over, and what is under way is waited for.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from dataclasses import dataclass
from functools import partial

from services.calendar import Clock
from services.database import Database
from services.idempotency import BEGINNING, prune
from services.outages import OutageLog
from services.seals import seal
from services.seeds import Seeds
from services.transaction import Transactor
from services.upkeep import Upkeep

outages = OutageLog(logging.getLogger("haru.maintenance"))

PRUNE_SECONDS = 3600.0
"""How often each server sees to it that no key is much older than it is promised for."""

DONE_TO = """
SELECT (SELECT max(s.date) FROM draw_seed s) AS seeds, (SELECT max(r.date) FROM draw_root r) AS roots,
    (SELECT max(s.date) FROM draw_seed s WHERE s.revealed_at IS NOT NULL) AS revealed,
    (SELECT max(s.number) FROM ledger_seal s) AS seal
"""


@dataclass(frozen=True)
class Maintained:
    """How many old keys were deleted, how far the rest is done (null: there is nothing yet), and why not further."""

    keys_deleted: int
    seeds_to: dt.date | None
    roots_to: dt.date | None
    revealed_to: dt.date | None
    seal: int | None
    fault: str | None


async def prune_all(transact: Transactor) -> int:
    """Delete all keys that are older than they are promised for, chunk by chunk; how many.

    Raises: LockNotAcquired, Unavailable.
    """
    deleted, until = 0, BEGINNING
    while (pruned := await transact(partial(prune, since=until))).keys:
        deleted, until = deleted + pruned.keys, pruned.until
    return deleted


async def maintain(database: Database, transact: Transactor, seeds: Seeds, clock: Clock) -> Maintained:
    """Do all that is overdue. Raises: LockNotAcquired, Unavailable, and what a look at the seeds raises."""
    deleted = await prune_all(transact)
    await seeds.look()
    fault = await seeds.fault()
    await seal(database, clock)
    async with database.hot() as connection:
        done = await connection.fetchrow(DONE_TO)
    assert done is not None
    return Maintained(deleted, done["seeds"], done["roots"], done["revealed"], done["seal"], fault)


class Pruner(Upkeep):
    """Has old keys deleted once an hour, by whichever server comes first."""

    def __init__(self, transact: Transactor) -> None:
        self._transact = transact

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(PRUNE_SECONDS)
            with outages.told("old keys could not be deleted; it will be tried again"):
                await prune_all(self._transact)
