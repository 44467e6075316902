"""Clients that keep a connection open, straight over ASGI: a WebSocket and an event stream, without a network."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

from starlette.types import ASGIApp, Message

PROTOCOL = "graphql-transport-ws"
SECONDS = 30.0
"""How long what is to come is waited for: on a busy machine it takes its time."""


class Closed(Exception):
    """The server closed the connection."""

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(f"{code} {reason}")
        self.code = code
        self.reason = reason


class Exchange:
    """One run of an ASGI application: what it is sent, and what it sends."""

    def __init__(self, app: ASGIApp, scope: Mapping[str, Any]) -> None:
        self._app = app
        self._scope = {"client": ("10.0.0.1", 1), "state": {}, "asgi": {"version": "3.0"}} | dict(scope)
        self.given: asyncio.Queue[Message] = asyncio.Queue()
        self.taken: asyncio.Queue[Message] = asyncio.Queue(maxsize=1)  # a client that reads slowly holds the server up
        self.task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self.task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        await self._app(dict(self._scope), self.given.get, self.taken.put)

    async def next(self, seconds: float = SECONDS) -> Message:
        """What the application sends next."""
        async with asyncio.timeout(seconds):
            return await self.taken.get()

    async def ended(self, seconds: float = SECONDS) -> None:
        """Wait until the application returns; what it raises is raised."""
        assert self.task is not None
        async with asyncio.timeout(seconds):
            while not self.task.done():
                with suppress(TimeoutError):
                    async with asyncio.timeout(0.01):
                        await self.taken.get()
            await self.task


class Socket(Exchange):
    """A WebSocket."""

    def __init__(
        self, app: ASGIApp, *, protocols: tuple[str, ...] = (PROTOCOL,), headers: Mapping[str, str] | None = None
    ) -> None:
        raw = [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()]
        super().__init__(
            app,
            {
                "type": "websocket",
                "path": "/graphql",
                "raw_path": b"/graphql",
                "query_string": b"",
                "headers": raw,
                "subprotocols": list(protocols),
                "extensions": {"websocket.http.response": {}},
                "root_path": "",
                "scheme": "ws",
            },
        )
        self.accepted: Message = {}

    async def open(self) -> Message:
        """Shake hands; the application's answer."""
        await self.start()
        await self.given.put({"type": "websocket.connect"})
        self.accepted = await self.next()
        return self.accepted

    async def send(self, kind: str, **rest: Any) -> None:
        await self.given.put({"type": "websocket.receive", "text": json.dumps({"type": kind, **rest})})

    async def send_text(self, text: str) -> None:
        await self.given.put({"type": "websocket.receive", "text": text})

    async def init(self, token: str | None = None, **payload: Any) -> None:
        """Introduce oneself, and be acknowledged."""
        if token is not None:
            payload["Authorization"] = f"Bearer {token}"
        await self.send("connection_init", payload=payload)
        assert await self.message() == {"type": "connection_ack"}

    async def subscribe(self, query: str, id: str = "1", **variables: Any) -> None:  # noqa: A002
        await self.send("subscribe", id=id, payload={"query": query, "variables": variables})

    async def message(self, seconds: float = SECONDS) -> dict[str, Any]:
        """The next message. Raises: Closed."""
        event = await self.next(seconds)
        if event["type"] == "websocket.close":
            raise Closed(event["code"], event.get("reason", ""))
        assert event["type"] == "websocket.send", event
        message: dict[str, Any] = json.loads(event["text"])
        return message

    async def data(self, seconds: float = SECONDS) -> Any:
        """The data of the next message, which must be a `next` without errors."""
        message = await self.message(seconds)
        assert message["type"] == "next", message
        assert "errors" not in message["payload"], message
        return message["payload"]["data"]

    async def close_code(self, seconds: float = SECONDS) -> int:
        """The code that the server closes with, whatever it sends before."""
        try:
            while True:
                await self.message(seconds)
        except Closed as closed:
            return closed.code

    async def leave(self, code: int = 1000) -> None:
        """Go away; whatever the application still sends is taken."""
        await self.given.put({"type": "websocket.disconnect", "code": code})
        await self.ended()


@asynccontextmanager
async def socket(app: ASGIApp, token: str | None = None, **arguments: Any) -> AsyncIterator[Socket]:
    """An open WebSocket; with `token` it is introduced, too."""
    made = Socket(app, **arguments)
    await made.open()
    if token is not None:
        await made.init(token)
    try:
        yield made
    finally:
        await made.leave()


class Events(Exchange):
    """An event stream, or whatever else a request is answered by."""

    def __init__(
        self,
        app: ASGIApp,
        query: str,
        *,
        token: str | None = None,
        accept: str = "text/event-stream",
        variables: Mapping[str, Any] | None = None,
    ) -> None:
        body = json.dumps({"query": query, "variables": dict(variables or {})}).encode()
        headers = [(b"accept", accept.encode()), (b"content-type", b"application/json")]
        if token is not None:
            headers.append((b"authorization", f"Bearer {token}".encode()))
        super().__init__(
            app,
            {
                "type": "http",
                "method": "POST",
                "http_version": "1.1",
                "path": "/graphql",
                "raw_path": b"/graphql",
                "query_string": b"",
                "headers": headers,
                "root_path": "",
                "scheme": "http",
            },
        )
        self.given.put_nowait({"type": "http.request", "body": body, "more_body": False})
        self.status = 0
        self.headers: dict[str, str] = {}

    async def open(self) -> None:
        """Read the head of the answer."""
        await self.start()
        head = await self.next()
        self.status = head["status"]
        self.headers = {name.decode(): value.decode() for name, value in head["headers"]}

    async def chunk(self, seconds: float = SECONDS) -> bytes:
        """The next part of the body; empty: it is over."""
        message = await self.next(seconds)
        body: bytes = message["body"]
        return body

    async def event(self, seconds: float = SECONDS) -> tuple[str, Any] | None:
        """The next event and its data, comments left out; null: the stream ended."""
        while (chunk := await self.chunk(seconds)).startswith(b":"):
            pass
        if not chunk:
            return None
        assert b"\r" not in chunk
        assert chunk.endswith(b"\n\n")
        name, data = chunk.decode().removesuffix("\n\n").split("\n")
        assert name.startswith("event: ")
        assert data.startswith("data:")
        content = data.removeprefix("data:").strip()
        return name.removeprefix("event: "), json.loads(content) if content else None

    async def data(self, seconds: float = SECONDS) -> Any:
        """The data of the next event, which must be a `next` without errors."""
        event = await self.event(seconds)
        assert event is not None
        assert event[0] == "next"
        assert "errors" not in event[1], event
        return event[1]["data"]

    async def leave(self) -> None:
        """Go away; whatever the application still sends is taken."""
        await self.given.put({"type": "http.disconnect"})
        await self.ended()


@asynccontextmanager
async def events(app: ASGIApp, query: str, **arguments: Any) -> AsyncIterator[Events]:
    """An open event stream."""
    made = Events(app, query, **arguments)
    await made.open()
    try:
        yield made
    finally:
        await made.leave()
