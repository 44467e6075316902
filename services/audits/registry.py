"""All checks, in the order in which they are looked at."""

from __future__ import annotations

from types import ModuleType

from services.audits import (
    alarms,
    answers,
    coupons,
    draws,
    events,
    integrity,
    ledger,
    levels,
    plays,
    rankings,
    seals,
    staff,
    stamps,
    stocks,
)
from services.audits.check import Check

SUBJECTS: tuple[ModuleType, ...] = (
    ledger,
    seals,
    plays,
    draws,
    alarms,
    stocks,
    stamps,
    levels,
    coupons,
    rankings,
    answers,
    events,
    staff,
    integrity,
)

CHECKS: tuple[Check, ...] = tuple(
    value for subject in SUBJECTS for value in vars(subject).values() if isinstance(value, Check)
)
