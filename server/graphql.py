"""GraphQL over HTTP: one ASGI application, after the GraphQL-over-HTTP specification.

A request passes these gates in this order, and each refuses at once: method and Accept, size of the body, content type,
strict JSON, then those of `server/service.py`. An upload shows its token before its megabytes are read. Every answer is
JSON and carries X-Request-ID; every error carries `extensions.code`.

Faults of the transport keep their status under both media types. Faults of the document (syntax, validation, variables,
the choice of the operation) are 400 under application/graphql-response+json and 200 under application/json, whose older
clients read a body only then. Once execution begins the status is 200 and errors are part of the answer.

A subscription is answered as an event stream to a client that accepts one; so is everything to a client that accepts
nothing else. `server/websocket.py` serves the same operations over WebSocket.
"""

from __future__ import annotations

import re
from asyncio import timeout
from contextlib import aclosing
from typing import Any, Generic, NamedTuple, TypeVar

import orjson
from graphql import OperationType
from starlette.datastructures import FormData
from starlette.types import Receive, Scope, Send

from server.http import (
    GRAPHQL_JSON,
    JSON,
    MULTIPART,
    Disconnected,
    Headers,
    Refused,
    checked,
    content_type,
    drain,
    header,
    negotiate,
    query_parameters,
    read_body,
    respond,
    strict_json,
    too_slow,
)
from server.masking import public_error, report_bug
from server.multipart import operations_of, read_form
from server.service import GraphQLService, Unprepared
from server.sse import Answers, accepts_events, respond_events
from server.subscriptions import Subscriptions
from services.errors import BadRequest, HaruError

Principal = TypeVar("Principal")

REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
DRAIN_BYTES = 32 * 1024 * 1024
DRAIN_SECONDS = 2.0
NEEDS_CONNECTION = "A subscription needs a connection that stays open: a WebSocket, or Accept: text/event-stream."


class Answer(NamedTuple):
    """A status and the response map of the specification."""

    status: int
    payload: dict[str, Any]


class Stream(NamedTuple):
    """The answers of a subscription, and whose they are."""

    answers: Answers
    principal: Any


