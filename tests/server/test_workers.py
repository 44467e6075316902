"""Workers behind one port share the connections evenly, and nobody waits for a worker that does not come."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from server import workers as module
from server.workers import HELD_AT_MOST, HELD_SECONDS, SLOTS, EvenLoop, EvenServer, Shares, WorkersConfig
from tests.serving import serving


class Protocol(asyncio.Protocol):
    """A connection that is counted, as uvicorn's are."""

    def __init__(self, connections: set[Protocol]) -> None:
        self.connections = connections

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.connections.add(self)


class Worker:
    """A worker of this process, beside another one that has so many connections and never takes any."""

    server: EvenServer

    def __init__(self, others_connections: int) -> None:
        self.connections: set[Protocol] = set()
        self.clients: list[socket.socket] = []
        self.shares = Shares()
        self.other = self.shares.join()
        self.shares.note(self.other, others_connections)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.setblocking(False)
        self.pauses: list[float] = []
        self.listens_on = False
        """Whether it has gone on to listen while it paused."""

    async def come(self, count: int) -> None:
        """So many clients, one by one; each is served in the end."""
        for _ in range(count):
            before = len(self.connections)
            client = socket.socket()
            client.setblocking(False)
            self.clients.append(client)
            await asyncio.get_running_loop().sock_connect(client, self.listener.getsockname())
            async with asyncio.timeout(30):
                while len(self.connections) == before:
                    await asyncio.sleep(0.001)


@asynccontextmanager
async def taking(others_connections: int) -> AsyncIterator[Worker]:
    worker = Worker(others_connections)
    worker.server = server = EvenServer(
        asyncio.get_running_loop(),
        lambda: Protocol(worker.connections),  # type: ignore[arg-type, return-value]
        worker.listener,
        worker.shares,
    )
    pause = server._pause

    def pausing(seconds: float) -> None:
        worker.pauses.append(seconds)
        pause(seconds)
        worker.listens_on |= asyncio.get_running_loop().remove_reader(worker.listener)

    server._pause = pausing  # type: ignore[method-assign]
    try:
        yield worker
    finally:
        server.close()
        for protocol in worker.connections:
            protocol.transport.close()
        for one in (*worker.clients, worker.listener):
            one.close()
    assert not worker.listens_on


async def test_whoever_has_fewest_takes_at_once() -> None:
    async with taking(others_connections=5) as worker:
        await worker.come(6)
        assert not worker.pauses
        assert {one.transport.get_extra_info("socket").gettimeout() for one in worker.connections} == {0.0}


async def test_whoever_has_more_leaves_a_connection_for_a_while_and_no_longer() -> None:
    async with taking(others_connections=0) as worker:
        await worker.come(1)
        assert not worker.pauses
        for _ in range(2):
            await worker.come(1)  # and it is served, since nobody else comes
            assert worker.pauses == [HELD_SECONDS] * HELD_AT_MOST
            worker.pauses.clear()


async def test_whoever_has_little_more_than_others_takes_at_once() -> None:
    async with taking(others_connections=15) as worker:
        await worker.come(17)  # the last of them with 16: one in sixteen more is as many
        assert not worker.pauses
        await worker.come(1)
        assert worker.pauses


async def test_whoever_is_alone_or_has_fewer_than_a_third_takes_at_once() -> None:
    async with taking(others_connections=0) as worker:
        third = worker.shares.join()
        assert worker.shares.least_of_others(worker.other) == 0  # who is new has none
        worker.shares.note(third, 9)
        assert worker.shares.least_of_others(worker.other) == 0
        worker.shares.note(worker.other, 3)
        await worker.come(4)
        assert not worker.pauses
        await worker.come(1)
        assert worker.pauses == [HELD_SECONDS] * HELD_AT_MOST
        worker.pauses.clear()
        worker.shares.leave(worker.other)
        await worker.come(4)  # it has 9 in the end, as the third
        worker.shares.leave(third)
        await worker.come(2)
        assert not worker.pauses
        assert worker.shares.least_of_others(third) == len(worker.connections) == 11


async def test_nothing_is_taken_after_the_end() -> None:
    for others in (5, 0):
        async with taking(others) as worker:
            await worker.come(1)
            if not others:  # it pauses, and would go on later
                worker.clients.append(socket.create_connection(worker.listener.getsockname()))
                async with asyncio.timeout(30):
                    while not worker.pauses:
                        await asyncio.sleep(0)
            worker.server.close()
            assert worker.shares.least_of_others(worker.other) is None
            worker.clients.append(socket.create_connection(worker.listener.getsockname()))
            for _ in range(20):  # more often than it would pause
                await asyncio.sleep(HELD_SECONDS)
            assert len(worker.connections) == 1


class Exhausted:
    """A listener of a process that may open no more files."""

    def __init__(self, listener: socket.socket) -> None:
        self.listener = listener
        self.asked = 0

    def accept(self) -> tuple[socket.socket, object]:
        self.asked += 1
        if self.asked == 1:
            raise OSError(errno.EMFILE, "too many open files")
        return self.listener.accept()

    def fileno(self) -> int:
        return self.listener.fileno()


