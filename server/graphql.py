"""The GraphQL endpoint: one ASGI application over one schema, after the GraphQL-over-HTTP specification.

A request passes these gates in this order, and each refuses at once: method and Accept, size of the body, content type,
strict JSON, token, admission (rates), the parser's token cap, the document guard, validation, variables, execution with
a deadline, masking. An upload shows its token before its megabytes are read. Every answer is JSON and carries
X-Request-ID; every error carries `extensions.code`.

Faults of the transport keep their status under both media types. Faults of the document (syntax, validation, variables,
the choice of the operation) are 400 under application/graphql-response+json and 200 under application/json, whose older
clients read a body only then. Once execution begins the status is 200 and errors are part of the answer.

A subscription is answered as an event stream to a client that accepts one; so is everything to a client that accepts
nothing else. `server/websocket.py` serves the same operations over WebSocket.
"""

from __future__ import annotations

import re
import secrets
from asyncio import timeout
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from itertools import count
from typing import Any, Generic, NamedTuple, TypeVar, cast

import orjson
from graphql import ExecutionResult, OperationType
from starlette.datastructures import FormData
from starlette.types import ASGIApp, Receive, Scope, Send
from strawberry import Schema

from server.executor import CompiledOperation
from server.http import (
    GRAPHQL_JSON,
    JSON,
    MULTIPART,
    Disconnected,
    Headers,
    Refused,
    bad_request,
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
from server.limits import GraphQLLimits
from server.masking import execution_errors, public_error, report_bug, request_errors
from server.multipart import operations_of, read_form
from server.operations import Documents, InvalidDocument
from server.persisted import NOT_FOUND, PersistedDocuments, PersistedQueryNotFound
from server.sse import Answers, accepts_events, respond_events
from server.subscriptions import Subscriptions
from services.errors import BadRequest, HaruError, Unauthenticated, Unavailable

Principal = TypeVar("Principal")

REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
DRAIN_BYTES = 32 * 1024 * 1024
DRAIN_SECONDS = 2.0
NEEDS_CONNECTION = "A subscription needs a connection that stays open: a WebSocket, or Accept: text/event-stream."
TOOK_TOO_LONG = "The request took too long; try again shortly."


@dataclass(frozen=True)
class GraphQLOptions:
    """How the endpoint behaves; `GraphQLLimits` says how large a document may be."""

    introspection: bool = False
    """Whether everybody may introspect; without it there are no suggestions ("Did you mean") either."""

    anonymous_may_introspect: bool = False
    """Whether a request without a token gets as far as execution; without it that is a 401 before parsing."""

    trusted_documents: Mapping[str, str] | None = None
    """Documents by their id or SHA-256; given these, no other document runs."""

    cached_documents: int = 256
    persisted_documents: int = 256
    body_bytes: int = 64 * 1024
    upload_bytes: int = 10 * 1024 * 1024 + 128 * 1024
    read_seconds: float = 10.0
    upload_seconds: float = 60.0
    deadline_seconds: float = 7.0
    """How long execution may take in all; past it the answer is UNAVAILABLE."""


class Answer(NamedTuple):
    """A status and the response map of the specification."""

    status: int
    payload: dict[str, Any]


class Stream(NamedTuple):
    """The answers of a subscription, and whose they are."""

    answers: Answers
    principal: Any


@dataclass(frozen=True)
class Prepared(Generic[Principal]):
    """An operation that passed every check of its document, with all that it takes to execute it."""

    operation: CompiledOperation
    variables: dict[str, Any]
    principal: Principal | None
    request_id: str

    @property
    def is_subscription(self) -> bool:
        """Whether it is answered more than once."""
        return self.operation.kind is OperationType.SUBSCRIPTION


class Unprepared(Exception):
    """The document, or the choice of the operation, has faults."""

    def __init__(self, errors: Sequence[Mapping[str, Any]]) -> None:
        """Carry the faults as the client is told them."""
        super().__init__()
        self.errors = errors


class GraphQLEndpoint(Generic[Principal]):
    """Serves one schema at one path, as a raw ASGI application."""

    def __init__(
        self,
        schema: Schema,
        *,
        authenticate: Callable[[Headers], Principal | None],
        make_context: Callable[[Principal | None, str], object],
        admit: Callable[[Scope, Principal | None], None] | None = None,
        may_introspect: Callable[[Principal], bool] | None = None,
        page: ASGIApp | None = None,
        subscriptions: Subscriptions[Principal] | None = None,
        options: GraphQLOptions | None = None,
        limits: GraphQLLimits | None = None,
    ) -> None:
        """Serve `schema`.

        authenticate: finds who asks in the headers, None without a token; raises Unauthenticated for a bad one.
        make_context: makes the context of one operation out of who asks and the request id.
        admit: raises RateLimited for a request too many, with `retry_after_seconds` if that is known.
        may_introspect: lets single principals introspect where `options.introspection` is off.
        page: answers a browser that asks for text/html.
        subscriptions: bounds the connections that stay open; without it there are none.
        """
        if schema.extensions or schema.directives:
            raise TypeError("The compiled executor runs neither schema extensions nor operation directives.")
        if schema.config.enable_experimental_incremental_execution:
            raise TypeError("Neither @defer nor @stream is served.")
        if schema.config.sort_schema:
            # Strawberry's resolution of unions and enums compares with the types that sorting replaces by copies.
            raise TypeError("A sorted schema cannot resolve its unions: sort it where it is printed.")
        self.authenticate = authenticate
        self.make_context = make_context
        self.admit = admit or (lambda _scope, _principal: None)
        self.may_introspect = may_introspect
        self.page = page
        self.subscriptions = subscriptions
        self.options = options or GraphQLOptions()
        self.documents = Documents(
            schema,
            limits=limits or GraphQLLimits(),
            hide_suggestions=not self.options.introspection,
            cache_size=self.options.cached_documents,
        )
        self.persisted = PersistedDocuments(
            size=self.options.persisted_documents, trusted=self.options.trusted_documents
        )
        self._serial, self._process = count(1), secrets.token_hex(6)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        headers: Headers = scope["headers"]
        accept = header(headers, b"accept")
        if self.page is not None and asks_for_page(scope, accept):
            await self.page(scope, receive, send)
            return
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
                with subscriptions.connection(), subscriptions.connection_of(stream.principal):
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
            principal = self.authenticate(scope["headers"])
            self.admit(scope, principal)
            self._refuse_anonymous(principal)
        except HaruError as error:
            raise Refused(error) from error
        return principal

    def recognise(self, headers: Headers) -> Principal | None:
        """Find who these headers name. Raises: Unauthenticated, also for nobody where everybody needs a token."""
        principal = self.authenticate(headers)
        self._refuse_anonymous(principal)
        return principal

    def _refuse_anonymous(self, principal: Principal | None) -> None:
        if principal is None and not self.options.anonymous_may_introspect:
            raise Unauthenticated

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
            prepared = self.prepare(request, principal, request_id)
        except Unprepared as unprepared:
            return Answer(fault, {"errors": unprepared.errors})
        if method == "GET" and prepared.operation.kind is OperationType.MUTATION:
            raise Refused(BadRequest("A mutation needs POST."), status=405, headers=[(b"allow", b"POST")])
        if prepared.is_subscription:
            if not events:
                return Answer(fault, {"errors": [public_error(BadRequest(NEEDS_CONNECTION))]})
            return Stream(self.answers(prepared), principal)
        executed, payload = await self._execute(prepared)
        return Answer(200 if executed else fault, payload)

    def prepare(self, request: Mapping[str, Any], principal: Principal | None, request_id: str) -> Prepared[Principal]:
        """Prepare the operation that `request` asks for. Raises: Unprepared, Refused (400)."""
        try:
            operation = self._operation(request, principal)
        except InvalidDocument as invalid:
            raise Unprepared(request_errors(invalid.errors)) from None
        except PersistedQueryNotFound:
            raise Unprepared([NOT_FOUND]) from None
        except HaruError as error:
            raise Unprepared([public_error(error)]) from None
        return Prepared(operation, request.get("variables") or {}, principal, request_id)

    def _operation(self, request: Mapping[str, Any], principal: Principal | None) -> CompiledOperation:
        """Choose the operation. Raises: InvalidDocument, PersistedQueryNotFound, QueryTooComplex, BadRequest."""
        text, digest = self.persisted.text(request)
        document = self.documents.prepare(text)
        if digest is not None:
            self.persisted.register(digest, text)
        if document.introspects and not self._may_introspect(principal):
            raise BadRequest("Introspection is switched off.")
        return document.operation(request.get("operationName") or None)

    def _may_introspect(self, principal: Principal | None) -> bool:
        if self.options.introspection:
            return True
        return principal is not None and self.may_introspect is not None and self.may_introspect(principal)

    async def answer(self, prepared: Prepared[Principal]) -> dict[str, Any]:
        """Answer a query or a mutation; an answer without `data` says that nothing was executed."""
        try:
            return (await self._execute(prepared))[1]
        except Exception as error:  # noqa: BLE001
            return {"errors": errors_of(error, prepared.request_id)}

    async def answers(self, prepared: Prepared[Principal]) -> AsyncGenerator[dict[str, Any], None]:
        """Answer a subscription, again and again; an answer without `data` says that there will be none after it."""
        operation, variables = prepared.operation, prepared.variables
        try:
            async with timeout(self.options.deadline_seconds):
                source = await operation.subscribe(self._context(prepared), variables)
            if isinstance(source, ExecutionResult):
                yield {"errors": self._payload(source, prepared.request_id)[1]["errors"]}
                return
            async with aclosing(cast("AsyncGenerator[Any, None]", source)):
                async for event in source:
                    async with timeout(self.options.deadline_seconds):
                        result = await operation.execute_event(event, self._context(prepared), variables)
                    yield self._payload(result, prepared.request_id)[1]
        except Exception as error:  # noqa: BLE001
            yield {"errors": errors_of(error, prepared.request_id)}

    def _context(self, prepared: Prepared[Principal]) -> object:
        return self.make_context(prepared.principal, prepared.request_id)

    async def _execute(self, prepared: Prepared[Principal]) -> tuple[bool, dict[str, Any]]:
        """Execute a query or a mutation; whether execution began, and its answer. Raises: Refused (503)."""
        try:
            async with timeout(self.options.deadline_seconds):
                result = await prepared.operation.execute(self._context(prepared), prepared.variables)
        except TimeoutError:
            # A resolver's own TimeoutError is an outcome of its field: only the deadline's comes as far as here.
            raise Refused(Unavailable(TOOK_TOO_LONG)) from None
        return self._payload(result, prepared.request_id)

    def _payload(self, result: ExecutionResult, request_id: str) -> tuple[bool, dict[str, Any]]:
        """Format a result; whether execution began."""
        data, errors = result.data, result.errors
        if not errors:
            return True, {"data": data}
        if data is None and all(error.path is None for error in errors):
            return False, {"errors": request_errors(errors[: self.documents.limits.validation_errors])}
        return True, {"data": data, "errors": execution_errors(errors, request_id)}

    def new_request_id(self) -> str:
        """Make the id of a request."""
        return f"{self._process}-{next(self._serial):x}"

    def _request_id(self, headers: Headers) -> str:
        """Take the id that a proxy gave the request, or make one."""
        given = header(headers, b"x-request-id")
        if given is not None and REQUEST_ID.fullmatch(given):
            return given.decode()
        return self.new_request_id()


def errors_of(error: Exception, request_id: str) -> Sequence[Mapping[str, Any]]:
    """Format what kept an operation from being answered; a bug is logged and masked."""
    if isinstance(error, Unprepared):
        return error.errors
    if isinstance(error, Refused):
        return [public_error(error.error)]
    if isinstance(error, HaruError):
        return [public_error(error)]
    if isinstance(error, TimeoutError):
        return [public_error(Unavailable(TOOK_TOO_LONG))]
    return [report_bug(error, request_id, where="an operation")]


async def once(payload: dict[str, Any]) -> Answers:
    """Make a stream of one answer."""
    yield payload


def asks_for_page(scope: Scope, accept: bytes | None) -> bool:
    """Tell whether a browser asks for a page, and not for the answer to a query."""
    return scope["method"] == "GET" and b"text/html" in (accept or b"") and b"query=" not in scope["query_string"]


def checked(request: Any) -> dict[str, Any]:
    """Check the shape of the request's parameters. Raises: Refused (400)."""
    if isinstance(request, list):
        raise bad_request("Batches are not served.")
    if not isinstance(request, dict):
        raise bad_request("The request must be a JSON object.")
    for name, kind, called in PARAMETERS:
        value = request.get(name)
        if value is not None and not isinstance(value, kind):
            raise bad_request(f"The parameter '{name}' must be {called}.")
    return request


PARAMETERS: Sequence[tuple[str, type, str]] = (
    ("query", str, "a string"),
    ("operationName", str, "a string"),
    ("documentId", str, "a string"),
    ("variables", dict, "an object"),
    ("extensions", dict, "an object"),
)
