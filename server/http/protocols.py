"""A client's connection, before anybody knows whose it is: it may be neither silent, nor endless, nor stuck.

uvicorn reads HTTP with httptools, which takes a head of any size for as long as it comes (only h11 has a limit), and
ends its keep-alive at the next request's first byte. Here a head is bounded in bytes, fields and seconds, and so are
the time in which a client may leave unread what it is sent, and the connections of a process.
"""

from __future__ import annotations

from asyncio import AbstractEventLoop, BaseTransport, TimerHandle, Transport
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from server.http.places import GOING_AWAY, Over

HEAD_BYTES = 64 * 1024
"""Of what the parser holds back until it is whole; a head that fits into one read (256 KiB) never is."""

HEAD_FIELDS = 100
"""A field costs far more memory than its bytes; browsers and proxies send some thirty."""

TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class HeadTooLarge(Exception):
    """A head has too many fields; this ends the parser."""


class Together:
    """A transport whose writes of one turn of the loop leave together: a head with its body, and one call for both."""

    def __init__(self, transport: Transport, loop: AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._held: list[bytes] = []

    def write(self, data: bytes) -> None:
        """Write at the end of this turn."""
        if not self._held:
            self._loop.call_soon(self._write_held)
        self._held.append(data)

    def close(self) -> None:
        """Close, after what was written."""
        self._write_held()
        self._transport.close()

    def _write_held(self) -> None:
        held, self._held = b"".join(self._held), []
        if held and not self._transport.is_closing():
            self._transport.write(held)

    def __getattr__(self, name: str) -> Any:
        """Be the transport in all else."""
        return getattr(self._transport, name)


class HttpConnection(HttpToolsProtocol):
    """HTTP on one connection, until it becomes a WebSocket's.

    One timer for each connection looks after it; a request does no more than note since when its client is waited for.
    """

    head_seconds = 10.0
    """How long a client may take to send a whole head: from the start, or from the last answer."""

    unread_seconds = 30.0
    """How long a client may take to make room for what it is sent."""

    at_most = 10_000
    """Connections of one process, WebSockets included: twice the places of those who play (`PlaceLimits`).

    One more is closed at once. uvicorn's `limit_concurrency` would refuse requests instead: the silent connections
    would stay, and keep out those who were there before them.
    """

    _timer: TimerHandle
    _waiting_since: float | None
    _held_back: int

    def connection_made(self, transport: BaseTransport) -> None:
        """Begin to wait for the first head."""
        super().connection_made(Together(cast("Transport", transport), self.loop))  # type: ignore[arg-type]
        self._held_back = 0
        self._waiting_since = self.loop.time()
        self._timer = self.loop.call_later(self.head_seconds, self._look)
        if len(self.connections) > self.at_most:
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Look no more."""
        self._timer.cancel()
        super().connection_lost(exc)

    # Bytes

    def data_received(self, data: bytes) -> None:
        """Parse; whatever is neither a whole head nor a part of a body by then is held back."""
        self._held_back += len(data)
        super().data_received(data)
        if self._held_back > HEAD_BYTES:
            self._refuse()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a field of a head, or of a chunked body's trailer. Raises: HeadTooLarge."""
        if len(self.headers) >= HEAD_FIELDS:
            self._refuse()
            raise HeadTooLarge
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Begin to serve."""
        self._held_back = 0
        super().on_headers_complete()
        self._note()

    def on_body(self, body: bytes) -> None:
        """Take a part of a body, whose size and time are the application's to bound."""
        self._held_back = 0
        super().on_body(body)

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, unless it was refused for its size."""
        if not self.transport.is_closing():
            super().send_400_response(msg)

    def _refuse(self) -> None:
        """Close the connection, and say why where that does not end up in the middle of an answer."""
        if self.transport.is_closing():
            return
        if not self._is_serving():
            self.transport.write(TOO_LARGE)
        self.transport.close()

    # Time

    def on_response_complete(self) -> None:
        """Begin to wait for the next head, or to serve the one that is there already."""
        super().on_response_complete()
        self._note()

    def pause_writing(self) -> None:
        """Begin to wait for the client to read."""
        super().pause_writing()
        self._note()

    def resume_writing(self) -> None:
        """Go on with what there was to do before the client had to read."""
        super().resume_writing()
        self._note()

    def _is_serving(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _note(self) -> None:
        """Note whether, and since when, the client is waited for."""
        waiting = self.flow.write_paused or not self._is_serving()
        self._waiting_since = self.loop.time() if waiting else None

    def _look(self) -> None:
        """Close the connection if its client has taken too long; cut it off if it does not take the rest either."""
        patience = self.unread_seconds if self.flow.write_paused else self.head_seconds
        now = self.loop.time()
        left = (now if self._waiting_since is None else self._waiting_since) + patience - now
        if left > 0 and not self.transport.is_closing():
            self._timer = self.loop.call_later(left, self._look)
        else:
            self.transport.close()
            self._timer = self.loop.call_later(self.unread_seconds, self.transport.abort)

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection over."""
        self._timer.cancel()
        super().handle_websocket_upgrade()
        heir = cast("WebSocketConnection", self.transport.get_protocol())
        if not heir.handshake_initiated:  # it has limits of its own for a head, and does not say that one was too large
            self._refuse()


class WebSocketConnection(WebSocketsSansIOProtocol):
    """A WebSocket whose client has to read: uvicorn's waits for ever, and answers pings into memory meanwhile."""

    look_seconds = 15.0
    """A connection that is stuck at two looks, and in between, is cut off."""

    _timer: TimerHandle
    _is_stuck = False

    def connection_made(self, transport: BaseTransport) -> None:
        """Begin to look after the connection."""
        super().connection_made(transport)
        self._timer = self.loop.call_later(self.look_seconds, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        """Look no more."""
        self._timer.cancel()
        super().connection_lost(exc)

    def resume_writing(self) -> None:
        """Note that the client reads."""
        super().resume_writing()
        self._is_stuck = False

    def shutdown(self) -> None:
        """Tell the client that the server stops, as the application does: either may be the first to."""
        if self.handshake_complete and not self.close_sent:
            self.stop_keepalive()
            self.queue.put_nowait({"type": "websocket.disconnect", "code": GOING_AWAY})
            self.conn.send_close(GOING_AWAY, Over.STOPPING.value)
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.transport.close()
        else:
            super().shutdown()

    def handle_ping(self) -> None:
        """Answer a ping, unless the client has not read the answers to those before."""
        if self.writable.is_set():
            super().handle_ping()
        else:
            self.conn.data_to_send()

    def _look(self) -> None:
        was_stuck = self._is_stuck
        self._is_stuck = self.transport.is_closing() or not self.writable.is_set()
        if was_stuck and self._is_stuck:
            self.transport.abort()
        else:
            self._timer = self.loop.call_later(self.look_seconds, self._look)
