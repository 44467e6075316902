"""Filling the pools of coupon codes: what is imported goes to the grants that wait, first come, first served."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models import COUPON_TYPE_LENGTH, CouponWaiting, LineCause, RewardType
from services import audit
from services.answers import Reward
from services.audit import Actor
from services.coupon_files import Code, note
from services.coupon_pool import FREE_CODES, GIVE_CODES, LOCK_COUPONS
from services.database import Database
from services.errors import LockNotAcquired
from services.ledger import Chain, append, new_line
from services.rules.validation import Faults
from services.transaction import Transaction

ADD_CODES = """
INSERT INTO coupon_code (coupon_type, code, imported_at)
SELECT $1::text, n.code, $2::timestamptz FROM unnest($3::text[]) WITH ORDINALITY AS n(code, line) ORDER BY n.line
ON CONFLICT (code) DO NOTHING RETURNING code
"""

POOLS_OF_CODES = "SELECT code, coupon_type FROM coupon_code WHERE code = ANY ($1::text[])"

POOLS = """
SELECT coupon_type, sum(remaining)::bigint, sum(given)::bigint, sum(waiting)::bigint FROM (
    SELECT coupon_type, count(*) FILTER (WHERE line_no IS NULL) AS remaining, count(line_no) AS given, 0 AS waiting
    FROM coupon_code GROUP BY coupon_type
    UNION ALL SELECT coupon_type, 0, 0, count(*) FROM coupon_waiting GROUP BY coupon_type
) AS pool GROUP BY coupon_type ORDER BY coupon_type
"""

_WAITING = "FROM coupon_waiting w WHERE w.coupon_type = $1 ORDER BY w.id LIMIT $2"

WAITING = f"""
SELECT w.id, w.user_id, w.line_no, l.cause_id FROM (SELECT * {_WAITING}) w
JOIN reward_ledger l USING (user_id, line_no) ORDER BY w.id
"""  # noqa: S608 (only the constant above)

PLAYERS_WAITING = f"SELECT w.user_id {_WAITING}"

LOCK_WAITING = f"""
SELECT u.id, u.ledger_lines, u.ledger_hash FROM "user" u WHERE u.id IN ({PLAYERS_WAITING})
ORDER BY u.id FOR NO KEY UPDATE
"""  # noqa: S608 (only the constant above)

CHUNK = 5_000
ROUNDS = 10
"""How often those who wait are locked anew, because more have come meanwhile, and are held."""


@dataclass(frozen=True)
class Imported:
    """What an import did: codes added to the pool, and how many of them went to grants that waited."""

    codes: int
    served: int


@dataclass(frozen=True)
class Pool:
    """The codes of a type: how many are left and given, and how many grants wait for one."""

    coupon_type: str
    left: int
    given: int
    waiting: int


def nobody_looks(_done: int) -> None:
    """Tell nobody how far it is."""


async def import_codes(
    tx: Transaction,
    *,
    actor: Actor,
    action: str,
    coupon_type: str,
    codes: Sequence[Code],
    progress: Callable[[int], None] = nobody_looks,
) -> Imported:
    """Add codes to a pool, and give the oldest of the pool to the grants that wait, first come, first served.

    `progress` is told how many codes are added, again and again; from the start where the transaction is run again.

    Raises: LockNotAcquired; ValidationFailed, which names each line whose code is in a pool already, of this type or
    another.
    """
    faults = Faults()
    faults.text(coupon_type, COUPON_TYPE_LENGTH, "type")
    faults.refuse()
    for start in range(0, len(codes), CHUNK):
        progress(start)
        await _add(tx, coupon_type, codes[start : start + CHUNK], faults)
    progress(len(codes))
    faults.refuse()
    # Only now: whoever plays for a coupon waits for this lock, and adding many codes takes a while.
    served = await _serve(tx, coupon_type, len(codes))
    after = {"codes": len(codes), "served": served}
    await audit.record(tx, actor=actor, action=action, target=f"coupon {coupon_type}", before=None, after=after)
    return Imported(len(codes), served)


async def rehearse(database: Database, *, coupon_type: str, codes: Sequence[Code]) -> Imported:
    """What an import of these codes would do now, with the same checks; nothing is changed, and nobody waits for it.

    Raises: ValidationFailed.
    """
    faults = Faults()
    faults.text(coupon_type, COUPON_TYPE_LENGTH, "type")
    faults.refuse()
    waiting = select(func.count()).where(CouponWaiting.coupon_type == coupon_type)
    async with database.read() as connection:
        for start in range(0, len(codes), CHUNK):
            await _refuse_known(connection, coupon_type, codes[start : start + CHUNK], faults)
        faults.refuse()
        return Imported(len(codes), min(len(codes), (await connection.execute(waiting)).scalar_one()))


async def _refuse_known(connection: AsyncConnection, coupon_type: str, codes: Sequence[Code], faults: Faults) -> None:
    """Note codes that some pool has as faults: a code is one coupon, of one type."""
    found: Any = await connection.exec_driver_sql(POOLS_OF_CODES, ([code.text for code in codes],))
    pools = dict(found.all())
    for code in codes:
        if code.text in pools:
            pool = "the pool" if pools[code.text] == coupon_type else f"the pool of {pools[code.text]}"
            note(faults, f'"{code.text}" is in {pool} already.', code.line)


async def _add(tx: Transaction, coupon_type: str, codes: Sequence[Code], faults: Faults) -> None:
    """Add codes that no pool has yet; note the others as faults."""
    rows = await tx.connection.exec_driver_sql(ADD_CODES, (coupon_type, tx.now, [code.text for code in codes]))
    added = {code for (code,) in rows.all()}
    known = [code for code in codes if code.text not in added]
    if known:
        await _refuse_known(tx.connection, coupon_type, known, faults)


async def _serve(tx: Transaction, coupon_type: str, most: int) -> int:
    """Give codes to the oldest of the grants that wait, at most so many; how many. Locks the type.

    Each gets a line of its own in its player's ledger, so the players are locked before the type, as everywhere. Who
    begins to wait in between is locked as well, but not waited for, since whoever holds that player may wait for the
    type: then both are let go, and it begins anew.

    Raises: LockNotAcquired.
    """
    for _ in range(ROUNDS):
        async with tx.connection.begin_nested() as savepoint:
            await tx.connection.exec_driver_sql(LOCK_WAITING, (coupon_type, most))
            await tx.connection.exec_driver_sql(LOCK_COUPONS, (coupon_type,))
            locked: Any = await tx.connection.exec_driver_sql(f"{LOCK_WAITING} SKIP LOCKED", (coupon_type, most))
            chains = {player.id: Chain(player.ledger_lines, player.ledger_hash) for player in locked.all()}
            waiting = (await tx.connection.exec_driver_sql(PLAYERS_WAITING, (coupon_type, most))).scalars()
            if chains.keys() >= set(waiting):
                return await _give(tx, coupon_type, most, chains)
            await savepoint.rollback()
    raise LockNotAcquired


async def _give(tx: Transaction, coupon_type: str, most: int, chains: Mapping[UUID, Chain]) -> int:
    """Give codes to at most so many waiting grants; how many. There are as many codes, which this transaction added.

    Their players, with these chains, and the type are locked.
    """
    served = 0
    while waiting := (await tx.connection.exec_driver_sql(WAITING, (coupon_type, min(CHUNK, most - served)))).all():
        codes = (await tx.connection.exec_driver_sql(FREE_CODES, (coupon_type, len(waiting)))).all()
        lines = [
            new_line(
                one.user_id,
                chains[one.user_id],
                Reward(RewardType.COUPON, 0, coupon_type),
                cause=LineCause.COUPON_GIVEN,
                cause_id=one.cause_id,
                now=tx.now,
                coupon_id=code.id,
            )
            for one, code in zip(waiting, codes, strict=True)
        ]
        await append(tx, {one.user_id: chains[one.user_id] for one in waiting}, lines)
        columns = ([code.id for code in codes], [one.user_id for one in waiting], [one.line_no for one in waiting])
        await tx.connection.exec_driver_sql(GIVE_CODES, (*columns, [tx.now] * len(codes)))
        await tx.connection.execute(delete(CouponWaiting).where(CouponWaiting.id.in_([one.id for one in waiting])))
        served += len(waiting)
    return served


async def pools(database: Database) -> list[Pool]:
    """The pools, by type: every one that has codes, or grants that wait."""
    async with database.read() as connection:
        rows: Any = (await connection.exec_driver_sql(POOLS)).all()
        return [Pool(*row) for row in rows]