async def test_where_no_files_are_left_it_is_tried_again_later(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "EXHAUSTED_SECONDS", 0.05)
    async with taking(others_connections=5) as worker:
        worker.server._listener = listener = Exhausted(worker.listener)  # type: ignore[assignment]
        await worker.come(1)
        assert worker.pauses == [0.05]
        assert listener.asked == 3  # refused, had, and nobody else waits
        assert not caplog.messages


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_UNIX])
def test_what_is_taken_is_sent_at_once(family: socket.AddressFamily, tmp_path: Path) -> None:
    """A small answer does not wait for more of them."""
    made: list[Protocol] = []

    def make() -> Protocol:
        made.append(Protocol(set()))
        return made[0]

    config, shares = WorkersConfig("app"), Shares()
    config.shares = shares
    with (
        closing(config.get_loop_factory()()) as loop,
        socket.socket(family) as listener,
        socket.socket(family) as client,
    ):
        assert isinstance(loop, EvenLoop)
        listener.bind(("127.0.0.1", 0) if family == socket.AF_INET else str(tmp_path / "socket"))
        server = loop.run_until_complete(loop.create_server(make, sock=listener, backlog=5))
        client.connect(listener.getsockname())
        while not (made and made[0].connections):
            loop.run_until_complete(asyncio.sleep(0.001))
        taken = made[0].transport.get_extra_info("socket")
        assert family != socket.AF_INET or taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        server.close()
        assert shares.least_of_others(1) is None
        made[0].transport.close()
        loop.run_until_complete(asyncio.sleep(0))


async def test_of_those_that_wait_one_is_taken_and_the_others_are_left_for_a_while_to_whoever_has_fewer() -> None:
    async with taking(others_connections=0) as worker:
        worker.clients += [socket.create_connection(worker.listener.getsockname()) for _ in range(4)]
        async with asyncio.timeout(30):
            while len(worker.connections) < 4:
                await asyncio.sleep(0.001)
        assert worker.pauses == [HELD_SECONDS] * HELD_AT_MOST  # all others come at once, since nobody took them


def test_a_listener_that_is_given_is_shared_and_an_address_is_served_as_ever() -> None:
    with closing(EvenLoop(Shares())) as loop, socket.socket() as listener, socket.socket() as client:
        listener.bind(("127.0.0.1", 0))
        shared = loop.run_until_complete(loop.create_server(asyncio.Protocol, sock=listener, backlog=5))
        assert isinstance(shared, EvenServer)
        assert not listener.getblocking()
        client.connect(listener.getsockname())
        shared.close()
        server = loop.run_until_complete(loop.create_server(asyncio.Protocol, "127.0.0.1", 0))
        assert server.sockets
        server.close()
        loop.run_until_complete(server.wait_closed())


async def test_the_place_of_a_worker_that_is_gone_is_taken() -> None:
    shares = Shares()
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    slots = [shares.join() for _ in range(SLOTS)]
    assert slots == list(range(SLOTS))
    with pytest.raises(RuntimeError):
        shares.join()
    shares._pids[3] = gone.pid
    assert shares.join() == 3
    assert shares._pids[3] == os.getpid()


def test_a_worker_that_left_is_none_to_wait_for() -> None:
    shares = Shares()
    one, other = shares.join(), shares.join()
    shares.note(other, 4)
    assert shares.least_of_others(one) == 4
    shares.leave(other)
    assert shares.least_of_others(one) is None


async def test_two_workers_share_the_connections(empty_database: str) -> None:
    by_worker: Counter[bytes] = Counter()
    writers: list[asyncio.StreamWriter] = []
    async with serving(empty_database, WORKERS=2) as served, asyncio.timeout(120):
        seen: set[bytes] = set()
        while len(seen) < 2:  # one may begin to serve long after the other
            worker, writer = await _connect(served.url)
            seen.add(worker)
            writer.close()
            await writer.wait_closed()
        while not _is_even(by_worker):  # whoever is behind takes the next ones, so it will be
            worker, writer = await _connect(served.url)
            writers.append(writer)
            by_worker[worker] += 1
        for writer in writers:
            writer.transport.abort()


async def _connect(url: str) -> tuple[bytes, asyncio.StreamWriter]:
    """A connection, and what tells its worker."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
    writer.write(b"POST /graphql HTTP/1.1\r\nhost: haru\r\ncontent-length: 0\r\n\r\n")
    head = await reader.readuntil(b"\r\n\r\n")
    (request_id,) = [line for line in head.split(b"\r\n") if line.startswith(b"x-request-id: ")]
    return request_id.rpartition(b"-")[0], writer


def _is_even(by_worker: Counter[bytes]) -> bool:
    least, most = min(by_worker.values(), default=0), max(by_worker.values(), default=0)
    return len(by_worker) == 2 and least >= 10 and most <= 1.5 * least
