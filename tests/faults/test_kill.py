"""kill -9 of the server under load: what was acknowledged is there once, and a retry finds out about the rest."""

from __future__ import annotations

import asyncio
import os
from random import Random

import pytest

from tests.faults.load import Load, check
from tests.serving import serving

SEED = 20241206
CLIENTS = 24


@pytest.mark.parametrize("kills", [6, pytest.param(30, marks=pytest.mark.soak)])
async def test_a_killed_server_loses_and_doubles_nothing(empty_database: str, kills: int) -> None:
    source, in_flight = Random(SEED), 0
    async with serving(empty_database, connections=CLIENTS) as served:
        await served.lift_daily_limit()
        players, load = await served.players(CLIENTS), Load()
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


@pytest.mark.parametrize("workers", [1, 2])
async def test_a_server_that_is_asked_to_stop_finishes_what_it_began(empty_database: str, workers: int) -> None:
    async with serving(empty_database, connections=CLIENTS, WORKERS=workers) as served:
        await served.lift_daily_limit()
        players, load = await served.players(CLIENTS), Load()
        load.up.set()
        playing = [asyncio.create_task(load.player(player)) for player in players]
        await asyncio.sleep(0.5)
        assert await served.stop() == 0
        load.up.clear()
        before = len(load.acknowledged)
        await served.start()
        load.up.set()
        while len(load.acknowledged) < before + CLIENTS:
            await asyncio.sleep(0.01)
        load.ending = True
        await asyncio.gather(*playing)
        await check(empty_database, load, players)


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
