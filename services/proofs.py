"""What proves draws, as it is read: a play's proof, and what each date's seed is committed to by."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg
from sqlalchemy import select
from sqlalchemy.orm import aliased

from models import DrawRoot, DrawSeed, SealedSeed
from services.database import Connection, Database
from services.roots import Inclusion, inclusions
from services.rules.draws import leaf_of, message_of
from services.rules.registry import GAMES
from services.schedule import check_range

_PLAYS = " UNION ALL ".join(
    f"""
    SELECT '{game.operation}' AS operation, c.hash, g.user_id, g.id, g.business_date, g.play_no, g.drawn_from, g.rolls
    FROM {game.log.__tablename__} g JOIN {game.config.__tablename__} c ON c.id = g.config_id
    WHERE g.user_id = k.user_id AND g.id = k.id"""  # noqa: S608 (only the registry's names)
    for game in GAMES.values()
)

PROOFS = f"""
SELECT p.*, s.commitment, s.committed_at, s.seed, r.root AS shuffle
FROM unnest($1::uuid[], $2::uuid[]) AS k(user_id, id)
CROSS JOIN LATERAL ({_PLAYS}) p
JOIN draw_seed s ON s.date = p.business_date
JOIN draw_root r ON r.date = p.business_date - 2
"""  # noqa: S608


@dataclass(frozen=True)
class Proof:
    """What shows that a play was drawn as it had to be. `inclusion` and `seed` come with the reveal."""

    commitment: str
    committed_at: dt.datetime
    shuffle: str
    seed: bytes | None
    message: str
    drawn_from: Sequence[int]
    rolls: Sequence[int]
    revision_hash: str
    inclusion: Inclusion | None


@dataclass(frozen=True)
class Commitment:
    """What a date's seed is committed to by, and what was told of it since. `kid`: the key that it is sealed under."""

    date: dt.date
    commitment: str
    committed_at: dt.datetime
    seed: bytes | None
    revealed_at: dt.datetime | None
    kid: str | None
    root: str | None
    shuffle: str | None


async def proofs(connection: Connection, plays: Sequence[tuple[UUID, UUID]]) -> list[Proof | None]:
    """The proofs of plays, by player and id, in the order asked; none where there is no such play."""
    rows = await connection.fetch(PROOFS, [player for player, _ in plays], [play for _, play in plays])
    draws = [(row["business_date"], leaf_of(_message(row), row["rolls"])) for row in rows]
    places = await inclusions(connection, draws)
    found = {(row["user_id"], row["id"]): _proof(row, place) for row, place in zip(rows, places, strict=True)}
    return [found.get(play) for play in plays]


def _message(row: asyncpg.Record) -> str:
    return message_of(row["business_date"], row["operation"], row["hash"], row["user_id"], row["play_no"])


def _proof(row: asyncpg.Record, inclusion: Inclusion | None) -> Proof:
    return Proof(
        commitment=row["commitment"],
        committed_at=row["committed_at"],
        shuffle=row["shuffle"],
        seed=row["seed"],
        message=_message(row),
        drawn_from=row["drawn_from"],
        rolls=row["rolls"],
        revision_hash=row["hash"],
        inclusion=inclusion,
    )


async def commitments(database: Database, first: dt.date, last: dt.date) -> list[Commitment]:
    """What the seeds from `first` to `last` are committed to by, by date; dates that have none yet are left out.

    Raises: BadRequest.
    """
    check_range(first, last)
    root, shuffle = aliased(DrawRoot), aliased(DrawRoot)
    query = (
        select(
            *(DrawSeed.date, DrawSeed.commitment, DrawSeed.committed_at, DrawSeed.seed, DrawSeed.revealed_at),
            *(SealedSeed.kid, root.root, shuffle.root),
        )
        .outerjoin(SealedSeed, SealedSeed.date == DrawSeed.date)
        .outerjoin(root, root.date == DrawSeed.date)
        .outerjoin(shuffle, shuffle.date == DrawSeed.date - 2)
        .where(DrawSeed.date.between(first, last))
        .order_by(DrawSeed.date)
    )
    async with database.read() as connection:
        return [Commitment(*row) for row in await connection.execute(query)]
