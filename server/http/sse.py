"""GraphQL over server-sent events, in distinct connections mode: one operation, one event stream.

https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md: each answer is a `next` event, and `complete` says
that there will be none after it. A stream that ends without `complete` was cut off, by the server's stop or the
token's expiry, and the client sends its request again. Lines end in LF, which every parser takes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from functools import lru_cache
from typing import Any

import orjson
from starlette.types import Receive, Send

from server.http.places import PlaceLimits
from server.http.requests import accepted
from server.observing.record import Record

EVENT_STREAM = "text/event-stream"

COMPLETE = b"event: complete\ndata:\n\n"
COMMENT = b":\n"
"""No blank line after it: some parsers take that for the end of an event."""

Answers = AsyncGenerator[dict[str, Any], None]


class _Ended(Exception):
    """The stream is over, one way or another."""


@lru_cache(maxsize=256)
def accepts_events(accept: bytes | None) -> bool:
    """Tell whether the client names text/event-stream; a wildcard does not ask for a stream."""
    items = (accept or b"").decode("latin-1").split(",")
    return any(name == EVENT_STREAM and q > 0 for name, q in map(accepted, items))


async def respond_events(
    receive: Receive,
    send: Send,
    answers: Answers,
    *,
    over: Callable[[], Awaitable[object]],
    is_expired: Callable[[], bool],
    record: Record,
    limits: PlaceLimits,
) -> None:
    """Send `answers` as events until there are no more, the client goes away, or the connection is `over`."""
    stream = _Stream(send, limits)
    await stream.start(record.request_id)
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_until_disconnected(receive))
            tasks.create_task(_until_over(over))
            tasks.create_task(_keep_alive(stream, limits.keep_alive_seconds))
            async for answer in answers:
                if is_expired():
                    raise _Ended  # noqa: TRY301 (the one way out of the group)
                body = orjson.dumps(answer)
                record.refuse_all(answer.get("errors", ()))
                record.sent(len(body))
                await stream.write(b"event: next\ndata: " + body + b"\n\n")
            await stream.write(COMPLETE)
            raise _Ended  # noqa: TRY301
    except* _Ended:
        pass
    await stream.end()


async def _until_disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    raise _Ended


async def _until_over(over: Callable[[], Awaitable[object]]) -> None:
    await over()
    raise _Ended


async def _keep_alive(stream: _Stream, seconds: float) -> None:
    while True:
        await asyncio.sleep(seconds)
        await stream.write(COMMENT)


class _Stream:
    """The body of the response, written by one task at a time."""

    def __init__(self, send: Send, limits: PlaceLimits) -> None:
        self._send = send
        self._limits = limits
        self._turn = asyncio.Lock()

    async def start(self, request_id: str) -> None:
        """Send the headers, and a first comment that gets them past proxies that wait for a body."""
        headers = [
            (b"content-type", f"{EVENT_STREAM}; charset=utf-8".encode()),
            (b"cache-control", b"no-store, no-transform"),
            (b"x-accel-buffering", b"no"),
            (b"x-content-type-options", b"nosniff"),
            (b"x-request-id", request_id.encode()),
        ]
        await self._send({"type": "http.response.start", "status": 200, "headers": headers})
        await self._send({"type": "http.response.body", "body": COMMENT, "more_body": True})

    async def write(self, chunk: bytes) -> None:
        """Send a part of the body. Raises: _Ended when the client does not take it in time."""
        try:
            async with self._turn, asyncio.timeout(self._limits.send_seconds):
                await self._send({"type": "http.response.body", "body": chunk, "more_body": True})
        except (TimeoutError, OSError):
            raise _Ended from None

    async def end(self) -> None:
        """Send the end of the body, if there is still somebody to take it."""
        try:
            async with asyncio.timeout(self._limits.farewell_seconds):
                await self._send({"type": "http.response.body", "body": b""})
        except (TimeoutError, OSError):
            return
