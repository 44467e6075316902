"""The pools of coupon codes: each code goes to one grant, the oldest first, and a grant that found none waits its turn.

Whoever gives out a type's codes holds that type's lock until the end of the transaction: a pool has no order that two
could share. Since a grant waits only where it found the pool empty under the lock, and an import serves the waiting
under the lock, nobody waits while there is a free code.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, func, insert, select

from models import CouponWaiting
from services import audit
from services.database import Database
from services.errors import ValidationFailed, ValidationIssue
from services.rules.validation import COUPON_TYPE_LENGTH, Faults
from services.transaction import Transaction

LOCK_COUPONS = "SELECT pg_advisory_xact_lock(hashtextextended('haru.coupon:' || $1::text, 0))"
"""One taker at a time for each coupon type."""

FREE_CODES = """
SELECT id, code FROM coupon_code WHERE coupon_type BETWEEN $1 AND $1 AND line_no IS NULL
ORDER BY coupon_type, id LIMIT $2 FOR UPDATE
"""

GIVE_CODES = """
UPDATE coupon_code c SET user_id = g.user_id, line_no = g.line_no, given_at = g.given_at
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::timestamptz[]) AS g(id, user_id, line_no, given_at)
WHERE c.id = g.id
"""

ADD_CODES = """
INSERT INTO coupon_code (coupon_type, code, imported_at)
SELECT $1::text, n.code, $2::timestamptz FROM unnest($3::text[]) WITH ORDINALITY AS n(code, line) ORDER BY n.line
ON CONFLICT (coupon_type, code) DO NOTHING RETURNING code
"""

MAX_CODES = 1_000_000
MAX_FAULTS = 100
CODE_LENGTH = 128
CHUNK = 5_000


@dataclass(frozen=True)
class Code:
    """A code of a file, and its line there."""

    line: int
    text: str


@dataclass(frozen=True)
class Imported:
    """What an import did: codes added to the pool, and how many of them went to grants that waited."""

    codes: int
    served: int


@dataclass(frozen=True)
class Waiting:
    """How many grants of a type wait for a code."""

    coupon_type: str
    grants: int


def read_codes(content: bytes) -> list[Code]:
    """The codes of a file: one a line, or the first column of a CSV; UTF-8, with or without BOM.

    Raises: ValidationFailed, which names each bad line: an empty, too long or unprintable code, or one that is there
    twice.
    """
    faults, first_lines = Faults(), dict[str, int]()
    for code in _lines(content):
        if not 1 <= len(code.text) <= CODE_LENGTH or not code.text.isprintable():
            faults.add(f"A code has 1 to {CODE_LENGTH} printable characters.", "lines", str(code.line))
        elif code.text in first_lines:
            faults.add(f'"{code.text}" is on line {first_lines[code.text]} already.', "lines", str(code.line))
        else:
            first_lines[code.text] = code.line
        if len(faults.issues) == MAX_FAULTS:
            break
        if len(first_lines) > MAX_CODES:
            raise ValidationFailed([ValidationIssue(["lines"], f"At most {MAX_CODES} codes can be imported at once.")])
    if not first_lines:
        faults.add("There is no code.", "lines")
    faults.refuse()
    return [Code(line, text) for text, line in first_lines.items()]


def _lines(content: bytes) -> Iterator[Code]:
    """The first column of each line. Raises: ValidationFailed at what is no UTF-8 or no CSV."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as bad:
        line = content.count(b"\n", 0, bad.start) + 1
        raise ValidationFailed([ValidationIssue(["lines", str(line)], "This is not UTF-8.")]) from bad
    rows = csv.reader(text.splitlines(keepends=True), strict=True)
    line = 1
    try:
        for row in rows:
            yield Code(line, row[0].strip() if row else "")
            line = rows.line_num + 1
    except csv.Error as bad:
        raise ValidationFailed([ValidationIssue(["lines", str(line)], f"This is not CSV: {bad}.")]) from bad


async def import_codes(tx: Transaction, *, actor: str, coupon_type: str, codes: Sequence[Code]) -> Imported:
    """Add codes to a pool, and give the oldest of the pool to the grants that wait, first come, first served.

    Raises: ValidationFailed, which names each line whose code is in the pool already.
    """
    faults = Faults()
    faults.text(coupon_type, COUPON_TYPE_LENGTH, "type")
    faults.refuse()
    for start in range(0, len(codes), CHUNK):
        await _add(tx, coupon_type, codes[start : start + CHUNK], faults)
    faults.refuse()
    # Only now: whoever plays for a coupon waits for this lock, and adding many codes takes a while.
    await tx.connection.exec_driver_sql(LOCK_COUPONS, (coupon_type,))
    served = await _serve(tx, coupon_type)
    after = {"codes": len(codes), "served": served}
    await audit.record(
        tx, actor=actor, action="coupons import", target=f"coupon {coupon_type}", before=None, after=after
    )
    return Imported(len(codes), served)


async def _add(tx: Transaction, coupon_type: str, codes: Sequence[Code], faults: Faults) -> None:
    """Add codes that the pool does not have yet; note the others as faults."""
    rows = await tx.connection.exec_driver_sql(ADD_CODES, (coupon_type, tx.now, [code.text for code in codes]))
    added = {code for (code,) in rows.all()}
    for code in codes:
        if code.text not in added and len(faults.issues) < MAX_FAULTS:
            faults.add(f'"{code.text}" is in the pool already.', "lines", str(code.line))


async def _serve(tx: Transaction, coupon_type: str) -> int:
    """Give codes to waiting grants until there are no more of either; how many. The type is locked."""
    query = select(CouponWaiting.id, CouponWaiting.user_id, CouponWaiting.line_no)
    query = query.where(CouponWaiting.coupon_type == coupon_type).order_by(CouponWaiting.id).limit(CHUNK)
    served = 0
    while waiting := (await tx.connection.execute(query)).all():
        codes = (await tx.connection.exec_driver_sql(FREE_CODES, (coupon_type, len(waiting)))).all()
        lucky = waiting[: len(codes)]
        columns = ([code.id for code in codes], [one.user_id for one in lucky], [one.line_no for one in lucky])
        await tx.connection.exec_driver_sql(GIVE_CODES, (*columns, [tx.now] * len(codes)))
        await tx.connection.execute(delete(CouponWaiting).where(CouponWaiting.id.in_([one.id for one in lucky])))
        served += len(lucky)
        if len(lucky) < len(waiting):
            break
    return served


async def take_code(tx: Transaction, coupon_type: str, user_id: int, line_no: int) -> None:
    """Give the pool's oldest code to a ledger line; where the pool is empty, the line waits for one."""
    await tx.connection.exec_driver_sql(LOCK_COUPONS, (coupon_type,))
    code_id = (await tx.connection.exec_driver_sql(FREE_CODES, (coupon_type, 1))).scalar()
    if code_id is None:
        waiting = {"coupon_type": coupon_type, "user_id": user_id, "line_no": line_no, "created_at": tx.now}
        await tx.connection.execute(insert(CouponWaiting).values(waiting))
    else:
        await tx.connection.exec_driver_sql(GIVE_CODES, ([code_id], [user_id], [line_no], [tx.now]))


async def waiting_grants(database: Database) -> list[Waiting]:
    """How many grants wait for a code, by type."""
    query = select(CouponWaiting.coupon_type, func.count()).group_by(CouponWaiting.coupon_type)
    async with database.read() as connection:
        rows = await connection.execute(query.order_by(CouponWaiting.coupon_type))
        return [Waiting(coupon_type, grants) for coupon_type, grants in rows]
