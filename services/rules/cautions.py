"""What is valid and may not be meant: pure functions that find each thing to think twice about."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

from models import BALANCE_TYPES, RewardType
from services.answers import Reward
from services.error_codes import WarningCode
from services.errors import Warned

FAR_ABOVE = 10
"""Times what is usual."""

USUAL_GRANT_DAYS = 90
"""How far back grants by hand tell what is usual."""

FIRST_GRANT = 10_000
"""Points or tokens that may be granted by hand, unwarned, where nothing tells what is usual."""


class Chance(NamedTuple):
    """Something that a play may give: where it stands in the input, what it is worth, and its share of the chances."""

    path: Sequence[str]
    reward: Reward
    weight: int


def coupons(rewards: Iterable[tuple[Sequence[str], Reward]], pools: Mapping[str, bool]) -> list[Warned]:
    """Coupons that whoever wins them would wait for. `pools`: whether a code is left, by the types ever imported."""
    found = []
    for path, reward in rewards:
        kind = reward.coupon_type
        if kind is not None and kind not in pools:
            message = f"No code of {kind} was ever imported: whoever wins one waits for it."
            found.append(Warned(WarningCode.COUPON_TYPE_UNKNOWN, (*path, "couponType"), message))
        elif kind is not None and not pools[kind]:
            message = f"No code of {kind} is left: whoever wins one waits for it."
            found.append(Warned(WarningCode.COUPON_POOL_EMPTY, (*path, "couponType"), message))
    return found


def unlimited(daily_max: int, chances: Sequence[Chance], *path: str) -> list[Warned]:
    """Plays without a daily limit that give something."""
    if daily_max or not any(chance.reward.grants and chance.weight for chance in chances):
        return []
    message = "0 is no limit at all, and what is played for is of value."
    return [Warned(WarningCode.UNLIMITED_PLAYS_OF_VALUE, path, message)]


def payout(before: Sequence[Chance], after: Sequence[Chance]) -> list[Warned]:
    """What a play gives on average, of each kind, far above what it gave; a kind that is new says nothing."""
    former, found = _expected(before), []
    for kind, expected in _expected(after).items():
        if former.get(kind, 0) and expected >= FAR_ABOVE * former[kind]:
            most = max(
                (one for one in after if one.reward.type is kind), key=lambda one: one.reward.amount * one.weight
            )
            message = f"A play would give {float(expected):,.2f} {kind} on average; it gave {float(former[kind]):,.2f}."
            found.append(Warned(WarningCode.PAYOUT_FAR_ABOVE_BEFORE, (*most.path, "amount"), message))
    return found


def _expected(chances: Sequence[Chance]) -> dict[RewardType, Fraction]:
    """What a play gives on average, by kind, exactly."""
    total, sums = sum(chance.weight for chance in chances), defaultdict[RewardType, int](int)
    for chance in chances:
        if chance.reward.grants and chance.weight:
            sums[chance.reward.type] += chance.reward.amount * chance.weight
    return {kind: Fraction(amount, total) for kind, amount in sums.items()}


def granted(reward: Reward, largest: int | None) -> list[Warned]:
    """A grant by hand far above the largest of its kind of late, or above a bound where there was none."""
    bound = FIRST_GRANT if largest is None else FAR_ABOVE * largest
    if reward.type not in BALANCE_TYPES or reward.amount <= bound:
        return []
    usual = (
        f"none was granted by hand in {USUAL_GRANT_DAYS} days" if largest is None else f"the largest was {largest:,}"
    )
    message = f"{reward.amount:,} {reward.type} is far above the usual: {usual}."
    return [Warned(WarningCode.GRANT_FAR_ABOVE_USUAL, ("reward", "amount"), message)]
