"""The audit as what must hold after a test."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from zoneinfo import ZoneInfo

from services.audits.check import Finding, Snapshot
from services.audits.registry import CHECKS
from services.audits.run import look, reading
from services.calendar import Calendar
from tests.serving import zone_of_noon

NEWEST = "SELECT max(created_at) AS instant FROM user_event_log"


async def findings_of(url: str, *, forged: Collection[str] = ()) -> list[tuple[str, Finding]]:
    """What an audit finds just after the newest event; `forged`: checks of what the test itself has broken."""
    checks = [check for check in CHECKS if check.name not in forged]
    now = dt.datetime.now(dt.UTC)
    async with reading(url) as connections:
        newest = (await connections[0].exec_driver_sql(NEWEST)).scalar() or now
        served = now - newest < dt.timedelta(hours=12)  # by the real clock, about noon, and not by the tests' in Seoul
        calendar = Calendar(ZoneInfo(zone_of_noon() if served else "Asia/Seoul"))
        looked = await look([Snapshot(one, calendar, newest) for one in connections], checks)
    return [(one.check.name, finding) for one in looked for finding in one.findings]
