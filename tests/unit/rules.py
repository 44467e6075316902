"""Rules to decide on, without a database."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from random import Random
from typing import Any
from uuid import UUID

import msgspec

from models import FeatureType, RewardType
from services.answers import Reward
from services.ids import Ids
from services.rules.day import Day, Feature, Level, Scheduled, SeasonRules
from services.rules.dice import DiceRules
from services.rules.draws import DaySeed, Source, Stream
from services.rules.lottery import LotteryRules, PrizeRules
from services.rules.roulette import RouletteRules, SegmentRules
from services.rules.state import Effects, PlayerState, State

NOW = dt.datetime(2026, 3, 2, 3, 0, tzinfo=dt.UTC)
TODAY = dt.date(2026, 3, 2)
ENDS_AT = dt.datetime(2026, 3, 2, 15, 0, tzinfo=dt.UTC)

HEAD: dict[str, Any] = {
    "id": 7,
    "name": "rules",
    "revision": 3,
    "published_at": NOW,
    "effective_from": NOW,
    "effective_until": None,
    "hash": "0" * 64,
    "cost": {},
    "notice_hours": 0,
    "emergency_reason": None,
}
POINTS = (RewardType.POINT, 10, None)


def dice(limit: int = 3, **changes: Any) -> DiceRules:
    return msgspec.structs.replace(DiceRules(**HEAD, max_daily_plays=limit, **_outcomes()), **changes)


def _outcomes() -> dict[str, Any]:
    amounts = {"win": 100, "draw": 30, "lose": 0}
    return {
        f"{name}_{column}": value
        for name, amount in amounts.items()
        for column, value in (("reward_type", RewardType.POINT), ("reward_amount", amount), ("coupon_type", None))
    }


def roulette(weights: Sequence[int], limit: int = 3) -> RouletteRules:
    segments = tuple(
        SegmentRules(100 + slot, slot, f"segment {slot}", weight, False, *POINTS) for slot, weight in enumerate(weights)
    )
    return RouletteRules(**HEAD, max_daily_spins=limit, segments=segments)


def lottery(prizes: Sequence[tuple[int, int | None]], limit: int = 3, inactive: Sequence[int] = ()) -> LotteryRules:
    """Prizes of `(weight, stock)`, with ids 0, 1, ..., and so their stocks; those in `inactive` are not active."""
    rules = tuple(
        PrizeRules(
            number,
            number,
            f"prize {number}",
            weight,
            stock,
            None if stock is None else number,
            stock,
            stock,
            number not in inactive,
            *POINTS,
        )
        for number, (weight, stock) in enumerate(prizes)
    )
    return LotteryRules(**HEAD, max_daily_tickets=limit, prizes=rules)


def season(
    steps: Sequence[tuple[int, bool]], base_xp: int = 100, reward: Reward | None = None, **changes: Any
) -> SeasonRules:
    """A season whose levels are `(required_xp, auto_claim)`, each worth `reward` (its number in points)."""
    rows = tuple(
        Level(number, xp, auto, *((reward.type, reward.amount, reward.coupon_type) if reward else _points(number)))
        for number, (xp, auto) in enumerate(steps, start=1)
    )
    rules = SeasonRules(5, "season", TODAY, TODAY, base_xp, len(rows), 1, rows)
    return msgspec.structs.replace(rules, **changes)


def _points(amount: int) -> tuple[RewardType, int, None]:
    return RewardType.POINT, amount, None


def day(
    feature: FeatureType | None = FeatureType.DICE,
    *,
    game: msgspec.Struct | Sequence[msgspec.Struct] | None = None,
    seasons: Sequence[SeasonRules] = (),
    bonus: int = 20,
    pass_bonus: int = 50,
    date: dt.date = TODAY,
) -> Day:
    """A day of `feature`, played after `game`, or after one of several revisions."""
    revisions = [game] if isinstance(game, msgspec.Struct) else list(game or ())
    bonuses = dict.fromkeys(FeatureType, bonus) | {FeatureType.SEASON_PASS: pass_bonus}
    features = {kind: Feature(kind, kind.lower(), "/", True, xp) for kind, xp in bonuses.items()}
    scheduled = Scheduled(feature, is_active=True) if feature else None
    return Day(date, ENDS_AT, scheduled, features, msgspec.json.encode(revisions), tuple(seasons))


PLAYER = UUID(int=1)


def player(player_id: UUID = PLAYER) -> PlayerState:
    return PlayerState(player_id, version=0, is_blocked=False)


def source(number: int) -> Source:
    """A stream of integers, another for each number."""
    return Stream(number.to_bytes(8), "a test")


def seed(number: int = 1, date: dt.date = TODAY) -> DaySeed:
    """What a date's draws come from, others for each number."""
    return DaySeed(date, "c" * 64, number.to_bytes(32))


def state(day: Day, *players: PlayerState, stocks: dict[int, int] | None = None) -> State:
    """A day and players, with what draws come from."""
    return State(day, {one.id: one for one in players}, {} if stocks is None else stocks, seed(date=day.date))


def effects(seed: int = 1) -> Effects:
    return Effects(Ids(Random(seed)))
