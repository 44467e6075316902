"""When a published revision is played: a pure function of the revisions and the instant. Nothing ever switches."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

from msgspec import Struct

from models import END_OF_TIME, REASON_LENGTH
from services.rules.validation import Faults


class Windowed(Protocol):
    """A revision with its window, [effective_from, effective_until); without an end where that is null."""

    @property
    def revision(self) -> int:
        """1, 2, 3, ... in the order of publication."""

    @property
    def effective_from(self) -> dt.datetime:
        """The first instant of the window."""

    @property
    def effective_until(self) -> dt.datetime | None:
        """The first instant after the window."""


WindowedT = TypeVar("WindowedT", bound=Windowed)


def holds(revision: Windowed, instant: dt.datetime) -> bool:
    """Whether the revision's window holds the instant."""
    return revision.effective_from <= instant and (
        revision.effective_until is None or instant < revision.effective_until
    )


def in_force(revisions: Iterable[WindowedT], instant: dt.datetime) -> WindowedT | None:
    """What is played at an instant: the window that holds it and began last; of two, what was published last.

    So a special day stands above what is played every day, and stays there when that is published anew before it.
    Whoever asks leaves out what is withdrawn.
    """
    holding = [revision for revision in revisions if holds(revision, instant)]
    return max(holding, key=lambda revision: (revision.effective_from, revision.revision), default=None)


def turns(revisions: Iterable[Windowed], first: dt.datetime, last: dt.datetime) -> list[dt.datetime]:
    """The instants within (first, last) at which a window begins or ends, in order."""
    edges = {edge for revision in revisions for edge in (revision.effective_from, revision.effective_until) if edge}
    return sorted(edge for edge in edges if first < edge < last)


def played_between(
    revisions: Sequence[WindowedT], first: dt.datetime, last: dt.datetime
) -> list[tuple[dt.datetime, WindowedT | None]]:
    """What is played in [first, last): each revision, or none, with the instant from which on it is."""
    played: list[tuple[dt.datetime, WindowedT | None]] = []
    for instant in (first, *turns(revisions, first, last)):
        revision = in_force(revisions, instant)
        if not played or played[-1][1] is not revision:
            played.append((instant, revision))
    return played


class Window(Struct, frozen=True):
    """The window that an operator asks for. Without a beginning it begins at once, without an end it has none.

    `emergency_reason`: why it may begin within the notice that changed odds have to be given.
    """

    effective_from: dt.datetime | None = None
    effective_until: dt.datetime | None = None
    emergency_reason: str | None = None

    def note_faults(self, faults: Faults, now: dt.datetime) -> None:
        """Note what is wrong with it, for what is published now."""
        begins, ends = self.effective_from, self.effective_until
        if begins is not None and begins < now:
            faults.add(
                f"Is in the past: it is {now:%Y-%m-%dT%H:%M:%SZ}. Leave it out to begin at once.", "effectiveFrom"
            )
        if begins is not None and begins >= END_OF_TIME:
            faults.add(f"Must be before {END_OF_TIME:%Y-%m-%d}.", "effectiveFrom")
        if ends is not None and ends <= (begins or now):
            faults.add("Must be after the window begins.", "effectiveUntil")
        if ends is not None and ends > END_OF_TIME:
            faults.add(f"Must be {END_OF_TIME:%Y-%m-%d} or before.", "effectiveUntil")
        if self.emergency_reason is not None:
            faults.text(self.emergency_reason, REASON_LENGTH, "emergencyReason")

    def begins_at(self, published_at: dt.datetime) -> dt.datetime:
        """The first instant of the window of what is published at an instant."""
        return max(self.effective_from or published_at, published_at)
