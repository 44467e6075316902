"""What GraphQL is served by, whatever the transport: who asks, whether they may, the operation, and its answers.

A request passes these gates in this order: token, admission (rates, which count a bad token, too), revocations, the
parser's token cap, the document guard, validation, the size of the answer, variables, its turn, execution with a
deadline, masking. A document that is not known yet needs a prospect of a turn before it is parsed.
"""

from __future__ import annotations

import logging
import secrets
import time
from asyncio import timeout
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, aclosing, nullcontext
from dataclasses import dataclass
from itertools import count
from typing import Any, cast

from graphql import ExecutionResult, OperationType
from starlette.types import Scope
from strawberry import Schema

from schema.context import Principal
from server.graphql.documents import Document, Documents, InvalidDocument
from server.graphql.executor import CompiledOperation
from server.graphql.limits import GraphQLLimits
from server.graphql.masking import execution_errors, public_error, report_bug, request_errors
from server.graphql.persisted import NOT_FOUND, PersistedDocuments, PersistedQueryNotFound
from server.graphql.turns import COMMANDS, READS, Overloaded, TurnLimits, Turns
from server.observing.record import Record
from server.wire import Headers, Refused
from services.errors import HaruError
from services.outages import because
from services.request_errors import BadRequest, RateLimited, Unauthenticated, Unavailable

logger = logging.getLogger("haru.graphql")

TOOK_TOO_LONG = "The request took too long; try again shortly."


@dataclass(frozen=True)
class GraphQLOptions:
    """How the endpoint behaves; `GraphQLLimits` says how large a document and its answer may be."""

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
    """How long execution may take in all, the wait for its turn included; past it the answer is UNAVAILABLE."""

    reads: TurnLimits = READS
    commands: TurnLimits = COMMANDS


@dataclass(frozen=True)
class Prepared:
    """An operation that passed every check of its document, with all that it takes to execute it."""

    operation: CompiledOperation
    variables: dict[str, Any]
    principal: Principal | None
    record: Record

    @property
    def is_subscription(self) -> bool:
        """Whether it is answered more than once."""
        return self.operation.kind is OperationType.SUBSCRIPTION

    @property
    def only_reads(self) -> bool:
        """Whether nothing is lost where nobody waits for its answer any more."""
        return self.operation.kind is not OperationType.MUTATION


class Unprepared(Exception):
    """The document, or the choice of the operation, has faults."""

    def __init__(self, errors: Sequence[Mapping[str, Any]]) -> None:
        """Carry the faults as the client is told them."""
        super().__init__()
        self.errors = errors


