"""The schedule: which feature is on which day, and how each feature is presented."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from msgspec import Struct
from msgspec.structs import asdict
from sqlalchemy import Insert, Update, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models import LAST_DATE, REASON_LENGTH, FeatureConfig, FeatureSchedule, FeatureType, Role
from services import alarms, audit
from services.alarms import Alarm
from services.answers import Texts
from services.audit import Actor
from services.changes import Outcome
from services.database import Database
from services.errors import NotFound
from services.request_errors import BadRequest, Forbidden
from services.revisions import check_revision, take_turn
from services.rules import validation
from services.rules.drafts import DayDraft, FeatureDraft, columns_of
from services.signals import DAY, announce
from services.transaction import Transaction

MAX_DAYS = 366
"""The longest range of days that is read at once."""

RowT = TypeVar("RowT", bound=Struct)


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
    titles: Texts
    page_path: str
    is_enabled: bool
    stamp_xp_bonus: int
    revision: int


@dataclass(frozen=True)
class Kept(Generic[RowT]):
    """Where something is kept, as what it is read, and what it is known by."""

    table: Any
    read_as: type[RowT]
    key: Any

    @property
    def columns(self) -> list[Any]:
        """What is read of it."""
        return [getattr(self.table, name) for name in self.read_as.__struct_fields__]

    def target(self, key: object) -> str:
        """What the audit log calls the row of this key, and who changes it takes a turn at."""
        return f"{self.table.__tablename__} {key}"


DAYS = Kept(FeatureSchedule, ScheduledDay, FeatureSchedule.date)
FEATURES = Kept(FeatureConfig, FeatureRow, FeatureConfig.feature_type)

NO_NOTES: Mapping[str, str | int | None] = {}


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


async def schedule_day(
    tx: Transaction, *, actor: Actor, action: str, day: DayDraft, expected_revision: int | None
) -> Outcome[ScheduledDay]:
    """Put a feature on a day, from the next request on.

    Raises: ValidationFailed (a day that is past), LockNotAcquired, RevisionConflict.
    """
    validation.day_faults(day, tx.date).refuse()
    return await _upsert(tx, DAYS, asdict(day), actor=actor, action=action, expected=expected_revision)


async def configure_feature(
    tx: Transaction,
    *,
    actor: Actor,
    action: str,
    feature: FeatureDraft,
    expected_revision: int | None,
    reason: str | None = None,
) -> Outcome[FeatureRow]:
    """Change how a feature is presented, whether it is on at all, and its bonus, from the next request on.

    Where its draws are in doubt, switching it on again takes an admin, and a reason: the alarm is over then.

    Raises: ValidationFailed, LockNotAcquired, Forbidden, RevisionConflict.
    """
    faults = validation.feature_faults(feature)
    if reason is not None:
        faults.text(reason, REASON_LENGTH, "reason")
    faults.refuse()
    await take_turn(tx, FEATURES.target(feature.feature_type))
    alarm = await _alarm_ended_by(tx, feature)
    if alarm is not None:
        if actor.role is not Role.ADMIN:
            raise Forbidden("Only ADMIN may switch a feature on again whose draws are in doubt.")
        validation.alarm_faults(reason).refuse()
    notes = {"reason": reason, "closesAlarm": alarm.id if alarm else None}
    values = columns_of(feature)
    outcome = await _upsert(tx, FEATURES, values, actor=actor, action=action, expected=expected_revision, notes=notes)
    if alarm is not None:
        await alarms.close(tx, alarm)
    return outcome


async def _alarm_ended_by(tx: Transaction, feature: FeatureDraft) -> Alarm | None:
    """The alarm that is over once a feature is so: it was switched off, and is on again."""
    alarm = (await alarms.open_alarms(tx.connection)).get(feature.feature_type)
    before = await _row(tx, FEATURES, feature.feature_type)
    is_on_again = feature.is_enabled and not (before and before.is_enabled)
    return alarm if is_on_again else None


async def switch_off(tx: Transaction, *, actor: Actor, action: str, feature: FeatureType, reason: str) -> bool:
    """Switch a feature off, on all of its days, from the next request on; whether it was on.

    Raises: LockNotAcquired.
    """
    await take_turn(tx, FEATURES.target(feature))
    row = await _row(tx, FEATURES, feature)
    if row is None or not row.is_enabled:
        return False
    off, notes = {"feature_type": feature, "is_enabled": False}, {"reason": reason}
    await _upsert(tx, FEATURES, off, actor=actor, action=action, expected=row.revision, notes=notes)
    return True


async def remove_day(
    tx: Transaction, *, actor: Actor, action: str, date: dt.date, expected_revision: int
) -> Outcome[None]:
    """Take a day of the future off the schedule. Its revisions go on where it is scheduled again.

    Raises: LockNotAcquired, NotFound, RevisionConflict, ValidationFailed.
    """
    target = DAYS.target(date)
    await take_turn(tx, target)
    found = await read_days(tx.connection, date, date)
    if not found:
        raise NotFound("Nothing is scheduled on this day.")
    check_revision(found[0].revision, expected_revision)
    validation.removed_day_faults(date, tx.date).refuse()
    await tx.connection.execute(delete(FeatureSchedule).where(FeatureSchedule.date == date))
    changes = await audit.record(tx, actor=actor, action=action, target=target, before=found[0], after=None)
    await announce(tx, DAY)
    return Outcome(None, changes)


async def _upsert(
    tx: Transaction,
    kept: Kept[RowT],
    values: dict[str, Any],
    *,
    actor: Actor,
    action: str,
    expected: int | None,
    notes: Mapping[str, str | int | None] = NO_NOTES,
) -> Outcome[RowT]:
    """Write a row, made or changed, and the audit entry."""
    table, key = kept.table, values[kept.key.key]
    target = kept.target(key)
    await take_turn(tx, target)
    before: Any = await _row(tx, kept, key)
    revision = check_revision(before.revision if before else None, expected)
    if before is None and (removed := await audit.last_before(tx, target)):
        revision = removed["revision"] + 1  # no two contents have one number, also across a removal
    values |= {"revision": revision, "updated_at": tx.now}
    if before is None:
        write: Insert | Update = insert(table).values(values)
    else:
        del values[kept.key.key]  # a row stays what it is of, and nobody has the right to change that
        write = update(table).where(kept.key == key).values(values)
    changed = await tx.connection.execute(write.returning(*kept.columns))
    after = kept.read_as(*changed.one())
    changes = await audit.record(tx, actor=actor, action=action, target=target, before=before, after=after, **notes)
    await announce(tx, DAY)
    return Outcome(after, changes)


async def _row(tx: Transaction, kept: Kept[RowT], key: object) -> RowT | None:
    """The row of this key as it stands, or none."""
    row = (await tx.connection.execute(select(*kept.columns).where(kept.key == key))).one_or_none()
    return kept.read_as(*row) if row else None
