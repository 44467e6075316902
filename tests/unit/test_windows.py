"""What is played when: the pure function over windows against a naive one, and what a day is told of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import END_OF_TIME
from services.rules.validation import Faults
from services.rules.windows import Window, in_force, played_between, turns
from tests.unit.rules import NOW, dice

HOUR = dt.timedelta(hours=1)
SPAN = 12
"""Hours that windows begin and end within, so that they meet each other."""

edges = st.integers(0, SPAN)


@st.composite
def windows(draw: st.DrawFn) -> list[tuple[int, int | None]]:
    """Windows in hours, in the order of publication."""
    some = st.tuples(edges, st.one_of(st.none(), st.integers(1, SPAN)))
    return [(begins, None if hours is None else begins + hours) for begins, hours in draw(st.lists(some, max_size=8))]


def at(hours: float) -> dt.datetime:
    return NOW + hours * HOUR


def revisions(found: Sequence[tuple[int, int | None]]) -> list[object]:
    return [
        dice(revision=number, effective_from=at(begins), effective_until=None if ends is None else at(ends))
        for number, (begins, ends) in enumerate(found, start=1)
    ]


def naive(found: Sequence[tuple[int, int | None]], hour: float) -> int | None:
    """The revision that is played at an hour, one publication after the other."""
    best: int | None = None
    for number, (begins, ends) in enumerate(found, start=1):
        if begins <= hour and (ends is None or hour < ends) and (best is None or begins >= found[best - 1][0]):
            best = number
    return best


@given(windows(), st.randoms())
def test_what_is_played_does_not_depend_on_the_order_in_which_it_is_found(
    found: list[tuple[int, int | None]], rng: object
) -> None:
    there = revisions(found)
    rng.shuffle(there)  # type: ignore[attr-defined]
    for quarter in range(-2, 4 * (2 * SPAN + 1)):
        played = in_force(there, at(quarter / 4))  # type: ignore[type-var]
        assert (played and played.revision) == naive(found, quarter / 4)  # type: ignore[attr-defined]


@given(windows(), edges, st.integers(1, SPAN))
def test_a_day_is_what_its_instants_are(found: list[tuple[int, int | None]], begins: int, hours: int) -> None:
    played = played_between(revisions(found), at(begins), at(begins + hours))  # type: ignore[type-var]
    assert [instant for instant, _ in played] == sorted({instant for instant, _ in played})
    assert played[0][0] == at(begins)
    assert all(one is not other for (_, one), (_, other) in pairwise(played))
    for quarter in range(4 * begins, 4 * (begins + hours)):
        told = [revision for instant, revision in played if instant <= at(quarter / 4)][-1]
        assert (told and told.revision) == naive(found, quarter / 4)  # type: ignore[attr-defined]


def test_turns_lie_within_the_time_that_is_asked_for() -> None:
    there = revisions([(0, 5), (3, None), (7, 9)])
    assert turns(there, at(0), at(9)) == [at(3), at(5), at(7)]  # type: ignore[arg-type]
    assert turns([], at(0), at(9)) == []


MICROSECOND = dt.timedelta(microseconds=1)
BEFORE, AFTER = NOW - MICROSECOND, NOW + MICROSECOND


@pytest.mark.parametrize(
    ("begins", "ends", "paths"),
    [
        (None, None, []),
        (NOW, None, []),
        (BEFORE, None, ["effectiveFrom"]),
        (None, AFTER, []),
        (None, NOW, ["effectiveUntil"]),
        (AFTER, AFTER, ["effectiveUntil"]),
        (NOW, AFTER, []),
        (END_OF_TIME - MICROSECOND, END_OF_TIME, []),
        (END_OF_TIME, None, ["effectiveFrom"]),
        (NOW, END_OF_TIME + MICROSECOND, ["effectiveUntil"]),
    ],
)
def test_a_window_lies_ahead_and_has_a_length(
    begins: dt.datetime | None, ends: dt.datetime | None, paths: list[str]
) -> None:
    faults = Faults()
    Window(begins, ends).note_faults(faults, NOW)
    assert [issue.path for issue in faults.issues] == [(path,) for path in paths]


@pytest.mark.parametrize(("reason", "is_one"), [(None, True), ("가" * 500, True), ("가" * 501, False), ("", False)])
def test_the_reason_of_an_emergency_is_a_text(reason: str | None, is_one: bool) -> None:
    faults = Faults()
    Window(emergency_reason=reason).note_faults(faults, NOW)
    assert [issue.path for issue in faults.issues] == ([] if is_one else [("emergencyReason",)])


def test_what_has_no_beginning_begins_when_it_is_published() -> None:
    assert Window().begins_at(NOW) == NOW
    assert Window(AFTER).begins_at(NOW) == AFTER
    assert Window(NOW).begins_at(AFTER) == AFTER  # by the clock of a server that is ahead
    nothing = {"effective_from": None, "effective_until": None, "emergency_reason": None}
    assert msgspec.structs.asdict(Window()) == nothing
