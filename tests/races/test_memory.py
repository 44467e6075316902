"""Players who are remembered in one process and play in another, among what staff do."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

from models import Role
from schema.nodes import Kind, node_id
from tests.games import UNDER_TEST, on
from tests.races.workers import in_both_sizes, outcomes, race
from tests.services.test_memory import GRANT, grant
from tests.world import Client

SEED = 20241206


@in_both_sizes
async def test_players_who_change_processes_among_staff_are_exact(empty_database: str, size: str) -> None:
    """Each plays in turn in every process, so that what the others remember is old; staff grant and block meanwhile."""
    players, rounds, workers = (40, 60, 4) if size == "full" else (6, 12, 2)
    async with race(empty_database, workers=workers, seed=SEED) as racing:
        await on(racing.world, UNDER_TEST[0], limit=0)
        racers = await racing.players(players)
        ada = await racing.world.player("ada", Role.ADMIN)

        async def plays(racer: list[Client]) -> list[dict[str, Any]]:
            return [await racing.of(racer).play(key=f"{number}") for number in range(rounds)]

        async def staff() -> None:
            for number in range(rounds):
                racer = racing.order.choice(racers)[0]
                player_id = node_id(Kind.PLAYER, racer.player_id)
                await ada.data(GRANT, input=grant(player_id, f"g{number}"))
                await racing.world.sql.execute("UPDATE feature_config SET title = $1", f"title {number}")

        answers, _ = await asyncio.gather(asyncio.gather(*map(plays, racers)), staff())
        assert outcomes([answer for one in answers for answer in one]) == {"DicePlay": players * rounds}
        for one in answers:
            assert [answer["dailyLimit"]["used"] for answer in one] == list(range(1, rounds + 1))
            points = [answer["reward"]["balance"] for answer in one]
            assert all((after - before) % 5 == 0 < after - before for before, after in pairwise(points))
        assert await racing.fetch("SELECT user_id FROM dice_log GROUP BY 1 HAVING count(*) <> max(play_no)") == []
