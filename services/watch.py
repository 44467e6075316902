"""What services tell of their work to whoever watches it: to nobody, unless server/ has somebody who does.

Every method is called in the event loop, in the middle of the work: it must be quick, and raise nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from enum import StrEnum
from typing import Any


class BatchKind(StrEnum):
    """What is done for several callers at once."""

    PLAYS = "plays"
    READS = "reads"
    VIEWS = "views"
    STANDING = "standing"


_NOTHING = nullcontext()


class Watch:
    """Watches nothing. Whoever watches overrides what it wants to know."""

    def caller(self) -> Any:
        """What is to be known, once a batch is under way, of somebody who begins to wait for it."""

    def batch(self, _kind: BatchKind, _callers: Sequence[Any]) -> AbstractContextManager[None]:
        """What to enter while a batch is worked on; `callers` are those who waited for it, the first of them first."""
        return _NOTHING

    def retried(self) -> None:
        """A batch of plays clashed, and is decided anew."""

    def parted(self, _members: int) -> None:
        """So many members of a batch go on alone."""

    def stored(self, _tables: Any) -> None:
        """New rows were stored: by table, each as a mapping of columns."""

    def opened(self, _session: Any) -> None:
        """A session of the driver's (asyncpg) is open; its statements may be followed."""

    def joined(self, _engine: Any) -> None:
        """An engine of the toolkit's (SQLAlchemy) was made; its statements may be followed."""


NOBODY = Watch()
