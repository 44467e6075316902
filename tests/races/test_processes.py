"""The same promises, kept by real worker processes over HTTP."""

from __future__ import annotations

import asyncio
import json
from random import Random

import pytest

from tests.games import another_session
from tests.races.workers import outcomes
from tests.serving import serving
from tests.world import forge

SEED = 20241206


@pytest.mark.forges("plays.limits")
async def test_two_worker_processes_keep_limits_and_keys(empty_database: str) -> None:
    players, plays, copies = 20, 20, 6
    async with serving(empty_database, WORKERS=2) as served, another_session(empty_database) as sql:
        await served.lift_daily_limit()
        racers, order = await served.players(players), Random(SEED)
        requests = [(racer, f"copied {number}") for racer in racers for number in range(3) for _ in range(copies)]
        order.shuffle(requests)
        print(f"seed {SEED}, 2 processes", end="")
        answers = await asyncio.gather(*(racer.play(key=key) for racer, key in requests))
        assert outcomes(list(answers)) == {"DicePlay": players * 3 * copies}
        assert sum(not answer["replayed"] for answer in answers) == players * 3
        assert len({json.dumps(answer | {"replayed": None}) for answer in answers}) == players * 3
        lanes = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'haru' AND datname = current_database()"
        assert await sql.fetchval(lanes) >= 2  # a lane's session at least for each process

        await forge(sql, "UPDATE dice_config SET max_daily_plays = 5")
        more = [(racer, f"limited {number}") for racer in racers for number in range(plays)]
        order.shuffle(more)
        limited = await asyncio.gather(*(racer.play(key=key) for racer, key in more))
        assert outcomes(list(limited)) == {"DicePlay": players * 2, "DAILY_LIMIT_REACHED": players * (plays - 2)}
        counts = await sql.fetch("SELECT count(*), max(play_no) FROM dice_log GROUP BY user_id")
        assert [tuple(row) for row in counts] == [(5, 5)] * players
        grants = "SELECT count(*) FROM reward_ledger WHERE cause = 'DICE_PLAY'"
        assert await sql.fetchval(grants) == players * 5
        assert await served.stop() == 0
