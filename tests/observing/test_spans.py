"""What each span tells and whose it is, without a server; and that all it is told goes on to the other watch."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace
from typing import Any

import pytest
from asyncpg.connection import LoggedQuery
from opentelemetry import context as otel
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import INVALID_SPAN_CONTEXT, NonRecordingSpan, SpanContext, SpanKind, TraceFlags, use_span
from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError

from models import DiceLog
from server.observing.record import Record
from server.observing.traces import STATEMENT_LENGTH, Caller, Traces, provider_of
from services.watch import BatchKind, Watch

TRACE, SPAN = "a1" * 16, "b2" * 8


class Other(Watch):
    """Notes all that it is told."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def caller(self) -> Any:
        return "somebody"

    @contextmanager
    def batch(self, kind: BatchKind, callers: Sequence[Any]) -> Iterator[None]:
        self.told.append((kind, callers))
        yield
        self.told.append("ended")

    def retried(self) -> None:
        self.told.append("retried")

    def parted(self, members: int) -> None:
        self.told.append(members)

    def stored(self, tables: Any) -> None:
        self.told.append(tables)


@pytest.fixture
def spans() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def provider(spans: InMemorySpanExporter) -> TracerProvider:
    """Who would make a span of whatever it is asked for."""
    made = TracerProvider(sampler=ALWAYS_ON)
    made.add_span_processor(SimpleSpanProcessor(spans))
    return made


@pytest.fixture
def other() -> Other:
    return Other()


@pytest.fixture
def traces(provider: TracerProvider, other: Other) -> Traces:
    return Traces(provider, other)


def waiting(number: int, *, sampled: bool = True) -> SpanContext:
    """The span of somebody who waits."""
    return SpanContext(number, number, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED if sampled else 0))


@pytest.mark.parametrize(
    ("code", "status"),
    [(None, ("UNSET", None)), ("FORBIDDEN", ("UNSET", None)), ("UNAVAILABLE", ("ERROR", "UNAVAILABLE"))],
)
def test_a_request(
    traces: Traces,
    spans: InMemorySpanExporter,
    caplog: pytest.LogCaptureFixture,
    code: str | None,
    status: tuple[str, str | None],
) -> None:
    headers = [(b"traceparent", f"00-{TRACE}-{SPAN}-01".encode()), (b"tracestate", b"a=1"), (b"\xff", b"no name")]
    with Record("r-1", "http", headers, (traces.ended,), traces.begun) as record:
        assert record.trace_id == TRACE
        record.operation = ("me", "clock")
        record.sent(12, 200)
        if code is not None:
            record.refuse(code)
    assert otel.get_current() == {}
    (span,) = spans.get_finished_spans()
    assert span.context is not None
    assert span.parent is not None
    assert (span.name, span.kind, span.context.trace_id) == ("several", SpanKind.SERVER, int(TRACE, 16))
    assert (span.parent.span_id, span.parent.trace_state.get("a")) == (int(SPAN, 16), "1")
    assert (span.status.status_code.name, span.status.description) == status
    told = {
        "haru.operation": "me,clock",
        "haru.transport": "http",
        "haru.outcome": {None: "ok", "FORBIDDEN": "refused"}.get(code, "failed"),
        "haru.request_id": "r-1",
        "http.response.status_code": 200,
        "http.response.body.size": 12,
    }
    assert span.attributes == told | ({"haru.code": code} if code else {})
    assert not caplog.records


@pytest.mark.parametrize(
    ("callers", "links", "parent"),
    [
        ([waiting(1)], [1], 1),
        ([waiting(1), waiting(2)], [1, 2], None),
        ([waiting(1), waiting(1)], [1], None),
        ([waiting(1), waiting(2, sampled=False)], [1], None),
        ([waiting(1), INVALID_SPAN_CONTEXT], [1], None),
        ([waiting(2, sampled=False)], [], None),
        ([SpanContext(0, 0, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))], [], None),
        ([], [], None),
    ],
)
def test_a_batch(
    traces: Traces,
    other: Other,
    spans: InMemorySpanExporter,
    callers: list[SpanContext],
    links: list[int],
    parent: int | None,
) -> None:
    tables: dict[Any, Any] = {DiceLog: [{}]}
    with use_span(NonRecordingSpan(waiting(9))):  # of who happens to begin it
        began = otel.get_current()
        assert traces.caller() == Caller(waiting(9), "somebody")
        with traces.batch(BatchKind.PLAYS, [Caller(one, number) for number, one in enumerate(callers)]):
            traces.retried()
            traces.parted(3)
            traces.stored(tables)
        assert otel.get_current() == began
    assert other.told == [(BatchKind.PLAYS, [*range(len(callers))]), "retried", 3, tables, "ended"]
    made = spans.get_finished_spans()
    assert len(made) == bool(links)
    for span in made:
        assert (span.name, span.attributes) == ("batch plays", {"haru.batch.size": len(callers)})
        assert [link.context.span_id for link in span.links] == links
        assert (span.parent and span.parent.span_id) == parent
        assert [(event.name, dict(event.attributes or {})) for event in span.events] == [
            ("decided anew", {}),
            ("parted", {"haru.batch.parted": 3}),
        ]


