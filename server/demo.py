"""Demo data for the local environment: every day is a feature day, and there is somebody to be."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from models import (
    CouponCode,
    DiceConfig,
    FeatureConfig,
    FeatureSchedule,
    FeatureType,
    LotteryConfig,
    LotteryPrize,
    Player,
    RankingDaily,
    RankingRevision,
    RewardType,
    Role,
    RouletteConfig,
    RouletteSegment,
    Season,
    SeasonLevel,
)
from schema.context import AccessToken
from services.transaction import Transaction

STAFF = {"demo-player": Role.PLAYER, "demo-operator": Role.OPERATOR, "demo-admin": Role.ADMIN}
PLAYER_IDS = {name: number for number, name in enumerate(STAFF, start=1)}
"""Demo accounts have fixed ids, so that their tokens need no database."""

DAYS_AROUND = 60
SEASON_NAME = "첫 시즌"
FEATURES = (
    (FeatureType.ROULETTE, "행운의 룰렛", "/events/roulette", 20),
    (FeatureType.DICE, "주사위 대결", "/events/dice", 20),
    (FeatureType.LOTTERY, "행운 복권", "/events/lottery", 20),
    (FeatureType.RANKING, "오늘의 랭킹", "/events/ranking", 10),
    (FeatureType.SEASON_PASS, "시즌 패스", "/events/season-pass", 50),
)
SEGMENTS = (
    ("10 포인트", RewardType.POINT, 10, None, 40, False),
    ("50 포인트", RewardType.POINT, 50, None, 25, False),
    ("토큰 1개", RewardType.TOKEN, 1, None, 15, False),
    ("다음 기회에", RewardType.NONE, 0, None, 12, False),
    ("커피 쿠폰", RewardType.COUPON, 1, "COFFEE", 6, False),
    ("1,000 포인트", RewardType.POINT, 1000, None, 2, True),
)
PRIZES = (
    ("대상", RewardType.POINT, 10_000, None, 1, 3),
    ("커피 쿠폰", RewardType.COUPON, 1, "COFFEE", 9, 50),
    ("토큰 3개", RewardType.TOKEN, 3, None, 30, 500),
    ("5 포인트", RewardType.POINT, 5, None, 60, None),
)
NAMES = ("하늘", "바다", "구름", "별빛", "달님", "햇살", "바람", "노을", "이슬", "나무")


def demo_tokens(issue: Callable[[int, Role], AccessToken]) -> list[dict[str, str]]:
    """A ready-made token for each demo account."""
    return [
        {"label": name.replace("-", " ").capitalize(), "role": role, "token": issue(PLAYER_IDS[name], role).text}
        for name, role in STAFF.items()
    ]


async def load_demo(tx: Transaction, demo_today: FeatureType | None = None) -> None:
    """Add what is missing of the demo data; `demo_today` makes today that feature's day. Changes nothing else."""
    await _accounts(tx)
    await _features(tx, demo_today)
    await _games(tx)
    await _season(tx)
    await _rankings(tx)
    codes = [
        {"coupon_type": "COFFEE", "code": f"COFFEE-{number:04}", "imported_at": tx.now} for number in range(1, 101)
    ]
    await tx.connection.execute(insert(CouponCode).on_conflict_do_nothing(), codes)


async def _accounts(tx: Transaction) -> None:
    rows = [{"id": PLAYER_IDS[name], "external_id": name, "created_at": tx.now} for name in STAFF]
    await tx.connection.execute(insert(Player).on_conflict_do_nothing(), rows)
    # The ids above were not taken from the sequence: it has to go on behind them.
    highest = select(func.greatest(func.max(Player.id), len(STAFF))).scalar_subquery()
    await tx.connection.execute(select(func.setval(func.pg_get_serial_sequence('"user"', "id"), highest)))


async def _features(tx: Transaction, demo_today: FeatureType | None) -> None:
    configs = [
        {"feature_type": feature, "title": title, "page_path": path, "stamp_xp_bonus": bonus, "updated_at": tx.now}
        for feature, title, path, bonus in FEATURES
    ]
    await tx.connection.execute(insert(FeatureConfig).on_conflict_do_nothing(), configs)
    days = [tx.date + dt.timedelta(days=offset) for offset in range(-DAYS_AROUND, DAYS_AROUND + 1)]
    rows = [{"date": day, "feature_type": _feature_of(day), "updated_at": tx.now} for day in days]
    await tx.connection.execute(insert(FeatureSchedule).on_conflict_do_nothing(), rows)
    if demo_today is not None:
        today = insert(FeatureSchedule).values(date=tx.date, feature_type=demo_today, updated_at=tx.now)
        change = {
            "feature_type": demo_today,
            "is_active": True,
            "revision": FeatureSchedule.revision + 1,
            "updated_at": tx.now,
        }
        where = FeatureSchedule.feature_type != demo_today
        await tx.connection.execute(today.on_conflict_do_update(index_elements=["date"], set_=change, where=where))


