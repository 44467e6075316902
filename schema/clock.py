"""The server's clock, and how long the caller may go on."""

from __future__ import annotations

import datetime as dt

import strawberry

from models import Role
from schema.context import Principal
from schema.described import described
from services.calendar import Calendar


@described
@strawberry.type
class Clock:
    """What time it is for the event. Count down by it instead of the device's clock."""

    now: dt.datetime = strawberry.field(description="Now, by the server's clock.")
    business_date: dt.date = strawberry.field(description="Today in the event's time zone: the day of plays.")
    ends_at: dt.datetime = strawberry.field(description="The next midnight in the event's time zone.")
    time_zone: str = strawberry.field(description="The event's time zone, an IANA name as Asia/Seoul.")

    @classmethod
    def of(cls, calendar: Calendar, now: dt.datetime) -> Clock:
        """Convert."""
        date = calendar.business_date(now)
        return cls(now=now, business_date=date, ends_at=calendar.ends_at(date), time_zone=calendar.zone.key)


@described
@strawberry.type
class Session:
    """What the caller's token says. Whose it is, `me` tells."""

    role: Role = strawberry.field(description="What the caller may do.")
    expires_at: dt.datetime = strawberry.field(
        description="When the token expires: get another before. One that is revoked ends sooner."
    )

    @classmethod
    def of(cls, principal: Principal) -> Session:
        """Convert."""
        return cls(role=principal.role, expires_at=dt.datetime.fromtimestamp(principal.expires_at, dt.UTC))
