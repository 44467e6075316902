"""Every registered chance game, as the tests of what all games have in common need it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg
import pytest

from models import FeatureType
from schema.nodes import Kind
from services.database import connect_arguments
from services.error_codes import ErrorCode
from services.rules.registry import GAMES
from tests.world import World, forge


@dataclass(frozen=True)
class GameUnderTest:
    """A game's names in the API and in the database; what is not named after the game is given."""

    feature: FeatureType
    played: str

    def __str__(self) -> str:
        return self.feature.lower()

    @property
    def mutation(self) -> str:
        """The mutation that plays it."""
        return GAMES[self.feature].operation

    @property
    def play(self) -> Kind:
        """What the id of a play is of."""
        return Kind[GAMES[self.feature].cause]

    @property
    def name(self) -> str:
        """What types of the API begin with."""
        return self.feature.capitalize()

    @property
    def status(self) -> str:
        """The query of how it stands."""
        return f"{self}Status"

    @property
    def configs(self) -> str:
        """The query of its revisions."""
        return f"{self}Configs"

    @property
    def upsert(self) -> str:
        """The mutation that publishes a revision."""
        return f"upsert{self.name}Config"

    @property
    def config(self) -> str:
        """The table of its revisions."""
        table: str = GAMES[self.feature].config.__tablename__
        return table

    @property
    def limit(self) -> str:
        """The column of its daily limit."""
        columns: tuple[str, ...] = GAMES[self.feature].rules_type.__struct_fields__
        return next(name for name in columns if name.startswith("max_daily_"))

    @property
    def log(self) -> str:
        """The table of its plays."""
        table: str = GAMES[self.feature].log.__tablename__
        return table

    @property
    def invalid(self) -> ErrorCode:
        """The code of a broken revision."""
        return GAMES[self.feature].invalid.code

    @property
    def cause(self) -> str:
        """The cause of its ledger lines."""
        return GAMES[self.feature].cause

    @property
    def another(self) -> GameUnderTest:
        """Another game."""
        return next(game for game in UNDER_TEST if game is not self)


UNDER_TEST = (
    GameUnderTest(FeatureType.DICE, "DicePlay"),
    GameUnderTest(FeatureType.ROULETTE, "RouletteSpin"),
    GameUnderTest(FeatureType.LOTTERY, "LotteryDraw"),
)

assert {game.feature for game in UNDER_TEST} == GAMES.keys(), "a new game is tested, too"

every_game = pytest.mark.parametrize("game", UNDER_TEST, ids=str)


async def on(world: World, game: GameUnderTest, *, limit: int = 3) -> None:
    """Make today the day of `game`, with this daily limit."""
    await world.today(game.feature)
    newest = f"revision = (SELECT max(revision) FROM {game.config})"
    await forge(world.sql, f"UPDATE {game.config} SET {game.limit} = $1 WHERE {newest}", limit)


async def all_in_stock(sql: asyncpg.Connection[asyncpg.Record], left: int, *, initial: int | None = None) -> None:
    """Let every prize of the demo's lottery be in finite stock, of which so many are left."""
    laid = 'INSERT INTO lottery_stock (initial, "left") VALUES (0, 0) RETURNING id'
    await forge(
        sql,
        f"WITH laid AS ({laid}) UPDATE lottery_prize SET stock_id = (SELECT id FROM laid), quantity = 0"
        " WHERE stock_id IS NULL",
    )
    await sql.execute('UPDATE lottery_stock SET "left" = $1, initial = $2', left, left if initial is None else initial)


async def only_points(world: World) -> None:
    """Let every game give points alone, whatever is drawn: ten of them."""
    for game in GAMES.values():
        for table in (game.config.__table__, *([game.parts.table.__table__] if game.parts else [])):
            names = [column.name for column in table.columns]
            prefixes = [name.removesuffix("reward_type") for name in names if name.endswith("reward_type")]
            for of in prefixes:
                points = f"{of}reward_type = 'POINT', {of}reward_amount = 10, {of}coupon_type = NULL"
                await forge(world.sql, f"UPDATE {table.name} SET {points}")


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
            await forge(connection, f"TRUNCATE {table} CASCADE")
            for constraint, definition in definitions.items():
                await connection.execute(f"ALTER TABLE {table} ADD CONSTRAINT {constraint} {definition}")
