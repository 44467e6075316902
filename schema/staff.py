"""What commands of staff share: how they are carried out, and what they tell of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import strawberry

from schema.described import described
from schema.inputs import TextInput
from schema.scalars import JSON
from services import changes as made
from services.changes import MutationMode, Outcome
from services.error_codes import WarningCode
from services.errors import Warned

MODE = "DRY_RUN checks everything and shows what would change, and changes nothing."
ACKNOWLEDGE = "The codes of the warnings that you have seen and mean all the same: a RUN with others is refused."

PayloadT = TypeVar("PayloadT", bound="StaffPayload")


@strawberry.input
class StaffInput(TextInput):
    """What every command of staff takes."""

    mode: MutationMode = strawberry.field(default=MutationMode.RUN, description=MODE)
    acknowledge: list[WarningCode] = strawberry.field(default_factory=list, description=ACKNOWLEDGE)


@described
@strawberry.type
class Change:
    """One value that a command changes."""

    path: list[str] = strawberry.field(description='Where: names and list indexes, as ["segments", "3", "weight"].')
    before: JSON | None = strawberry.field(description="What it was; null: nothing.")
    after: JSON | None = strawberry.field(description="What it becomes; null: nothing.")

    @classmethod
    def of(cls, change: made.Change) -> Change:
        """Convert."""
        return cls(path=list(change.path), before=change.before, after=change.after)


@described
@strawberry.type
class Warning:  # noqa: A001 (the contract's name)
    """Something to think twice about: the input is valid, and does what somebody may not have meant."""

    code: WarningCode = strawberry.field(description="What it is about; `acknowledge` takes it.")
    message: str = strawberry.field(description="What may not have been meant, in English.")
    path: list[str] = strawberry.field(description="Where in the input.")

    @classmethod
    def of(cls, warned: Warned) -> Warning:
        """Convert."""
        return cls(code=warned.code, message=warned.message, path=list(warned.path))


@described
@strawberry.interface
class StaffPayload:
    """What a command of staff came to, or would come to.

    What it made is null in a dry run: an id means one thing, and what was only tried is not there.
    """

    dry_run: bool = strawberry.field(description="True: nothing was changed.")
    changes: list[Change] = strawberry.field(description="What the command changes.")
    warnings: list[Warning] = strawberry.field(description="What there is to think twice about.")

    @classmethod
    def of(cls: type[PayloadT], outcome: Outcome[Any], mode: MutationMode, **shown: Any) -> PayloadT:
        """Convert. `shown`: the payload's own fields; a function shows what was made, if it was."""
        is_dry = mode is MutationMode.DRY_RUN
        own = {name: _shown(value, outcome.made, is_dry=is_dry) for name, value in shown.items()}
        return cls(
            **own,
            dry_run=is_dry,
            changes=[Change.of(change) for change in outcome.changes],
            warnings=[Warning.of(warned) for warned in outcome.warnings],
        )


def _shown(value: Callable[[Any], Any] | Any, made: Any, *, is_dry: bool) -> Any:
    if not callable(value):
        return value
    return None if is_dry else value(made)


@described
@strawberry.type
class RemovePayload(StaffPayload):
    """Something that is gone."""

    removed_id: strawberry.ID = strawberry.field(description="What its id was; in a dry run, what it is.")
