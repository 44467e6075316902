"""The schedule: which feature is on which day, and how each feature is presented."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from msgspec import Struct
from msgspec.structs import asdict
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models import LAST_DATE, FeatureConfig, FeatureSchedule, FeatureType
from services import audit
from services.database import Database
from services.errors import BadRequest
from services.revisions import check_revision, take_turn
from services.rules import validation
from services.rules.drafts import DayDraft, FeatureDraft
from services.signals import DAY, announce
from services.transaction import Transaction

MAX_DAYS = 366
"""The longest range of days that is read at once."""

Row = TypeVar("Row", bound=Struct)


class ScheduledDay(Struct, frozen=True):
    """A day's row of the schedule."""

    date: dt.date
    feature_type: FeatureType
    is_active: bool
    revision: int


class FeatureRow(Struct, frozen=True):
    """A feature's configuration."""

    feature_type: FeatureType
    title: str
    page_path: str
    is_enabled: bool
    stamp_xp_bonus: int
    revision: int


@dataclass(frozen=True)
class Kept(Generic[Row]):
    """Where something is kept, as what it is read, and what it is known by."""

    table: Any
    read_as: type[Row]
    key: Any

    @property
    def columns(self) -> list[Any]:
        """What is read of it."""
        return [getattr(self.table, name) for name in self.read_as.__struct_fields__]


DAYS = Kept(FeatureSchedule, ScheduledDay, FeatureSchedule.date)
FEATURES = Kept(FeatureConfig, FeatureRow, FeatureConfig.feature_type)


def check_range(first: dt.date, last: dt.date) -> None:
    """Check a range of days, both included. Raises: BadRequest unless it has 1 to 366 days, up to the year 2999."""
    if first > last:
        raise BadRequest("from must be to or before.")
    if (last - first).days >= MAX_DAYS:
        raise BadRequest(f"from and to must be at most {MAX_DAYS} days, both included.")
    if last > LAST_DATE:
        raise BadRequest(f"to must be {LAST_DATE} or before.")


async def scheduled_days(database: Database, first: dt.date, last: dt.date) -> list[ScheduledDay]:
    """What is scheduled from `first` to `last`, by date; days with nothing scheduled are left out.

    Raises: BadRequest.
    """
    check_range(first, last)
    async with database.read() as connection:
        return await read_days(connection, first, last)


async def read_days(connection: AsyncConnection, first: dt.date, last: dt.date) -> list[ScheduledDay]:
    """What is scheduled from `first` to `last`, by date."""
    query = select(*DAYS.columns).where(FeatureSchedule.date.between(first, last)).order_by(FeatureSchedule.date)
    return [ScheduledDay(*row) for row in await connection.execute(query)]


async def feature_configs(database: Database) -> list[FeatureRow]:
    """How each feature is presented, by type; features that are not configured are left out."""
    async with database.read() as connection:
        return await read_features(connection)


async def read_features(connection: AsyncConnection) -> list[FeatureRow]:
    """How each feature is presented, by type."""
    query = select(*FEATURES.columns).order_by(FeatureConfig.feature_type)
    return [FeatureRow(*row) for row in await connection.execute(query)]


async def schedule_day(tx: Transaction, *, actor: str, day: DayDraft, expected_revision: int | None) -> ScheduledDay:
    """Put a feature on a day, from the next request on.

    Raises: ValidationFailed (a day that is past), LockNotAcquired, RevisionConflict.
    """
    validation.day_faults(day, tx.date).refuse()
    return await _upsert(tx, DAYS, asdict(day), actor=actor, action="upsertFeatureSchedule", expected=expected_revision)


async def configure_feature(
    tx: Transaction, *, actor: str, feature: FeatureDraft, expected_revision: int | None
) -> FeatureRow:
    """Change how a feature is presented, whether it is on at all, and its bonus, from the next request on.

    Raises: ValidationFailed, LockNotAcquired, RevisionConflict.
    """
    validation.feature_faults(feature).refuse()
    return await _upsert(
        tx, FEATURES, asdict(feature), actor=actor, action="upsertFeatureConfig", expected=expected_revision
    )


async def _upsert(
    tx: Transaction, kept: Kept[Row], values: dict[str, Any], *, actor: str, action: str, expected: int | None
) -> Row:
    """Write a row, made or changed, and the audit entry."""
    table, key = kept.table, values[kept.key.key]
    target = f"{table.__tablename__} {key}"
    await take_turn(tx, target)
    row = (await tx.connection.execute(select(*kept.columns).where(kept.key == key))).one_or_none()
    before = kept.read_as(*row) if row else None
    values |= {"revision": check_revision(row.revision if row else None, expected), "updated_at": tx.now}
    write = update(table).where(kept.key == key) if row else insert(table)
    changed = await tx.connection.execute(write.values(values).returning(*kept.columns))
    after = kept.read_as(*changed.one())
    await audit.record(tx, actor=actor, action=action, target=target, before=before, after=after)
    await announce(tx, DAY)
    return after