def _feature_of(day: dt.date) -> FeatureType:
    return FEATURES[day.toordinal() % len(FEATURES)][0]


async def _games(tx: Transaction) -> None:
    head = {"name": "기본", "revision": 1, "is_active": True, "published_at": tx.now}
    dice = head | {
        "max_daily_plays": 3,
        "win_reward_type": RewardType.POINT,
        "win_reward_amount": 100,
        "draw_reward_type": RewardType.POINT,
        "draw_reward_amount": 30,
        "lose_reward_type": RewardType.POINT,
        "lose_reward_amount": 10,
    }
    await tx.connection.execute(insert(DiceConfig).values(dice).on_conflict_do_nothing())
    roulette = await _publish_once(tx, RouletteConfig, head | {"max_daily_spins": 3})
    if roulette is not None:
        rows = [
            {"config_id": roulette, "slot": slot, "is_jackpot": jackpot} | _weighted(drawn)
            for slot, (*drawn, jackpot) in enumerate(SEGMENTS)
        ]
        await tx.connection.execute(insert(RouletteSegment), rows)
    lottery = await _publish_once(tx, LotteryConfig, head | {"max_daily_tickets": 3})
    if lottery is not None:
        rows = [
            {"config_id": lottery, "position": position, "stock": stock, "initial_stock": stock} | _weighted(drawn)
            for position, (*drawn, stock) in enumerate(PRIZES)
        ]
        await tx.connection.execute(insert(LotteryPrize), rows)


async def _publish_once(tx: Transaction, table: Any, values: dict[str, Any]) -> int | None:
    """The new revision's id, or none where there is a revision already."""
    statement = insert(table).values(values).on_conflict_do_nothing().returning(table.id)
    made: int | None = await tx.connection.scalar(statement)
    return made


def _weighted(drawn: Sequence[object]) -> dict[str, Any]:
    label, type_, amount, coupon, weight = drawn
    return {
        "label": label,
        "reward_type": type_,
        "reward_amount": amount,
        "coupon_type": coupon,
        "weight": weight,
    }


async def _season(tx: Transaction) -> None:
    if await tx.connection.scalar(select(func.count()).select_from(Season)):
        return
    levels: Sequence[tuple[int, RewardType, int, str | None, bool]] = [
        (level * 100, RewardType.TOKEN if level % 5 == 0 else RewardType.POINT, level * 10, None, level % 2 == 1)
        for level in range(1, 11)
    ]
    season_id = await tx.connection.scalar(
        insert(Season)
        .values(
            name=SEASON_NAME,
            start_date=tx.date - dt.timedelta(days=DAYS_AROUND),
            end_date=tx.date + dt.timedelta(days=DAYS_AROUND),
            base_xp_per_stamp=100,
            max_level=len(levels),
            revision=1,
            published_at=tx.now,
        )
        .returning(Season.id)
    )
    rows = [
        {
            "season_id": season_id,
            "level": level,
            "required_xp": xp,
            "reward_type": type_,
            "reward_amount": amount,
            "coupon_type": coupon,
            "auto_claim": auto,
        }
        for level, (xp, type_, amount, coupon, auto) in enumerate(levels, start=1)
    ]
    await tx.connection.execute(insert(SeasonLevel), rows)


async def _rankings(tx: Transaction) -> None:
    """A small ranking for every ranking day up to today."""
    days = [tx.date - dt.timedelta(days=offset) for offset in range(DAYS_AROUND + 1)]
    for day in days:
        if day != tx.date and _feature_of(day) is not FeatureType.RANKING:
            continue
        revision = {
            "date": day,
            "revision": 1,
            "total_entries": len(NAMES) + 1,
            "content_hash": "demo",
            "is_deleted": False,
            "published_at": tx.now,
        }
        statement = insert(RankingRevision).values(revision).on_conflict_do_nothing().returning(RankingRevision.date)
        if await tx.connection.scalar(statement) is None:
            continue
        entries = [*((name, None) for name in NAMES), ("데모", "demo-player")]
        rows = [
            {
                "date": day,
                "rank": rank,
                "revision": 1,
                "display_name": name,
                "score": 10_000 - rank * 137,
                "external_id": external_id,
            }
            for rank, (name, external_id) in enumerate(entries, start=1)
        ]
        await tx.connection.execute(insert(RankingDaily), rows)
