"""The one clock: whatever needs the time is given it."""

from __future__ import annotations

import datetime as dt


def wall_clock() -> dt.datetime:
    """Now, in UTC."""
    return dt.datetime.now(dt.UTC)  # noqa: TID251 (the one clock is made here)
