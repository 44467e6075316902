"""The ledger in tests: whether it holds, and lines that somebody else wrote."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias
from uuid import UUID

import asyncpg

from models import LEDGER_START
from services.ledger import APPEND, COLUMNS, Chain, Line, chain, next_hash

Session: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

LEDGER_FAULTS = """
SELECT 'balance' AS what, b.user_id FROM reward_balance b
WHERE b.amount <> (SELECT coalesce(sum(l.amount), 0) FROM reward_ledger l
                   WHERE l.user_id = b.user_id AND l.reward_type = b.reward_type)
UNION ALL
SELECT 'line without a balance', l.user_id FROM reward_ledger l
WHERE l.reward_type IN ('POINT', 'TOKEN') AND NOT EXISTS (
    SELECT FROM reward_balance b WHERE b.user_id = l.user_id AND b.reward_type = l.reward_type)
UNION ALL
SELECT 'chain', c.user_id FROM (
    SELECT user_id, balance_after,
        sum(amount) OVER (PARTITION BY user_id, reward_type ORDER BY line_no) AS expected
    FROM reward_ledger WHERE reward_type IN ('POINT', 'TOKEN')) c
WHERE c.balance_after <> c.expected
UNION ALL
SELECT 'line numbers', u.id FROM "user" u
WHERE u.ledger_lines <> (SELECT count(*) FROM reward_ledger l WHERE l.user_id = u.id)
UNION ALL
SELECT 'code without the line that hands it out', c.user_id FROM coupon_code c
WHERE c.line_no IS NOT NULL AND NOT EXISTS (
    SELECT FROM reward_ledger g JOIN reward_ledger l ON l.user_id = g.user_id AND l.coupon_id = c.id
        AND (l.line_no = g.line_no OR (l.cause = 'COUPON_GIVEN' AND l.cause_id = g.cause_id))
    WHERE g.user_id = c.user_id AND g.line_no = c.line_no)
UNION ALL
SELECT 'line that hands out what somebody else has', l.user_id FROM reward_ledger l
WHERE l.coupon_id IS NOT NULL AND NOT EXISTS (
    SELECT FROM coupon_code c WHERE c.id = l.coupon_id AND c.user_id = l.user_id AND c.line_no <= l.line_no)
"""


LINES = "SELECT * FROM reward_ledger ORDER BY user_id, line_no"
HEADS = 'SELECT id, ledger_lines, ledger_hash FROM "user"'


async def assert_ledger_holds(connection: Session) -> None:
    """Every balance is the sum of its lines, every code has the line that hands it out, and the lines chain."""
    faults = await connection.fetch(LEDGER_FAULTS)
    assert not faults, faults
    heads: dict[UUID, tuple[int, bytes]] = {}
    for line in await connection.fetch(LINES):
        number, previous = heads.get(line["user_id"], (0, LEDGER_START))
        assert (line["line_no"], line["hash"]) == (number + 1, next_hash(previous, dict(line))), line
        heads[line["user_id"]] = line["line_no"], line["hash"]
    for player in await connection.fetch(HEADS):
        head = player["ledger_lines"], player["ledger_hash"]
        assert head == heads.get(player["id"], (0, LEDGER_START)), player


async def write_lines(session: Session, lines: Iterable[Line]) -> None:
    """Add lines past haru, numbered, chained and with their heads; what they move is the caller's."""
    given = list(lines)
    found = await session.fetch(f"{HEADS} WHERE id = ANY ($1)", [line["user_id"] for line in given])
    heads = {row["id"]: Chain(row["ledger_lines"], row["ledger_hash"]) for row in found}
    for line in given:
        heads[line["user_id"]].ledger_lines += 1
        line |= {"line_no": heads[line["user_id"]].ledger_lines}
    whole: list[dict[str, Any]] = [dict.fromkeys(COLUMNS) | line for line in given]
    chain(whole, heads)
    moved = (list(heads), [head.ledger_lines for head in heads.values()], [head.ledger_hash for head in heads.values()])
    await session.execute(APPEND, *moved, *([line[name] for line in whole] for name in COLUMNS))
