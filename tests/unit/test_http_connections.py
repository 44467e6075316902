"""HTTP and WebSocket connections byte by byte, on a clock of the test's: when each of them ends, and what is sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send
from uvicorn import Config
from uvicorn.server import ServerState

from server.http.protocols import HEAD_BYTES, HEAD_FIELDS, HttpConnection, Together, WebSocketConnection

GET = b"GET / HTTP/1.1\r\nhost: haru\r\n"
POST = b"POST / HTTP/1.1\r\nhost: haru\r\ncontent-length: 1\r\n\r\n"
UPGRADE = (
    GET + b"connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n"
    b"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


def ping(letter: bytes) -> bytes:
    return b"\x89\x81\0\0\0\0" + letter


class Timer:
    """A call to come."""

    def __init__(self, at: float, call: Callable[[], object]) -> None:
        self.at, self.call, self.is_due = at, call, True

    def cancel(self) -> None:
        self.is_due = False


class Loop:
    """The running loop, whose time passes when the test says so."""

    def __init__(self) -> None:
        self.now = 0.0
        self.timers: list[Timer] = []

    def time(self) -> float:
        return self.now

    def call_later(self, delay: float, call: Callable[[], object]) -> Timer:
        self.timers.append(Timer(self.now + delay, call))
        return self.timers[-1]

    def call_soon(self, call: Callable[[], object]) -> None:
        asyncio.get_running_loop().call_soon(call)

    def create_task(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        return asyncio.create_task(work)

    @property
    def due(self) -> list[Timer]:
        return [timer for timer in self.timers if timer.is_due]

    def until(self, instant: float) -> None:
        """Let time pass."""
        while early := [timer for timer in self.due if timer.at <= instant]:
            first = min(early, key=lambda timer: timer.at)
            assert first.at > self.now, "a look that makes no time pass"
            self.now, first.is_due = first.at, False
            first.call()
        self.now = instant


class Wire:
    """A transport to a client that takes everything, and never lets go."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.is_closed = self.is_cut_off = False

    def write(self, data: bytes) -> None:
        self.sent.append(data)

    def close(self) -> None:
        self.is_closed = True

    def abort(self) -> None:
        self.is_cut_off = True

    def is_closing(self) -> bool:
        return self.is_closed

    def get_extra_info(self, _name: str) -> None:
        """Nothing is known of the client."""

    def pause_reading(self) -> None:
        """Whatever the test sends is read."""

    def resume_reading(self) -> None:
        """Whatever the test sends is read."""


class Application:
    """Serves when it is told to, and notes what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.told: list[Message] = []
        self.gate = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked.append(scope["type"])
        if scope["type"] == "websocket":
            await send({"type": "websocket.accept"})
            while not self.told or self.told[-1]["type"] != "websocket.disconnect":
                self.told.append(await receive())
                if self.told[-1].get("text") == "close":
                    await send({"type": "websocket.close", "code": 4000})
            return
        await self.gate.wait()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})


class Served:
    """A connection, from its beginning."""

    def __init__(self, kind: type[HttpConnection | WebSocketConnection] = HttpConnection) -> None:
        self.app, self.loop, self.wire = Application(), Loop(), Wire()
        config = Config(self.app, ws=WebSocketConnection, log_config=None, timeout_keep_alive=1000)
        made: Any = kind(config=config, server_state=ServerState(), app_state={}, _loop=self.loop)  # type: ignore[arg-type]
        self.connection = made
        self.connection.connection_made(self.wire)

    async def receives(self, data: bytes) -> None:
        self.connection.data_received(data)
        await self.settles()

    async def answers(self) -> None:
        self.app.gate.set()
        await self.settles()

    async def settles(self) -> None:
        for _ in range(10):
            await asyncio.sleep(0)

    @property
    def sent(self) -> bytes:
        return b"".join(self.wire.sent)

    def ends_at(self, instant: float) -> None:
        """It is closed then and not before, and cut off where the client does not take the rest."""
        self.loop.until(instant - 0.001)
        assert not self.wire.is_closed
        self.loop.until(instant)
        assert self.wire.is_closed
        self.loop.until(instant + HttpConnection.unread_seconds - 0.001)
        assert not self.wire.is_cut_off
        self.loop.until(instant + HttpConnection.unread_seconds)
        assert self.wire.is_cut_off


Serve = Callable[..., Served]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Makes connections, which are lost in the end."""
    made: list[Served] = []

    def serve(kind: type[HttpConnection | WebSocketConnection] = HttpConnection) -> Served:
        made.append(Served(kind))
        return made[-1]

    yield serve
    for served in made:
        served.app.gate.set()
        if served.connection in served.connection.connections:
            served.connection.connection_lost(None)
        await asyncio.gather(*served.connection.tasks)


# How long a client is waited for


async def test_a_head_is_waited_for_from_the_start_or_from_the_last_answer(serve: Serve) -> None:
    serve().ends_at(10)
    served = serve()
    served.loop.until(5)
    await served.receives(GET + b"\r\n")
    served.loop.until(100.5)  # it takes long, which is no fault of the client's
    await served.answers()
    assert served.sent.startswith(b"HTTP/1.1 200 OK")
    served.ends_at(110.5)


