"""Alarms: what was drawn of a game does not fit its published odds, and no admin has said yet that it may go on.

An alarm is over when an admin switches its feature on again, with a reason (`services.schedule`). From then on what is
drawn is counted anew: what raised the alarm raises no other.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from msgspec import Struct
from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models import DrawAlarm, DrawTally, DrawWatch, FeatureType
from services.transaction import Transaction


class Alarm(Struct, frozen=True):
    """An alarm that is not over. `evidence`: the e-value that raised it; `draws`: how many plays were counted."""

    id: int
    feature_type: FeatureType
    evidence: float
    draws: int
    raised_at: dt.datetime


COLUMNS = [getattr(DrawAlarm, name) for name in Alarm.__struct_fields__]


async def open_alarms(connection: AsyncConnection) -> Mapping[FeatureType, Alarm]:
    """The alarms that are not over, by their feature: one of each at most."""
    query = select(*COLUMNS).where(DrawAlarm.closed_at.is_(None))
    return {row.feature_type: Alarm(*row) for row in await connection.execute(query)}


async def close(tx: Transaction, alarm: Alarm) -> None:
    """End an alarm: what was drawn before now counts no more. The transaction has its turn at the feature.

    Raises: LockNotAcquired, while what was drawn is being counted.
    """
    counted = update(DrawWatch).where(DrawWatch.feature_type == alarm.feature_type)
    await tx.connection.execute(counted.values(counted_until=tx.now))
    await tx.connection.execute(delete(DrawTally).where(DrawTally.feature_type == alarm.feature_type))
    await tx.connection.execute(update(DrawAlarm).where(DrawAlarm.id == alarm.id).values(closed_at=tx.now))
