"""Rewards, limits and odds, which every game shows."""

from __future__ import annotations

import datetime as dt

import strawberry

from models import COUPON_TYPE_LENGTH, MAX_AMOUNT, RewardType
from schema.described import described
from schema.inputs import TextInput
from schema.scalars import BigInt
from services import answers
from services.rules.texts import rule


@described
@strawberry.type
class DailyLimit:
    """How often a game may be played today. max 0 is unlimited; then remaining is 0 and unlimited is true."""

    max: int = strawberry.field(description="Plays a day; 0 is unlimited.")
    used: int = strawberry.field(description="Plays used today.")
    remaining: int = strawberry.field(description="Plays left today; 0 where there is no limit.")
    unlimited: bool = strawberry.field(description="Whether there is no limit.")
    resets_at: dt.datetime = strawberry.field(description="The next midnight in the event's time zone.")

    @classmethod
    def of(cls, limit: answers.DailyLimit) -> DailyLimit:
        """Convert."""
        return cls(
            max=limit.max,
            used=limit.used,
            remaining=limit.remaining,
            unlimited=limit.unlimited,
            resets_at=limit.resets_at,
        )


@described
@strawberry.type
class RewardSpec:
    """What may be won."""

    type: RewardType = strawberry.field(description="What the reward is made of.")
    amount: int = strawberry.field(description="Points or tokens; 1 for a coupon; 0 is nothing.")
    coupon_type: str | None = strawberry.field(description="Which coupon, for COUPON.")

    @classmethod
    def of(cls, reward: answers.Reward) -> RewardSpec:
        """Convert."""
        return cls(type=reward.type, amount=reward.amount, coupon_type=reward.coupon_type)


@described
@strawberry.type
class GrantedReward:
    """What was won."""

    type: RewardType = strawberry.field(description="What the reward is made of.")
    amount: int = strawberry.field(description="Points or tokens; 1 for a coupon; 0 when nothing was won.")
    balance: BigInt | None = strawberry.field(description="POINT and TOKEN: the balance after this grant.")
    coupon_code: str | None = strawberry.field(
        description="COUPON: the code; null while the pool is empty, then it shows in the ledger once there is one."
    )

    @classmethod
    def of(cls, granted: answers.Granted) -> GrantedReward:
        """Convert."""
        balance = None if granted.balance is None else BigInt(granted.balance)
        return cls(type=granted.type, amount=granted.amount, balance=balance, coupon_code=granted.coupon_code)


@described
@strawberry.type
class Odds:
    """How likely something is: weight out of totalWeight."""

    weight: int = strawberry.field(description="The share of this.")
    total_weight: int = strawberry.field(description="The sum of all shares that can come now; 0 when nothing can.")
    percent: float = strawberry.field(description="100 * weight / totalWeight, to show; 0 when nothing can come.")

    @classmethod
    def of(cls, weight: int, total: int) -> Odds:
        """Convert."""
        return cls(weight=weight, total_weight=total, percent=100 * weight / total if total else 0.0)


@described
@strawberry.type
class Balance:
    """What the player has of one reward."""

    type: RewardType = strawberry.field(description="POINT or TOKEN.")
    amount: BigInt = strawberry.field(description="The sum of all ledger lines of this type.")


@described
@strawberry.input
class RewardInput(TextInput):
    """A reward to publish or to grant."""

    type: RewardType = strawberry.field(description="What the reward is made of.")
    amount: int = strawberry.field(description=f"POINT and TOKEN: up to {MAX_AMOUNT}. COUPON: 1. NONE: 0.")
    coupon_type: str | None = strawberry.field(
        default=strawberry.UNSET,
        description=f"COUPON, and only that: the pool to take a code from, {rule(COUPON_TYPE_LENGTH)}.",
    )

    def to_reward(self) -> answers.Reward:
        """Convert."""
        coupon_type = None if self.coupon_type is strawberry.UNSET else self.coupon_type
        return answers.Reward(self.type, self.amount, coupon_type)
