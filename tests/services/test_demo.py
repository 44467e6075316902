"""The demo data: what the documents and the pages show, and nothing that is there already is changed by it."""

from __future__ import annotations

import asyncio
import datetime as dt
from functools import partial
from typing import Any

import pytest

from models import FeatureType
from server.demo import PLAYER_IDS, demo_tokens, load_demo
from tests.world import Client, World, running

FEATURES = "SELECT feature_type, title, titles ->> 'EN', page_path, stamp_xp_bonus, is_enabled FROM feature_config"
DICE = """
SELECT name, max_daily_plays, win_reward_type, win_reward_amount, draw_reward_type, draw_reward_amount,
    lose_reward_type, lose_reward_amount FROM dice_config
"""
SEGMENTS = """
SELECT slot, label, labels ->> 'EN', reward_type, reward_amount, coupon_type, weight, is_jackpot
FROM roulette_segment ORDER BY slot
"""
PRIZES = """
SELECT position, label, labels ->> 'EN', reward_type, reward_amount, coupon_type, weight, initial, "left", is_active
FROM lottery_prize p LEFT JOIN lottery_stock s ON s.id = p.stock_id ORDER BY position
"""
LEVELS = """
SELECT level, required_xp, reward_type, reward_amount, coupon_type, auto_claim FROM season_pass_level ORDER BY level
"""
SEASON = "SELECT name, start_date, end_date, base_xp_per_stamp, max_level, revision FROM season_pass_config"
RANKED = "SELECT date, revision, total_entries, is_deleted FROM ranking_revision ORDER BY date"
RANKING = "SELECT rank, display_name, score, external_id FROM ranking_daily WHERE date = $1 ORDER BY rank"
SCHEDULE = "SELECT date, feature_type, is_active, revision FROM feature_schedule ORDER BY date"
CODES = "SELECT count(*), min(code), max(code), min(coupon_type), max(coupon_type) FROM coupon_code"

NAMES = ["하늘", "바다", "구름", "별빛", "달님", "햇살", "바람", "노을", "이슬", "나무", "데모"]
TURNS = ["ROULETTE", "DICE", "LOTTERY", "RANKING", "SEASON_PASS"]
TODAY = dt.date(2026, 3, 2)
AROUND = [TODAY + dt.timedelta(days=offset) for offset in range(-60, 61)]


@pytest.fixture
async def world(empty_database: str) -> Any:
    """A running haru with the demo data alone."""
    async with running(empty_database, demo=False) as world:
        await world.parts.transact(load_demo)
        yield world


async def rows(world: World, query: str, *arguments: Any) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in await world.sql.fetch(query, *arguments)]


async def test_features_and_their_days(world: World) -> None:
    assert sorted(await rows(world, FEATURES)) == [
        ("DICE", "주사위 대결", "Dice duel", "/events/dice", 20, True),
        ("LOTTERY", "행운 복권", "Lucky draw", "/events/lottery", 20, True),
        ("RANKING", "오늘의 랭킹", "Today's ranking", "/events/ranking", 10, True),
        ("ROULETTE", "행운의 룰렛", "Lucky roulette", "/events/roulette", 20, True),
        ("SEASON_PASS", "시즌 패스", "Season pass", "/events/season-pass", 50, True),
    ]
    assert await rows(world, SCHEDULE) == [(day, TURNS[day.toordinal() % 5], True, 1) for day in AROUND]


async def test_games(world: World) -> None:
    assert await rows(world, DICE) == [("기본", 3, "POINT", 100, "POINT", 30, "POINT", 10)]
    assert await rows(world, "SELECT name, max_daily_spins, revision FROM roulette_config") == [("기본", 3, 1)]
    assert await rows(world, SEGMENTS) == [
        (0, "10 포인트", "10 points", "POINT", 10, None, 40, False),
        (1, "50 포인트", "50 points", "POINT", 50, None, 25, False),
        (2, "토큰 1개", "1 token", "TOKEN", 1, None, 15, False),
        (3, "다음 기회에", "Next time", "NONE", 0, None, 12, False),
        (4, "커피 쿠폰", "Coffee coupon", "COUPON", 1, "COFFEE", 6, False),
        (5, "1,000 포인트", "1,000 points", "POINT", 1000, None, 2, True),
    ]
    assert await rows(world, "SELECT name, max_daily_tickets, revision FROM lottery_config") == [("기본", 3, 1)]
    assert await rows(world, PRIZES) == [
        (0, "대상", "Grand prize", "POINT", 10_000, None, 1, 3, 3, True),
        (1, "커피 쿠폰", "Coffee coupon", "COUPON", 1, "COFFEE", 9, 50, 50, True),
        (2, "토큰 3개", "3 tokens", "TOKEN", 3, None, 30, 500, 500, True),
        (3, "5 포인트", "5 points", "POINT", 5, None, 60, None, None, True),
    ]
    assert await rows(world, CODES) == [(100, "COFFEE-0001", "COFFEE-0100", "COFFEE", "COFFEE")]


