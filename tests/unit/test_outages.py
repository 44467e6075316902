"""What operators are told of trouble, in a line."""

from __future__ import annotations

import asyncpg
import pytest

from services.errors import HaruError, LockNotAcquired
from services.outages import because, why
from services.request_errors import Unavailable


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (LockNotAcquired(), LockNotAcquired().message),
        (because(Unavailable(), ConnectionRefusedError("refused")), "the database is out of reach: refused"),
        (because(Unavailable(), because(Unavailable(), TimeoutError())), "there is no answer in time"),
        (asyncpg.DiskFullError("no space left"), "the database's disk is full: no space left"),
        (ZeroDivisionError("by zero"), "ZeroDivisionError: by zero"),
    ],
)
def test_a_failure_tells_its_kind_and_its_words(failure: HaruError | Exception, told: str) -> None:
    assert why(failure) == told


def test_a_failure_tells_where_it_was_met() -> None:
    failure = ConnectionRefusedError("refused")
    failure.add_note("a.example:5432")
    assert why(failure) == "the database is out of reach (a.example:5432): refused"