class GraphQLEndpoint(Generic[Principal]):
    """Serves one schema at one path, as a raw ASGI application."""

    def __init__(
        self, service: GraphQLService[Principal], subscriptions: Subscriptions[Principal] | None = None
    ) -> None:
        """Serve `service`; `subscriptions` bounds the event streams, and without it there are none."""
        self.service = service
        self.subscriptions = subscriptions
        self.options = service.options

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        headers: Headers = scope["headers"]
        accept = header(headers, b"accept")
        request_id = self._request_id(headers)
        media_type = negotiate(accept)
        events = self.subscriptions is not None and accepts_events(accept)
        extra: Headers = []
        try:
            answer = await self._answer(scope, receive, media_type, request_id, events=events)
            if isinstance(answer, Stream) or media_type is None:
                await self._respond_events(answer, receive, send, request_id)
                return
            status, payload = answer
            body = orjson.dumps(payload)
        except Disconnected:
            return
        except Refused as refused:
            if refused.unread:
                await drain(receive, at_most=DRAIN_BYTES, seconds=DRAIN_SECONDS)
            status, extra = refused.status, refused.headers
            body = orjson.dumps({"errors": [public_error(refused.error)]})
        except Exception as error:  # noqa: BLE001
            status, body = 500, orjson.dumps({"errors": [report_bug(error, request_id, where="the endpoint")]})
        await respond(send, body, status=status, media_type=media_type or JSON, request_id=request_id, headers=extra)

    async def _respond_events(self, answer: Answer | Stream, receive: Receive, send: Send, request_id: str) -> None:
        """Answer by an event stream. Raises: Refused (429, 503) where one connection more is one too many."""
        subscriptions = self.subscriptions
        assert subscriptions is not None
        stream = answer if isinstance(answer, Stream) else Stream(once(answer.payload), None)
        async with aclosing(stream.answers):
            try:
                with subscriptions.connection(stream.principal):
                    await respond_events(
                        receive,
                        send,
                        stream.answers,
                        over=lambda: subscriptions.over(stream.principal),
                        is_expired=lambda: subscriptions.is_expired(stream.principal),
                        request_id=request_id,
                        limits=subscriptions.limits,
                    )
            except HaruError as error:
                raise Refused(error) from error

    # The gates

    async def _answer(
        self, scope: Scope, receive: Receive, media_type: str | None, request_id: str, *, events: bool
    ) -> Answer | Stream:
        method, headers = scope["method"], scope["headers"]
        if media_type is None and not events:
            raise Refused(BadRequest(f"The answer is {GRAPHQL_JSON} or {JSON}."), status=406)
        fault = 400 if media_type == GRAPHQL_JSON else 200
        if method == "POST":
            kind = content_type(header(headers, b"content-type"))
            if kind == MULTIPART:
                return await self._answer_upload(scope, receive, fault, request_id)
            body = await self._read(headers, receive)
            if kind is None:
                raise Refused(BadRequest(f"The body must be {JSON} in UTF-8, or {MULTIPART}."), status=415)
            request = checked(strict_json(body))
        elif method == "GET":
            request = checked(query_parameters(scope["query_string"]))
        else:
            raise Refused(BadRequest("Only GET and POST are served."), status=405, headers=[(b"allow", b"GET, POST")])
        return await self._run(request, self._enter(scope), method, fault, request_id, events=events)

    async def _answer_upload(self, scope: Scope, receive: Receive, fault: int, request_id: str) -> Answer | Stream:
        principal = self._enter(scope)
        form = await self._read_form(scope["headers"], receive)
        try:
            request = checked(operations_of(form))
            return await self._run(request, principal, "POST", fault, request_id, events=False)
        finally:
            await form.close()

    async def _read(self, headers: Headers, receive: Receive) -> bytes:
        try:
            async with timeout(self.options.read_seconds):
                return await read_body(headers, receive, at_most=self.options.body_bytes)
        except TimeoutError:
            raise too_slow() from None

    async def _read_form(self, headers: Headers, receive: Receive) -> FormData:
        at_most, field = self.options.upload_bytes, self.options.body_bytes
        try:
            async with timeout(self.options.upload_seconds):
                return await read_form(headers, receive, at_most=at_most, field=field)
        except TimeoutError:
            raise too_slow() from None

    def _enter(self, scope: Scope) -> Principal | None:
        """Find who asks and whether they may now. Raises: Refused (401, 429)."""
        try:
            return self.service.enter(scope)
        except HaruError as error:
            raise Refused(error) from error

    # The operation

    async def _run(
        self,
        request: dict[str, Any],
        principal: Principal | None,
        method: str,
        fault: int,
        request_id: str,
        *,
        events: bool,
    ) -> Answer | Stream:
        try:
            prepared = self.service.prepare(request, principal, request_id)
        except Unprepared as unprepared:
            return Answer(fault, {"errors": unprepared.errors})
        if method == "GET" and prepared.operation.kind is OperationType.MUTATION:
            raise Refused(BadRequest("A mutation needs POST."), status=405, headers=[(b"allow", b"POST")])
        if prepared.is_subscription:
            if not events:
                return Answer(fault, {"errors": [public_error(BadRequest(NEEDS_CONNECTION))]})
            return Stream(self.service.answers(prepared), principal)
        try:
            executed, payload = await self.service.execute(prepared)
        except HaruError as error:
            raise Refused(error) from error
        return Answer(200 if executed else fault, payload)

    def _request_id(self, headers: Headers) -> str:
        """Take the id that a proxy gave the request, or make one."""
        given = header(headers, b"x-request-id")
        if given is not None and REQUEST_ID.fullmatch(given):
            return given.decode()
        return self.service.new_request_id()


async def once(payload: dict[str, Any]) -> Answers:
    """Make a stream of one answer."""
    yield payload