async def test_whoever_has_to_read_is_waited_for_longer_and_from_then_on(serve: Serve) -> None:
    served = serve()
    await served.receives(GET + b"\r\n")
    served.loop.until(3)
    served.connection.pause_writing()
    served.ends_at(33)


async def test_whoever_has_read_begins_anew(serve: Serve) -> None:
    served = serve()
    await served.receives(GET + b"\r\n")
    served.loop.until(3)
    served.connection.pause_writing()
    served.loop.until(20)
    served.connection.resume_writing()
    served.loop.until(100)
    assert not served.wire.is_closed
    await served.answers()
    served.connection.pause_writing()
    served.loop.until(102)
    served.connection.resume_writing()
    served.ends_at(112)


async def test_whoever_was_refused_and_does_not_let_go_is_cut_off(serve: Serve) -> None:
    served = serve()
    await served.receives(b"nonsense\r\n\r\n")
    assert served.sent.startswith(b"HTTP/1.1 400 Bad Request")
    assert served.wire.is_closed
    served.loop.until(39.999)
    assert not served.wire.is_cut_off
    served.loop.until(40)
    assert served.wire.is_cut_off


@pytest.mark.parametrize("kind", [HttpConnection, WebSocketConnection])
async def test_nobody_looks_after_a_connection_that_is_gone(
    serve: Serve, kind: type[HttpConnection | WebSocketConnection]
) -> None:
    served = serve(kind)
    assert served.loop.due
    served.connection.connection_lost(None)
    assert not served.loop.due
    assert not served.connection.connections


# How much of a head is held back


@pytest.mark.parametrize("before", [b"", GET + b"\r\n", POST + b"x"], ids=["first", "after a head", "after a body"])
async def test_a_head_is_held_back_up_to_so_many_bytes(serve: Serve, before: bytes) -> None:
    served = serve()
    if before:
        for part in before.partition(b"\r\n\r\n"):
            await served.receives(part)
        await served.answers()
    answered = served.sent
    await served.receives((GET + b"x: ").ljust(HEAD_BYTES, b"a"))
    assert not served.wire.is_closed
    await served.receives(b"a")
    assert served.wire.is_closed
    assert served.sent.removeprefix(answered).startswith(b"HTTP/1.1 431 ")


async def test_a_refusal_does_not_end_up_in_the_middle_of_an_answer(serve: Serve) -> None:
    served = serve()
    await served.receives(GET + b"\r\n")
    await served.receives((GET + b"x: ").ljust(HEAD_BYTES + 1, b"a"))
    assert served.wire.is_closed
    assert served.sent == b""


async def test_a_head_of_too_many_fields_is_refused_once_and_not_served(serve: Serve) -> None:
    served = serve()
    served.app.gate.set()
    await served.receives(GET + b"x: y\r\n" * HEAD_FIELDS + b"\r\n")
    assert served.sent.startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\n")
    assert served.sent.count(b"HTTP/1.1") == 1
    assert served.wire.is_closed
    assert not served.app.asked


async def test_what_is_written_to_a_client_that_is_gone_is_dropped() -> None:
    wire = Wire()
    together = Together(wire, Loop())  # type: ignore[arg-type]
    together.write(b"a")
    together.write(b"b")
    assert not wire.sent
    await asyncio.sleep(0)
    assert wire.sent == [b"ab"]
    together.write(b"c")
    wire.close()
    await asyncio.sleep(0)
    assert wire.sent == [b"ab"]


# WebSockets


async def opened(serve: Serve) -> Served:
    served = serve(WebSocketConnection)
    await served.receives(UPGRADE)
    assert served.sent.startswith(b"HTTP/1.1 101 Switching Protocols")
    served.wire.sent.clear()
    return served


async def test_pings_that_came_while_nothing_could_be_sent_are_answered_no_more(serve: Serve) -> None:
    served = await opened(serve)
    await served.receives(ping(b"a"))
    served.connection.pause_writing()
    await served.receives(ping(b"b") * 3)
    served.connection.resume_writing()
    await served.receives(ping(b"c"))
    assert served.sent == b"\x8a\x01a\x8a\x01c"


async def test_a_stop_is_told_to_the_client_and_to_the_application_and_nothing_after_it(serve: Serve) -> None:
    served = await opened(serve)
    served.connection.shutdown()
    served.loop.until(100)
    await served.settles()
    assert served.sent == b"\x88\x13\x03\xe9The server stops."
    assert served.wire.is_closed
    assert served.app.told[-1] == {"type": "websocket.disconnect", "code": 1001}


async def test_a_stop_ends_what_the_application_has_closed(serve: Serve) -> None:
    served = await opened(serve)
    await served.receives(b"\x81\x85\0\0\0\0close")
    assert served.sent == b"\x88\x02\x0f\xa0"
    assert not served.wire.is_closed  # the client's turn
    served.connection.shutdown()
    assert served.sent == b"\x88\x02\x0f\xa0"
    assert served.wire.is_closed


async def test_a_stop_before_the_handshake_is_an_error(serve: Serve) -> None:
    served = serve(WebSocketConnection)
    served.connection.data_received(UPGRADE)  # the application has not answered it yet
    served.connection.shutdown()
    assert served.sent.startswith(b"HTTP/1.1 500 Internal Server Error")
    assert served.wire.is_closed
