"""Which day it is, in every kind of time zone."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from services.calendar import Calendar

MICROSECOND = dt.timedelta(microseconds=1)


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


def calendar(zone: str) -> Calendar:
    return Calendar(ZoneInfo(zone))


def test_the_day_turns_at_midnight_in_seoul() -> None:
    seoul = calendar("Asia/Seoul")
    assert seoul.business_date(at("2026-03-02T14:59:59.999+00:00")) == dt.date(2026, 3, 2)
    assert seoul.business_date(at("2026-03-02T15:00:00+00:00")) == dt.date(2026, 3, 3)
    assert seoul.business_date(at("2026-03-02T14:59:59.999999+00:00")) == dt.date(2026, 3, 2)
    assert seoul.ends_at(dt.date(2026, 3, 2)) == at("2026-03-02T15:00:00+00:00")


def test_the_same_instant_in_another_zone_is_the_same_day() -> None:
    seoul = calendar("Asia/Seoul")
    instant = at("2026-03-02T16:30:00+00:00")
    for zone in ("UTC", "America/New_York", "Pacific/Kiritimati", "Pacific/Pago_Pago"):
        assert seoul.business_date(instant.astimezone(ZoneInfo(zone))) == dt.date(2026, 3, 3)


@pytest.mark.parametrize(
    ("zone", "date", "starts", "hours"),
    [
        ("America/New_York", "2026-03-08", "2026-03-08T05:00:00+00:00", 23),
        ("America/New_York", "2026-11-01", "2026-11-01T04:00:00+00:00", 25),
        ("America/New_York", "2026-07-01", "2026-07-01T04:00:00+00:00", 24),
        # These begin at 01:00: their midnight does not exist.
        ("America/Santiago", "2026-09-06", "2026-09-06T04:00:00+00:00", 23),
        ("Asia/Beirut", "2026-03-29", "2026-03-28T22:00:00+00:00", 23),
        # The hour before this midnight comes twice, and belongs to the day before.
        ("America/Santiago", "2026-04-04", "2026-04-04T03:00:00+00:00", 25),
        ("America/Santiago", "2026-04-05", "2026-04-05T04:00:00+00:00", 24),
        # Midnight itself comes twice: the day begins with the first.
        ("America/Havana", "2026-11-01", "2026-11-01T04:00:00+00:00", 25),
        ("Asia/Kathmandu", "2026-03-02", "2026-03-01T18:15:00+00:00", 24),
        ("Australia/Lord_Howe", "2026-10-04", "2026-10-03T13:30:00+00:00", 23.5),
    ],
)
def test_a_day_has_as_many_hours_as_it_has(zone: str, date: str, starts: str, hours: float) -> None:
    local, day = calendar(zone), dt.date.fromisoformat(date)
    assert local.starts_at(day) == at(starts)
    assert local.ends_at(day) - local.starts_at(day) == dt.timedelta(hours=hours)
    assert local.business_date(local.starts_at(day)) == day
    assert local.business_date(local.starts_at(day) - MICROSECOND) == day - dt.timedelta(days=1)
    assert local.business_date(local.ends_at(day) - MICROSECOND) == day
    assert local.business_date(local.ends_at(day)) == day + dt.timedelta(days=1)


@pytest.mark.parametrize(
    "zone", ["America/New_York", "America/Santiago", "Asia/Beirut", "America/Havana", "Asia/Seoul"]
)
def test_the_memory_of_today_never_answers_for_another_day(zone: str) -> None:
    """Every half hour of two years, forwards, backwards, and by a calendar that remembers nothing."""
    remembering, half_hour = calendar(zone), dt.timedelta(minutes=30)
    instants = [at("2025-12-31T00:00:00+00:00") + number * half_hour for number in range(2 * 366 * 48)]
    for instant in (*instants, *reversed(instants)):
        assert remembering.business_date(instant) == instant.astimezone(remembering.zone).date()
