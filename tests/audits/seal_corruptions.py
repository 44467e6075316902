"""The corruptions of seals."""

from __future__ import annotations

from tests.audits.corruptions import Row, line, seeds
from tests.audits.insider import Insider


@seeds("seals.chain")
async def a_seal_has_another_hash(insider: Insider) -> Row:
    newest = "(SELECT max(number) FROM ledger_seal)"
    seal = await insider.row(f"UPDATE ledger_seal SET hash = sha256(hash) WHERE number = {newest} RETURNING number")
    return "ledger_seal", {"number": seal.number}


@seeds("seals.roots")
async def a_seal_has_another_root(insider: Insider) -> Row:
    await chained(insider, "root = sha256(root)")
    return "ledger_seal", {"number": 1}


@seeds("seals.sums")
async def a_seal_says_more(insider: Insider) -> Row:
    await chained(insider, "points = points + 1")
    return "ledger_seal", {"number": 1}


@seeds("seals.lines")
async def a_line_was_sealed_otherwise(insider: Insider) -> Row:
    """The seal is made for it, so that it agrees with its leaves."""
    first = "(SELECT user_id FROM ledger_seal_leaf WHERE seal_no = 1 ORDER BY user_id LIMIT 1)"
    changed = f"UPDATE ledger_seal_leaf SET hash = sha256(hash) WHERE seal_no = 1 AND user_id = {first} RETURNING *"
    leaf = await insider.row(changed)
    await insider.seal_anew(leaves_too=False)
    return line(leaf.user_id, leaf.line_no)


async def chained(insider: Insider, change: str) -> None:
    """Change the first seal, and nothing else but the hashes of all seals."""
    await insider.run(f"UPDATE ledger_seal SET {change} WHERE number = 1")
    await insider.chain_seals()
