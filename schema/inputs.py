"""What the inputs of staff share: texts with their limits, and the revision that was seen."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, TypeVar

import strawberry

from models import NAME_LENGTH, REASON_LENGTH
from services.rules.texts import nfc, rule

ValueT = TypeVar("ValueT")

NAME = f"{rule(NAME_LENGTH)}."
EXPECTED_REVISION = "The current revision as you saw it; null: there is none yet. REVISION_CONFLICT when it is stale."
SEEN_REVISION = "The current revision as you saw it. REVISION_CONFLICT when it is stale."
REASON = f"Why, for the audit log: {rule(REASON_LENGTH)}."

EXACT = {"idempotency_key"}
"""What is no text to read: it has a rule of its own, and is looked at as it was sent."""


class TextInput:
    """An input with texts: the door at which they are brought into the form NFC, so that one spelling is one text."""

    def __post_init__(self) -> None:
        """Normalise what came in."""
        this: Any = self
        for field in fields(this):
            value = getattr(this, field.name)
            if type(value) is str and field.name not in EXACT:  # an enum's member is a str, too
                setattr(this, field.name, nfc(value))


def given(value: ValueT | None) -> ValueT | None:
    """An optional input's value; one that was left out is null."""
    return None if value is strawberry.UNSET else value
