"""The event's calendar: which business date an instant belongs to, and when that day ends."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from zoneinfo import ZoneInfo

Clock = Callable[[], dt.datetime]
"""Tells the current instant, in UTC. The process makes one; tests inject theirs."""


class Calendar:
    """The days of one event time zone; a day turns at 00:00:00 local time."""

    def __init__(self, zone: ZoneInfo) -> None:
        self.zone = zone
        self._today: tuple[dt.datetime, dt.datetime, dt.date] | None = None

    def business_date(self, instant: dt.datetime) -> dt.date:
        """The event's date at `instant` (aware)."""
        today = self._today
        if today is None or not today[0] <= instant < today[1]:
            date = instant.astimezone(self.zone).date()
            self._today = today = (self.starts_at(date), self.ends_at(date), date)
        return today[2]

    def starts_at(self, date: dt.date) -> dt.datetime:
        """The first instant of `date`, in UTC."""
        return dt.datetime.combine(date, dt.time(), self.zone).astimezone(dt.UTC)

    def ends_at(self, date: dt.date) -> dt.datetime:
        """The first instant after `date`, in UTC: the next midnight in the event's zone."""
        return self.starts_at(date + dt.timedelta(days=1))
