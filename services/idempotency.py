"""The keys of commands and their first answers. Players' own commands load and store theirs with their batch.

A key belongs to a player: whoever uses it for that player, for whatever, uses the same one.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import ColumnElement, delete, func, insert, literal_column, select

from models import IdempotencyKey
from services.errors import IdempotencyKeyReused
from services.transaction import Transaction

KEPT = dt.timedelta(days=30)
CHUNK = 5_000


async def first_answer(tx: Transaction, player_id: int, key: str, request: str) -> dict[str, Any] | None:
    """What was answered to `key`, or none if it is new; the caller holds the player's lock.

    Raises: IdempotencyKeyReused when the key was used for another request.
    """
    query = select(IdempotencyKey.request, IdempotencyKey.answer)
    query = query.where(IdempotencyKey.user_id == player_id, IdempotencyKey.key == key)
    earlier = (await tx.connection.execute(query)).one_or_none()
    if earlier is None:
        return None
    if earlier.request != request:
        raise IdempotencyKeyReused
    answer: dict[str, Any] = earlier.answer
    return answer


async def keep_answer(tx: Transaction, player_id: int, key: str, request: str, answer: dict[str, Any]) -> None:
    """Keep the first answer to `key`, for every later request with it."""
    row = {"user_id": player_id, "key": key, "request": request, "answer": answer, "created_at": tx.now}
    await tx.connection.execute(insert(IdempotencyKey).values(row))


async def prune(tx: Transaction, *, limit: int = CHUNK) -> int:
    """Delete keys that are older than 30 days, at most `limit`; how many."""
    place: ColumnElement[Any] = literal_column("ctid")
    old = select(place).select_from(IdempotencyKey).where(IdempotencyKey.created_at < tx.now - KEPT).limit(limit)
    chosen = func.any(func.array(old.scalar_subquery()))
    gone = await tx.connection.execute(delete(IdempotencyKey).where(place == chosen))
    return gone.rowcount