async def test_a_season(world: World) -> None:
    assert await rows(world, SEASON) == [("첫 시즌", AROUND[0], AROUND[-1], 100, 10, 1)]
    kinds = ["POINT", "POINT", "POINT", "POINT", "TOKEN"] * 2
    assert await rows(world, LEVELS) == [
        (level, 100 * level, kind, 10 * level, None, level % 2 == 1) for level, kind in enumerate(kinds, start=1)
    ]


@pytest.mark.parametrize("later", [0, 1, 2])
async def test_rankings(empty_database: str, later: int) -> None:
    """One for every ranking day from 60 days ago up to today, which has one in any case."""
    async with running(empty_database, demo=False) as world:
        world.clock.advance(days=later)
        await world.parts.transact(load_demo)
        today = TODAY + dt.timedelta(days=later)
        past = [today - dt.timedelta(days=offset) for offset in range(60, 0, -1)]
        days = [*(day for day in past if TURNS[day.toordinal() % 5] == "RANKING"), today]
        assert await rows(world, RANKED) == [(day, 1, 11, False) for day in days]
        for day in days:
            assert await rows(world, RANKING, day) == [
                (rank, name, 10_000 - 137 * rank, "demo-player" if rank == 11 else None)
                for rank, name in enumerate(NAMES, start=1)
            ]


async def test_somebody_to_be(world: World) -> None:
    assert sorted(await rows(world, 'SELECT external_id, id FROM "user"')) == sorted(PLAYER_IDS.items())
    told = demo_tokens(world.parts.issue_token)
    assert [(one["label"], one["role"]) for one in told] == [
        ("Demo player", "PLAYER"),
        ("Demo operator", "OPERATOR"),
        ("Demo admin", "ADMIN"),
    ]
    for one, name in zip(told, PLAYER_IDS, strict=True):
        assert await Client(world.http, one["token"]).data("{ me { externalId } }") == {"me": {"externalId": name}}


EDITED = (
    "UPDATE feature_config SET title = 'mine'",
    "UPDATE feature_schedule SET feature_type = 'DICE', revision = 7, is_active = false",
    "DELETE FROM feature_schedule WHERE date = '2026-03-05'",
    "UPDATE season_pass_config SET name = 'mine'",
)


async def told(world: World) -> list[Any]:
    queries = (FEATURES, DICE, SEGMENTS, PRIZES, LEVELS, SEASON, RANKED, SCHEDULE, CODES)
    tables = ("user", "coupon_code", "ranking_daily", "dice_config", "roulette_config", "lottery_config")
    times = [await rows(world, f'SELECT * FROM "{table}" ORDER BY 1, 2') for table in tables]
    return [sorted(await rows(world, query), key=str) for query in queries] + times


async def test_what_is_there_is_left_as_it_is(world: World) -> None:
    """Who starts again later finds the edits that were made; only what is missing is added."""
    for statement in EDITED:
        await world.sql.execute(statement)
    before = await told(world)
    world.clock.advance(hours=1)
    await world.parts.transact(load_demo)
    added = await rows(world, "DELETE FROM feature_schedule WHERE date = '2026-03-05' RETURNING feature_type, revision")
    assert added == [("ROULETTE", 1)]
    assert await told(world) == before


async def test_today_is_a_features_day_if_one_is_named(world: World) -> None:
    for feature, revision in ((FeatureType.DICE, 2), (FeatureType.DICE, 2), (FeatureType.LOTTERY, 3)):
        await world.sql.execute("UPDATE feature_schedule SET is_active = (feature_type = $1)", feature)
        await world.parts.transact(partial(load_demo, demo_today=feature))
        by_day = {day: (one, active, number) for day, one, active, number in await rows(world, SCHEDULE)}
        assert by_day[TODAY] == (feature, True, revision)
        assert all(number == 1 for day, (_, _, number) in by_day.items() if day != TODAY)


async def test_servers_that_start_at_once_load_it_once(empty_database: str) -> None:
    async with running(empty_database, demo=False) as one, running(empty_database, demo=False) as other:
        await asyncio.gather(*(world.parts.transact(load_demo) for world in (one, other) * 2))
        for table in ("dice_config", "roulette_config", "lottery_config", "season_pass_config"):
            assert await one.count(table) == 1
