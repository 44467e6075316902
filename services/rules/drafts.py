"""What operators submit: a configuration that is not published yet, as it was written, valid or not."""

from __future__ import annotations

import datetime as dt

from msgspec import Struct

from models import FeatureType
from services.answers import Reward


class DayDraft(Struct, frozen=True):
    """A day of the schedule."""

    date: dt.date
    feature_type: FeatureType
    is_active: bool


class FeatureDraft(Struct, frozen=True):
    """How a feature is presented, whether it is on at all, and the XP that it adds to a stamp."""

    feature_type: FeatureType
    title: str
    page_path: str
    is_enabled: bool
    stamp_xp_bonus: int


class DiceDraft(Struct, frozen=True):
    """A revision of the dice game."""

    name: str
    max_daily_plays: int
    win_reward: Reward
    draw_reward: Reward
    lose_reward: Reward


class SegmentDraft(Struct, frozen=True):
    """A segment of the wheel."""

    slot: int
    label: str
    reward: Reward
    weight: int
    is_jackpot: bool


class RouletteDraft(Struct, frozen=True):
    """A revision of the roulette."""

    name: str
    max_daily_spins: int
    segments: tuple[SegmentDraft, ...]


class PrizeDraft(Struct, frozen=True):
    """A prize of the lottery. `stock`: null is unlimited."""

    label: str
    reward: Reward
    weight: int
    stock: int | None
    is_active: bool


class LotteryDraft(Struct, frozen=True):
    """A revision of the lottery, its prizes in the operator's order."""

    name: str
    max_daily_tickets: int
    prizes: tuple[PrizeDraft, ...]


class LevelDraft(Struct, frozen=True):
    """A level of a season."""

    level: int
    required_xp: int
    reward: Reward
    auto_claim: bool


class SeasonDraft(Struct, frozen=True):
    """A season, known by its name; both dates are included."""

    name: str
    start_date: dt.date
    end_date: dt.date
    base_xp_per_stamp: int
    levels: tuple[LevelDraft, ...]
