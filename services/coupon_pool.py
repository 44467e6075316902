"""The pools of coupon codes: each code goes to one grant, the oldest first, and a grant that found none waits its turn.

Whoever gives out a type's codes holds that type's lock until the end of the transaction: a pool has no order that two
could share. Since a grant waits only where it found the pool empty under the lock, and an import serves the waiting
under the lock, nobody waits while there is a free code.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from models import CouponWaiting
from services.ledger import Line
from services.transaction import Transaction

LOCK_COUPONS = "SELECT pg_advisory_xact_lock(hashtextextended('haru.coupon:' || $1::text, 0))"
"""One taker at a time for each coupon type."""

FREE_CODES = """
SELECT id, code FROM coupon_code WHERE coupon_type BETWEEN $1 AND $1 AND line_no IS NULL
ORDER BY coupon_type, id LIMIT $2 FOR UPDATE
"""

GIVE_CODES = """
UPDATE coupon_code c SET user_id = g.user_id, line_no = g.line_no, given_at = g.given_at
FROM unnest($1::bigint[], $2::uuid[], $3::bigint[], $4::timestamptz[]) AS g(id, user_id, line_no, given_at)
WHERE c.id = g.id
"""


EMPTY_POOLS = """
SELECT t.coupon_type FROM unnest($1::text[]) AS t(coupon_type)
WHERE NOT EXISTS (SELECT FROM coupon_code c WHERE c.coupon_type = t.coupon_type AND c.line_no IS NULL)
"""


async def empty_pools(connection: AsyncConnection, coupon_types: Collection[str]) -> set[str]:
    """Those of these coupon types that no code is left of."""
    return set((await connection.exec_driver_sql(EMPTY_POOLS, (list(coupon_types),))).scalars())


POOLS_LEFT = """
SELECT t.coupon_type, left_over.is_any FROM unnest($1::text[]) AS t(coupon_type),
LATERAL (
    SELECT EXISTS (SELECT FROM coupon_code c WHERE c.coupon_type = t.coupon_type AND c.line_no IS NULL) AS is_any
) AS left_over
WHERE left_over.is_any OR EXISTS (SELECT FROM coupon_code c WHERE c.coupon_type = t.coupon_type)
"""


async def pools_left(connection: AsyncConnection, coupon_types: Collection[str]) -> dict[str, bool]:
    """Whether a code is left, for those of these coupon types that codes were ever imported of."""
    found: Any = await connection.exec_driver_sql(POOLS_LEFT, (list(coupon_types),))
    return dict(found.all())


async def free_code(tx: Transaction, coupon_type: str) -> int | None:
    """The id of the pool's oldest code, if there is one. Until the transaction ends, nobody else takes of the pool."""
    await tx.connection.exec_driver_sql(LOCK_COUPONS, (coupon_type,))
    code_id: int | None = (await tx.connection.exec_driver_sql(FREE_CODES, (coupon_type, 1))).scalar()
    return code_id


async def give_code(tx: Transaction, line: Line) -> None:
    """Give a line that is written the code that it hands out; where it has none, it waits for one."""
    if line["coupon_id"] is None:
        waiting = {name: line[name] for name in ("coupon_type", "user_id", "line_no", "created_at")}
        await tx.connection.execute(insert(CouponWaiting).values(waiting))
    else:
        given = ([line[name]] for name in ("coupon_id", "user_id", "line_no", "created_at"))
        await tx.connection.exec_driver_sql(GIVE_CODES, tuple(given))
