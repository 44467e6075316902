"""kill -9 of the server under load: what was acknowledged is there once, and a retry finds out about the rest."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass, field
from random import Random
from typing import Any

import httpx
import pytest

from tests.games import another_session
from tests.serving import Served, serving
from tests.world import Client

SEED = 20241206
CLIENTS = 24


@dataclass
class Load:
    """Players who play without a pause, each play with a key that is retried until it is answered."""

    served: Served
    acknowledged: dict[tuple[int, str], dict[str, Any]] = field(default_factory=dict)
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


@pytest.mark.parametrize("kills", [6, pytest.param(30, marks=pytest.mark.soak)])
async def test_a_killed_server_loses_and_doubles_nothing(empty_database: str, kills: int) -> None:
    source, in_flight = Random(SEED), 0
    async with serving(empty_database, connections=CLIENTS) as served:
        await served.lift_daily_limit()
        players, load = await served.players(CLIENTS), Load(served)
        load.up.set()
        playing = [asyncio.create_task(load.player(player)) for player in players]
        for _ in range(kills):
            await asyncio.sleep(source.uniform(0.1, 0.5))
            in_flight += load.under_way
            await served.kill()
            load.up.clear()
            before = len(load.acknowledged)
            await served.start()
            load.up.set()
            while len(load.acknowledged) < before + CLIENTS:
                assert not any(task.done() for task in playing), [task for task in playing if task.done()]
                await asyncio.sleep(0.01)
        load.ending = True
        await asyncio.gather(*playing)
        plays = len(load.acknowledged)
        print(
            f"seed {SEED}, {kills} kills: {plays} plays, {in_flight} in flight, {load.cut_off} cut off,"
            f" {load.replays} of them had happened"
        )
        if not in_flight or not load.cut_off:
            pytest.fail("invalid: no play was in flight when the server was killed")
        await check(empty_database, load, players)


async def check(url: str, load: Load, players: list[Client]) -> None:
    """Every play is there once, whole, and its key answers it again."""
    async with another_session(url) as sql:
        logged = {str(row["id"]) for row in await sql.fetch("SELECT id FROM dice_log")}
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


async def test_workers_do_not_outlive_a_server_that_is_killed(empty_database: str) -> None:
    async with serving(empty_database, WORKERS=2) as served:
        assert served.process is not None
        group = served.process.pid
        served.process.kill()  # it alone: nobody tells the workers
        await served.process.wait()
        async with asyncio.timeout(30):
            while _is_alive(group):
                await asyncio.sleep(0.1)
        await served.start()  # the port is free again
        (alice,) = await served.players(1)
        assert (await alice.play())["__typename"] == "DicePlay"


def _is_alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
