"""Roulette: one of six segments, drawn by weight."""

from __future__ import annotations

import datetime as dt
from random import Random

from msgspec import Struct

from models import FeatureType, RewardCause, RewardType, RouletteLog
from services.answers import Reward, Segment
from services.errors import InvalidRouletteConfig
from services.rules.game import Drawn, Game
from services.rules.weights import pick

SLOTS = 6


class SegmentRules(Struct, frozen=True):
    """A segment as it is configured."""

    id: int
    slot: int
    label: str
    weight: int
    is_jackpot: bool
    reward_type: RewardType
    reward_amount: int
    coupon_type: str | None


class RouletteRules(Struct, frozen=True):
    """A revision of the roulette, its segments by slot."""

    id: int
    name: str
    revision: int
    is_active: bool
    published_at: dt.datetime
    max_daily_spins: int
    segments: tuple[SegmentRules, ...]

    @property
    def daily_max(self) -> int:
        """Spins a day; 0 is unlimited."""
        return self.max_daily_spins

    @property
    def is_valid(self) -> bool:
        """Whether there are six segments with weights >= 0 whose sum is > 0."""
        return (
            [segment.slot for segment in self.segments] == list(range(SLOTS))
            and all(segment.weight >= 0 and segment.reward_amount >= 0 for segment in self.segments)
            and self.total_weight > 0
            and self.daily_max >= 0
        )

    @property
    def total_weight(self) -> int:
        """The sum of the weights."""
        return sum(segment.weight for segment in self.segments)

    def shown(self) -> tuple[Segment, ...]:
        """The segments with their odds."""
        return tuple(
            Segment(
                segment.id,
                segment.slot,
                segment.label,
                Reward(segment.reward_type, segment.reward_amount, segment.coupon_type),
                segment.weight,
                self.total_weight,
                segment.is_jackpot,
            )
            for segment in self.segments
        )


def draw(rules: RouletteRules, _stocks: dict[int, int], rng: Random) -> Drawn:
    """Spin."""
    segment = rules.shown()[pick([segment.weight for segment in rules.segments], rng)]
    return Drawn(segment, segment.reward, {"config_id": rules.id, "segment_id": segment.id})


ROULETTE = Game(
    FeatureType.ROULETTE, RewardCause.ROULETTE_SPIN, RouletteLog, RouletteRules, InvalidRouletteConfig, draw
)
