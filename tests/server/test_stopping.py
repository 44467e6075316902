"""The signals that ask a server to stop: the application hears of them as well, as long as it wants to."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from types import FrameType
from typing import Any

import pytest

from server.stopping import SIGNALS, at_stop_signal


class Server:
    """What a server does at a signal."""

    def __init__(self) -> None:
        self.heard: list[int] = []

    def handle(self, number: int, _frame: FrameType | None) -> None:
        self.heard.append(number)


@pytest.fixture
def server() -> Iterator[Server]:
    """A server that handles the signals."""
    made = Server()
    before: dict[int, Any] = {number: signal.signal(number, made.handle) for number in SIGNALS}
    yield made
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", SIGNALS)
async def test_a_signal_is_heard_by_the_server_and_in_the_loop(server: Server, number: int) -> None:
    called = asyncio.Event()
    with at_stop_signal(called.set):
        os.kill(os.getpid(), number)
        async with asyncio.timeout(30):
            await called.wait()
        assert server.heard == [number]
        called.clear()
    os.kill(os.getpid(), number)
    while len(server.heard) < 2:
        await asyncio.sleep(0)
    assert [signal.getsignal(each) for each in SIGNALS] == [server.handle] * 2
    assert not called.is_set()


async def test_a_handler_that_came_later_stays(server: Server) -> None:
    later = Server()
    with at_stop_signal(lambda: None):
        signal.signal(signal.SIGTERM, later.handle)
    assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)] == [server.handle, later.handle]


async def test_without_a_server_s_handler_a_signal_does_what_it_does(server: Server) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with at_stop_signal(lambda: None):
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        assert signal.getsignal(signal.SIGINT) != server.handle
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


async def test_a_thread_of_its_own_hears_of_none(server: Server) -> None:
    """Only the main thread may have handlers."""

    def serve() -> list[Any]:
        with at_stop_signal(lambda: None):
            return [signal.getsignal(each) for each in SIGNALS]

    assert await asyncio.to_thread(serve) == [server.handle] * 2
