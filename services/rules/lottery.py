"""Lottery: a prize drawn by weight among those that are active and in stock."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from random import Random

import msgspec
from msgspec import Struct

from models import FeatureType, LotteryLog, RewardCause, RewardType
from services.answers import Prize, Reward
from services.errors import InvalidLotteryConfig, OutOfStock
from services.rules.game import Drawn, Game
from services.rules.weights import pick


class PrizeRules(Struct, frozen=True):
    """A prize as it is configured. `stock`: what was left when this was read; null is unlimited."""

    id: int
    label: str
    weight: int
    stock: int | None
    is_active: bool
    reward_type: RewardType
    reward_amount: int
    coupon_type: str | None

    @property
    def reward(self) -> Reward:
        """What the prize is worth."""
        return Reward(self.reward_type, self.reward_amount, self.coupon_type)


class LotteryRules(Struct, frozen=True):
    """A revision of the lottery, its prizes by position."""

    id: int
    name: str
    revision: int
    is_active: bool
    published_at: dt.datetime
    max_daily_tickets: int
    prizes: tuple[PrizeRules, ...]

    @property
    def daily_max(self) -> int:
        """Draws a day; 0 is unlimited."""
        return self.max_daily_tickets

    @property
    def is_valid(self) -> bool:
        """Whether weights and stocks are >= 0 and some active prize has a weight."""
        return (
            self.daily_max >= 0
            and all(prize.weight >= 0 and prize.reward_amount >= 0 for prize in self.prizes)
            and all(prize.stock is None or prize.stock >= 0 for prize in self.prizes)
            and any(prize.is_active and prize.weight > 0 for prize in self.prizes)
        )

    def stocks(self) -> dict[int, int]:
        """What was left of each finite prize when this was read."""
        return {prize.id: prize.stock for prize in self.prizes if prize.stock is not None}

    def weights(self, stocks: Mapping[int, int]) -> list[int]:
        """The weights among what can be drawn: 0 for a prize that is inactive or sold out."""
        return [prize.weight if prize.is_active and stocks.get(prize.id, 1) > 0 else 0 for prize in self.prizes]

    def shown(self, stocks: Mapping[int, int]) -> tuple[Prize, ...]:
        """The prizes with their odds among what can be drawn."""
        weights = self.weights(stocks)
        return tuple(
            Prize(prize.id, prize.label, prize.reward, weight, sum(weights), stocks.get(prize.id), prize.is_active)
            for prize, weight in zip(self.prizes, weights, strict=True)
        )


def draw(rules: LotteryRules, stocks: dict[int, int], rng: Random) -> Drawn:
    """Draw a prize; a finite one leaves the stock.

    Raises: OutOfStock when nothing can be drawn.
    """
    weights = rules.weights(stocks)
    if not sum(weights):
        raise OutOfStock
    index = pick(weights, rng)
    prize = rules.prizes[index]
    finite = prize.id in stocks
    if finite:
        stocks[prize.id] -= 1
    shown = Prize(
        prize.id, prize.label, prize.reward, weights[index], sum(weights), stocks.get(prize.id), prize.is_active
    )
    return Drawn(shown, prize.reward, {"config_id": rules.id, "prize_id": prize.id}, prize.id if finite else None)


def stocks_of(content: bytes) -> dict[int, int]:
    """What is left of each finite prize, out of the active revision's JSON; empty where there is none."""
    rules = msgspec.json.decode(content, type=LotteryRules | None)
    return rules.stocks() if rules else {}


LOTTERY = Game(FeatureType.LOTTERY, RewardCause.LOTTERY_DRAW, LotteryLog, LotteryRules, InvalidLotteryConfig, draw)
