r"""Seals of the ledger: what its chains were at an instant, made off the path of plays, to be kept elsewhere as well.

A seal covers the chains that grew since the seal before, as one snapshot sees them. Each is a leaf of a Merkle tree
(RFC 6962, `services.rules.merkle`), in the order of the players' ids. Leaves are kept: a chain that is made anew from
an old line on does not agree with them. Seals are a chain, too:
hash = SHA-256(hash of the seal before + canonical seal), 32 zero bytes before the first. Both texts are UTF-8, lines
joined by "\n", none at the end:

    haru leaf 1          haru seal 1
    the player's id      the number of the seal, from 1
    the number of the    when, in UTC to the microsecond: 2026-03-02T03:00:00.000000Z
      chain's last line  how many leaves
    its hash, in hex     their root, in hex
                         then, of all lines that are sealed by now: how many lines,
                         how many coupons were granted,
                         the sum of POINT,
                         and the sum of TOKEN, each on a line of its own

Which chains grew is read from the lines that came since `settled_at` of the seal before: what was under way at that
seal may have come later, with an older time. What is missed all the same is sealed when its chain grows again.

No seal takes long: very many chains that grew are sealed by several, one after another, each from the player on with
whom the one before ended. Only the last of them settles: so where that is never made, all are looked at anew.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from collections.abc import AsyncGenerator
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

from models import LEDGER_START
from services.calendar import Clock
from services.database import Connection, Database
from services.ledger import instant
from services.outages import OutageLog
from services.rules.merkle import Tree, leaf_hash
from services.upkeep import Upkeep

logger = logging.getLogger("haru.seals")
outages = OutageLog(logger)

SEAL_SECONDS = 60.0
"""How often each server sees to it that there is a seal."""

STOP_SECONDS = 2.0

LATE = dt.timedelta(seconds=120)
"""How much older than its transaction a line may be: its command waited or was run again, or clocks are apart."""

CHUNK = 5_000

CHAINS_AT_ONCE = 20_000
"""The most leaves of a seal."""

LOCK = "SELECT pg_advisory_lock(hashtextextended('haru.seal:' || current_schema(), 0))"
UNLOCK = "SELECT pg_advisory_unlock(hashtextextended('haru.seal:' || current_schema(), 0))"

OLDEST = """
SELECT coalesce(max(clock_timestamp() - a.xact_start), interval '0') FROM pg_stat_activity a
WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()
"""
"""How long the oldest transaction is under way. Asked before the snapshot: whatever that misses begins later."""

GROWN = """
SELECT g.user_id, n.line_no, l.hash, n.lines, n.coupons, n.points, n.tokens
FROM (
    SELECT DISTINCT a.user_id FROM reward_ledger a WHERE a.created_at >= $1::timestamptz AND a.user_id > $2::uuid
) g
LEFT JOIN LATERAL (
    SELECT s.line_no FROM ledger_seal_leaf s WHERE s.user_id = g.user_id ORDER BY s.line_no DESC LIMIT 1
) s ON true
CROSS JOIN LATERAL (
    SELECT max(a.line_no) AS line_no, count(*) AS lines,
        count(*) FILTER (WHERE a.reward_type = 'COUPON' AND a.amount > 0) AS coupons,
        coalesce(sum(a.amount) FILTER (WHERE a.reward_type = 'POINT'), 0)::bigint AS points,
        coalesce(sum(a.amount) FILTER (WHERE a.reward_type = 'TOKEN'), 0)::bigint AS tokens
    FROM reward_ledger a WHERE a.user_id = g.user_id AND a.line_no > coalesce(s.line_no, 0)
) n
JOIN reward_ledger l ON l.user_id = g.user_id AND l.line_no = n.line_no
ORDER BY g.user_id LIMIT $3::bigint
"""

ADD_LEAVES = f"""
INSERT INTO ledger_seal_leaf (user_id, line_no, seal_no, hash)
SELECT g.user_id, g.line_no, $4::bigint, g.hash FROM ({GROWN}) g
"""  # noqa: S608 (only the constant above)

_COLUMNS = "number, sealed_at, settled_at, leaves, root, lines, coupons, points, tokens, hash"

LAST = f"SELECT {_COLUMNS} FROM ledger_seal ORDER BY number DESC LIMIT 1"  # noqa: S608 (only the constant above)

SEALS = f"SELECT {_COLUMNS} FROM ledger_seal WHERE number >= $1 ORDER BY number"  # noqa: S608 (only the constant above)

ADD_SEAL = f"INSERT INTO ledger_seal ({_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"  # noqa: S608


class Seal(NamedTuple):
    """A seal, as `models.LedgerSeal` has it."""

    number: int
    sealed_at: dt.datetime
    settled_at: dt.datetime
    leaves: int
    root: bytes
    lines: int
    coupons: int
    points: int
    tokens: int
    hash: bytes


NOBODY = UUID(int=0)
"""No player has this id, and all ids are greater."""

BEGINNING = dt.datetime.min.replace(tzinfo=dt.UTC)

NOTHING = Seal(0, BEGINNING, BEGINNING + LATE, 0, b"", 0, 0, 0, 0, LEDGER_START)
"""What stands before the first seal."""


def leaf_of(player_id: UUID, line_no: int, line_hash: bytes) -> bytes:
    """The hash of the leaf of a chain that ends with this line."""
    return leaf_hash(f"haru leaf 1\n{player_id}\n{line_no}\n{line_hash.hex()}".encode())


def hash_of(seal: Seal, previous: bytes) -> bytes:
    """The hash of a seal, whatever it holds as its own, after one whose hash is `previous`."""
    canonical = (
        f"haru seal 1\n{seal.number}\n{instant(seal.sealed_at)}\n{seal.leaves}\n{seal.root.hex()}\n"
        f"{seal.lines}\n{seal.coupons}\n{seal.points}\n{seal.tokens}"
    )
    return sha256(previous + canonical.encode()).digest()


async def seal(database: Database, clock: Clock, *, unless_within: dt.timedelta = dt.timedelta(0)) -> Seal | None:
    """Seal what has been added since the last seal; None where nothing was, or the last seal is younger than that.

    Whoever else seals is waited for. It takes as long as there are chains that grew, on a session of its own: very many
    are sealed by several seals, each in a transaction and in bounded memory. The last one is returned.

    Raises: Unavailable.
    """
    async with database.long() as connection:
        await connection.execute(LOCK)
        made: Seal | None = None
        part: Part | None = Part(clock() - await connection.fetchval(OLDEST), unless_within)
        while part is not None:
            async with connection.transaction(isolation="repeatable_read"):
                made, part = await _seal(connection, clock, part) or (made, None)
        await connection.execute(UNLOCK)  # a session that is only ended holds it for a moment longer
    return made


class Part(NamedTuple):
    """What is to be sealed next: chains of players beyond `after`.

    `settled_at`: what is true of all parts once the last of them is sealed; `unless_within`: as of `seal`.
    """

    settled_at: dt.datetime
    unless_within: dt.timedelta = dt.timedelta(0)
    after: UUID = NOBODY


async def _seal(connection: Connection, clock: Clock, part: Part) -> tuple[Seal, Part | None] | None:
    """Seal what the transaction's snapshot sees: read once for the root, and once more, the same, to be kept.

    Also what is to be sealed next, if there is more. None where nothing is to be sealed, or not yet.
    """
    before, now = Seal(*(await connection.fetchrow(LAST) or NOTHING)), clock()
    if before.number and now - before.sealed_at < part.unless_within:
        return None
    grown, tree, following = (before.settled_at - LATE, part.after), Tree(), None
    last, sums = part.after, (before.lines, before.coupons, before.points, before.tokens)
    async for player_id, line_no, line_hash, *more in connection.cursor(
        GROWN, *grown, CHAINS_AT_ONCE + 1, prefetch=CHUNK
    ):
        if tree.size == CHAINS_AT_ONCE:
            following = Part(part.settled_at, after=last)
            break
        last = player_id
        tree.add(leaf_of(player_id, line_no, line_hash))
        sums = sums[0] + more[0], sums[1] + more[1], sums[2] + more[2], sums[3] + more[3]
    if tree.size == 0:
        return None
    settled_at = min(part.settled_at, now) if following is None else before.settled_at
    made = Seal(before.number + 1, now, settled_at, tree.size, tree.root(), *sums, hash=LEDGER_START)
    made = made._replace(hash=hash_of(made, before.hash))
    await connection.execute(ADD_SEAL, *made)
    await connection.execute(ADD_LEAVES, *grown, CHAINS_AT_ONCE, made.number)
    return made, following


async def seals(database: Database, *, since: int = 1) -> AsyncGenerator[Seal, None]:
    """The seals from a number on, in bounded memory. Raises: Unavailable."""
    async with database.long() as connection, connection.transaction(readonly=True):
        async for row in connection.cursor(SEALS, since, prefetch=CHUNK):
            yield Seal(*row)


class Sealer(Upkeep):
    """Has the ledger sealed once a minute, by whichever server comes first."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._stopping = asyncio.Event()

    async def __aexit__(self, *how: object) -> None:
        """Let a seal that is being made be finished, unless it takes long."""
        self._stopping.set()
        await asyncio.wait([self._task], timeout=STOP_SECONDS)
        await super().__aexit__(*how)

    async def _keep(self) -> None:
        while not await self._stops_within(SEAL_SECONDS):
            with outages.told("the ledger could not be sealed; it will be tried again"):
                await seal(self._database, self._clock, unless_within=dt.timedelta(seconds=SEAL_SECONDS / 2))

    async def _stops_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                return await self._stopping.wait()
        except TimeoutError:
            return False
