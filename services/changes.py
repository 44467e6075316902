"""What a command of staff comes to: what it made, what it changed on the way, and what to think twice about.

A dry run is the command itself, in a transaction that is rolled back: it checks and tells the same, and writes nothing.
A run goes through once every warning is acknowledged.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import zip_longest
from typing import Any, Generic, TypeVar

from services.errors import Warned, WarningsUnacknowledged

MadeT = TypeVar("MadeT")


class MutationMode(StrEnum):
    """Whether a command of staff is carried out."""

    RUN = "RUN"
    DRY_RUN = "DRY_RUN"


@dataclass(frozen=True)
class Change:
    """One value that a command changes: where, and what it was and becomes (null: nothing)."""

    path: Sequence[str]
    before: Any
    after: Any


ROW_NUMBERS = {"id", "stockId"}


def changes_between(before: Any, after: Any) -> list[Change]:
    """What differs between two snapshots of JSON, in their order: a whole value where one side has nothing there.

    Row numbers are left out: what is stored anew has another one and is the same to everybody.
    """
    return list(_changes((), before or {}, after or {}))


def _changes(path: tuple[str, ...], before: Any, after: Any) -> Iterator[Change]:
    if isinstance(before, dict) and isinstance(after, dict):
        for name in dict.fromkeys((*before, *after)):
            if name not in ROW_NUMBERS:
                yield from _changes((*path, name), before.get(name), after.get(name))
    elif isinstance(before, list) and isinstance(after, list):
        for index, (old, new) in enumerate(zip_longest(before, after)):
            yield from _changes((*path, str(index)), old, new)
    elif before != after:
        yield Change(path, before, after)


@dataclass(frozen=True)
class Outcome(Generic[MadeT]):
    """What a command made, with its changes and its warnings."""

    made: MadeT
    changes: Sequence[Change]
    warnings: Sequence[Warned] = ()

    def refuse_unacknowledged(self, acknowledged: Collection[str]) -> None:
        """Refuse what there is a warning about that nobody has acknowledged. Raises: WarningsUnacknowledged."""
        if not {warning.code for warning in self.warnings} <= set(acknowledged):
            raise WarningsUnacknowledged(self.warnings)
