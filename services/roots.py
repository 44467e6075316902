"""The root of a day: all its draws as the leaves of one tree, made once, kept, and public.

So nobody's draw can be left out of a day, or added to it later. It is made when the day's seed is revealed, by the
server that comes first, in one transaction that begins by taking the seed's row: every store of a draw shares that row,
so all that will ever be stored is there to be read, and what is stored later is refused.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

import asyncpg

from models import LEAVES_OF_A_CHUNK
from services.database import Connection
from services.rules.draws import NO_DRAWS, leaf_of, message_of
from services.rules.merkle import inclusion, root_of
from services.rules.registry import GAMES

DRAWS = " UNION ALL ".join(
    f"""
    SELECT '{game.operation}' AS operation, c.hash, g.user_id, g.play_no, g.rolls
    FROM {game.log.__tablename__} g JOIN {game.config.__tablename__} c ON c.id = g.config_id
    WHERE g.business_date = $1"""  # noqa: S608 (only the registry's names)
    for game in GAMES.values()
)

HAS_ROOT = "SELECT EXISTS (SELECT FROM draw_root r WHERE r.date = $1)"

WRITE_ROOT = "INSERT INTO draw_root (date, root, draws, made_at) VALUES ($1, $2, $3, $4)"

WRITE_LEAVES = """
INSERT INTO draw_leaves (date, chunk, least, leaves, root)
SELECT $1::date, $2::bigint + c.number - 1, substr(c.leaves, 1, 32), c.leaves, c.root
FROM unnest($3::bytea[], $4::bytea[]) WITH ORDINALITY AS c(leaves, root, number)
"""

CHUNKS = """
SELECT k.number, c.chunk, c.leaves, r.root, r.draws,
    (SELECT array_agg(o.root ORDER BY o.chunk) FROM draw_leaves o WHERE o.date = k.date) AS roots
FROM unnest($1::date[], $2::bytea[]) WITH ORDINALITY AS k(date, leaf, number)
JOIN draw_root r ON r.date = k.date
CROSS JOIN LATERAL (
    SELECT * FROM draw_leaves l WHERE l.date = k.date AND l.least <= k.leaf ORDER BY l.least DESC LIMIT 1
) c
"""

DRAWS_AT_ONCE = 1_000
"""Draws that are hashed between two turns of the event loop."""

CHUNKS_AT_ONCE = 100


class Inclusion(NamedTuple):
    """Where a draw is in its day's tree: the root, which leaf of how many, and the path between (RFC 6962)."""

    root: str
    leaf_index: int
    leaf_count: int
    path: Sequence[str]


async def make_root(connection: Connection, date: dt.date, now: dt.datetime) -> None:
    """Make and keep the root of a date, unless it is there, within the transaction that closes the date."""
    if await connection.fetchval(HAS_ROOT, date):
        return
    leaves = await _leaves(connection, date)
    chunks = [leaves[at : at + LEAVES_OF_A_CHUNK] for at in range(0, len(leaves), LEAVES_OF_A_CHUNK)]
    roots = await asyncio.to_thread(lambda: [root_of(chunk) for chunk in chunks])
    root = root_of(roots).hex() if roots else NO_DRAWS
    await connection.execute(WRITE_ROOT, date, root, len(leaves), now)
    for first in range(0, len(chunks), CHUNKS_AT_ONCE):
        some = slice(first, first + CHUNKS_AT_ONCE)
        await connection.execute(WRITE_LEAVES, date, first, [b"".join(one) for one in chunks[some]], roots[some])


async def _leaves(connection: Connection, date: dt.date) -> list[bytes]:
    """The leaves of all draws of a date, in ascending order."""
    leaves: list[bytes] = []
    async for row in connection.cursor(DRAWS, date, prefetch=DRAWS_AT_ONCE):
        message = message_of(date, row["operation"], row["hash"], row["user_id"], row["play_no"])
        leaves.append(leaf_of(message, row["rolls"]))
    leaves.sort()
    return leaves


async def inclusions(connection: Connection, draws: Sequence[tuple[dt.date, bytes]]) -> list[Inclusion | None]:
    """Where draws are, by date and leaf, in the order asked; none where the day has no root yet."""
    rows = await connection.fetch(CHUNKS, [date for date, _ in draws], [leaf for _, leaf in draws])
    found = {row["number"]: _inclusion(row, draws[row["number"] - 1][1]) for row in rows}
    return [found.get(number) for number, _ in enumerate(draws, start=1)]


def _inclusion(row: asyncpg.Record, leaf: bytes) -> Inclusion | None:
    """The path within the draw's chunk, then that of the chunk among all: chunks are subtrees of the day's tree."""
    packed, chunk = row["leaves"], row["chunk"]
    leaves = [packed[at : at + 32] for at in range(0, len(packed), 32)]
    if leaf not in leaves:
        return None
    place = leaves.index(leaf)
    path = [*inclusion(leaves, place), *inclusion(row["roots"], chunk)]
    return Inclusion(row["root"], chunk * LEAVES_OF_A_CHUNK + place, row["draws"], [one.hex() for one in path])
