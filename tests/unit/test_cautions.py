"""What is valid and may not be meant: each bound, and what is told of what is beyond."""

from __future__ import annotations

import pytest

from models import RewardType
from services.answers import Reward
from services.error_codes import WarningCode
from services.errors import Warned
from services.rules import dice, lottery, roulette
from services.rules.cautions import Chance, coupons, granted, payout, unlimited
from services.rules.lottery import stock_cautions
from tests.unit import rules
from tests.unit.test_bounds import COFFEE, DICE, LOTTERY, PRIZE, ROULETTE, changed

NOTHING = Reward(RewardType.NONE, 0)
TEA = Reward(RewardType.COUPON, 1, "TEA")


def points(amount: int) -> Reward:
    return Reward(RewardType.POINT, amount)


def tokens(amount: int) -> Reward:
    return Reward(RewardType.TOKEN, amount)


def chances(*some: tuple[Reward, int]) -> list[Chance]:
    """Rewards with their weights, each at its place."""
    return [Chance(("items", str(index)), reward, weight) for index, (reward, weight) in enumerate(some)]


def test_a_coupon_that_nobody_would_get_is_unknown_or_gone() -> None:
    given = [(("a",), COFFEE), (("b", "0"), TEA), (("c",), points(1)), ((), Reward(RewardType.COUPON, 1, "MILK"))]
    assert coupons(given, {"COFFEE": False, "MILK": True}) == [
        Warned(
            WarningCode.COUPON_POOL_EMPTY,
            ("a", "couponType"),
            "No code of COFFEE is left: whoever wins one waits for it.",
        ),
        Warned(
            WarningCode.COUPON_TYPE_UNKNOWN,
            ("b", "0", "couponType"),
            "No code of TEA was ever imported: whoever wins one waits for it.",
        ),
    ]


@pytest.mark.parametrize(
    ("daily_max", "rewards", "is_warned"),
    [
        (0, [(points(1), 1)], True),
        (0, [(NOTHING, 9), (points(0), 9), (COFFEE, 1)], True),
        (0, [(points(1), 0), (NOTHING, 1)], False),
        (0, [(points(0), 1)], False),
        (0, [], False),
        (1, [(points(1), 1)], False),
    ],
)
def test_plays_without_a_limit_are_no_matter_where_nothing_is_won(
    daily_max: int, rewards: list[tuple[Reward, int]], is_warned: bool
) -> None:
    message = "0 is no limit at all, and what is played for is of value."
    told = [Warned(WarningCode.UNLIMITED_PLAYS_OF_VALUE, ("max", "plays"), message)]
    assert unlimited(daily_max, chances(*rewards), "max", "plays") == (told if is_warned else [])


BEFORE = chances((points(30), 1), (tokens(2), 1), (NOTHING, 2))
"""7.50 points and 0.50 tokens on average."""


@pytest.mark.parametrize(
    ("after", "told"),
    [
        ([(points(75), 1)], [("0", "75.00 POINT", "7.50")]),
        ([(points(74), 1)], []),
        ([(points(149), 1), (NOTHING, 1)], []),
        ([(points(150), 1), (NOTHING, 1)], [("0", "75.00 POINT", "7.50")]),
        # most is given by what comes most, of that kind
        ([(tokens(1), 1), (points(1000), 1), (points(500), 3), (tokens(4), 0)], [("2", "500.00 POINT", "7.50")]),
        ([(tokens(30), 1), (points(300), 1)], [("0", "15.00 TOKEN", "0.50"), ("1", "150.00 POINT", "7.50")]),
        ([(COFFEE, 1)], []),
        ([(points(10**9), 0), (NOTHING, 1)], []),
    ],
)
def test_what_is_given_on_average_is_compared_by_kind(
    after: list[tuple[Reward, int]], told: list[tuple[str, str, str]]
) -> None:
    assert payout(BEFORE, chances(*after)) == [
        Warned(
            WarningCode.PAYOUT_FAR_ABOVE_BEFORE,
            ("items", at, "amount"),
            f"A play would give {average} on average; it gave {before}.",
        )
        for at, average, before in told
    ]


def test_what_gave_nothing_or_could_not_be_drawn_is_no_measure() -> None:
    given = chances((points(1000), 1))
    for before in ([], [(points(0), 1)], [(points(5), 0)], [(NOTHING, 1)], [(tokens(1), 1)]):
        assert payout(chances(*before), given) == []


@pytest.mark.parametrize(
    ("reward", "largest", "usual"),
    [
        (points(10_000), None, None),
        (points(10_001), None, "10,001 POINT is far above the usual: none was granted by hand in 90 days."),
        (tokens(70), 7, None),
        (tokens(71), 7, "71 TOKEN is far above the usual: the largest was 7."),
        (points(54_321), 1234, "54,321 POINT is far above the usual: the largest was 1,234."),
        (points(-20_000), None, None),
        (COFFEE, 0, None),
    ],
)
def test_a_grant_by_hand_is_compared_with_the_largest(reward: Reward, largest: int | None, usual: str | None) -> None:
    told = [] if usual is None else [Warned(WarningCode.GRANT_FAR_ABOVE_USUAL, ("reward", "amount"), usual)]
    assert granted(reward, largest) == told


def test_the_chances_of_each_game_are_those_of_its_draft_and_where_they_stand_in_it() -> None:
    config = changed(DICE, win_reward=points(3), draw_reward=points(2), lose_reward=points(1))
    assert dice.chances(config) == [
        (("winReward",), points(3), 575),
        (("drawReward",), points(2), 146),
        (("loseReward",), points(1), 575),
    ]
    segments = [changed(one, reward=points(one.slot), weight=one.slot + 1) for one in ROULETTE.segments]
    assert roulette.chances(changed(ROULETTE, segments=tuple(segments))) == [
        (("segments", str(slot), "reward"), points(slot), slot + 1) for slot in range(6)
    ]
    prizes = changed(PRIZE, weight=7), changed(PRIZE, weight=5, is_active=False), changed(PRIZE, reward=COFFEE)
    assert lottery.chances(changed(LOTTERY, prizes=prizes)) == [
        (("prizes", "0", "reward"), PRIZE.reward, 7),
        (("prizes", "1", "reward"), PRIZE.reward, 0),
        (("prizes", "2", "reward"), COFFEE, 1),
    ]


def test_a_stock_that_is_stated_beside_what_is_left_of_it_is_told() -> None:
    before = rules.lottery([(1, None), (1, 3)])
    config = changed(
        LOTTERY, prizes=(changed(PRIZE, label="prize 0", stock=1), changed(PRIZE, label="prize 1", stock=2))
    )
    assert stock_cautions(before, config) == [
        Warned(
            WarningCode.STOCK_RESTATED,
            ("prizes", "1", "stock"),
            '3 of "prize 1" are left beside these: carriesStockOf would go on with them.',
        )
    ]
