"""GraphQL over WebSocket: the protocol graphql-transport-ws, for subscriptions, queries and mutations.

https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md. The token comes in the payload of `connection_init`,
or with the handshake's headers. Each operation passes the same gates as a request over HTTP, and has a context and a
request id of its own.

Close codes: 4400 a message that is none, 4401 an operation before the acknowledgement, 4403 a token that is missing,
not valid, expired or revoked, 4406 another subprotocol, 4408 no `connection_init` in time, 4409 an operation's id
twice, 4429 a second `connection_init`; 1001 the server stops, 1013 too many connections, 1011 a bug. After 1001, 1013
and 4403 clients connect again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import ExitStack, aclosing
from typing import Any, NoReturn

import orjson
from starlette.types import Receive, Scope, Send

from schema.context import Principal
from server.graphql.masking import public_error, report_bug
from server.graphql.service import GraphQLService, errors_of
from server.http.places import GOING_AWAY, Over, Places
from server.http.rates import sender
from server.http.requests import checked, strict_json
from server.observing.record import Record
from server.wire import Headers, Refused
from services.error_codes import ErrorCode
from services.errors import HaruError
from services.request_errors import RateLimited, Unauthenticated, Unavailable

PROTOCOL = "graphql-transport-ws"
REASON_BYTES = 123
ID_LENGTH = 128

CONNECTION = ("connection",)
"""What the record of a whole connection calls itself, beside those of its operations."""


class Close(Exception):
    """The connection is to be closed, with this code and reason."""

    def __init__(self, code: int, reason: str) -> None:
        self.code = code
        self.reason = reason.encode()[:REASON_BYTES].decode(errors="ignore")


class Gone(Exception):
    """The client is no longer there."""


class WebSocketEndpoint:
    """Serves the same operations over WebSocket, as a raw ASGI application."""

    def __init__(self, service: GraphQLService, places: Places) -> None:
        self.service = service
        self.places = places

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection until it is closed."""
        await receive()  # websocket.connect
        with self.service.record("websocket", scope["headers"]) as record:
            record.operation, record.is_live = CONNECTION, True
            try:
                with ExitStack() as counted:
                    counted.enter_context(self.places.stranger(sender(scope)))
                    self.service.admit(scope, None)
                    connection = Connection(
                        self.service, self.places, scope, receive, send, record=record, counted=counted
                    )
                    await connection.serve()
            except HaruError as error:
                record.refuse(error.code)
                await deny(scope, send, Refused(error))


