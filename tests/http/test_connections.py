"""Connections over real sockets: silent, endless and stuck ones end, and nobody else is kept waiting."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send
from websockets.asyncio.client import connect

from server.http.protocols import HEAD_FIELDS, HttpConnection, Together, WebSocketConnection
from server.http.requests import drain
from tests.serving import listening, serving

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]

GET = b"GET / HTTP/1.1\r\nhost: haru\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nhost: haru\r\ntransfer-encoding: chunked\r\n\r\n"
UPGRADE = (
    GET + b"connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n"
    b"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
PING = b"\x89\xfd\0\0\0\0" + b"p" * 125
MEGABYTES = 8
SECONDS = 60.0
"""Longer than any test waits for what it is about."""


class Hasty(HttpConnection):
    """A server that does not wait long for clients."""

    head_seconds = 0.5
    unread_seconds = 0.5


class HastySocket(WebSocketConnection):
    """The same, of WebSockets."""

    look_seconds = 0.1


class Application:
    """Answers with the length of the request's body, at `/slowly` after a second, at `/forever` without an end."""

    def __init__(self) -> None:
        self.ended = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.accept"})
            while (message := await receive())["type"] != "websocket.disconnect":
                if message["type"] == "websocket.receive":
                    await send({"type": "websocket.send", "text": message["text"]})
            self.ended.set()
            return
        length, more = 0, scope["method"] == "POST"
        while more:
            message = await receive()
            length, more = length + len(message.get("body", b"")), message.get("more_body", False)
        if scope["path"] == "/slowly":
            await asyncio.sleep(1)
        body = str(length).encode()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        if scope["path"] == "/forever":
            gone = asyncio.create_task(self._gone(receive))
            while not gone.done():
                await send({"type": "http.response.body", "body": b"x" * 65536, "more_body": True})
                await asyncio.sleep(0)
            self.ended.set()
        await send({"type": "http.response.body", "body": body})

    async def _gone(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass


@asynccontextmanager
async def connected(app: ASGIApp, *options: Any) -> AsyncIterator[Streams]:
    async with listening(app, *options) as url, connection(url) as streams:
        yield streams


@asynccontextmanager
async def connection(url: str, sent: bytes = b"") -> AsyncIterator[Streams]:
    """A connection to a server, on which something was sent."""
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(sent)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def rest(reader: asyncio.StreamReader) -> bytes:
    """Everything until the server closes the connection, however it does so."""
    received = b""
    with suppress(ConnectionError):
        async with asyncio.timeout(SECONDS):
            while chunk := await reader.read(65536):
                received += chunk
    return received


async def answer(reader: asyncio.StreamReader) -> bytes:
    """The body of the next answer, which is a chunk and an end."""
    async with asyncio.timeout(SECONDS):
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 OK\r\n")
        chunk = await reader.readuntil(b"0\r\n\r\n")
        return chunk.split(b"\r\n")[1]


async def test_silent_connections_are_closed_and_keep_nobody_out(empty_database: str) -> None:
    """The promise, kept by worker processes as operators run them."""
    async with serving(empty_database, WORKERS=2) as served:
        opened = [connection(served.url, sent) for sent in [b""] * 150 + [GET] * 50]
        streams = [await one.__aenter__() for one in opened]
        closed = asyncio.gather(*(rest(reader) for reader, _ in streams))
        (alice,) = await served.players(1)
        while not closed.done():
            assert (await alice.data("{ me { id } }"))["me"]["id"]
            await asyncio.sleep(0.2)
        assert set(await closed) == {b""}
        for one in opened:
            await one.__aexit__(None, None, None)
        assert await served.stop() == 0


# Silent


@pytest.mark.parametrize(
    "start",
    [b"", b"GET", GET, GET + b"x: y", b"\r\n", UPGRADE, GET + b"\r\n", GET + b"\r\n" + GET, GET + b"\r\n\r\n"],
)
async def test_whoever_sends_no_whole_head_is_left(start: bytes) -> None:
    async with connected(Application(), Hasty) as (reader, writer):
        writer.write(start)
        answered = await rest(reader)
    assert answered.startswith(b"HTTP/1.1 200" if b"\r\n\r\n" in start else b"")
    assert answered.count(b"HTTP/1.1") == start.count(b"\r\n\r\n")


@pytest.mark.parametrize("start", [GET + b"x: ", GET + b"\r\n" + GET + b"x: ", CHUNKED.replace(b"POST", b"PUT")])
async def test_sending_a_little_is_not_enough(start: bytes) -> None:
    async with connected(Application(), Hasty) as (reader, writer):

        async def drip() -> None:
            writer.write(start)
            while True:
                writer.write(b"1\r\na\r\n" if start.startswith(b"PUT") else b"a")
                await asyncio.sleep(0.01)

        dripping = asyncio.create_task(drip())
        await rest(reader)
        dripping.cancel()


async def test_a_slow_answer_is_not_the_client_s_fault() -> None:
    async with connected(Application(), Hasty) as (reader, writer):
        writer.write(b"GET /slowly HTTP/1.1\r\nhost: haru\r\n\r\n")
        assert await answer(reader) == b"0"
        assert await rest(reader) == b""


async def test_a_websocket_may_be_silent() -> None:
    async with listening(Application(), Hasty) as url, connect(url.replace("http", "ws")) as client:
        await asyncio.sleep(Hasty.head_seconds * 2)
        await client.send("still there")
        assert await client.recv() == "still there"


# Endless


@pytest.mark.parametrize(
    ("start", "more"),
    [
        (b"GET /", b"a" * 1000),
        (GET + b"x: ", b"a" * 1000),
        (GET + b"x", b"a" * 1000),
        (GET, b"x: y\r\n" * 100),
        (b"", b"\r\n" * 500),
        (GET + b"\r\n" + GET + b"x: ", b"a" * 1000),
        (CHUNKED + b"1;", b"a" * 1000),
        (CHUNKED + b"1\r\na\r\n0\r\n", b"x: y\r\n" * 100),
        (CHUNKED + b"1\r\na\r\n0\r\nx: ", b"a" * 1000),
    ],
    ids=["path", "value", "name", "fields", "blank lines", "second", "extension", "trailers", "trailer"],
)
async def test_a_head_of_megabytes_is_refused(start: bytes, more: bytes) -> None:
    async with connected(Application()) as (_, writer):
        writer.write(start)
        with pytest.raises(ConnectionError):
            await flood(writer, more)


async def flood(writer: asyncio.StreamWriter, more: bytes) -> None:
    """Send megabytes. Raises: ConnectionError when the server closes the connection."""
    for _ in range(MEGABYTES * 1_000_000 // len(more)):
        writer.write(more)
        await writer.drain()


async def test_a_head_that_is_too_large_is_a_431() -> None:
    async with connected(Application()) as (reader, writer):
        writer.write((GET + b"x: ").ljust(65_537, b"a"))
        assert (await rest(reader)).startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\n")


async def test_a_head_that_is_as_large_as_may_be_is_waited_for() -> None:
    async with connected(Application()) as (reader, writer):
        writer.write((GET + b"x: ").ljust(65_536, b"a"))
        await writer.drain()
        await asyncio.sleep(0.1)  # so much of it is held back
        writer.write(b"\r\n\r\n")
        assert await answer(reader) == b"0"


@pytest.mark.parametrize(("fields", "status"), [(HEAD_FIELDS - 1, b"200"), (HEAD_FIELDS, b"431")])
async def test_fields_are_counted(fields: int, status: bytes) -> None:
    async with connected(Application(), Hasty) as (reader, writer):
        writer.write(GET + b"x: y\r\n" * fields + b"\r\n")
        assert (await rest(reader)).startswith(b"HTTP/1.1 " + status)


@pytest.mark.parametrize("head", [UPGRADE + b"x: " + b"a" * 9000, GET + b"upgrade: h2c\r\nconnection: upgrade"])
async def test_an_upgrade_that_comes_to_nothing_is_no_way_to_stay(head: bytes) -> None:
    async with connected(Application(), Hasty) as (reader, writer):
        writer.write(head + b"\r\n\r\n")
        assert (await rest(reader))[:12] in (b"HTTP/1.1 431", b"HTTP/1.1 200")


async def test_bodies_are_none_of_its_business() -> None:
    size = 3_000_000
    async with connected(Application()) as (reader, writer):
        for _ in range(2):
            writer.write(b"POST / HTTP/1.1\r\nhost: haru\r\ncontent-length: %d\r\n\r\n" % size + b"x" * size)
            assert await answer(reader) == str(size).encode()
        writer.write(CHUNKED + (b"%x\r\n" % 1000 + b"x" * 1000 + b"\r\n") * 1000 + b"0\r\n\r\n")
        assert await answer(reader) == b"1000000"


async def test_requests_may_come_one_upon_another() -> None:
    async with connected(Application()) as (reader, writer):
        for _ in range(3):
            writer.write((GET + b"\r\n") * 20 + CHUNKED + b"2\r\nxx\r\n0\r\n\r\n")
            assert [await answer(reader) for _ in range(21)] == [b"0"] * 20 + [b"2"]


# Stuck


async def test_whoever_does_not_read_is_left() -> None:
    app = Application()
    async with listening(app, Hasty) as url, unread(url, b"GET /forever HTTP/1.1\r\nhost: haru\r\n\r\n"):
        async with asyncio.timeout(SECONDS):
            await app.ended.wait()


async def test_pings_are_not_answered_into_memory() -> None:
    app = Application()
    async with listening(app, Hasty, HastySocket) as url, unread(url, UPGRADE + b"\r\n") as client:
        with pytest.raises(ConnectionError):
            await ping(client)
        async with asyncio.timeout(SECONDS):
            await app.ended.wait()


async def ping(client: socket.socket) -> None:
    """Send pings without an end. Raises: ConnectionError when the server closes the connection."""
    async with asyncio.timeout(SECONDS):
        while True:
            await asyncio.get_running_loop().sock_sendall(client, PING * 1000)


@asynccontextmanager
async def unread(url: str, sent: bytes) -> AsyncIterator[socket.socket]:
    """A connection on which a head was answered, and nothing is read any more."""
    with socket.socket() as client:
        client.setblocking(False)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        loop, address = asyncio.get_running_loop(), urlsplit(url)
        await loop.sock_connect(client, (address.hostname, address.port))
        await loop.sock_sendall(client, sent)
        await loop.sock_recv(client, 1)
        yield client


# Stopping


async def test_a_server_that_stops_says_so_to_its_sockets() -> None:
    """Also where it comes first to it, before the application that serves the connection."""
    app = Application()
    async with listening(app) as url:
        client = await connect(url.replace("http", "ws"))
    async with asyncio.timeout(SECONDS):
        await client.wait_closed()
        await app.ended.wait()
    assert (client.close_code, client.close_reason) == (1001, "The server stops.")


# Many


async def test_connections_of_a_process_are_bounded() -> None:
    class Small(HttpConnection):
        at_most = 2

    async with listening(Application(), Small) as url, connection(url) as (_, first), connection(url):
        async with connection(url, GET + b"\r\n") as (reader, _):
            assert await rest(reader) == b""
        first.close()
        async with asyncio.timeout(SECONDS):
            while not await is_served(url):
                await asyncio.sleep(0.01)


async def is_served(url: str) -> bool:
    async with connection(url, GET + b"connection: close\r\n\r\n") as (reader, _):
        return b"200 OK" in await rest(reader)


# What is read of a body that is refused


@pytest.mark.parametrize(("size", "read"), [(1, 10), (3, 4), (10, 1), (11, 1)])
async def test_a_client_that_sends_on_is_listened_to_for_a_bounded_time(size: int, read: int) -> None:
    asked = 0

    async def receive() -> Any:
        nonlocal asked
        asked += 1
        assert asked <= 10
        return {"type": "http.request", "body": b"x" * size, "more_body": True}

    await drain(receive, at_most=10, seconds=60)
    assert asked == read


@pytest.mark.parametrize("last", [{"type": "http.request", "body": b"x"}, {"type": "http.disconnect"}])
async def test_a_client_that_is_done_is_listened_to_no_more(last: dict[str, Any]) -> None:
    messages = [{"type": "http.request", "body": b"x", "more_body": True}, last]

    async def receive() -> Any:
        return messages.pop(0)

    await drain(receive, at_most=10, seconds=60)
    assert messages == []


async def test_an_answer_leaves_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[bytes] = []

    class Noting:
        """The transport, which tells what it is given to write."""

        def __init__(self, transport: Any) -> None:
            self.transport = transport

        def write(self, data: bytes) -> None:
            written.append(data)
            self.transport.write(data)

        def __getattr__(self, name: str) -> Any:
            return getattr(self.transport, name)

    made: Any = Together.__init__
    monkeypatch.setattr(Together, "__init__", lambda together, transport, loop: made(together, Noting(transport), loop))
    async with connected(Application()) as (reader, writer):
        writer.write(GET + b"\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        assert b"200 OK" in head
        assert len(written) == 1
        assert written[0].startswith(head)
        assert len(written[0]) > len(head)


async def test_what_was_written_leaves_before_the_end() -> None:
    async with connected(Application()) as (reader, writer):
        writer.write(GET + b"connection: close\r\n\r\n")
        answer = await asyncio.wait_for(reader.read(), SECONDS)
        assert answer.endswith((b"\r\n0\r\n0\r\n\r\n", b"\r\n\r\n0"))
