"""Roulette: one of six segments, drawn by weight."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from models import (
    MAX_AMOUNT,
    MAX_DAILY_PLAYS,
    NAME_LENGTH,
    FeatureType,
    RewardCause,
    RewardType,
    RouletteConfig,
    RouletteLog,
    RouletteSegment,
    RouletteWithdrawal,
)
from services.answers import Reward, Segment, Texts
from services.errors import InvalidRouletteConfig
from services.rules.cautions import Chance
from services.rules.drafts import Translations
from services.rules.draws import Source
from services.rules.game import Drawn, Game, Outcome, Parts, Rules
from services.rules.odds import Item
from services.rules.validation import Faults
from services.rules.weights import bounds, pick, position_of

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
    labels: Texts = {}

    @property
    def reward(self) -> Reward:
        """What the segment is worth."""
        return Reward(self.reward_type, self.reward_amount, self.coupon_type)


class RouletteRules(Rules, frozen=True):
    """A revision of the roulette, its segments by slot."""

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
    def coupon_types(self) -> set[str]:
        """The coupons that it may give."""
        return {segment.coupon_type for segment in self.segments if segment.coupon_type and segment.weight}

    @property
    def total_weight(self) -> int:
        """The sum of the weights."""
        return sum(segment.weight for segment in self.segments)

    def items(self, _stocks: Mapping[int, int] | None = None) -> list[Item]:
        """The segments."""
        return [
            Item(segment.label, segment.labels, segment.reward, segment.weight, self.total_weight)
            for segment in self.segments
        ]

    def shown(self) -> tuple[Segment, ...]:
        """The segments with their odds."""
        return tuple(
            Segment(
                segment.id,
                segment.slot,
                segment.label,
                segment.reward,
                segment.weight,
                self.total_weight,
                segment.is_jackpot,
                segment.labels,
            )
            for segment in self.segments
        )


class SegmentDraft(Struct, frozen=True):
    """A segment of the wheel."""

    slot: int
    label: str
    reward: Reward
    weight: int
    is_jackpot: bool
    labels: Translations = Translations()


class RouletteDraft(Struct, frozen=True):
    """A revision of the roulette."""

    name: str
    max_daily_spins: int
    segments: tuple[SegmentDraft, ...]
    cost: Translations = Translations()


def faults_of(config: RouletteDraft) -> Faults:
    """What is wrong with a draft of the roulette."""
    faults, slots = Faults(), set[int]()
    faults.text(config.name, NAME_LENGTH, "name")
    faults.translations(config.cost, NAME_LENGTH, "cost")
    faults.whole(config.max_daily_spins, 0, MAX_DAILY_PLAYS, "maxDailySpins")
    if len(config.segments) != SLOTS:
        faults.add(f"Must be {SLOTS} segments, not {len(config.segments)}.", "segments")
    for index, segment in enumerate(config.segments):
        path = ("segments", str(index))
        faults.whole(segment.slot, 0, SLOTS - 1, *path, "slot")
        if segment.slot in slots:
            faults.add(f"Slot {segment.slot} is there twice.", *path, "slot")
        slots.add(segment.slot)
        faults.text(segment.label, NAME_LENGTH, *path, "label")
        faults.translations(segment.labels, NAME_LENGTH, *path, "labels")
        faults.reward(segment.reward, *path, "reward")
        faults.whole(segment.weight, 0, MAX_AMOUNT, *path, "weight")
    for slot in range(SLOTS):
        if slot not in slots:
            faults.add(f"Slot {slot} is missing.", "segments")
    faults.weights([segment.weight for segment in config.segments], "segments")
    return faults


def chances(config: RouletteDraft | RouletteRules) -> list[Chance]:
    """What a spin may give."""
    segments: Sequence[SegmentDraft | SegmentRules] = config.segments
    return [
        Chance(("segments", str(index), "reward"), segment.reward, segment.weight)
        for index, segment in enumerate(segments)
    ]


def told(drawn_from: Sequence[int], rolls: Sequence[int]) -> Outcome:
    """The slot where the wheel stopped."""
    return {"slot": position_of(drawn_from, rolls[0])}


def draw(rules: RouletteRules, _stocks: Mapping[int, int], source: Source) -> Drawn:
    """Spin."""
    weights = [segment.weight for segment in rules.segments]
    slot, rolled = pick(weights, source)
    segment = rules.shown()[slot]
    columns = {"config_id": rules.id, "segment_id": segment.id}
    return Drawn(segment, segment.reward, columns, drawn_from=weights, rolls=(rolled,))


ROULETTE = Game(
    feature=FeatureType.ROULETTE,
    operation="spinRoulette",
    cause=RewardCause.ROULETTE_SPIN,
    config=RouletteConfig,
    withdrawal=RouletteWithdrawal,
    parts=Parts("segments", RouletteSegment, SegmentRules, order="slot", log_column="segment_id"),
    log=RouletteLog,
    rules_type=RouletteRules,
    draft=RouletteDraft,
    faults=faults_of,
    invalid=InvalidRouletteConfig,
    drawn=Segment,
    draw=draw,
    bounds=bounds,
    outcome=told,
    limit="max_daily_spins",
    chances=chances,
)
