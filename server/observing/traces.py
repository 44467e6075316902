"""Traces after OpenTelemetry: of a request, of the batch that served it, and of the statements of both.

Imported only where traces are wanted (HARU_TRACES), for which haru[otel] has to be installed. Where they go, how many
are kept, and what the service is called is said by OpenTelemetry's own variables (OTEL_EXPORTER_OTLP_ENDPOINT,
OTEL_TRACES_SAMPLER, OTEL_SERVICE_NAME). A span holds names of ours and statements as they are written in the code,
whose values travel apart: nothing of a client's.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, NamedTuple

import asyncpg
from asyncpg.connection import LoggedQuery
from opentelemetry import context as otel
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    format_trace_id,
    get_current_span,
    set_span_in_context,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from sqlalchemy import Engine, ExceptionContext, event

from server.observing.record import Record
from server.wire import Headers
from services.watch import BatchKind, Watch

STATEMENT_LENGTH = 2_000
PROPAGATED = (b"traceparent", b"tracestate")
SHUTDOWN_SECONDS = 3.0


class Caller(NamedTuple):
    """Somebody who waits for a batch: the span that waits, and what the other watch wants to know."""

    span: SpanContext
    inner: Any


def provider_of() -> TracerProvider:
    """Where spans go, as OpenTelemetry's variables say."""
    made = TracerProvider(resource=Resource.create({"service.name": "haru"}))
    made.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return made


class Traces(Watch):
    """Makes the spans of one process; all that it is told goes on to the `inner` watch."""

    def __init__(self, provider: TracerProvider, inner: Watch) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("haru")
        self._inner = inner
        self._propagator = TraceContextTextMapPropagator()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Send the last spans at the end, for a while."""
        try:
            yield
        finally:
            stop = asyncio.get_running_loop().run_in_executor(None, self._provider.shutdown)
            await asyncio.wait([stop], timeout=SHUTDOWN_SECONDS)

    # Requests

    def begun(self, record: Record, headers: Headers) -> None:
        """Begin the span of a request, as a part of the client's trace where it has sent one."""
        carrier = {name.decode(): value.decode("latin-1") for name, value in headers if name in PROPAGATED}
        client = self._propagator.extract(carrier, context=otel.Context())
        span = self._tracer.start_span("request", context=client, kind=SpanKind.SERVER)
        record.trace_id = format_trace_id(span.get_span_context().trace_id)
        record.span = span, otel.attach(set_span_in_context(span, client))

    def ended(self, record: Record) -> None:
        """End the span of a request, with what became of it."""
        span, token = record.span
        otel.detach(token)
        if span.is_recording():
            span.update_name(record.name)
            span.set_attributes({name: value for name, value in attributes_of(record).items() if value is not None})
            if record.outcome == "failed":
                span.set_status(Status(StatusCode.ERROR, record.code))
        span.end()

    # Services

    def caller(self) -> Caller:
        """The span under way."""
        return Caller(get_current_span().get_span_context(), self._inner.caller())

    @contextmanager
    def batch(self, kind: BatchKind, callers: Sequence[Caller]) -> Iterator[None]:
        """Make a span that links to those who wait, where one of them is traced; a lone one is its parent."""
        with self._inner.batch(kind, [one.inner for one in callers]), self._span_of_batch(kind, callers):
            yield

    @contextmanager
    def _span_of_batch(self, kind: BatchKind, callers: Sequence[Caller]) -> Iterator[None]:
        # Callers of one request are one: by their ids, for the rest of a context cannot be compared.
        traced = {one.span.span_id: one.span for one in callers if one.span.is_valid and one.span.trace_flags.sampled}
        parent = otel.Context()
        if len(traced) == len(callers) == 1:
            parent = set_span_in_context(NonRecordingSpan(*traced.values()), parent)
        token = otel.attach(parent)
        try:
            if not traced:
                yield
                return
            with self._tracer.start_as_current_span(
                f"batch {kind}",
                links=[Link(span) for span in traced.values()],
                attributes={"haru.batch.size": len(callers)},
            ):
                yield
        finally:
            otel.detach(token)

    def retried(self) -> None:
        """Note it."""
        get_current_span().add_event("decided anew")
        self._inner.retried()

    def parted(self, members: int) -> None:
        """Note it."""
        get_current_span().add_event("parted", {"haru.batch.parted": members})
        self._inner.parted(members)

    def stored(self, tables: Mapping[Any, Sequence[Mapping[str, Any]]]) -> None:
        """Pass it on."""
        self._inner.stored(tables)

    # Statements

    def opened(self, connection: asyncpg.Connection[asyncpg.Record]) -> None:
        """Follow the statements of a session of the driver's."""
        connection.add_query_logger(self._of_driver)

    def joined(self, engine: Engine) -> None:
        """Follow the statements of the toolkit's."""
        event.listen(engine, "before_cursor_execute", _begin_statement)
        event.listen(engine, "after_cursor_execute", self._of_toolkit)
        event.listen(engine, "handle_error", self._that_failed)

    def _of_driver(self, query: LoggedQuery) -> None:
        self._statement(query.query, int(query.elapsed * 1e9), query.exception)

    def _of_toolkit(self, connection: Any, _cursor: object, statement: str, *_: object) -> None:
        self._statement(statement, time.perf_counter_ns() - connection.info["haru_began"], None)

    def _that_failed(self, context: ExceptionContext) -> None:
        if context.connection is not None and context.statement is not None:
            began = context.connection.info["haru_began"]
            self._statement(context.statement, time.perf_counter_ns() - began, context.original_exception)

    def _statement(self, text: str, nanoseconds: int, failure: BaseException | None) -> None:
        """Make the span of a statement that has ended, where it is of something that is traced."""
        under = get_current_span().get_span_context()
        if not (under.is_valid and under.trace_flags.sampled):
            return
        now, words = time.time_ns(), text.split(maxsplit=1)
        span = self._tracer.start_span(
            words[0].upper() if words else "statement",
            kind=SpanKind.CLIENT,
            start_time=now - nanoseconds,
            attributes={"db.system.name": "postgresql", "db.query.text": text[:STATEMENT_LENGTH]},
        )
        if failure is not None:
            span.set_status(Status(StatusCode.ERROR, type(failure).__name__))
        span.end(now)


def attributes_of(record: Record) -> dict[str, Any]:
    """What a request's span tells."""
    return {
        "haru.operation": ",".join(record.operation) or None,
        "haru.transport": record.transport,
        "haru.role": record.role,
        "haru.outcome": record.outcome,
        "haru.code": record.code,
        "haru.request_id": record.request_id,
        "http.response.status_code": record.status,
        "http.response.body.size": record.bytes,
    }


def _begin_statement(connection: Any, *_: object) -> None:
    connection.info["haru_began"] = time.perf_counter_ns()