async def deny(scope: Scope, send: Send, refused: Refused) -> None:
    """Answer the handshake with a refusal."""
    if "websocket.http.response" not in (scope.get("extensions") or {}):
        await send({"type": "websocket.close", "code": 1013})
        return
    headers = [(b"content-type", b"application/json; charset=utf-8"), *refused.headers]
    body = orjson.dumps({"errors": [public_error(refused.error)]})
    await send({"type": "websocket.http.response.start", "status": refused.status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": body})


class Connection:
    """One connection: who it is, and the operations that are under way; `counted` is where it is counted now."""

    def __init__(
        self,
        service: GraphQLService,
        places: Places,
        scope: Scope,
        receive: Receive,
        send: Send,
        *,
        record: Record,
        counted: ExitStack,
    ) -> None:
        self._service = service
        self._places = places
        self._limits = places.limits
        self._counted = counted
        self._scope = scope
        self._receive = receive
        self._send_raw = send
        self._record = record
        self._principal: Principal | None = None
        self._operations: dict[str, asyncio.Task[None]] = {}

    async def serve(self) -> None:
        """Accept the connection, serve it, and close it where the client has not."""
        close: Close | None = None
        speaks = PROTOCOL in self._scope.get("subprotocols", ())
        await self._send_raw({"type": "websocket.accept", "subprotocol": PROTOCOL if speaks else None})
        try:
            async with asyncio.TaskGroup() as tasks:
                if not speaks:
                    raise Close(4406, "Subprotocol not acceptable")  # noqa: TRY301 (one way to close)
                stranger = tasks.create_task(self._end_when_over(None))
                await self._introduce()
                stranger.cancel()
                tasks.create_task(self._end_when_over(self._principal))
                await self._listen(tasks)
        except* Gone:
            pass
        except* Close as closes:
            close = _first(closes)
        except* Exception as bugs:  # noqa: BLE001
            report_bug(bugs, self._record.request_id, where="a WebSocket")
            self._record.refuse(ErrorCode.INTERNAL)
            close = Close(1011, "Internal server error")
        if close is not None:
            await self._close(close)

    # Messages

    async def _introduce(self) -> None:
        """Wait for connection_init, count the connection for its player, and acknowledge it. Raises: Close, Gone."""
        try:
            async with asyncio.timeout(self._limits.init_seconds):
                while (message := await self._next())["type"] != "connection_init":
                    await self._answer_other(message)
        except TimeoutError:
            raise Close(4408, "Connection initialisation timeout") from None
        try:
            self._principal = self._service.identify(self._scope, self._headers(message.get("payload")))
            self._service.refuse_anonymous(self._principal)
            self._record.role = self._principal.role if self._principal is not None else None
            await self._service.vouch(self._principal)
            self._counted.close()
            self._counted.enter_context(self._places.connection(self._principal))
        except Unauthenticated as refusal:
            self._record.refuse(refusal.code)
            raise Close(4403, "Forbidden") from None
        except (RateLimited, Unavailable) as refusal:
            self._record.refuse(public_error(refusal)["extensions"]["code"])
            raise Close(1013, refusal.message) from None
        await self._send("connection_ack")

    def _headers(self, payload: object) -> Headers:
        """The handshake's headers, or the `Authorization` of the payload, in any letter case, with or without Bearer.

        What cannot be a token becomes an empty one, which is bad like any other. Raises: Close (4400).
        """
        if payload is None:
            payload = {}
        if not isinstance(payload, dict):
            raise Close(4400, "The payload of connection_init must be an object")
        given = [value for name, value in payload.items() if name.lower() == "authorization" and value is not None]
        if not given:
            headers: Headers = self._scope["headers"]
            return headers
        if len(given) > 1 or not isinstance(given[0], str) or not given[0].isascii():
            return [(b"authorization", b"")]
        token = given[0].strip()
        return [(b"authorization", (token if " " in token else f"Bearer {token}").encode())]

    async def _listen(self, tasks: asyncio.TaskGroup) -> NoReturn:
        """Serve messages until the connection ends. Raises: Close, Gone."""
        while True:
            message = await self._next()
            match message["type"]:
                case "subscribe":
                    await self._subscribe(message, tasks)
                case "complete":
                    self._stop(self._id(message))
                case "connection_init":
                    raise Close(4429, "Too many initialisation requests")
                case _:
                    await self._answer_other(message)

    async def _answer_other(self, message: dict[str, Any]) -> None:
        """Answer what may come at any time. Raises: Close."""
        match message["type"]:
            case "ping":
                payload = message.get("payload")
                await self._send("pong", **({} if payload is None else {"payload": payload}))
            case "pong":
                pass
            case "subscribe":
                raise Close(4401, "Unauthorized")
            case "complete":
                pass
            case unknown:
                raise Close(4400, f"Invalid message type {unknown}")

    async def _next(self) -> dict[str, Any]:
        """The next message. Raises: Gone, Close (4400)."""
        event = await self._receive()
        if event["type"] == "websocket.disconnect":
            raise Gone
        text = event.get("text")
        if text is None or len(text) > self._limits.message_bytes:
            raise Close(4400, "A message is text, and not too large")
        try:
            message = strict_json(text)
        except Refused:
            raise Close(4400, "Invalid message received") from None
        if not isinstance(message, dict) or not isinstance(message.get("type"), str):
            raise Close(4400, "Invalid message received")
        return message

    def _id(self, message: dict[str, Any]) -> str:
        """The operation that a message is about. Raises: Close (4400)."""
        found = message.get("id")
        if not isinstance(found, str) or not 1 <= len(found) <= ID_LENGTH:
            raise Close(4400, "A message's id is a string of 1 to 128 characters")
        return found

    async def _send(self, kind: str, *, record: Record | None = None, **rest: Any) -> None:
        """Send a message, an answer of `record`'s. Raises: Gone when the client does not take it in time."""
        body = orjson.dumps({"type": kind, **rest})
        if record is not None:
            record.sent(len(body))
        text = body.decode()
        try:
            async with asyncio.timeout(self._limits.send_seconds):
                await self._send_raw({"type": "websocket.send", "text": text})
        except (TimeoutError, OSError):
            raise Gone from None

    async def _close(self, close: Close) -> None:
        try:
            async with asyncio.timeout(self._limits.farewell_seconds):
                await self._send_raw({"type": "websocket.close", "code": close.code, "reason": close.reason})
        except (TimeoutError, OSError):
            return

    # Operations

    async def _subscribe(self, message: dict[str, Any], tasks: asyncio.TaskGroup) -> None:
        id_, payload = self._id(message), message.get("payload")
        if not isinstance(payload, dict):
            raise Close(4400, "The payload of subscribe must be an object")
        if id_ in self._operations:
            raise Close(4409, f"Subscriber for {id_} already exists")
        if len(self._operations) >= self._limits.operations_per_connection:
            refusal = RateLimited("Too many operations are under way on this connection.")
            await self._send("error", id=id_, payload=[public_error(refusal)])
            return
        self._operations[id_] = tasks.create_task(self._operate(id_, payload))

    def _stop(self, id_: str) -> None:
        """Stop an operation, if it is still under way."""
        task = self._operations.pop(id_, None)
        if task is not None:
            task.cancel()

    async def _operate(self, id_: str, payload: dict[str, Any]) -> None:
        """Send the answers of one operation."""
        record = self._service.record("websocket", self._scope["headers"])
        record.role = self._record.role
        with record:
            async with aclosing(self._answers(payload, record)) as answers:
                async for answer in answers:
                    record.refuse_all(answer.get("errors", ()))
                    if "data" not in answer:  # nothing was executed, or nothing more will be
                        del self._operations[id_]
                        await self._send("error", record=record, id=id_, payload=answer["errors"])
                        return
                    if self._places.is_expired(self._principal):
                        raise _expired()
                    await self._send("next", record=record, id=id_, payload=answer)
        del self._operations[id_]
        await self._send("complete", id=id_)

    async def _answers(self, payload: dict[str, Any], record: Record) -> AsyncGenerator[dict[str, Any], None]:
        """The answers of one operation; one without data says why there will be no more. Raises: Close."""
        if self._places.is_expired(self._principal):
            raise _expired()
        try:
            self._service.admit(self._scope, self._principal)
            await self._service.vouch(self._principal)
            prepared = self._service.prepare(checked(payload), self._principal, record)
        except Exception as error:  # noqa: BLE001
            yield {"errors": errors_of(error, record.request_id)}
            return
        if not prepared.is_subscription:
            working = self._service.answer(prepared)
            yield await (working if prepared.only_reads else self._places.to_the_end(working))
            return
        async with aclosing(self._service.answers(prepared)) as answers:
            async for answer in answers:
                yield answer

    async def _end_when_over(self, principal: Principal | None) -> None:
        """Raises: Close, once the connection has to end."""
        over = await self._places.over(principal)
        raise Close(GOING_AWAY if over is Over.STOPPING else 4403, over.value)


def _expired() -> Close:
    return Close(4403, Over.EXPIRED.value)


def _first(closes: BaseExceptionGroup[Close]) -> Close:
    """The first of the reasons to close; there is one as a rule."""
    first: BaseException = closes
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    assert isinstance(first, Close)
    return first
