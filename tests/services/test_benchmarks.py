"""What the benchmarks hold haru against writes what haru writes; their peers' packages are pinned without a host."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from benchmarks import statement
from benchmarks.peers.node import HERE
from tests.games import only_points
from tests.world import World


async def test_the_single_statement_writes_what_a_play_writes(world: World) -> None:
    await only_points(world)
    alice, bob = await world.player("alice"), await world.player("bob")

    async def one_statement() -> dict[str, Any]:
        date = world.parts.calendar.business_date(world.clock())
        row = await world.sql.fetchrow(
            statement.prepared(), bob.player_id, bob.new_key(), date, "{}", "{}", "{}", json.dumps({})
        )
        assert row is not None
        return dict(row)

    by_haru, _ = await _rows(world, alice.play)
    by_statement, row = await _rows(world, one_statement)
    assert by_haru == by_statement
    assert (row["play_no"], row["reward_type"], row["balance"] is not None) == (1, "POINT", True)
    assert json.loads(row["stamp"])["current_xp"] == 120


async def _rows(world: World, play: Callable[[], Awaitable[dict[str, Any]]]) -> tuple[dict[str, int], dict[str, Any]]:
    """The rows that a play writes, by table, and its answer."""
    before = await world.written()
    answer = await play()
    after = await world.written()
    return {table: after[table] - before[table] for table in after}, answer


def test_the_peers_lock_names_no_host() -> None:
    lock = json.loads((HERE / "package-lock.json").read_text("utf-8"))
    assert not [name for name, package in lock["packages"].items() if "resolved" in package]
