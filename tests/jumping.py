"""An event loop in which nobody waits: where all sleep, it is at once as late as the first of them wants it to be."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

ResultT = TypeVar("ResultT")


class JumpingLoop(asyncio.SelectorEventLoop):
    """It is 0 s at the beginning, and no time passes but what is slept."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def time(self) -> float:
        """Seconds since the beginning."""
        return self.now

    def _run_once(self) -> None:
        to_come = [handle.when() for handle in self._scheduled if not handle.cancelled()]  # type: ignore[attr-defined]
        if to_come and not self._ready:  # type: ignore[attr-defined]
            self.now = max(self.now, min(to_come))
        super()._run_once()  # type: ignore[misc]


def run(what: Coroutine[Any, Any, ResultT]) -> ResultT:
    """Run it, however long that takes, in no time."""
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        return runner.run(what)
