"""The scalars: one form each, and clear words about every other."""

from __future__ import annotations

import datetime as dt
import math
import re
from typing import Any

import pytest
from graphql import parse_value
from hypothesis import given
from hypothesis import strategies as st

from models import MAX_SAFE_INTEGER
from schema.scalars import SCALARS, BigInt

A_DATE = "A Date is a day of the calendar, written YYYY-MM-DD."
A_DATETIME = "A DateTime is written as RFC 3339 with its offset, as 2026-01-31T09:00:00+09:00."
OUT_OF_RANGE = "A DateTime is of the years 1 to 9999, in UTC too."


def parse(scalar: object, value: object) -> Any:
    parse_value = SCALARS[scalar].parse_value
    assert parse_value is not None
    return parse_value(value)


def fault(scalar: object, value: object) -> str:
    with pytest.raises(ValueError, match=r".") as caught:
        parse(scalar, value)
    return str(caught.value)


@given(st.dates())
def test_every_date(date: dt.date) -> None:
    assert parse(dt.date, date.isoformat()) == date


@pytest.mark.parametrize(
    "value",
    [
        "2026-W10-1",
        "2026-W101",
        "2026W10-1",
        "20260302",
        "2026-061",
        "2026-3-2",
        "2026-02-29",
        "2026-13-01",
        "0000-01-01",
        "10000-01-01",
        "+2026-03-0",
        "2026-03-02\n",
        " 2026-03-02",
        "2026-03-02T00:00:00Z",
        "2026/03/02",
        "\u0662\u0660\u0662\u0666-03-02",
        "",
        20260302,
        None,
        True,
    ],
)
def test_what_is_no_date(value: object) -> None:
    assert fault(dt.date, value) == A_DATE


NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("value", "instant"),
    [
        ("2026-03-02T12:00:00Z", NOON),
        ("2026-03-02t12:00:00z", NOON),
        ("2026-03-02T12:00:00+00:00", NOON),
        ("2026-03-02T12:00:00-00:00", NOON),
        ("2026-03-02T21:00:00+09:00", NOON),
        ("2026-03-02T21:00:00.5+09:00", NOON.replace(microsecond=500_000)),
        ("2026-03-02T12:00:00.123456789Z", NOON.replace(microsecond=123_456)),
        ("2026-03-03T11:59:00+23:59", NOON),
        ("0001-01-01T00:00:00Z", dt.datetime.min.replace(tzinfo=dt.UTC)),
        ("9999-12-31T23:59:59.999999Z", dt.datetime.max.replace(tzinfo=dt.UTC)),
    ],
)
def test_instants(value: str, instant: dt.datetime) -> None:
    parsed = parse(dt.datetime, value)
    assert (parsed, parsed.tzinfo) == (instant, dt.UTC)


@given(st.datetimes(timezones=st.just(dt.UTC)))
def test_every_instant_comes_back_to_the_millisecond(instant: dt.datetime) -> None:
    written = SCALARS[dt.datetime].serialize(instant)  # type: ignore[misc]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", written)
    assert parse(dt.datetime, written) == instant.replace(microsecond=instant.microsecond // 1000 * 1000)


@pytest.mark.parametrize(
    "value",
    [
        "2026-W10-1T12:00:00Z",
        "2026W101T12:00:00+00:00",
        "20260302T120000Z",
        "2026-03-02T12:00Z",
        "2026-03-02T12Z",
        "2026-03-02 12:00:00Z",
        "2026-03-02T12:00:00",
        "2026-03-02T12:00:00,5Z",
        "2026-03-02T12:00:00.Z",
        "2026-03-02T12:00:00+09",
        "2026-03-02T12:00:00+0900",
        "2026-03-02T12:00:00+09:00:30",
        "2026-03-02T12:00:00+24:00",
        "2026-03-02T12:00:00+09:60",
        "2026-03-02T24:00:00Z",
        "2026-03-02T12:60:00Z",
        "2026-03-02T12:00:60Z",
        "2026-02-29T12:00:00Z",
        "0000-01-01T00:00:00Z",
        "2026-03-02T12:00:00Z\n",
        "2026-03-02T12:00:00\u0660Z",
        "2026-03-02",
        "",
        1772452800,
        None,
    ],
)
def test_what_is_no_instant(value: object) -> None:
    assert fault(dt.datetime, value) == A_DATETIME


@pytest.mark.parametrize("value", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
def test_instants_that_are_out_of_range_in_utc(value: str) -> None:
    assert fault(dt.datetime, value) == OUT_OF_RANGE


def test_big_integers() -> None:
    for good in (0, MAX_SAFE_INTEGER, -MAX_SAFE_INTEGER, 9100.0, -0.0):
        assert parse(BigInt, good) == good
        assert type(parse(BigInt, good)) is int
    for bad in (
        MAX_SAFE_INTEGER + 1, -MAX_SAFE_INTEGER - 1, 2.0**53, 1.5, 1e300, math.inf, math.nan, "1", "9100.0", True, None,
    ):  # fmt: skip
        assert fault(BigInt, bad).startswith("A BigInt is")


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("0", 0),
        ("-12", -12),
        ("9100.0", 9100),
        ("7.000", 7),
        ("9007199254740991", 2**53 - 1),
        ("-9007199254740991", -(2**53) + 1),
        ("9007199254740992", None),
        ("10000000000000000", None),
        ("7.5", None),
        ("7.0e1", None),
        ('"7"', None),
        ("true", None),
        ("null", None),
    ],
)
def test_big_integers_in_a_document(written: str, number: int | None) -> None:
    literal = SCALARS[BigInt].parse_literal
    assert literal is not None
    if number is None:
        with pytest.raises(ValueError, match=r"^A BigInt is a whole number within ±\(2\^53 - 1\)\.$"):
            literal(parse_value(written), None)
    else:
        assert literal(parse_value(written), None) == number
