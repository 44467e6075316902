"""Demo data for the local environment: every day is a feature day, and there is somebody to be."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from uuid import NAMESPACE_DNS, UUID, uuid5

from msgspec import Struct
from sqlalchemy import exists, func, select
from sqlalchemy.dialects.postgresql import insert

from models import (
    CouponCode,
    FeatureConfig,
    FeatureSchedule,
    FeatureType,
    Language,
    Player,
    RankingDaily,
    RankingRevision,
    RewardType,
    Role,
    Season,
    SeasonLevel,
)
from schema.context import AccessToken
from services.answers import Reward
from services.configs import Notice, head_of, write_revision
from services.revisions import take_turn
from services.rules.dice import DiceDraft
from services.rules.drafts import Translation, Translations
from services.rules.lottery import LotteryDraft, PrizeDraft
from services.rules.ranking import RankingRow, content_of
from services.rules.registry import GAMES
from services.rules.roulette import RouletteDraft, SegmentDraft
from services.rules.windows import Window
from services.transaction import Transaction

STAFF = {"demo-player": Role.PLAYER, "demo-operator": Role.OPERATOR, "demo-admin": Role.ADMIN}
PLAYER_IDS = {name: uuid5(NAMESPACE_DNS, f"{name}.haru.example") for name in STAFF}
"""Demo accounts have fixed ids, so that their tokens need no database."""

DAYS_AROUND = 60
SEASON_NAME = "첫 시즌"
LEVELS = range(1, 11)
FEATURES = (
    (FeatureType.ROULETTE, "행운의 룰렛", "Lucky roulette", "/events/roulette", 20),
    (FeatureType.DICE, "주사위 대결", "Dice duel", "/events/dice", 20),
    (FeatureType.LOTTERY, "행운 복권", "Lucky draw", "/events/lottery", 20),
    (FeatureType.RANKING, "오늘의 랭킹", "Today's ranking", "/events/ranking", 10),
    (FeatureType.SEASON_PASS, "시즌 패스", "Season pass", "/events/season-pass", 50),
)
POINT, TOKEN, COUPON, NONE = RewardType.POINT, RewardType.TOKEN, RewardType.COUPON, RewardType.NONE
COFFEE = Reward(COUPON, 1, "COFFEE")
SEGMENTS = (
    ("10 포인트", "10 points", Reward(POINT, 10), 40, False),
    ("50 포인트", "50 points", Reward(POINT, 50), 25, False),
    ("토큰 1개", "1 token", Reward(TOKEN, 1), 15, False),
    ("다음 기회에", "Next time", Reward(NONE, 0), 12, False),
    ("커피 쿠폰", "Coffee coupon", COFFEE, 6, False),
    ("1,000 포인트", "1,000 points", Reward(POINT, 1000), 2, True),
)
PRIZES = (
    ("대상", "Grand prize", Reward(POINT, 10_000), 1, 3),
    ("커피 쿠폰", "Coffee coupon", COFFEE, 9, 50),
    ("토큰 3개", "3 tokens", Reward(TOKEN, 3), 30, 500),
    ("5 포인트", "5 points", Reward(POINT, 5), 60, None),
)


def _both(korean: str, english: str) -> Translations:
    """A text in both languages."""
    return Translations((Translation(Language.KO, korean), Translation(Language.EN, english)))


REVISIONS: Mapping[FeatureType, Struct] = {
    FeatureType.DICE: DiceDraft("기본", 3, Reward(POINT, 100), Reward(POINT, 30), Reward(POINT, 10)),
    FeatureType.ROULETTE: RouletteDraft(
        "기본",
        3,
        tuple(
            SegmentDraft(slot, korean, reward, weight, is_jackpot, _both(korean, english))
            for slot, (korean, english, reward, weight, is_jackpot) in enumerate(SEGMENTS)
        ),
    ),
    FeatureType.LOTTERY: LotteryDraft(
        "기본",
        3,
        tuple(
            PrizeDraft(korean, reward, weight, stock, is_active=True, labels=_both(korean, english))
            for korean, english, reward, weight, stock in PRIZES
        ),
    ),
}
"""The first revision of each game."""

NAMES = ("하늘", "바다", "구름", "별빛", "달님", "햇살", "바람", "노을", "이슬", "나무")


def demo_tokens(issue: Callable[[UUID, Role], AccessToken]) -> list[dict[str, str]]:
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


async def _features(tx: Transaction, demo_today: FeatureType | None) -> None:
    configs = [
        {
            "feature_type": feature,
            "title": korean,
            "titles": _both(korean, english).by_language(),
            "page_path": path,
            "stamp_xp_bonus": bonus,
            "updated_at": tx.now,
        }
        for feature, korean, english, path, bonus in FEATURES
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
    """Publish the first revision of every game that has none."""
    for feature, game in GAMES.items():
        await take_turn(tx, game.config.__tablename__)
        if not await tx.connection.scalar(select(exists(select(game.config.id)))):
            await write_revision(tx, game, REVISIONS[feature], await head_of(tx, game, 1, Notice(Window())))


async def _season(tx: Transaction) -> None:
    if await tx.connection.scalar(select(func.count()).select_from(Season)):
        return
    season_id = await tx.connection.scalar(
        insert(Season)
        .values(
            name=SEASON_NAME,
            start_date=tx.date - dt.timedelta(days=DAYS_AROUND),
            end_date=tx.date + dt.timedelta(days=DAYS_AROUND),
            base_xp_per_stamp=100,
            max_level=len(LEVELS),
            revision=1,
            published_at=tx.now,
        )
        .returning(Season.id)
    )
    rows = [
        {
            "season_id": season_id,
            "level": level,
            "required_xp": level * 100,
            "reward_type": TOKEN if level % 5 == 0 else POINT,
            "reward_amount": level * 10,
            "auto_claim": level % 2 == 1,
        }
        for level in LEVELS
    ]
    await tx.connection.execute(insert(SeasonLevel), rows)


async def _rankings(tx: Transaction) -> None:
    """A small ranking for every ranking day up to today."""
    entries = [*((name, None) for name in NAMES), ("데모", "demo-player")]
    content = content_of(
        [
            RankingRow(rank, name, 10_000 - rank * 137, external_id)
            for rank, (name, external_id) in enumerate(entries, start=1)
        ]
    )
    days = [tx.date - dt.timedelta(days=offset) for offset in range(DAYS_AROUND + 1)]
    for day in days:
        if day != tx.date and _feature_of(day) is not FeatureType.RANKING:
            continue
        revision = {
            "date": day,
            "revision": 1,
            "total_entries": len(content.rows),
            "content_hash": content.digest,
            "is_deleted": False,
            "published_at": tx.now,
        }
        statement = insert(RankingRevision).values(revision).on_conflict_do_nothing().returning(RankingRevision.date)
        if await tx.connection.scalar(statement) is None:
            continue
        rows = [{"date": day, "revision": 1, **row._asdict()} for row in content.rows]
        await tx.connection.execute(insert(RankingDaily), rows)
