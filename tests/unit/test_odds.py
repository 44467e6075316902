"""The odds as they are published, and when what players were promised changes."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction
from typing import Any

import msgspec
import pytest

from models import FeatureType, Language
from services.rules.hashes import content_of
from services.rules.odds import changed_at, promise
from services.rules.registry import GAMES
from tests.unit import rules

NOW, HOUR = rules.NOW, dt.timedelta(hours=1)
DAY = 24 * HOUR


def at(revision: Any, number: int, start: dt.timedelta, end: dt.timedelta | None = None) -> Any:
    """A revision within its window, relative to now."""
    until = None if end is None else NOW + end
    return msgspec.structs.replace(
        revision, id=number, revision=number, effective_from=NOW + start, effective_until=until
    )


LOW, HIGH = rules.roulette([1, 1, 1, 1, 1, 5]), rules.roulette([1, 1, 1, 1, 1, 95])
LOTTERY = rules.lottery([(1, 3), (2, None), (3, 1)])
EVERY_DAY = at(LOW, 1, -DAY)


def changes(published: Any, *others: Any, hours: int = 24) -> dt.timedelta | None:
    """How long after now what is published changes the odds, looked at for some hours."""
    found = changed_at(others, published, NOW, NOW + hours * HOUR)
    return None if found is None else found - NOW


def test_odds_that_change_at_once_or_later_are_told_from_when_on() -> None:
    assert changes(at(HIGH, 2, 0 * HOUR), EVERY_DAY) == 0 * HOUR
    assert changes(at(HIGH, 2, 23 * HOUR), EVERY_DAY) == 23 * HOUR
    assert changes(at(HIGH, 2, 24 * HOUR), EVERY_DAY) is None


def test_what_says_the_same_changes_nothing() -> None:
    assert changes(at(LOW, 2, 0 * HOUR), EVERY_DAY) is None
    doubled = rules.roulette([2, 2, 2, 2, 2, 10])
    assert changes(at(doubled, 2, 0 * HOUR), EVERY_DAY) is None


def test_where_nothing_was_played_nothing_was_promised() -> None:
    assert changes(at(HIGH, 1, 0 * HOUR)) is None
    ended = at(LOW, 1, -DAY, 2 * HOUR)
    assert changes(at(HIGH, 2, 2 * HOUR), ended) is None
    assert changes(at(HIGH, 2, 1 * HOUR), ended) == 1 * HOUR


def test_what_stands_above_it_hides_a_change() -> None:
    special = at(HIGH, 2, -HOUR, 30 * HOUR)
    assert (
        changes(at(HIGH, 3, -2 * HOUR), EVERY_DAY, special) is None
    )  # when the special day is over, the notice is, too
    short = at(HIGH, 2, -HOUR, 5 * HOUR)
    assert changes(at(HIGH, 3, -2 * HOUR), EVERY_DAY, short) == 5 * HOUR
    assert changes(at(HIGH, 3, 0 * HOUR), EVERY_DAY, short) == 5 * HOUR  # the same now, another when it would be over


def test_of_many_changes_the_first_is_told() -> None:
    specials = [at(LOW, 3 + hour, hour * HOUR, (hour + 1) * HOUR) for hour in range(4, 100, 2)]
    assert changes(at(HIGH, 2, 3 * HOUR), EVERY_DAY, *specials, hours=100) == 3 * HOUR


@pytest.mark.parametrize(
    ("change", "is_one"),
    [
        ({"name": "another"}, False),
        ({"cost": {Language.KO: "열쇠 1개"}}, True),
        ({"max_daily_spins": 9}, False),
    ],
)
def test_what_players_are_promised_is_the_price_and_the_items(change: dict[str, Any], is_one: bool) -> None:
    assert (promise(msgspec.structs.replace(LOW, **change)) != promise(LOW)) is is_one


@pytest.mark.parametrize(
    ("change", "is_one"),
    [({"label": "x"}, True), ({"reward_amount": 11}, True), ({"weight": 2}, True), ({"is_jackpot": True}, False)],
)
def test_an_item_is_its_label_its_reward_and_its_chance(change: dict[str, Any], is_one: bool) -> None:
    first, *rest = LOW.segments
    changed = msgspec.structs.replace(LOW, segments=(msgspec.structs.replace(first, **change), *rest))
    assert (promise(changed) != promise(LOW)) is is_one


def test_neither_the_order_of_items_nor_what_has_no_chance_is_promised() -> None:
    wheel = rules.roulette([3, 0, 2, 2, 5, 1])
    turned = (*wheel.segments[1:], wheel.segments[0])
    renamed = [msgspec.structs.replace(one, label="x") if one.weight == 0 else one for one in turned]
    for segments in (turned, wheel.segments[::-1], tuple(renamed)):
        assert promise(msgspec.structs.replace(wheel, segments=segments)) == promise(wheel)


def test_a_revision_says_its_parts_in_their_order() -> None:
    """In whatever order they were read."""
    for feature, revision, parts in (
        (FeatureType.ROULETTE, LOW, LOW.segments),
        (FeatureType.LOTTERY, LOTTERY, LOTTERY.prizes),
    ):
        game = GAMES[feature]
        assert game.parts is not None
        said = content_of(game, revision)
        assert [part[game.parts.order] for part in said[game.parts.field]] == list(range(len(parts)))
        turned: Any = msgspec.structs.replace(revision, **{game.parts.field: parts[::-1]})
        assert content_of(game, turned) == said


def test_the_items_of_each_game_sum_to_one() -> None:
    dice = rules.dice()
    lottery = rules.lottery([(1, 3), (2, None), (4, 0), (5, None)], inactive=[3])
    for revision in (dice, LOW, lottery):
        assert sum(item.share for item in revision.items()) == 1
    assert [(item.share, item.quantity) for item in lottery.items()] == [
        (Fraction(1, 7), 3),
        (Fraction(2, 7), None),
        (Fraction(4, 7), 0),  # sold out since, which is not what was published
        (0, None),
    ]
    assert [(item.label, item.weight) for item in dice.items()] == [("Win", 575), ("Draw", 146), ("Lose", 575)]


def test_a_revision_without_any_chance_shows_none() -> None:
    assert [item.share for item in rules.roulette([0] * 6).items()] == [0] * 6