def statement(span: ReadableSpan) -> tuple[Any, ...]:
    """What a statement's span tells, but for its time."""
    assert span.kind is SpanKind.CLIENT
    assert span.attributes is not None
    assert span.attributes["db.system.name"] == "postgresql"
    return span.name, span.attributes["db.query.text"], span.status.status_code.name, span.status.description


def test_statements_of_the_driver(traces: Traces, spans: InMemorySpanExporter, provider: TracerProvider) -> None:
    loggers: list[Any] = []
    traces.opened(SimpleNamespace(add_query_logger=loggers.append))  # type: ignore[arg-type]
    (tell,) = loggers

    def ended(text: str, seconds: float, failure: Exception | None = None) -> None:
        nowhere: Any = None
        tell(LoggedQuery(text, (), None, seconds, failure, nowhere, nowhere))

    ended("SELECT 1", 1.0)
    with use_span(NonRecordingSpan(waiting(2, sampled=False))):
        ended("SELECT 1", 1.0)
    assert spans.get_finished_spans() == ()  # nobody who is traced asked for these
    with provider.get_tracer("test").start_as_current_span("request"):
        ended("\n  select\n  1", 2.0)
        ended("WITH " + "x" * STATEMENT_LENGTH, 0.5)
        ended("", 0.25, ValueError("what a client sent"))
    *made, _ = spans.get_finished_spans()
    assert [statement(span) for span in made] == [
        ("SELECT", "\n  select\n  1", "UNSET", None),
        ("WITH", "WITH " + "x" * (STATEMENT_LENGTH - 5), "UNSET", None),
        ("statement", "", "ERROR", "ValueError"),
    ]
    took = [(span.end_time or 0) - (span.start_time or 0) for span in made]
    assert took == [2_000_000_000, 500_000_000, 250_000_000]


class Uncommitting(sqlite3.Connection):
    """A session that loses what is committed."""

    def commit(self) -> None:
        raise sqlite3.OperationalError("lost")


def unreachable() -> sqlite3.Connection:
    raise sqlite3.OperationalError("out of reach")


def test_statements_of_the_toolkit(traces: Traces, spans: InMemorySpanExporter, provider: TracerProvider) -> None:
    began = time.time_ns()
    engine = create_engine("sqlite://", connect_args={"factory": Uncommitting})
    nowhere = create_engine("sqlite://", creator=unreachable)
    for one in (engine, nowhere):
        traces.joined(one)
    with provider.get_tracer("test").start_as_current_span("request"):
        with pytest.raises(OperationalError, match="out of reach"), nowhere.connect():
            pass
        with engine.connect() as connection:
            with pytest.raises(OperationalError, match="lost"), connection.begin():
                pass
            connection.exec_driver_sql("SELECT 1")
            with pytest.raises(OperationalError, match="no such column"):
                connection.exec_driver_sql("SELECT no_such")
    engine.dispose()
    *made, _ = spans.get_finished_spans()
    assert [statement(span) for span in made] == [
        ("SELECT", "SELECT 1", "UNSET", None),
        ("SELECT", "SELECT no_such", "ERROR", "OperationalError"),
    ]
    for span in made:
        assert span.start_time is not None
        assert span.end_time is not None
        assert began <= span.start_time <= span.end_time


async def test_the_last_spans_are_waited_for(traces: Traces, provider: TracerProvider) -> None:
    go, sent = threading.Event(), threading.Event()

    class Slow(SpanProcessor):
        def shutdown(self) -> None:
            go.wait(60)
            sent.set()

    provider.add_span_processor(Slow())
    async with traces.running():
        asyncio.get_running_loop().call_soon(go.set)
    assert sent.is_set()


def test_spans_go_where_the_variables_say(monkeypatch: pytest.MonkeyPatch) -> None:
    received: list[bytes] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Collector) as server:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        serving = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        serving.start()
        made = provider_of()
        made.get_tracer("haru").start_span("a request of a test").end()
        made.shutdown()
        server.shutdown()
        serving.join()
    (batch,) = received
    assert b"a request of a test" in batch
    assert b"service.name" in batch