class GraphQLService:
    """One schema, served to whoever `authenticate` finds."""

    def __init__(
        self,
        schema: Schema,
        *,
        authenticate: Callable[[Headers], Principal | None],
        make_context: Callable[[Principal | None, Record], object],
        admit: Callable[[Scope, Principal | None], None] | None = None,
        vouch: Callable[[Principal], Awaitable[None]] | None = None,
        may_introspect: Callable[[Principal], bool] | None = None,
        told: Sequence[Callable[[Record], None]] = (),
        begun: Callable[[Record, Headers], None] | None = None,
        meter: Callable[[Principal | None], AbstractContextManager[None]] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        options: GraphQLOptions | None = None,
        limits: GraphQLLimits | None = None,
    ) -> None:
        """Serve `schema`.

        authenticate: finds who asks in the headers, None without a token; raises Unauthenticated for a bad one.
        make_context: makes the context of one operation out of who asks and the record of the request.
        admit: raises RateLimited for a request too many, with `retry_after_seconds` if that is known.
        vouch: raises Unauthenticated for a token that no longer holds, Unavailable where nobody can tell.
        meter: is entered to prepare a document that is new; raises RateLimited where its sender had too many of them.
        may_introspect: lets single principals introspect where `options.introspection` is off.
        told: who is told of every request once it has ended.
        begun: who is told of every request when it comes, with its headers.
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
        self._vouch = vouch
        self.may_introspect = may_introspect
        self._told, self._begun = told, begun
        self._meter = meter or (lambda _principal: nullcontext())
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
        for identifier, text in (self.options.trusted_documents or {}).items():
            try:
                self.documents.prepare(text)
            except (InvalidDocument, HaruError) as invalid:
                logger.warning("the trusted document %s does not run: %s", identifier, invalid)
        self._reads = Turns(self.options.reads, monotonic=monotonic)
        self._commands = Turns(self.options.commands, monotonic=monotonic)
        self._serial, self._process = count(1), secrets.token_hex(6)

    @property
    def is_idle(self) -> bool:
        """Whether no query and no mutation is being worked on."""
        return self._reads.is_idle and self._commands.is_idle

    def identify(self, scope: Scope, headers: Headers) -> Principal | None:
        """Find who these headers name, None without a token; a bad token counts for the address that sent it.

        Raises: RateLimited, Unauthenticated.
        """
        try:
            return self.authenticate(headers)
        except Unauthenticated:
            self.admit(scope, None)
            raise

    async def enter(self, scope: Scope, record: Record) -> Principal | None:
        """Find who sent a request and whether they may now. Raises: RateLimited, Unauthenticated, Unavailable."""
        principal = self.identify(scope, scope["headers"])
        record.role = principal.role if principal is not None else None
        self.admit(scope, principal)
        self.refuse_anonymous(principal)
        await self.vouch(principal)
        return principal

    async def vouch(self, principal: Principal | None) -> None:
        """Check that a token still holds, which was valid when it came. Raises: Unauthenticated, Unavailable."""
        if principal is not None and self._vouch is not None:
            await self._vouch(principal)

    def refuse_anonymous(self, principal: Principal | None) -> None:
        """Raises: Unauthenticated, for nobody where everybody needs a token."""
        if principal is None and not self.options.anonymous_may_introspect:
            raise Unauthenticated

    def prepare(self, request: Mapping[str, Any], principal: Principal | None, record: Record) -> Prepared:
        """Prepare the operation that `request` asks for. Raises: Unprepared, RateLimited, Overloaded."""
        variables = request.get("variables") or {}
        try:
            operation = self._document(request, principal).operation(request.get("operationName") or None, variables)
        except InvalidDocument as invalid:
            raise Unprepared(request_errors(invalid.errors)) from None
        except PersistedQueryNotFound:
            raise Unprepared([NOT_FOUND]) from None
        except (RateLimited, Overloaded):
            raise
        except HaruError as error:
            raise Unprepared([public_error(error)]) from None
        prepared = Prepared(operation, variables, principal, record)
        record.operation, record.is_live = operation.names, prepared.is_subscription
        return prepared

    def _document(self, request: Mapping[str, Any], principal: Principal | None) -> Document:
        """Find the document.

        Raises: InvalidDocument, PersistedQueryNotFound, QueryTooComplex, BadRequest, RateLimited, Overloaded.
        """
        text, digest = self.persisted.text(request)
        document = self.documents.known(text) or self._prepare_new(text, principal)
        if digest is not None:
            self.persisted.register(digest, text)
        if document.introspects and not self._may_introspect(principal):
            raise BadRequest("Introspection is switched off.")
        return document

    def _prepare_new(self, text: str, principal: Principal | None) -> Document:
        """Prepare a document that is new here: that costs milliseconds, of whoever sends it."""
        (self._commands if "mutation" in text else self._reads).refuse_when_full()  # it is not parsed to find out
        with self._meter(principal):
            return self.documents.prepare(text)

    def _may_introspect(self, principal: Principal | None) -> bool:
        if self.options.introspection:
            return True
        return principal is not None and self.may_introspect is not None and self.may_introspect(principal)

    async def answer(self, prepared: Prepared) -> dict[str, Any]:
        """Answer a query or a mutation; an answer without `data` says that nothing was executed."""
        try:
            return (await self.execute(prepared))[1]
        except Exception as error:  # noqa: BLE001
            return {"errors": errors_of(error, prepared.record.request_id)}

    async def answers(self, prepared: Prepared) -> AsyncGenerator[dict[str, Any], None]:
        """Answer a subscription, again and again; an answer without `data` says that there will be none after it."""
        operation, variables = prepared.operation, prepared.variables
        try:
            async with timeout(self.options.deadline_seconds):
                source = await operation.subscribe(self._context(prepared), variables)
            if isinstance(source, ExecutionResult):
                yield {"errors": self._payload(source, prepared)[1]["errors"]}
                return
            async with aclosing(cast("AsyncGenerator[Any, None]", source)):
                async for event in source:
                    async with timeout(self.options.deadline_seconds):
                        result = await operation.execute_event(event, self._context(prepared), variables)
                    yield self._payload(result, prepared)[1]
        except Exception as error:  # noqa: BLE001
            yield {"errors": errors_of(error, prepared.record.request_id)}

    def _context(self, prepared: Prepared) -> object:
        return self.make_context(prepared.principal, prepared.record)

    async def execute(self, prepared: Prepared) -> tuple[bool, dict[str, Any]]:
        """Execute a query or a mutation in its turn; whether execution began, and its answer. Raises: Unavailable."""
        try:
            async with timeout(self.options.deadline_seconds), self._reads if prepared.only_reads else self._commands:
                result = await prepared.operation.execute(self._context(prepared), prepared.variables)
        except TimeoutError as late:
            # A resolver's own TimeoutError is an outcome of its field: only the deadline's comes as far as here.
            raise Unavailable(TOOK_TOO_LONG) from late
        return self._payload(result, prepared)

    def _payload(self, result: ExecutionResult, prepared: Prepared) -> tuple[bool, dict[str, Any]]:
        """Format a result; whether execution began."""
        data, errors = result.data, result.errors
        if not errors:
            return True, {"data": data}
        if data is None and errors[0].path is None:  # as all of a request's errors are, and none of execution's
            return False, {"errors": request_errors(errors[: self.documents.limits.validation_errors])}
        return True, {"data": data, "errors": execution_errors(errors, prepared.record.request_id)}

    def record(self, transport: str, headers: Headers, request_id: str | None = None) -> Record:
        """Begin to keep the record of a request, under the id that it came with, or a new one."""
        given = request_id or f"{self._process}-{next(self._serial):x}"
        return Record(given, transport, headers, self._told, self._begun)


def errors_of(error: Exception, request_id: str) -> Sequence[Mapping[str, Any]]:
    """Format what kept an operation from being answered; a bug is logged and masked."""
    if isinstance(error, Unprepared):
        return error.errors
    if isinstance(error, Refused):
        return [public_error(error.error)]
    if isinstance(error, HaruError):
        return [public_error(error)]
    if isinstance(error, TimeoutError):
        return [public_error(because(Unavailable(TOOK_TOO_LONG), error))]
    return [report_bug(error, request_id, where="an operation")]
