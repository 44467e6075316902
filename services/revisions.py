"""Who publishes next: one at a time for each target, and only from the revision that they saw."""

from __future__ import annotations

from sqlalchemy import text

from services.errors import RevisionConflict
from services.transaction import Transaction

TAKE_TURN = text("SELECT pg_advisory_xact_lock(hashtextextended('haru.publish:' || :target, 0))")


async def take_turn(tx: Transaction, target: str) -> None:
    """Hold off everybody else who changes `target`, until the transaction ends. No player waits for this."""
    await tx.connection.execute(TAKE_TURN, {"target": target})


def check_revision(current: int | None, expected: int | None) -> int:
    """The next revision, if `expected` is the current one (null: none exists yet).

    Raises: RevisionConflict, which carries the current one.
    """
    if current != expected:
        raise RevisionConflict(current)
    return (current or 0) + 1
