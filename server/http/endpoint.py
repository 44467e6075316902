"""GraphQL over HTTP: one ASGI application, after the GraphQL-over-HTTP specification.

A request passes these gates in this order, and each refuses at once: method and Accept, content encoding, size of the
body, content type, strict JSON, then those of `server/graphql/service.py`. An upload shows its token before its
megabytes are read. Every answer is JSON and carries X-Request-ID; every error carries `extensions.code`.

Faults of the transport keep their status under both media types. Faults of the document (syntax, validation, variables,
the choice of the operation) are 400 under application/graphql-response+json and 200 under application/json, whose older
clients read a body only then. Once execution begins the status is 200 and errors are part of the answer.

A subscription is answered as an event stream to a client that accepts one; so is everything to a client that accepts
nothing else. `server/http/websocket.py` serves the same operations over WebSocket.
"""

from __future__ import annotations

import re
from asyncio import timeout
from contextlib import aclosing, nullcontext
from typing import Any, NamedTuple

import orjson
from graphql import OperationType
from starlette.datastructures import FormData
from starlette.types import Receive, Scope, Send

from schema.context import Principal
from server.graphql.masking import public_error, report_bug
from server.graphql.service import GraphQLService, Unprepared
from server.http.multipart import operations_of, read_form
from server.http.places import Places
from server.http.requests import (
    GRAPHQL_JSON,
    JSON,
    MULTIPART,
    Disconnected,
    WhileThere,
    checked,
    content_type,
    drain,
    negotiate,
    query_parameters,
    read_body,
    refuse_encoded,
    respond,
    strict_json,
    too_slow,
)
from server.http.sse import Answers, accepts_events, respond_events
from server.observing.record import Record
from server.wire import Headers, Refused, header
from services.errors import HaruError
from services.request_errors import BadRequest

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


class GraphQLEndpoint:
    """Serves one schema at one path, as a raw ASGI application."""

    def __init__(self, service: GraphQLService, places: Places | None = None) -> None:
        """Serve `service`; `places` bounds the event streams, and without it there are none."""
        self.service = service
        self.places = places
        self.options = service.options

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        headers: Headers = scope["headers"]
        with self.service.record("http", headers, _request_id(headers)) as record:
            await self._serve(scope, receive, send, record)

    async def _serve(self, scope: Scope, receive: Receive, send: Send, record: Record) -> None:
        accept = header(scope["headers"], b"accept")
        media_type = negotiate(accept)
        events = self.places is not None and accepts_events(accept)
        extra: Headers = []
        try:
            answer = await self._answer(scope, receive, media_type, record, events=events)
            if isinstance(answer, Stream) or media_type is None:
                await self._respond_events(answer, receive, send, record)
                return
            status, payload = answer
            errors = payload.get("errors", ())
            body = orjson.dumps(payload)
        except Disconnected:
            record.is_gone = True
            return
        except Refused as refused:
            if refused.unread:
                await drain(receive, at_most=DRAIN_BYTES, seconds=DRAIN_SECONDS)
            status, extra = refused.status, refused.headers
            errors = [public_error(refused.error)]
            body = orjson.dumps({"errors": errors})
        except Exception as error:  # noqa: BLE001
            errors = [report_bug(error, record.request_id, where="the endpoint")]
            status, body = 500, orjson.dumps({"errors": errors})
        record.refuse_all(errors)
        record.sent(len(body), status)
        await respond(
            send,
            body,
            status=status,
            media_type=media_type or JSON,
            request_id=record.request_id,
            headers=extra,
        )

    async def _respond_events(self, answer: Answer | Stream, receive: Receive, send: Send, record: Record) -> None:
        """Answer by an event stream. Raises: Refused (429, 503) where one connection more is one too many."""
        places = self.places
        assert places is not None
        record.transport, record.status = "sse", 200
        stream = answer if isinstance(answer, Stream) else Stream(once(answer.payload), None)
        async with aclosing(stream.answers):
            try:
                with places.connection(stream.principal):
                    await respond_events(
                        receive,
                        send,
                        stream.answers,
                        over=lambda: places.over(stream.principal),
                        is_expired=lambda: places.is_expired(stream.principal),
                        record=record,
                        limits=places.limits,
                    )
            except HaruError as error:
                raise Refused(error) from error

    # The gates

    async def _answer(
        self, scope: Scope, receive: Receive, media_type: str | None, record: Record, *, events: bool
    ) -> Answer | Stream:
        method, headers = scope["method"], scope["headers"]
        if media_type is None and not events:
            raise Refused(BadRequest(f"The answer is {GRAPHQL_JSON} or {JSON}."), status=406)
        fault = 400 if media_type == GRAPHQL_JSON else 200
        if method == "POST":
            refuse_encoded(headers)
            kind = content_type(header(headers, b"content-type"))
            if kind == MULTIPART:
                return await self._answer_upload(scope, receive, fault, record)
            body = await self._read(headers, receive)
            if kind is None:
                raise Refused(BadRequest(f"The body must be {JSON} in UTF-8, or {MULTIPART}."), status=415)
            request = checked(strict_json(body))
        elif method == "GET":
            request = checked(query_parameters(scope["query_string"]))
        else:
            raise Refused(BadRequest("Only GET and POST are served."), status=405, headers=[(b"allow", b"GET, POST")])
        return await self._run(
            request, await self._enter(scope, record), scope, fault, record, receive=receive, events=events
        )

    async def _answer_upload(self, scope: Scope, receive: Receive, fault: int, record: Record) -> Answer | Stream:
        principal = await self._enter(scope, record)
        form = await self._read_form(scope["headers"], receive)
        try:
            request = checked(operations_of(form))
            return await self._run(request, principal, scope, fault, record, receive=receive, events=False)
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

    async def _enter(self, scope: Scope, record: Record) -> Principal | None:
        """Find who asks and whether they may now. Raises: Refused (401, 429, 503)."""
        try:
            return await self.service.enter(scope, record)
        except HaruError as error:
            raise Refused(error) from error

    # The operation

    async def _run(
        self,
        request: dict[str, Any],
        principal: Principal | None,
        scope: Scope,
        fault: int,
        record: Record,
        *,
        receive: Receive,
        events: bool,
    ) -> Answer | Stream:
        try:
            prepared = self.service.prepare(request, principal, record)
        except Unprepared as unprepared:
            return Answer(fault, {"errors": unprepared.errors})
        except HaruError as error:
            raise Refused(error) from error
        if scope["method"] == "GET" and prepared.operation.kind is OperationType.MUTATION:
            raise Refused(BadRequest("A mutation needs POST."), status=405, headers=[(b"allow", b"POST")])
        if prepared.is_subscription:
            if not events:
                return Answer(fault, {"errors": [public_error(BadRequest(NEEDS_CONNECTION))]})
            return Stream(self.service.answers(prepared), principal)
        try:
            async with WhileThere(receive) if prepared.only_reads else nullcontext():
                executed, payload = await self.service.execute(prepared)
        except HaruError as error:
            raise Refused(error) from error
        return Answer(200 if executed else fault, payload)


def _request_id(headers: Headers) -> str | None:
    """Take the id that a proxy gave the request, if it is one."""
    given = header(headers, b"x-request-id")
    return given.decode() if given is not None and REQUEST_ID.fullmatch(given) else None


async def once(payload: dict[str, Any]) -> Answers:
    """Make a stream of one answer."""
    yield payload
