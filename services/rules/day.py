"""The facts of one business date, as the database has them when a batch of commands is decided."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from itertools import pairwise
from uuid import UUID

from msgspec import Raw, Struct

from models import FeatureType, RewardType
from services.answers import Reward, Texts
from services.errors import InvalidSeasonConfig, NoActiveSeason, NoActiveSeasonConflict, NoFeatureToday


class Scheduled(Struct, frozen=True):
    """The day's row of the schedule."""

    feature_type: FeatureType
    is_active: bool


class Feature(Struct, frozen=True):
    """A feature's configuration."""

    feature_type: FeatureType
    title: str
    page_path: str
    is_enabled: bool
    stamp_xp_bonus: int
    titles: Texts = {}


class Level(Struct, frozen=True):
    """A level of a season."""

    level: int
    required_xp: int
    auto_claim: bool
    reward_type: RewardType
    reward_amount: int
    coupon_type: str | None

    @property
    def reward(self) -> Reward:
        """What reaching the level is worth."""
        return Reward(self.reward_type, self.reward_amount, self.coupon_type)


class SeasonRules(Struct, frozen=True):
    """A season with its levels, by level."""

    id: int
    name: str
    start_date: dt.date
    end_date: dt.date
    base_xp_per_stamp: int
    max_level: int
    revision: int
    levels: tuple[Level, ...]

    @property
    def is_valid(self) -> bool:
        """Whether levels run 1..n without gaps, with strictly rising XP."""
        numbers = [level.level for level in self.levels]
        xp = [level.required_xp for level in self.levels]
        return (
            numbers == list(range(1, self.max_level + 1))
            and all(low < high for low, high in pairwise(xp))
            and all(level.reward_amount >= 0 for level in self.levels)
        )

    def level_at(self, xp: int) -> int:
        """The highest level whose XP is reached with `xp`; 0 before the first."""
        return max((level.level for level in self.levels if level.required_xp <= xp), default=0)


class Facts(Struct, frozen=True):
    """What the load statement tells of a day, as JSON."""

    schedule: Scheduled | None
    features: tuple[Feature, ...]
    game: Raw
    seasons: tuple[SeasonRules, ...]


class Day(Struct, frozen=True):
    """A business date: what is on, the season, and the instant at which it ends.

    `game`: the JSON of the revisions that may be played at some instant of it. `revision`: the database's name of
    these facts, if they have one.
    """

    date: dt.date
    ends_at: dt.datetime
    scheduled: Scheduled | None
    features: Mapping[FeatureType, Feature]
    game: bytes
    seasons: tuple[SeasonRules, ...]
    revision: UUID | None = None

    def feature(self) -> Feature:
        """What is on.

        Raises: NoFeatureToday when nothing is scheduled, or it is inactive, disabled or not configured.
        """
        feature = self.features.get(self.scheduled.feature_type) if self.scheduled else None
        if self.scheduled is None or not self.scheduled.is_active or feature is None or not feature.is_enabled:
            raise self.no_feature()
        return feature

    def no_feature(self) -> NoFeatureToday:
        """The refusal of what is not on today."""
        return NoFeatureToday(self.date, self.ends_at)

    def season(self) -> SeasonRules:
        """The season that is on.

        Raises: NoActiveSeason, NoActiveSeasonConflict (two at once), InvalidSeasonConfig (broken levels).
        """
        if not self.seasons:
            raise NoActiveSeason
        if len(self.seasons) > 1:
            raise NoActiveSeasonConflict
        if not self.seasons[0].is_valid:
            raise InvalidSeasonConfig
        return self.seasons[0]

    def stamp_bonus(self, source: FeatureType) -> int:
        """The XP that `source` adds to a stamp."""
        feature = self.features.get(source)
        return feature.stamp_xp_bonus if feature else 0
