"""Lottery: a prize drawn by weight among those that are active and in stock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from models import (
    MAX_AMOUNT,
    MAX_DAILY_PLAYS,
    MAX_PRIZES,
    NAME_LENGTH,
    PRIZES_IN_STOCK,
    FeatureType,
    LotteryConfig,
    LotteryLog,
    LotteryPrize,
    LotteryWithdrawal,
    RewardCause,
    RewardType,
)
from services.answers import Prize, Reward, Texts
from services.error_codes import WarningCode
from services.errors import InvalidLotteryConfig, OutOfStock, Warned
from services.rules.cautions import Chance
from services.rules.drafts import Translations
from services.rules.draws import Source
from services.rules.game import Drawn, Game, Outcome, Parts, Rules
from services.rules.odds import Item
from services.rules.validation import Faults
from services.rules.weights import bounds, pick, position_of


class PrizeRules(Struct, frozen=True):
    """A prize as it is configured: `quantity` of it, as it was announced; null is unlimited.

    `stock`, of `initial_stock`, was left when this was read. The facts of a day leave `stock` out, since every draw
    changes it.
    """

    id: int
    position: int
    label: str
    weight: int
    quantity: int | None
    stock_id: int | None
    stock: int | None
    initial_stock: int | None
    is_active: bool
    reward_type: RewardType
    reward_amount: int
    coupon_type: str | None
    labels: Texts = {}

    @property
    def reward(self) -> Reward:
        """What the prize is worth."""
        return Reward(self.reward_type, self.reward_amount, self.coupon_type)

    def shown(self, weight: int, total_weight: int, stock: int | None) -> Prize:
        """The prize with its odds among what can be drawn, and what is left of it."""
        return Prize(self.id, self.label, self.reward, weight, total_weight, stock, self.is_active, self.labels)


class LotteryRules(Rules, frozen=True):
    """A revision of the lottery, its prizes by position."""

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

    @property
    def coupon_types(self) -> set[str]:
        """The coupons that it may give."""
        return {prize.coupon_type for prize in self.prizes if prize.coupon_type and prize.is_active and prize.weight}

    @property
    def stock_ids(self) -> frozenset[int]:
        """The stocks of its prizes."""
        return frozenset(prize.stock_id for prize in self.prizes if prize.stock_id is not None)

    @property
    def is_sold_out(self) -> bool:
        """Whether no prize that can be drawn was left when this was read."""
        return not sum(self.weights(self.stocks()))

    def items(self, stocks: Mapping[int, int] | None = None) -> list[Item]:
        """The prizes; one that is not active, or sold out, has no chance."""
        published = [prize.weight if prize.is_active else 0 for prize in self.prizes]
        weights = published if stocks is None else self.weights(stocks)
        total = sum(weights)
        return [
            Item(
                prize.label,
                prize.labels,
                prize.reward,
                weight,
                total,
                prize.quantity,
                None if stocks is None else self.left(prize, stocks),
            )
            for prize, weight in zip(self.prizes, weights, strict=True)
        ]

    def stocks(self) -> dict[int, int]:
        """What was left of each stock when this was read."""
        return {
            prize.stock_id: prize.stock
            for prize in self.prizes
            if prize.stock_id is not None and prize.stock is not None
        }

    def left(self, prize: PrizeRules, stocks: Mapping[int, int]) -> int | None:
        """How many of a prize are left; null is unlimited."""
        return None if prize.stock_id is None else stocks[prize.stock_id]

    def weights(self, stocks: Mapping[int, int]) -> list[int]:
        """The weights among what can be drawn: 0 for a prize that is inactive or sold out."""
        return [prize.weight if prize.is_active and self.left(prize, stocks) != 0 else 0 for prize in self.prizes]

    def shown(self, stocks: Mapping[int, int]) -> tuple[Prize, ...]:
        """The prizes with their odds among what can be drawn."""
        weights = self.weights(stocks)
        return tuple(
            prize.shown(weight, sum(weights), self.left(prize, stocks))
            for prize, weight in zip(self.prizes, weights, strict=True)
        )


class PrizeDraft(Struct, frozen=True):
    """A prize of the lottery: `stock` of it, or what is left of the prize `carries_stock_of`, or else unlimited."""

    label: str
    reward: Reward
    weight: int
    stock: int | None
    is_active: bool
    labels: Translations = Translations()
    carries_stock_of: int | None = None


class LotteryDraft(Struct, frozen=True):
    """A revision of the lottery, its prizes in the operator's order."""

    name: str
    max_daily_tickets: int
    prizes: tuple[PrizeDraft, ...]
    cost: Translations = Translations()


