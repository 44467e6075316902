"""A stock that the prizes of several revisions share, while players draw and operators publish."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

from models import FeatureType
from tests.api.test_stocks import mended
from tests.staff import operator, upsert, valid
from tests.world import Client, World

CLIENTS, MENDED, THERE_ARE = 64, 10, 40
POINTS = {"type": "POINT", "amount": 10}

STOCKS = """
SELECT s.initial, s."left", count(l.id) AS drawn FROM lottery_stock s JOIN lottery_prize p ON p.stock_id = s.id
JOIN lottery_config c ON c.id = p.config_id LEFT JOIN lottery_log l ON l.config_id = p.config_id AND l.prize_id = p.id
WHERE c.revision > 1 GROUP BY s.id
"""


async def test_nobody_gets_what_is_not_there_while_a_label_is_mended(world: World) -> None:
    await world.today(FeatureType.LOTTERY)
    olive = await operator(world)
    players = [await world.player(f"player-{number}") for number in range(CLIENTS)]
    rare = {"label": "phnoe 1", "weight": 1, "stock": THERE_ARE, "reward": POINTS}
    given = valid("upsertLotteryConfig", maxDailyTickets=0, prizes=[rare])
    config = await upsert(olive, "upsertLotteryConfig", given)

    async def play(client: Client, number: int) -> dict[str, Any]:
        await asyncio.sleep(number % 16 * 0.02)
        return await client.play("drawLottery", f"k{number}")

    async def mend() -> None:
        nonlocal config
        for number in range(2, MENDED + 2):
            config = await mended(olive, config, label=f"phone {number}")
            await asyncio.sleep(0.02)

    answers, _ = await asyncio.gather(
        asyncio.gather(*(play(client, number) for number, client in enumerate(players))), mend()
    )
    told = Counter(answer.get("code", answer["__typename"]) for answer in answers)
    assert told == {"LotteryDraw": THERE_ARE, "OUT_OF_STOCK": CLIENTS - THERE_ARE}
    assert [tuple(row) for row in await world.sql.fetch(STOCKS)] == [(THERE_ARE, 0, THERE_ARE)]
    assert await world.count("lottery_config") == MENDED + 2
