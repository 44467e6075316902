"""Seals: each follows the one before and agrees with the ledger, and with a copy that is kept outside."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from uuid import UUID

from models import LedgerSeal, RewardEntry
from services.audits.check import Check, Finding, Snapshot, check, query, row_of
from services.rules.merkle import Tree
from services.seals import NOTHING, Seal, hash_of, leaf_of

SEALS = f"SELECT {', '.join(Seal._fields)} FROM ledger_seal ORDER BY number"

LEAVES = """
SELECT s.number, s.leaves, s.root, f.user_id, f.line_no, f.hash
FROM ledger_seal s LEFT JOIN ledger_seal_leaf f ON f.seal_no = s.number
WHERE s.sealed_at >= :since ORDER BY s.number, f.user_id
"""


def _finding(number: int, fault: str) -> Finding:
    return Finding(LedgerSeal.__tablename__, {"number": number}, fault)


@check
async def chain(snapshot: Snapshot) -> AsyncIterator[Finding]:
    """Seals are numbered 1, 2, 3 and so on, and a seal's hash is that of the seal and of the hash of the one before."""
    before = NOTHING
    async for row in snapshot.rows(SEALS):
        seal = Seal(*row)
        if seal.number != before.number + 1:
            yield _finding(seal.number, f"follows seal {before.number}")
        elif seal.hash != hash_of(seal, before.hash):
            yield _finding(seal.number, f"has the hash {seal.hash.hex()}; it is {hash_of(seal, before.hash).hex()}")
        before = seal


class _Leaves:
    """A seal's leaves as they go by."""

    def __init__(self, number: int, leaves: int, root: bytes) -> None:
        self.number, self._leaves, self._root, self._tree = number, leaves, root, Tree()

    def add(self, player_id: UUID | None, line_no: int, line_hash: bytes) -> None:
        """Take the next leaf, if there is one."""
        if player_id is not None:
            self._tree.add(leaf_of(player_id, line_no, line_hash))

    def findings(self) -> list[Finding]:
        """Whether they are those of the seal."""
        if (self._tree.size, self._tree.root()) == (self._leaves, self._root):
            return []
        return [_finding(self.number, "its leaves have another root than it says, or are not as many")]


@check
async def roots(snapshot: Snapshot) -> AsyncIterator[Finding]:
    """A seal's root is that of its leaves."""
    leaves: _Leaves | None = None
    async for number, count, root, *leaf in snapshot.rows(LEAVES):
        if leaves is None or leaves.number != number:
            for finding in leaves.findings() if leaves else ():
                yield finding
            leaves = _Leaves(number, count, root)
        leaves.add(*leaf)
    for finding in leaves.findings() if leaves else ():
        yield finding


@query
def lines() -> str:
    """A line that was sealed has the hash that was sealed."""
    return f"""
    SELECT {row_of(RewardEntry, "l")}, format('was put under seal %s with the hash %s; now it has %s', f.seal_no,
        encode(f.hash, 'hex'), encode(l.hash, 'hex')) AS fault
    FROM ledger_seal_leaf f JOIN reward_ledger l ON l.user_id = f.user_id AND l.line_no = f.line_no
    WHERE l.hash <> f.hash"""


@query
def sums() -> str:
    """A seal's sums are those of all lines that it and the seals before it cover."""
    return f"""
    WITH covered AS (
        SELECT l.reward_type, l.amount, min(f.seal_no)
            OVER (PARTITION BY l.user_id ORDER BY l.line_no DESC ROWS UNBOUNDED PRECEDING) AS number
        FROM reward_ledger l LEFT JOIN ledger_seal_leaf f ON f.user_id = l.user_id AND f.line_no = l.line_no
    ), added AS (
        SELECT number, count(*) AS lines, count(*) FILTER (WHERE reward_type = 'COUPON' AND amount > 0) AS coupons,
            coalesce(sum(amount) FILTER (WHERE reward_type = 'POINT'), 0) AS points,
            coalesce(sum(amount) FILTER (WHERE reward_type = 'TOKEN'), 0) AS tokens
        FROM covered WHERE number IS NOT NULL GROUP BY number
    ), due AS (
        SELECT s.number, s.sealed_at, ARRAY[s.lines, s.coupons, s.points, s.tokens] AS told,
            ARRAY[sum(a.lines) OVER w, sum(a.coupons) OVER w, sum(a.points) OVER w, sum(a.tokens) OVER w]::bigint[]
                AS due
        FROM ledger_seal s LEFT JOIN added a ON a.number = s.number WINDOW w AS (ORDER BY s.number)
    )
    SELECT {row_of(LedgerSeal, "d")}, format('says that lines, coupons, points and tokens are %s; they are %s', d.told,
        d.due) AS fault
    FROM due d WHERE d.told IS DISTINCT FROM d.due AND d.sealed_at >= :since"""


COPIES = "The seals are those of the copy that is kept outside."


def copies(kept: Iterable[Seal]) -> Check:
    """The check of the seals against a copy of them, read as it goes. Finding raises: CopyError."""

    async def find(snapshot: Snapshot) -> AsyncIterator[Finding]:
        copy = iter(kept)
        async for row in snapshot.rows(SEALS):
            seal = Seal(*row)
            one = next(copy, None)
            if one is not None and one.hash != seal.hash:
                yield _finding(seal.number, f"the copy has another one of this number: {one.hash.hex()}")
        for gone in copy:
            yield _finding(gone.number, "is in the copy, and gone")

    return Check("seals.copies", COPIES, find)


UNSEALED = """
SELECT count(*) - coalesce((SELECT s.lines FROM ledger_seal s ORDER BY s.number DESC LIMIT 1), 0) AS lines
FROM reward_ledger
"""


async def unseen(snapshot: Snapshot, *, has_copy: bool) -> list[str]:
    """What an audit of this snapshot cannot tell, for want of seals."""
    told = [f"what is not sealed yet, {row.lines} lines" async for row in snapshot.rows(UNSEALED) if row.lines]
    if not has_copy:
        told.append("seals that were made anew, and all that they cover: no copy of them was given (--seals)")
    return told
