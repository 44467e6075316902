"""What becomes of a batch that loses, is blocked, or has a poisoned member: how often it is tried, who goes alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from models import DiceLog, FeatureType, LotteryLog
from services import batches
from services.batches import ATTEMPTS
from services.load import load
from services.rules.play import Action, Play, Stamp
from services.store import lock, store, store_with_coupons
from tests.games import all_in_stock, another_session, only_points
from tests.world import World, running


@dataclass
class Noted:
    """What is told of the batches of the one lane, and what they did. The first `lost` tries to store lose."""

    lost: int = 0
    tries: int = 0
    loads: int = 0
    retries: int = 0
    parted: list[int] = field(default_factory=list)
    stored: list[Any] = field(default_factory=list)
    stock_changes: int = 0
    locked: list[Any] = field(default_factory=list)
    """The time whose stocks were locked, or none, each time that players were."""
    poisoned: UUID | None = None
    meanwhile: str = "SELECT"
    """What somebody else does before anything is stored."""

    def retried(self) -> None:
        self.retries += 1

    def stock_changed(self) -> None:
        self.stock_changes += 1

    def try_to_store(self, effects: Any) -> None:
        self.tries += 1
        if self.tries <= self.lost:
            raise asyncpg.SerializationError("somebody was quicker")
        if self.poisoned in effects.players:
            raise ValueError("poison")


@pytest.fixture
async def noted(empty_database: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[World, Noted]]:
    """A world of one lane, and what is noted of it."""
    noted = Noted()

    async def storing(connection: Any, effects: Any) -> None:
        noted.try_to_store(effects)
        await world.sql.execute(noted.meanwhile)
        await store(connection, effects)

    async def storing_with_coupons(connection: Any, effects: Any) -> None:
        noted.try_to_store(effects)
        await store_with_coupons(connection, effects)

    async def loading(*given: Any) -> Any:
        noted.loads += 1
        return await load(*given)

    async def locking(connection: Any, players: Any, *, stocks_of: Any) -> None:
        noted.locked.append(stocks_of)
        await lock(connection, players, stocks_of=stocks_of)

    for name, noting in (
        ("store", storing),
        ("store_with_coupons", storing_with_coupons),
        ("load", loading),
        ("lock", locking),
    ):
        monkeypatch.setattr(batches, name, noting)
    async with running(empty_database, HARU_LANES=1) as world:
        await only_points(world)
        watch, (lane,) = world.parts.database.watch, world.parts.lanes._lanes
        monkeypatch.setattr(watch, "retried", noted.retried)
        monkeypatch.setattr(watch, "parted", noted.parted.append)
        monkeypatch.setattr(watch, "stored", noted.stored.append)
        monkeypatch.setattr(lane._batches, "_stock_changed", noted.stock_changed)
        yield world, noted


async def together(world: World, *actions: Action[Any]) -> list[Any]:
    """Commands that are one batch: what each is told."""
    return await asyncio.gather(*map(world.parts.lanes.submit, actions), return_exceptions=True)


async def players(world: World, count: int) -> list[UUID]:
    return [(await world.player(f"p{number}")).player_id for number in range(count)]


@pytest.mark.parametrize("lost", [0, 1, ATTEMPTS - 1, ATTEMPTS])
@pytest.mark.parametrize("feature", [FeatureType.DICE, FeatureType.LOTTERY])
async def test_a_batch_that_loses_is_tried_again_under_locks_before_it_parts(
    noted: tuple[World, Noted], lost: int, feature: FeatureType, caplog: pytest.LogCaptureFixture
) -> None:
    world, told = noted
    await world.today(feature)
    await all_in_stock(world.sql, 50)
    alice, bob = await players(world, 2)
    told.lost = lost
    batch: list[Action[Any]] = [Stamp(bob, "k", FeatureType.SEASON_PASS), Play(alice, "k", feature)]
    assert [type(answer).__name__ for answer in await together(world, *batch)] == ["Stamped", "Played"]
    assert (told.retries, told.parted) == (min(lost, ATTEMPTS - 1), [2] if lost == ATTEMPTS else [])
    draws = feature is FeatureType.LOTTERY
    tables = [table for rows in told.stored for table in rows]
    assert tables.count(LotteryLog if draws else DiceLog) == 1
    assert told.stock_changes == draws
    calendar, today = world.parts.calendar, world.parts.calendar.business_date(world.clock())
    window = (calendar.starts_at(today), calendar.ends_at(today))
    assert set(told.locked[: ATTEMPTS - 1]) == (set() if lost == 0 else {window if draws else None})
    assert "go on alone" not in caplog.text
    told.loads = 0
    await together(world, Play(alice, "again", feature))
    assert told.loads == draws  # who was served is remembered, but not what is left of a stock


async def test_who_is_held_goes_alone_and_the_others_go_on_together(
    noted: tuple[World, Noted], caplog: pytest.LogCaptureFixture
) -> None:
    world, told = noted
    three = await players(world, 3)
    async with another_session(str(world.settings.owner_url)) as session, session.transaction():
        await session.execute('SELECT FROM "user" WHERE id = $1 FOR UPDATE', three[1])
        first, held, last = (
            asyncio.create_task(world.parts.lanes.submit(Play(player, "k", FeatureType.DICE))) for player in three
        )
        await asyncio.gather(first, last)
        assert (told.parted, held.done()) == ([1], False)
    assert (await held).replayed is False
    assert "go on alone" not in caplog.text


async def test_who_is_poisoned_is_told_and_the_others_are_served(
    noted: tuple[World, Noted], caplog: pytest.LogCaptureFixture
) -> None:
    world, told = noted
    three = await players(world, 3)
    told.poisoned = three[1]
    answers = await together(world, *(Play(player, "k", FeatureType.DICE) for player in three))
    assert [type(answer).__name__ for answer in answers] == ["Played", "ValueError", "Played"]
    assert (told.retries, told.parted) == (0, [3])
    assert "a batch of 3 failed; its members go on alone" in caplog.text


@pytest.mark.parametrize(("left", "retries", "answered"), [(1, 0, "Played"), (0, 1, "OutOfStock")])
async def test_a_draw_stands_as_long_as_there_is_enough_of_everything(
    noted: tuple[World, Noted], left: int, retries: int, answered: str
) -> None:
    world, told = noted
    await world.today(FeatureType.LOTTERY)
    await all_in_stock(world.sql, 50)
    (alice,) = await players(world, 1)
    told.meanwhile = f'UPDATE lottery_stock SET "left" = {left}'
    (answer,) = await together(world, Play(alice, "k", FeatureType.LOTTERY))
    assert (type(answer).__name__, told.retries) == (answered, retries)
