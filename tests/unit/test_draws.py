"""Draws: every throw, every integer, and whether chance is fair."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import product
from typing import Any

import msgspec
import pytest

from models import DiceOutcome, RewardType
from services.answers import DiceRoll, Prize, Reward, Segment
from services.errors import InvalidDiceConfig, InvalidLotteryConfig, InvalidRouletteConfig, OutOfStock
from services.rules.dice import CHANCES, DICE, outcome_of
from services.rules.dice import draw as roll
from services.rules.draws import Source
from services.rules.game import Drawn, Rules
from services.rules.hashes import content_of
from services.rules.lottery import LOTTERY
from services.rules.lottery import draw as draw_prize
from services.rules.roulette import ROULETTE
from services.rules.roulette import draw as spin
from services.rules.weights import pick, position_of
from tests.unit import rules

DRAWS = 200_000
CRITICAL = {1: 19.51, 2: 23.03, 3: 25.90, 4: 28.47, 5: 30.86, 35: 86.6}
"""Chi-square values that a fair source exceeds once in 100,000 runs, by degrees of freedom; the seeds are fixed."""


class Points:
    """A source that draws the given integers, and checks from what range."""

    def __init__(self, points: list[int], total: int) -> None:
        self.points, self.total = points, total

    def below(self, bound: int) -> int:
        assert bound == self.total
        return self.points.pop(0)


def chi_square(counts: Mapping[Any, int], weights: Mapping[Any, int]) -> float:
    drawn, total = sum(counts.values()), sum(weights.values())
    assert counts.keys() <= {key for key, weight in weights.items() if weight}
    expected = {key: Fraction(drawn * weight, total) for key, weight in weights.items() if weight}
    return float(sum((counts[key] - mean) ** 2 / mean for key, mean in expected.items()))


def dice_of(roll: Any) -> tuple[int, int, int, int]:
    assert isinstance(roll, DiceRoll)
    return (*roll.user_dice, *roll.dealer_dice)


def test_every_throw_has_its_outcome() -> None:
    for throw in product(range(1, 7), repeat=4):
        check_throw(*throw)


def check_throw(a: int, b: int, c: int, d: int) -> None:
    drawn = roll(rules.dice(), {}, Points([a - 1, b - 1, c - 1, d - 1], 6))
    difference = (a + b) - (c + d)
    expected = DiceOutcome.WIN if difference > 0 else DiceOutcome.LOSE if difference < 0 else DiceOutcome.DRAW
    assert drawn.facts == DiceRoll((a, b), (c, d), expected)
    assert drawn.reward == Reward(RewardType.POINT, {"WIN": 100, "DRAW": 30, "LOSE": 0}[expected])
    assert drawn.takes is None
    names = ("user_dice_1", "user_dice_2", "dealer_dice_1", "dealer_dice_2")
    assert [drawn.columns[name] for name in names] == [a, b, c, d]
    assert (drawn.columns["outcome"], drawn.columns["config_id"]) == (expected, 7)


def test_the_chances_of_dice_are_counted() -> None:
    assert CHANCES == {DiceOutcome.WIN: 575, DiceOutcome.LOSE: 575, DiceOutcome.DRAW: 146}
    assert outcome_of((6, 6), (6, 5)) is DiceOutcome.WIN


@pytest.mark.parametrize(
    "weights", [(40, 25, 15, 12, 6, 2), (0, 1, 0, 0, 3, 0), (1, 1, 1, 1, 1, 1), (0, 0, 0, 0, 0, 9)]
)
def test_every_integer_falls_into_the_right_segment(weights: tuple[int, ...]) -> None:
    total = sum(weights)
    config = rules.roulette(weights)
    source = Points(list(range(total)), total)
    drawn: list[Segment] = []
    for _ in range(total):
        facts = spin(config, {}, source).facts
        assert isinstance(facts, Segment)
        drawn.append(facts)
    assert [segment.slot for segment in drawn] == [slot for slot in range(6) for _ in range(weights[slot])]
    assert {segment.slot: segment.weight for segment in drawn} == {s: w for s, w in enumerate(weights) if w}
    assert {segment.total_weight for segment in drawn} == {total}


def test_every_integer_falls_into_the_right_prize() -> None:
    prizes = [(3, None), (0, 5), (2, 1), (7, 0), (4, None), (1, 9)]
    config = rules.lottery(prizes, inactive=[4])
    total = 3 + 2 + 1
    for point, expected in zip(range(total), [0, 0, 0, 2, 2, 5], strict=True):
        stocks = config.stocks()
        drawn = draw_prize(config, stocks, Points([point], total))
        assert isinstance(drawn.facts, Prize)
        stock = prizes[expected][1]
        left = None if stock is None else stock - 1
        assert (drawn.facts.id, drawn.facts.total_weight, drawn.facts.stock) == (expected, total, left)
        assert drawn.takes == (None if stock is None else expected)
        assert stocks == config.stocks()  # who plays takes it, once nothing refuses the play
        assert drawn.columns == {"config_id": 7, "prize_id": expected}


def take_prize(config: Any, stocks: dict[int, int], source: Source) -> Drawn:
    drawn = draw_prize(config, stocks, source)
    if drawn.takes is not None:
        stocks[drawn.takes] -= 1
    return drawn


def test_position_of_has_no_bias_at_its_borders() -> None:
    weights = [0, 10**9, 0, 10**9, 1]
    borders = {0: 1, 10**9 - 1: 1, 10**9: 3, 2 * 10**9 - 1: 3, 2 * 10**9: 4}
    assert {point: position_of(weights, point) for point in borders} == borders


def test_a_weight_of_zero_is_never_drawn() -> None:
    source = rules.source(5)
    assert {pick([0, 1, 0, 2, 0], source)[0] for _ in range(20_000)} == {1, 3}


def test_a_finite_prize_is_drawn_exactly_as_often_as_there_is_stock() -> None:
    config, source = rules.lottery([(1, 7), (5, 3)]), rules.source(11)
    stocks = config.stocks()
    drawn = Counter(take_prize(config, stocks, source).takes for _ in range(10))
    assert drawn == {0: 7, 1: 3}
    with pytest.raises(OutOfStock):
        draw_prize(config, stocks, source)
    assert stocks == {0: 0, 1: 0}


def test_the_odds_that_are_shown_are_those_of_what_is_left() -> None:
    config = rules.lottery([(1, 1), (5, None), (9, 0)])
    assert [(prize.weight, prize.total_weight, prize.stock) for prize in config.shown({0: 1, 2: 0})] == [
        (1, 6, 1),
        (5, 6, None),
        (0, 6, 0),
    ]
    assert LOTTERY.stock_ids(b"null") == []
    assert config.stock_ids == {0, 2}


def test_200_000_throws_are_fair() -> None:
    source, throws = rules.source(20241206), Counter[DiceOutcome]()
    sums, faces = Counter[tuple[int, int]](), Counter[int]()
    for _ in range(DRAWS):
        a, b, c, d = dice_of(facts := roll(rules.dice(), {}, source).facts)
        assert isinstance(facts, DiceRoll)
        throws[facts.outcome] += 1
        sums[a, d] += 1
        faces.update((a, b, c, d))
    assert chi_square(throws, CHANCES) < CRITICAL[2]
    assert chi_square(faces, dict.fromkeys(range(1, 7), 1)) < CRITICAL[5]
    assert chi_square(sums, dict.fromkeys(product(range(1, 7), repeat=2), 1)) < CRITICAL[35]


def test_200_000_spins_are_fair() -> None:
    config, source = rules.roulette([40, 25, 15, 12, 6, 2]), rules.source(20241206)
    spins = Counter(spin(config, {}, source).columns["segment_id"] for _ in range(DRAWS))
    assert chi_square(spins, {100 + slot: weight for slot, weight in enumerate([40, 25, 15, 12, 6, 2])}) < CRITICAL[5]


def test_200_000_draws_of_prizes_are_fair() -> None:
    config, source = rules.lottery([(1, DRAWS), (9, None), (30, None), (60, None), (5, 0)]), rules.source(20241206)
    stocks = config.stocks()
    drawn = Counter(take_prize(config, stocks, source).columns["prize_id"] for _ in range(DRAWS))
    assert chi_square(drawn, {0: 1, 1: 9, 2: 30, 3: 60}) < CRITICAL[3]
    assert stocks[0] == DRAWS - drawn[0]


def with_parts(config: Any, changes: Sequence[dict[str, Any]]) -> Any:
    """A revision with its first parts changed, and the others as they are."""
    field = "prizes" if hasattr(config, "prizes") else "segments"
    parts = list(getattr(config, field))
    parts[: len(changes)] = map(lambda part, change: msgspec.structs.replace(part, **change), parts, changes)
    return msgspec.structs.replace(config, **{field: tuple(parts)})


def worth(config: Any, amount: int) -> Any:
    """A revision whose first part is worth so much."""
    return with_parts(config, [{"reward_amount": amount}])


def giving(config: Any, *coupons: str) -> Any:
    """A revision whose first parts give these coupons."""
    return with_parts(config, [{"coupon_type": kind} for kind in coupons])


def content(config: Any) -> bytes:
    return rules.day(game=config).game


@pytest.mark.parametrize("change", [{"max_daily_plays": -1}, {"win_reward_amount": -1}, {"lose_reward_amount": -5}])
def test_broken_dice_are_refused(change: dict[str, int]) -> None:
    assert DICE.rules(content(rules.dice()), rules.NOW) == rules.dice()
    with pytest.raises(InvalidDiceConfig):
        DICE.rules(content(rules.dice(**change)), rules.NOW)


@pytest.mark.parametrize(
    "weights",
    [(1, 1, 1, 1, 1), (1,) * 7, (), (0,) * 6, (9, -1, 1, 1, 1, 1)],
    ids=["5", "7", "none", "zeros", "negative"],
)
def test_a_broken_roulette_is_refused(weights: tuple[int, ...]) -> None:
    with pytest.raises(InvalidRouletteConfig):
        ROULETTE.rules(content(rules.roulette(weights)), rules.NOW)


@pytest.mark.parametrize(
    "config",
    [
        rules.lottery([]),
        rules.lottery([(0, None), (0, 3)]),
        rules.lottery([(5, None)], inactive=[0]),
        rules.lottery([(5, None), (-1, None)]),
        rules.lottery([(5, None), (1, -1)]),
        rules.lottery([(5, None)], limit=-1),
    ],
    ids=["no prize", "no weight", "inactive", "negative weight", "negative stock", "negative limit"],
)
def test_a_broken_lottery_is_refused(config: Any) -> None:
    with pytest.raises(InvalidLotteryConfig):
        LOTTERY.rules(content(config), rules.NOW)


@pytest.mark.parametrize(
    "config",
    [
        rules.dice(0, win_reward_amount=0, draw_reward_amount=0),
        rules.roulette([0, 0, 0, 0, 0, 1], 0),
        worth(rules.roulette([1] * 6), 0),
        rules.lottery([(1, None)], 0),
        rules.lottery([(0, None), (1, None), (1, None)], inactive=[2]),
        worth(rules.lottery([(1, None)]), 0),
    ],
)
def test_the_least_that_can_be_played(config: Any) -> None:
    assert config.is_valid


@pytest.mark.parametrize(
    "config",
    [
        rules.dice(draw_reward_amount=-1),
        rules.roulette([1] * 6, -1),
        worth(rules.roulette([1] * 6), -1),
        worth(rules.lottery([(1, None), (1, None)]), -1),
        rules.lottery([(1, 1), (1, -1)]),
    ],
)
def test_what_is_below_it_cannot(config: Any) -> None:
    assert not config.is_valid


def test_the_coupons_of_a_revision_are_those_that_can_be_drawn() -> None:
    assert (rules.dice().coupon_types, rules.dice(draw_coupon_type="A", lose_coupon_type="B").coupon_types) == (
        set(),
        {"A", "B"},
    )
    weights = (2, 0, 1, 1, 1, 1)
    for config, kinds in (
        (rules.roulette(weights), {"A", "C"}),
        (rules.lottery([(weight, None) for weight in weights], inactive=[2]), {"A"}),
    ):
        assert config.coupon_types == set()
        assert giving(config, "A", "B", "C").coupon_types == kinds


def test_a_lottery_of_which_less_than_nothing_is_left_is_refused() -> None:
    config = rules.lottery([(5, None), (1, 1), (1, 1)])
    assert LOTTERY.rules(content(config), rules.NOW, {1: 0, 2: 0, 3: -1}) == config
    for stocks in ({1: -1, 2: 1}, {1: 1, 2: -1}):
        with pytest.raises(InvalidLotteryConfig):
            LOTTERY.rules(content(config), rules.NOW, stocks)


def test_what_a_lottery_s_sheet_shows_of_what_is_left() -> None:
    config = rules.lottery([(1, 3), (2, None), (4, 1), (5, None)], inactive=[3])
    assert [(item.weight, item.total_weight, item.quantity, item.left) for item in config.items({0: 2, 2: 0})] == [
        (1, 3, 3, 2),
        (2, 3, None, None),
        (0, 3, 1, 0),
        (0, 3, None, None),
    ]
    assert [(item.weight, item.total_weight, item.left) for item in config.items()] == [
        (1, 7, None),
        (2, 7, None),
        (4, 7, None),
        (0, 7, None),
    ]
    assert config.stocks() == {0: 3, 2: 1}
    unread = msgspec.structs.replace(
        config, prizes=tuple(msgspec.structs.replace(one, stock=None) for one in config.prizes)
    )
    assert unread.stocks() == {}
    assert unread.stock_ids == {0, 2}


def test_a_revision_s_table_is_what_can_be_drawn_before_anything_is_sold_out() -> None:
    assert DICE.table(content_of(DICE, rules.dice())) == [6, 6, 6, 6]
    assert ROULETTE.table(content_of(ROULETTE, rules.roulette([3, 0, 1, 1, 1, 1]))) == [3, 0, 1, 1, 1, 1]
    config = rules.lottery([(3, 0), (2, None), (4, 1)], inactive=[1])
    assert LOTTERY.table(content_of(LOTTERY, config)) == [3, 0, 4]
    assert (DICE.is_numbered, ROULETTE.is_numbered, LOTTERY.is_numbered) == (False, False, True)


@pytest.mark.parametrize("part", ["daily_max", "is_valid", "coupon_types", "items"])
def test_a_game_has_every_part_of_its_own(part: str) -> None:
    """What a new one leaves out is told, and never taken for nothing."""
    bare = Rules(**rules.HEAD)
    with pytest.raises(NotImplementedError):
        getattr(bare, part)()
    assert (bare.stock_ids, bare.stocks(), bare.is_sold_out) == (frozenset(), {}, False)


def test_a_lottery_of_which_nothing_is_left_is_valid() -> None:
    config = rules.lottery([(5, 0)])
    assert LOTTERY.rules(content(config), rules.NOW) == config


@pytest.mark.parametrize(("game", "error"), [(DICE, InvalidDiceConfig), (ROULETTE, InvalidRouletteConfig)])
def test_no_active_revision_is_refused(game: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        game.rules(b"null", rules.NOW)
