"""What a player's command answers, as it is kept with the idempotency key and given again on a replay."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

import msgspec
from msgspec import Struct

from models import DiceOutcome, Language, RewardType

Texts = dict[Language, str]
"""One text in several languages."""


class Reward(Struct, frozen=True, rename="camel"):
    """What may be won: `amount` points or tokens, or one coupon of `coupon_type`."""

    type: RewardType
    amount: int
    coupon_type: str | None = None

    @property
    def grants(self) -> bool:
        """Whether winning this gives anything."""
        return self.type is not RewardType.NONE and self.amount > 0


class Granted(Struct, rename="camel"):
    """What was won. `balance`: after this grant; `coupon_code` is null while the coupon waits for one."""

    type: RewardType
    amount: int
    balance: int | None = None
    coupon_code: str | None = None


class DailyLimit(Struct, frozen=True, rename="camel"):
    """How often a game may be played on a business date: `max` times, 0 being unlimited."""

    max: int
    used: int
    resets_at: dt.datetime

    @property
    def unlimited(self) -> bool:
        """Whether there is no limit."""
        return self.max == 0

    @property
    def remaining(self) -> int:
        """Plays left today; 0 where there is no limit."""
        return max(self.max - self.used, 0)

    @property
    def reached(self) -> bool:
        """Whether no play is left."""
        return not self.unlimited and self.used >= self.max


class LevelReward(Struct, rename="camel"):
    """A season level's reward, granted."""

    level: int
    reward: Granted
    claimed_at: dt.datetime


class StampReceipt(Struct, rename="camel"):
    """What a stamp did: 0 or 1 stamp, its XP, and the levels whose rewards came with it."""

    added_stamp: int
    xp_added: int
    current_xp: int
    current_level: int
    leveled_up: bool
    rewards: list[LevelReward]


class DiceRoll(Struct, frozen=True, tag="dice", rename="camel"):
    """The dice of the player and of the dealer."""

    user_dice: tuple[int, int]
    dealer_dice: tuple[int, int]
    outcome: DiceOutcome


class Segment(Struct, frozen=True, tag="segment", rename="camel", omit_defaults=True):
    """A roulette segment and its chance when it was drawn. `labels`: its label in other words, by language."""

    id: int
    slot: int
    label: str
    reward: Reward
    weight: int
    total_weight: int
    is_jackpot: bool
    labels: Texts = {}


class Prize(Struct, frozen=True, tag="prize", rename="camel", omit_defaults=True):
    """A lottery prize, its chance when it was drawn, and the stock that the draw left (null: unlimited).

    `labels`: its label in other words, by language.
    """

    id: int
    label: str
    reward: Reward
    weight: int
    total_weight: int
    stock: int | None
    is_active: bool
    labels: Texts = {}


Draw = DiceRoll | Segment | Prize
"""What a play shows of what was drawn: a member for each game."""


def without_labels(drawn: Draw) -> Draw:
    """What was drawn, told in the event's own words alone."""
    return drawn if isinstance(drawn, DiceRoll) else msgspec.structs.replace(drawn, labels={})


class Played(Struct, tag="play", rename="camel"):
    """A play: what was drawn, what it granted, and what it left of the day's limit."""

    id: UUID
    business_date: dt.date
    played_at: dt.datetime
    reward: Granted
    daily_limit: DailyLimit
    season_pass: StampReceipt | None
    drawn: Draw
    replayed: bool = False


class Stamped(Struct, tag="stamp", rename="camel"):
    """A stamp by itself."""

    receipt: StampReceipt
    replayed: bool = False


class Claimed(Struct, tag="claim", rename="camel"):
    """A claim."""

    level_reward: LevelReward
    replayed: bool = False


Answer = Played | Stamped | Claimed

encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Answer).decode


def replay(answer: bytes | str) -> Answer:
    """The first answer again, marked as a replay."""
    return mark_replayed(_decode(answer))


def mark_replayed(answer: Answer) -> Answer:
    """`answer` as a later request with the same key sees it."""
    return msgspec.structs.replace(answer, replayed=True)