def faults_of(config: LotteryDraft) -> Faults:
    """What is wrong with a draft of the lottery."""
    faults = Faults()
    faults.text(config.name, NAME_LENGTH, "name")
    faults.translations(config.cost, NAME_LENGTH, "cost")
    faults.whole(config.max_daily_tickets, 0, MAX_DAILY_PLAYS, "maxDailyTickets")
    if not 1 <= len(config.prizes) <= MAX_PRIZES:
        faults.add(f"Must be 1 to {MAX_PRIZES} prizes, not {len(config.prizes)}.", "prizes")
    for index, prize in enumerate(config.prizes):
        path = ("prizes", str(index))
        faults.text(prize.label, NAME_LENGTH, *path, "label")
        faults.translations(prize.labels, NAME_LENGTH, *path, "labels")
        faults.reward(prize.reward, *path, "reward")
        faults.whole(prize.weight, 0, MAX_AMOUNT, *path, "weight")
        if prize.stock is not None:
            faults.whole(prize.stock, 0, MAX_AMOUNT, *path, "stock")
            if prize.carries_stock_of is not None:
                faults.add("Goes on with what carriesStockOf has left: leave one of them out.", *path, "stock")
    faults.weights([prize.weight for prize in config.prizes if prize.is_active], "prizes")
    return faults


def restated(before: LotteryRules | None, config: LotteryDraft) -> list[tuple[int, PrizeRules]]:
    """The prizes of a draft whose stock is stated anew while some of the former one, of the same label, is left.

    Whoever means the same pieces gives them twice. Each by its index in the draft, with the prize that it was before.
    """
    former = {prize.label: prize for prize in before.prizes if prize.stock} if before else {}
    return [
        (index, former[prize.label])
        for index, prize in enumerate(config.prizes)
        if prize.stock is not None and prize.label in former
    ]


def chances(config: LotteryDraft | LotteryRules) -> list[Chance]:
    """What a draw may give, before anything is sold out."""
    prizes: Sequence[PrizeDraft | PrizeRules] = config.prizes
    return [
        Chance(("prizes", str(index), "reward"), prize.reward, prize.weight if prize.is_active else 0)
        for index, prize in enumerate(prizes)
    ]


def stock_cautions(before: LotteryRules, config: LotteryDraft) -> list[Warned]:
    """What to think twice about in the stock that a draft states."""
    return [
        Warned(
            WarningCode.STOCK_RESTATED,
            ("prizes", str(index), "stock"),
            f'{prize.stock} of "{prize.label}" are left beside these: carriesStockOf would go on with them.',
        )
        for index, prize in restated(before, config)
    ]


def told(drawn_from: Sequence[int], rolls: Sequence[int]) -> Outcome:
    """The position of the prize that was drawn."""
    return {"position": position_of(drawn_from, rolls[0])}


def draw(rules: LotteryRules, stocks: Mapping[int, int], source: Source) -> Drawn:
    """Draw a prize; where it is a finite one, what is shown is what its taking leaves.

    Raises: OutOfStock when nothing can be drawn.
    """
    weights = rules.weights(stocks)
    if not sum(weights):
        raise OutOfStock
    index, rolled = pick(weights, source)
    prize = rules.prizes[index]
    left = stocks[prize.stock_id] - 1 if prize.stock_id is not None else None
    shown = prize.shown(weights[index], sum(weights), left)
    columns = {"config_id": rules.id, "prize_id": prize.id}
    return Drawn(shown, prize.reward, columns, drawn_from=weights, rolls=(rolled,), takes=prize.stock_id)


def _place(index: int, _prize: PrizeDraft) -> dict[str, Any]:
    """A prize stays where the operator put it."""
    return {"position": index}


PRIZES = Parts(
    "prizes",
    LotteryPrize,
    PrizeRules,
    order="position",
    log_column="prize_id",
    more=_place,
    rows=PRIZES_IN_STOCK,
    is_stocked=True,
)

LOTTERY = Game(
    feature=FeatureType.LOTTERY,
    operation="drawLottery",
    cause=RewardCause.LOTTERY_DRAW,
    config=LotteryConfig,
    withdrawal=LotteryWithdrawal,
    parts=PRIZES,
    log=LotteryLog,
    rules_type=LotteryRules,
    draft=LotteryDraft,
    faults=faults_of,
    invalid=InvalidLotteryConfig,
    drawn=Prize,
    draw=draw,
    bounds=bounds,
    outcome=told,
    limit="max_daily_tickets",
    chances=chances,
    stock_cautions=stock_cautions,
)
