"""The keys of commands and their first answers. Players' own commands load and store theirs with their batch.

A key belongs to a player: whoever uses it for that player, for whatever, uses the same one.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select

from models import IdempotencyKey
from services.errors import IdempotencyKeyReused
from services.transaction import Transaction

KEPT = dt.timedelta(days=30)
CHUNK = 5_000
BEGINNING = dt.datetime.min.replace(tzinfo=dt.UTC)

PRUNE = "SELECT keys, until FROM haru_prune_keys($1, $2, $3)"
"""Runs with the owner's rights, and has the same bounds: no other key can be deleted by it."""


@dataclass(frozen=True)
class Pruned:
    """How many keys were deleted, and up to which instant."""

    keys: int
    until: dt.datetime


async def first_answer(tx: Transaction, player_id: UUID, key: str, request: str) -> dict[str, Any] | None:
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


async def keep_answer(tx: Transaction, player_id: UUID, key: str, request: str, answer: dict[str, Any]) -> None:
    """Keep the first answer to `key`, for every later request with it."""
    row = {"user_id": player_id, "key": key, "request": request, "answer": answer, "created_at": tx.now}
    await tx.connection.execute(insert(IdempotencyKey).values(row))


async def prune(tx: Transaction, *, since: dt.datetime = BEGINNING, limit: int = CHUNK) -> Pruned:
    """Delete the oldest keys of those that are older than 30 days and made at `since` or later, at most `limit`.

    What was deleted stays in the index until it is vacuumed: whoever deletes chunk by chunk goes on at `until`, so that
    no chunk passes over what the chunks before it have left.
    """
    gone = (await tx.connection.exec_driver_sql(PRUNE, (since, tx.now - KEPT, limit))).one()
    return Pruned(gone.keys, gone.until or since)
