"""An audit of very many lines: in little time, and in bounded memory."""

from __future__ import annotations

import resource
import time
from typing import Any

import asyncpg
import pytest

from models import LEDGER_START, Base, Role
from services.audits.check import Snapshot
from services.audits.run import look, reading
from services.ledger import COLUMNS
from tests.conftest import run_sql
from tests.games import UNDER_TEST, on
from tests.races.workers import Race, race

PLAYERS, DAYS, PLAYS = 100, 4, 5
SECONDS = 60
GROWTH_MIB = 64

APART = {"reward_ledger", "ledger_seal_leaf"}
"""Lines have hashes of their own, and what was sealed is not copied."""

OF_PLAYERS = [
    table for table in Base.metadata.sorted_tables if "user_id" in table.primary_key.columns and table.name not in APART
]
"""What is kept of each player."""

COPY = "md5({} || ' ' || n)::uuid"

LINES = f"""
INSERT INTO reward_ledger ({", ".join(COLUMNS)})
SELECT l.copy, {", ".join(f"l.{name}" for name in COLUMNS if name not in {"user_id", "hash"})},
    haru_ledger_hash(coalesce(p.hash, decode('{LEDGER_START.hex()}', 'hex')), l.copy,
        {", ".join(f"l.{name}" for name in COLUMNS if name not in {"user_id", "hash"})})
FROM (SELECT *, {COPY.format("user_id")} AS copy FROM reward_ledger, generate_series(1, $1) AS n
      WHERE line_no = $2 AND user_id = ANY ($3)) l
LEFT JOIN reward_ledger p ON p.user_id = l.copy AND p.line_no = l.line_no - 1
"""
HEADS = """
UPDATE "user" u SET ledger_hash = l.hash FROM reward_ledger l WHERE l.user_id = u.id AND l.line_no = u.ledger_lines
"""


async def multiplied(sql: asyncpg.Connection[asyncpg.Record], times: int) -> None:
    """Let there be so many times as many players, all of whom did the same."""
    copies = f"generate_series(1, {times - 1}) AS n"
    await sql.execute(
        f'INSERT INTO "user" (id, external_id, version, ledger_lines, created_at) SELECT {COPY.format("id")},'
        f" external_id || ' ' || n, version, ledger_lines, created_at FROM \"user\", {copies}"
        " WHERE external_id LIKE 'racer %'"
    )
    for table in OF_PLAYERS:
        others = ", ".join(f'"{column.name}"' for column in table.columns if column.name != "user_id")
        await sql.execute(f"ALTER TABLE {table.name} DISABLE TRIGGER USER")
        await sql.execute(
            f"INSERT INTO {table.name} (user_id, {others}) SELECT {COPY.format('user_id')}, {others}"
            f" FROM {table.name}, {copies}"
        )
        await sql.execute(f"ALTER TABLE {table.name} ENABLE TRIGGER USER")
    players = [row["user_id"] for row in await sql.fetch("SELECT DISTINCT user_id FROM reward_ledger")]
    for number in range(1, await sql.fetchval("SELECT max(line_no) FROM reward_ledger") + 1):
        await sql.execute(LINES, times - 1, number, players)
    await sql.execute(HEADS)
    await sql.execute("ANALYZE")


HELD = ("draw_leaves", "draw_root", "draw_seed")
SECRET = (
    *(f"ALTER TABLE {table} DISABLE TRIGGER USER" for table in HELD),
    "DELETE FROM draw_leaves",
    "DELETE FROM draw_root",
    "UPDATE draw_seed SET seed = NULL, revealed_at = NULL",
    *(f"ALTER TABLE {table} ENABLE TRIGGER USER" for table in HELD),
)
"""No seed is revealed: those whom the copies are could not have drawn what they copy."""


async def days_of_dice(racing: Race) -> None:
    """All play on each day: stamps, levels and points."""
    racers = await racing.players(PLAYERS)
    for _ in range(DAYS):
        for racer in racers:
            racer[0].token = racing.world.parts.issue_token(racer[0].player_id, Role.PLAYER).text
        await on(racing.world, UNDER_TEST[0], limit=0)
        plays = (racer[0].play(key=racer[0].new_key()) for racer in racers for _ in range(PLAYS))
        await racing.run(plays, at_once=32)
        racing.world.clock.advance(days=1)


@pytest.mark.parametrize("lines", [20_000, pytest.param(1_000_000, marks=pytest.mark.soak)])
async def test_an_audit_of_many_lines(empty_database: str, lines: int) -> None:
    async with race(empty_database, workers=1, seed=20241206) as racing:
        world = racing.world
        await days_of_dice(racing)
        made = await world.count("reward_ledger")
        await multiplied(world.sql, -(-lines // made))
        there = await world.count("reward_ledger")
        assert there >= lines
        calendar, now = world.parts.calendar, world.clock()
    await run_sql(empty_database, *SECRET)
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
    told: list[tuple[float, str]] = []

    def progress(_done: int, check: Any) -> None:
        told.append((time.perf_counter() - began, check.name))

    async with reading(empty_database) as connections:
        looked = await look([Snapshot(one, calendar, now) for one in connections], progress=progress)
    seconds = time.perf_counter() - began
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(f"{there} lines: {len(looked)} checks in {seconds:.1f} s, {grown:.0f} MiB more")
    ends = [at for at, _ in told[1:]] + [seconds]
    for took, name in sorted(((end - at, name) for (at, name), end in zip(told, ends, strict=True)), reverse=True)[:12]:
        print(f"    {took:.2f} s {name}")
    assert [(one.check.name, one.findings) for one in looked if one.count] == []
    assert grown < GROWTH_MIB
