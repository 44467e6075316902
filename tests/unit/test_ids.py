"""Identifiers rise with time, whatever the clock does."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from itertools import pairwise
from random import Random
from uuid import RFC_4122, UUID

import pytest

from services.ids import Ids
from tests.unit.rules import NOW


def millisecond_of(identifier: UUID) -> int:
    return identifier.int >> 80


@pytest.mark.parametrize("step", [dt.timedelta(0), dt.timedelta(microseconds=50), dt.timedelta(milliseconds=1)])
def test_ids_strictly_rise(step: dt.timedelta) -> None:
    ids = Ids(Random(1))
    made = [ids.new(NOW + number * step) for number in range(20_000)]
    assert all(low < high for low, high in pairwise(made))
    assert [identifier.bytes for identifier in made] == sorted(identifier.bytes for identifier in made)


def test_ids_rise_when_the_clock_goes_back() -> None:
    ids = Ids(Random(1))
    made = [ids.new(NOW - number * dt.timedelta(milliseconds=1)) for number in range(10_000)]
    assert all(low < high for low, high in pairwise(made))


def test_ids_are_of_version_7_and_tell_their_time() -> None:
    ids = Ids(Random(1))
    for number in range(5_000):
        now = NOW + number * dt.timedelta(milliseconds=1)
        identifier = ids.new(now)
        assert (identifier.version, identifier.variant) == (7, RFC_4122)
        assert millisecond_of(identifier) == round(now.timestamp() * 1000)


def test_a_millisecond_that_is_full_borrows_from_the_next() -> None:
    ids = Ids(Random(1))
    made = [ids.new(NOW) for _ in range(10_000)]
    assert {identifier.version for identifier in made} == {7}
    assert millisecond_of(made[-1]) - millisecond_of(made[0]) in {2, 3}


def test_two_processes_do_not_collide() -> None:
    first, second = Ids(Random(1)), Ids(Random(2))
    made = {ids.new(NOW) for ids in (first, second) for _ in range(10_000)}
    assert len(made) == 20_000


def test_random_bits_are_asked_for_together_and_given_once() -> None:
    asked: list[int] = []

    class Noting(Random):
        def getrandbits(self, k: int, /) -> int:
            asked.append(k)
            return super().getrandbits(k)

    ids = Ids(Noting(1))
    made = [ids.random().int for _ in range(1_000)]
    assert len(set(made)) == 1_000
    assert sum(asked) >= 1_000 * 122
    assert len(asked) < 50
    steps = Counter(ids.step() for _ in range(1_000))
    assert steps.total() == len(steps) == 1_000
    assert max(steps) <= 2**32


@pytest.mark.parametrize("bit", [0, 1])
def test_every_bit_that_is_not_said_is_a_random_one(bit: int) -> None:
    class Even(Random):
        def getrandbits(self, k: int, /) -> int:
            return bit * ((1 << k) - 1)

    ids, counter, rest = Ids(Even()), bit * (2**11 - 1), bit * (2**62 - 1)
    millisecond = round(NOW.timestamp() * 1000)
    assert [ids.new(NOW).int for _ in range(3)] == [
        (millisecond << 80) | (7 << 76) | ((counter + number) << 64) | (2 << 62) | rest for number in range(3)
    ]
    assert ids.random() == UUID(int=bit * (2**128 - 1), version=4)
    assert ids.step() == 1 + bit * (2**32 - 1)
