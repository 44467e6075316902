"""Every registered chance game, as the tests of what all games have in common need it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg
import pytest

from models import FeatureType
from services.database import connect_arguments
from services.rules.registry import GAMES
from tests.world import World


@dataclass(frozen=True)
class GameUnderTest:
    """A game's names in the API and in the database."""

    feature: FeatureType
    mutation: str
    status: str
    played: str
    config: str
    limit: str
    log: str
    invalid: str

    def __str__(self) -> str:
        return self.feature.lower()

    @property
    def cause(self) -> str:
        """The cause of its ledger lines."""
        return GAMES[self.feature].cause

    @property
    def another(self) -> GameUnderTest:
        """Another game."""
        return next(game for game in UNDER_TEST if game is not self)


UNDER_TEST = (
    GameUnderTest(
        FeatureType.DICE,
        "playDice",
        "diceStatus",
        "DicePlay",
        "dice_config",
        "max_daily_plays",
        "dice_log",
        "INVALID_DICE_CONFIG",
    ),
    GameUnderTest(
        FeatureType.ROULETTE,
        "spinRoulette",
        "rouletteStatus",
        "RouletteSpin",
        "roulette_config",
        "max_daily_spins",
        "roulette_log",
        "INVALID_ROULETTE_CONFIG",
    ),
    GameUnderTest(
        FeatureType.LOTTERY,
        "drawLottery",
        "lotteryStatus",
        "LotteryDraw",
        "lottery_config",
        "max_daily_tickets",
        "lottery_log",
        "INVALID_LOTTERY_CONFIG",
    ),
)

assert {game.feature for game in UNDER_TEST} == GAMES.keys(), "a new game is tested, too"

every_game = pytest.mark.parametrize("game", UNDER_TEST, ids=str)


async def on(world: World, game: GameUnderTest, *, limit: int = 3) -> None:
    """Make today the day of `game`, with this daily limit."""
    await world.today(game.feature)
    await world.sql.execute(f"UPDATE {game.config} SET {game.limit} = $1 WHERE is_active", limit)


async def only_points(world: World) -> None:
    """Let every game give points alone, whatever is drawn: ten of them."""
    outcomes = ", ".join(
        f"{outcome}_reward_type = 'POINT', {outcome}_reward_amount = 10, {outcome}_coupon_type = NULL"
        for outcome in ("win", "draw", "lose")
    )
    await world.sql.execute(f"UPDATE dice_config SET {outcomes}")
    for table in ("roulette_segment", "lottery_prize"):
        await world.sql.execute(f"UPDATE {table} SET reward_type = 'POINT', reward_amount = 10, coupon_type = NULL")


@asynccontextmanager
async def another_session(url: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """A connection that belongs to nobody in the application."""
    connection = await asyncpg.connect(**connect_arguments(url))
    try:
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def without(url: str, table: str, *constraints: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """Named constraints of `table` do not hold for a while. The table is emptied before they are there again."""
    async with another_session(url) as connection:
        definitions = {
            constraint: await connection.fetchval(
                "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = $1 AND conrelid = $2::regclass",
                constraint,
                table,
            )
            for constraint in constraints
        }
        assert all(definitions.values()), definitions
        for constraint in constraints:
            await connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT {constraint}")
        try:
            yield connection
        finally:
            await connection.execute(f"TRUNCATE {table} CASCADE")
            for constraint, definition in definitions.items():
                await connection.execute(f"ALTER TABLE {table} ADD CONSTRAINT {constraint} {definition}")
