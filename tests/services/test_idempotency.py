"""Old keys and their answers are deleted, at the same cost on every day."""

from __future__ import annotations

import datetime as dt
import json
from statistics import median

import pytest

from services import idempotency
from tests.conftest import Haru
from tests.world import NOON, Client, World, forge

INSERT = """
INSERT INTO idempotency_key (user_id, key, request, answer, created_at)
SELECT $1, $2 || n, 'play:DICE', to_json(repeat('x', 1000)), $3::timestamptz + n * interval '1 second'
FROM generate_series(1, $4) n
"""


FIRST = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
"""Long before any clock: the database itself deletes no key that is younger than 30 days."""


async def add_keys(world: World, player: Client, at: dt.datetime, keys: int = 1) -> None:
    await world.sql.execute(INSERT, player.player_id, f"{at:%y%m%d}-", at, keys)


async def test_old_keys_are_pruned(world: World, haru: Haru, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idempotency.prune, "__kwdefaults__", {"limit": 2})
    alice, now = await world.player(), dt.datetime.now(dt.UTC)
    for days in (0, 29, 31, 32, 40, 400):
        await add_keys(world, alice, now - dt.timedelta(days=days))
    await add_keys(world, alice, now - dt.timedelta(days=50), keys=3)
    pruned = await haru("db", "prune")
    assert (pruned.exit_code, pruned.stdout) == (0, "deleted: 7\n")
    assert await world.count("idempotency_key") == 2
    assert (await haru("db", "prune")).output == "deleted: 0\n"


async def test_keys_of_one_instant_are_all_pruned(world: World, haru: Haru, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idempotency.prune, "__kwdefaults__", {"limit": 2})
    await add_keys(world, await world.player(), NOON - dt.timedelta(days=400), keys=5)
    await forge(world.sql, "UPDATE idempotency_key SET created_at = $1", NOON - dt.timedelta(days=400))
    assert (await haru("db", "prune")).output == "deleted: 5\n"


async def test_a_chunk_reads_as_much_on_every_day_and_to_the_last(world: World) -> None:
    alice, kept, keys = await world.player(), 4, 4_000
    blocks = []
    for day in range(4 * kept):
        await add_keys(world, alice, FIRST + dt.timedelta(days=day), keys)
        oldest = FIRST + dt.timedelta(days=day - kept)
        if day >= kept:
            for chunk in range(4):
                since = oldest + dt.timedelta(seconds=chunk * keys // 4) if chunk else idempotency.BEGINNING
                blocks.append(await blocks_of_chunk(world, since, oldest + dt.timedelta(days=1), keys // 4))
        assert await world.count("idempotency_key") == keys * min(day + 1, kept)
        await world.sql.execute("VACUUM ANALYZE idempotency_key")
    # Medians: now and then a snapshot of somebody else's keeps a vacuum from removing a day's dead entries.
    assert median(blocks[-16:]) < 1.1 * median(blocks[:16]), blocks
    for chunk in range(1, 4):
        assert median(blocks[chunk::4]) < 1.1 * median(blocks), blocks


async def blocks_of_chunk(world: World, since: dt.datetime, before: dt.datetime, limit: int) -> int:
    """How many blocks it reads to delete a chunk, which is done."""
    explain = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {idempotency.PRUNE}"
    root = json.loads(await world.sql.fetchval(explain, since, before, limit))[0]["Plan"]
    blocks: int = root["Shared Hit Blocks"] + root["Shared Read Blocks"]
    return blocks
