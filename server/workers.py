"""Several worker processes behind one port, each with its share of the connections.

uvicorn's workers take from one listening socket, and whichever wakes up first takes all that wait: one has three times
the connections of another. Here each knows how many the others have, in memory that they share, and leaves a connection
to whoever has fewer, unless nobody takes it for some milliseconds.
"""

from __future__ import annotations

import asyncio
import ctypes
import multiprocessing
import os
import socket
import sys
from collections.abc import Callable
from functools import partial
from multiprocessing.sharedctypes import RawArray
from typing import Any

import uvicorn
from uvicorn.supervisors import Multiprocess

from server.http.protocols import HttpConnection
from server.processes import is_alive

if sys.platform == "win32":
    Loop = asyncio.SelectorEventLoop
else:
    from uvloop import Loop

SLOTS = 64
"""Workers there may be: those that are replaced overlap with those that replace them."""

STARTING_SECONDS = 60
"""A worker that does not answer its parent for so long is replaced. It answers once it has started, which takes seconds
where many start at the same time: replaced too early, none would ever serve."""

TAKEN_AT_ONCE = 16
HELD_SECONDS = 0.001
HELD_AT_MOST = 3
EXHAUSTED_SECONDS = 1.0


class Shares:
    """How many connections each worker has. Pickled, it is the same memory in another process."""

    def __init__(self) -> None:
        self._lock = multiprocessing.get_context("spawn").Lock()
        self._pids = RawArray(ctypes.c_long, SLOTS)
        self._open = RawArray(ctypes.c_long, SLOTS)

    def join(self) -> int:
        """Take the slot of a worker that is no more; its number. Raises: RuntimeError when there are too many."""
        with self._lock:
            for slot, pid in enumerate(self._pids):
                if not pid or not is_alive(pid):
                    self._open[slot] = 0
                    self._pids[slot] = os.getpid()
                    return slot
        raise RuntimeError(f"There are more than {SLOTS} workers.")

    def leave(self, slot: int) -> None:
        """Give a slot back."""
        self._pids[slot] = 0

    def note(self, slot: int, connections: int) -> None:
        """Tell the others how many connections one has."""
        self._open[slot] = connections

    def least_of_others(self, slot: int) -> int | None:
        """How many connections the other worker with the fewest has; none without another."""
        pairs = zip(self._pids, self._open, strict=True)
        return min((count for number, (pid, count) in enumerate(pairs) if pid and number != slot), default=None)


class EvenServer:
    """Takes connections from a listening socket that workers share, no more than its share."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        make: Callable[[], HttpConnection],
        listener: socket.socket,
        shares: Shares,
    ) -> None:
        self._loop = loop
        self._make = make
        self._listener = listener
        self._shares = shares
        self._slot = shares.join()
        self._connections: set[Any] = set()
        """All of this worker, as uvicorn keeps them."""
        self._beginning: set[asyncio.Task[Any]] = set()
        self._held = 0
        self._resuming: asyncio.TimerHandle | None = None
        self._loop.add_reader(listener, self._take)

    def close(self) -> None:
        """Take no more."""
        self._loop.remove_reader(self._listener)
        if self._resuming is not None:
            self._resuming.cancel()
        self._shares.leave(self._slot)

    async def wait_closed(self) -> None:
        """Wait for nothing: it is closed at once."""

    def _take(self) -> None:
        """Take what waits, as long as nobody has fewer, or nobody else comes."""
        if self._held < HELD_AT_MOST and self._is_ahead():
            self._held += 1
            self._pause(HELD_SECONDS)
            return
        for number in range(TAKEN_AT_ONCE):
            if number and self._held < HELD_AT_MOST and self._is_ahead():
                break
            try:
                connection, _address = self._listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                break  # somebody else has taken it, or it is gone
            except OSError:  # no files are left: those who have a connection go on
                self._pause(EXHAUSTED_SECONDS)
                break
            self._begin(connection)
        self._held = 0

    def _is_ahead(self) -> bool:
        mine = len(self._connections) + len(self._beginning)
        self._shares.note(self._slot, mine)
        least = self._shares.least_of_others(self._slot)
        return least is not None and mine > least + mine // 16

    def _begin(self, connection: socket.socket) -> None:
        if connection.family != socket.AF_UNIX:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        task = self._loop.create_task(self._loop.connect_accepted_socket(self._protocol, connection))
        self._beginning.add(task)
        task.add_done_callback(self._begun)

    def _begun(self, task: asyncio.Task[Any]) -> None:
        self._beginning.discard(task)
        if not task.cancelled():
            task.exception()  # a connection that was gone before it began

    def _protocol(self) -> HttpConnection:
        protocol = self._make()
        self._connections = protocol.connections
        return protocol

    def _pause(self, seconds: float) -> None:
        self._loop.remove_reader(self._listener)
        self._resuming = self._loop.call_later(seconds, self._loop.add_reader, self._listener, self._take)


class EvenLoop(Loop):
    """A worker's event loop: a listener that is given to it is shared with the other workers."""

    def __init__(self, shares: Shares) -> None:
        super().__init__()
        self._shares = shares

    async def create_server(self, protocol_factory: Any, *arguments: Any, **options: Any) -> Any:
        """Serve; `sock` is the listener that all workers share."""
        listener: socket.socket | None = options.get("sock")
        if listener is None:
            return await super().create_server(protocol_factory, *arguments, **options)
        listener.setblocking(False)
        listener.listen(options["backlog"])
        return EvenServer(self, protocol_factory, listener, self._shares)


class WorkersConfig(uvicorn.Config):
    """The settings of workers that share their connections evenly."""

    shares: Shares

    def get_loop_factory(self) -> Callable[[], asyncio.AbstractEventLoop]:
        """Make a worker's event loop."""
        return partial(EvenLoop, self.shares)


def run_workers(app: str, **options: Any) -> None:
    """Serve the application that the factory `app` makes, in `workers` processes, until told to stop."""
    if sys.platform == "win32":  # where signal 0 does not ask whether a process is alive, but ends it
        uvicorn.run(app, factory=True, **options)
        return
    config = WorkersConfig(app, factory=True, timeout_worker_healthcheck=STARTING_SECONDS, **options)
    config.shares = Shares()
    listener = config.bind_socket()
    Multiprocess(config, sockets=[listener]).run()
