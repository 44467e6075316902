"""Load that goes on through every fault, and what must be true afterwards."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from random import Random
from typing import Any
from uuid import UUID

import httpx

from schema.nodes import Kind, node_id
from tests.games import another_session
from tests.world import Client

SEED = 20241206


@dataclass
class Load:
    """Players who play without a pause, each play with a key that is retried until it is answered."""

    acknowledged: dict[tuple[UUID, str], dict[str, Any]] = field(default_factory=dict)
    under_way: int = 0
    cut_off: int = 0
    replays: int = 0
    ending: bool = False
    up: asyncio.Event = field(default_factory=asyncio.Event)

    async def player(self, client: Client) -> None:
        number = 0
        while not self.ending:
            number += 1
            await self.one_play(client, f"play {number}")

    async def one_play(self, client: Client, key: str) -> None:
        while True:
            await self.up.wait()
            self.under_way += 1
            try:
                answer = await client.play(key=key)
            except (httpx.TransportError, AssertionError) as unknown:
                if isinstance(unknown, AssertionError) and "UNAVAILABLE" not in str(unknown):
                    raise
                self.cut_off += 1  # unknown, not failed: the same key again
                await asyncio.sleep(0.02)
                continue
            finally:
                self.under_way -= 1
            assert answer["__typename"] == "DicePlay", answer
            self.replays += answer["replayed"]
            self.acknowledged[client.player_id, key] = answer
            return


async def check(url: str, load: Load, players: list[Client]) -> None:
    """Every play is there once, whole, and its key answers it again."""
    async with another_session(url) as sql:
        rows = await sql.fetch("SELECT user_id, id FROM dice_log")
        logged = {node_id(Kind.DICE_PLAY, *row) for row in rows}
        assert logged == {answer["id"] for answer in load.acknowledged.values()}
        assert len(logged) == len(load.acknowledged)
        for query in (
            "SELECT count(*) FROM idempotency_key",
            "SELECT count(*) FROM user_event_log WHERE event_name = 'PLAY'",
            "SELECT count(*) FROM reward_ledger WHERE cause = 'DICE_PLAY'",
            "SELECT count(*) FROM dice_log l JOIN reward_ledger r ON (r.user_id, r.cause_id) = (l.user_id, l.id)",
        ):
            assert await sql.fetchval(query) == len(load.acknowledged), query
        assert await sql.fetchval("SELECT count(*) FROM season_pass_stamp_log") == len(players)
        gaps = "SELECT user_id FROM dice_log GROUP BY user_id HAVING max(play_no) <> count(*)"
        assert not await sql.fetch(gaps)
    by_id = {player.player_id: player for player in players}
    some = Random(SEED).sample(sorted(load.acknowledged), min(len(load.acknowledged), 200))
    again = await asyncio.gather(*(by_id[player_id].play(key=key) for player_id, key in some))
    assert list(again) == [load.acknowledged[command] | {"replayed": True} for command in some]
