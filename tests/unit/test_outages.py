"""Trouble with the database is told from bugs; what operators are told of it, in a line."""

from __future__ import annotations

import logging
from types import SimpleNamespace

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError

from services import quiet
from services.errors import HaruError, LockNotAcquired
from services.outages import OutageLog, because, cause_of, reachable, sqlstate, why
from services.request_errors import Unavailable

REFUSED = ConnectionRefusedError("refused")
LOCKED = asyncpg.LockNotAvailableError("locked")
TAKEN = asyncpg.UniqueViolationError("taken")


def of_the_toolkit(cause: Exception | None, *, is_lost: bool = False, wrapped: bool = True) -> DBAPIError:
    """A failure as SQLAlchemy raises it, for one of the driver's, which its dialect has wrapped."""
    orig: BaseException | None = because(HaruError("of the dialect"), cause) if wrapped and cause else cause
    return DBAPIError("SELECT", None, orig, connection_invalidated=is_lost)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (LockNotAcquired(), LockNotAcquired().message),
        (because(Unavailable(), ConnectionRefusedError("refused")), "the database is out of reach: refused"),
        (because(Unavailable(), because(Unavailable(), TimeoutError())), "there is no answer in time"),
        (asyncpg.DiskFullError("no space left"), "the database's disk is full: no space left"),
        (ZeroDivisionError("by zero"), "ZeroDivisionError: by zero"),
        (ZeroDivisionError("first line\nsecond line"), "ZeroDivisionError: first line"),
        (of_the_toolkit(LOCKED), "somebody holds a lock: locked"),
        (of_the_toolkit(TAKEN, wrapped=False), "UniqueViolationError: taken"),
    ],
)
def test_a_failure_tells_its_kind_and_its_words(failure: HaruError | Exception, told: str) -> None:
    assert why(failure) == told


def test_a_failure_tells_where_it_was_met() -> None:
    failure = ConnectionRefusedError("refused")
    failure.add_note("a.example:5432")
    failure.add_note("")  # an address that names no host
    assert why(failure) == "the database is out of reach (a.example:5432): refused"


@pytest.mark.parametrize(
    ("failure", "becomes"),
    [
        (REFUSED, Unavailable),
        (LOCKED, LockNotAcquired),
        (of_the_toolkit(REFUSED), Unavailable),
        (of_the_toolkit(LOCKED), LockNotAcquired),
        (of_the_toolkit(TAKEN, is_lost=True), Unavailable),
        (of_the_toolkit(TAKEN), None),
        (TAKEN, None),
        (KeyError("a bug"), None),
    ],
)
def test_trouble_is_told_from_a_bug(failure: Exception, becomes: type[HaruError] | None) -> None:
    with pytest.raises(Exception) as raised, reachable(late=LockNotAcquired):  # noqa: PT011 (each is looked at)
        raise failure
    if becomes is None:
        assert raised.value is failure
    else:
        assert type(raised.value) is becomes
        assert raised.value.__cause__ is failure
        assert cause_of(raised.value) is cause_of(failure)


def test_where_nothing_else_is_said_a_lock_makes_the_database_unavailable() -> None:
    with pytest.raises(Unavailable), reachable():
        raise LOCKED


def test_the_code_of_a_failure() -> None:
    assert sqlstate(of_the_toolkit(TAKEN, wrapped=False)) == "23505"
    assert sqlstate(of_the_toolkit(REFUSED)) is None


def test_a_line_a_second_tells_of_all_that_are_alike(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quiet, "time", SimpleNamespace(monotonic=lambda: 0.0))
    outages = OutageLog(logging.getLogger("haru.test"))
    full, away = asyncpg.DiskFullError("no space left"), because(Unavailable(), ConnectionRefusedError("refused"))
    for _ in range(75):
        outages.note("a play failed", full)
    outages.note("a play failed", away)
    outages.note("a look failed", away)
    assert caplog.messages == [
        "a play failed: the database's disk is full: no space left",
        "a play failed: the database is out of reach: refused",
        "a look failed: the database is out of reach: refused",
    ]
    monkeypatch.setattr(quiet, "time", SimpleNamespace(monotonic=lambda: quiet.QUIET_SECONDS))
    outages.note("a play failed", full)
    assert caplog.messages[3:] == ["a play failed: the database's disk is full: no space left (75 times)"]


def test_whatever_fails_is_told_and_work_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    """Outside of an event loop, too."""
    outages = OutageLog(logging.getLogger("haru.test"))
    for failure in (None, TimeoutError(), TAKEN, KeyError("a bug")):
        with outages.told("a command failed"):
            if failure is not None:
                raise failure
    assert [(record.message, record.exc_info is not None) for record in caplog.records] == [
        ("a command failed: there is no answer in time", False),
        ("a command failed: UniqueViolationError: taken", False),
        ("a command failed", True),
    ]
