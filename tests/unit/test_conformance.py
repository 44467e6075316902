"""Evidence against the published odds: exactly fair where they are drawn, and quick where they are not."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction
from hashlib import sha256
from itertools import count, islice, product
from math import inf, isclose, log, pi, prod
from random import Random
from uuid import UUID

import pytest

from services.rules.conformance import (
    PRIOR,
    Tally,
    evidence,
    expected,
    is_alarm,
    log_evidence,
    of_event,
    suspect_of,
)
from services.rules.draws import Stream, key_of, message_of
from services.rules.weights import pick

TABLES = [(1, 1), (1, 9), (2, 3, 5), (0, 1, 3), (6, 6, 6)]
WHEEL = (10, 18, 18, 18, 18, 18)


def counts_of(drawn: Sequence[int], size: int) -> list[int]:
    counted = Counter(drawn)
    return [counted[one] for one in range(size)]


@pytest.mark.parametrize("draws", range(5))
@pytest.mark.parametrize("weights", TABLES)
def test_it_is_exactly_one_on_average_where_the_published_odds_are_drawn(weights: Sequence[int], draws: int) -> None:
    total, average = sum(weights), Fraction(0)
    for drawn in product(range(len(weights)), repeat=draws):
        chance = prod((Fraction(weights[one], total) for one in drawn), start=Fraction(1))
        if chance:
            found = evidence(Tally(weights, counts_of(drawn, len(weights))))
            assert found is not None
            average += chance * found
    assert average == 1


def test_it_is_one_on_average_also_where_a_prize_runs_out() -> None:
    """Of the first prize there is one piece: what it is drawn from after that is a table of its own."""
    before, after, average = (2, 3, 5), (0, 3, 5), Fraction(0)
    for drawn in product(range(3), repeat=4):
        chance, tallies = Fraction(1), {before: [0, 0, 0], after: [0, 0, 0]}
        is_left = True
        for one in drawn:
            table = before if is_left else after
            chance *= Fraction(table[one], sum(table))
            tallies[table][one] += 1
            is_left = is_left and one != 0
        if chance:
            found = [evidence(Tally(table, counts)) for table, counts in tallies.items()]
            average += chance * prod((one for one in found if one is not None), start=Fraction(1))
    assert average == 1


@pytest.mark.parametrize("weights", TABLES)
def test_the_logarithm_is_that_of_the_exact_value(weights: Sequence[int]) -> None:
    tally = Tally(weights, [7 * bool(weight) for weight in weights])
    found = evidence(tally)
    assert found is not None
    assert isclose(log_evidence(tally), log(found), abs_tol=1e-9)


def test_what_has_no_chance_and_came_is_an_alarm_at_once() -> None:
    impossible = Tally((0, 1), (1, 0))
    assert evidence(impossible) is None
    assert log_evidence(impossible) == inf
    assert is_alarm(of_event({30: inf}))


def test_nothing_drawn_is_no_evidence() -> None:
    assert evidence(Tally((1, 2), (0, 0))) == 1
    assert of_event({}) == of_event({1: 0.0}) == 1
    assert not is_alarm(999.9)
    assert is_alarm(1000.0)


def test_the_weights_of_revisions_go_by_their_numbers_and_sum_to_one() -> None:
    assert of_event({1: log(3)}) == pytest.approx(1 + 2 * 6 / pi**2)
    assert of_event({1: log(3), 2: log(9)}) == pytest.approx(1 + 2 * 6 / pi**2 + 8 * 6 / pi**2 / 4)
    assert of_event(dict.fromkeys(range(1, 100_000), log(3))) == pytest.approx(3, abs=1e-4)


def test_what_was_to_be_expected_is_summed_over_the_tables() -> None:
    assert expected([Tally((1, 1), (3, 5)), Tally((0, 1), (0, 2))]) == [4.0, 6.0]
    assert expected([]) == []


def drawn_until_alarm(draws: Iterator[int], *, alpha: Fraction, at_most: int) -> int | None:
    """After how many draws of the wheel there was an alarm, looked at each hundred."""
    counts = [0] * len(WHEEL)
    for played in range(100, at_most + 1, 100):
        for one in islice(draws, 100):
            counts[one] += 1
        if is_alarm(of_event({1: log_evidence(Tally(WHEEL, counts))}), alpha):
            return played
    return None


def honest_day(number: int) -> Iterator[int]:
    """What haru draws on a day, play by play."""
    date = dt.date(2026, 1, 1) + dt.timedelta(days=number)
    key = key_of(date, sha256(str(number).encode()).digest(), "")
    for play in count(1):
        yield pick(WHEEL, Stream(key, message_of(date, "spinRoulette", "0" * 64, UUID(int=play % 50), play)))[0]


def false_alarms(days: int) -> int:
    found = (drawn_until_alarm(honest_day(day), alpha=Fraction(1, 20), at_most=5_000) for day in range(days))
    return sum(one is not None for one in found)


LOADED = (80, 184, 184, 184, 184, 184)
"""A tenth that is drawn at 8 %."""

STATED_PLAYS = 8_500


def loaded_day(number: int) -> Iterator[int]:
    """What a sampler that is made wrong draws."""
    source = Random(number)
    while True:
        yield from source.choices(range(len(WHEEL)), LOADED, k=100)


def found_in_time(runs: int) -> int:
    alpha = Fraction(1, 1000)
    found = (drawn_until_alarm(loaded_day(run), alpha=alpha, at_most=STATED_PLAYS) for run in range(runs))
    return sum(one is not None for one in found)


def test_what_has_the_most_of_it_is_the_suspect() -> None:
    assert suspect_of({}) == (1, None)
    assert suspect_of({"dice": {1: 0.0}, "lottery": {2: 1.0}})[1] is None
    assert suspect_of({"dice": {1: 2.0}, "lottery": {2: 12.0, 3: 0.0}}) == (of_event({1: 2.0, 2: 12.0}), "lottery")
    assert suspect_of({"dice": {1: 12.0}, "lottery": {20: 12.0}})[1] == "dice"
    assert suspect_of({"dice": {1: 12.0}, "lottery": {20: inf}})[1] == "lottery"


def test_honest_days_are_left_alone() -> None:
    assert false_alarms(50) <= 6  # 2.5 are to be expected at most


def test_a_loaded_wheel_is_found_in_time() -> None:
    assert found_in_time(20) >= 18
    assert PRIOR == 1000


@pytest.mark.soak
def test_a_thousand_honest_days_are_left_alone() -> None:
    assert false_alarms(1_000) <= 71


@pytest.mark.soak
def test_a_loaded_wheel_is_found_in_time_in_95_of_100_runs() -> None:
    assert found_in_time(200) >= 190
