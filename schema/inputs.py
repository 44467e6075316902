"""What the inputs of staff share: texts with their limits, and the revision that was seen."""

from __future__ import annotations

from typing import TypeVar

import strawberry

from services.rules.validation import NAME_LENGTH

Value = TypeVar("Value")

PRINTABLE = "printable characters, with no space at either end."
NAME = f"1 to {NAME_LENGTH} {PRINTABLE}"
EXPECTED_REVISION = "The current revision as you saw it; null: there is none yet. REVISION_CONFLICT when it is stale."
PUBLISH_CODES = "Codes: VALIDATION_FAILED, REVISION_CONFLICT, LOCK_NOT_ACQUIRED."


def given(value: Value | None) -> Value | None:
    """An optional input's value; one that was left out is null."""
    return None if value is strawberry.UNSET else value
