"""The garbage collector, which stops the world: it works while nobody waits, as far as there are such moments.

A full collection walks all that lives. What a serving process is made of (the schema above all) lives as long as it
does, so it is put aside once, before it serves. Of what is left, the young garbage of some thousand requests is
collected at a time, before it is due, in a moment in which no request is being worked on; a process that never has such
a moment collects when it is due.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable

DUE = (10_000, 20, 20)
"""Objects made since the last collection of the young ones; of those collections since one of the middle-aged; of those
since a full one."""

LOOK_SECONDS = 0.1


def settle() -> None:
    """Put aside all that lives now, and collect less often than Python does by itself."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*DUE)


async def collect_when_idle(is_idle: Callable[[], bool]) -> None:
    """Collect what will be due before long, whenever nobody waits; for ever."""
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        if is_idle():
            collect_early()


def collect_early() -> None:
    """Collect the generations that are halfway to being due."""
    _, middle, old = gc.get_count()
    if old >= DUE[2] // 2:
        gc.collect()
    elif middle >= DUE[1] // 2:
        gc.collect(1)
