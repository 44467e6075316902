"""Learning of the server's stop: before it waits for its connections, and when it could no longer tell.

A server closes its listening sockets, then waits for what is under way, and tells the application last. A subscription
is never done by itself, so whoever keeps one has to learn of the stop at the signal that asks for it. A server that is
killed tells its worker processes nothing: they would live on, and keep its port.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)


def stop_with_parent() -> None:
    """Stop this worker process, gracefully, once the process that made it is gone."""
    parent = multiprocessing.parent_process()

    def watch() -> None:
        assert parent is not None
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)

    if parent is not None:
        threading.Thread(target=watch, name="parent", daemon=True).start()


@contextmanager
def at_stop_signal(callback: Callable[[], None]) -> Iterator[None]:
    """Call `callback` in the running loop when a signal asks the process to stop; the server's handler comes first."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    before: dict[int, Any] = {number: signal.getsignal(number) for number in SIGNALS}

    def handle(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(callback)
        before[number](number, frame)

    # Without a handler of the server's there is nobody to stop gracefully for.
    ours = [number for number in SIGNALS if callable(before[number])]
    for number in ours:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number in ours:
            if signal.getsignal(number) is handle:
                signal.signal(number, before[number])
