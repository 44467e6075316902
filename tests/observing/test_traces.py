"""Traces: from the client's, through the batch that served it, to the statements."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import format_trace_id

from models import Role
from server.settings import PROJECT
from services.database import Database
from services.request_errors import Unavailable
from tests.world import PLAY, Client, World, running

TRACES = [f"{number:032x}" for number in (0xA1, 0xB2, 0xC3)]
PLAY_DICE = PLAY.replace("GAME", "playDice").replace("DRAWN", "__typename")
HOSTILE = "evil-key-of-a-client"


@pytest.fixture
def spans() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
async def traced(
    empty_database: str, spans: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[World]:
    """A world whose spans are kept in memory."""
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    monkeypatch.setattr("server.observing.traces.provider_of", lambda: provider)
    async with running(empty_database, HARU_TRACES=True, HARU_METRICS_PORT=9464) as world:
        spans.clear()
        yield world


async def ask(client: Client, query: str, trace: str | None, *, flags: str = "01", **variables: Any) -> Any:
    headers = {"Authorization": f"Bearer {client.token}"}
    if trace is not None:
        headers["traceparent"] = f"00-{trace}-00f067aa0ba902b7-{flags}"
    response = await client.http.post("/graphql", json={"query": query, "variables": variables}, headers=headers)
    return response.json()


async def named(spans: InMemorySpanExporter, name: str, count: int = 1) -> Sequence[ReadableSpan]:
    """The spans of a name, once there are so many: those of statements end a moment later."""
    async with asyncio.timeout(60):
        while len(found := [span for span in spans.get_finished_spans() if span.name == name]) < count:
            await asyncio.sleep(0.01)
    return found


def trace_id(span: ReadableSpan) -> str:
    assert span.context is not None
    return format_trace_id(span.context.trace_id)


def is_below(span: ReadableSpan, parent: ReadableSpan) -> bool:
    assert parent.context is not None
    return span.parent is not None and span.parent.span_id == parent.context.span_id


async def test_a_lone_play_is_one_trace(traced: World, spans: InMemorySpanExporter) -> None:
    alice = await traced.player()
    await ask(alice, PLAY_DICE, TRACES[0], key=HOSTILE)
    statements = await named(spans, "WITH", 2)
    (request,), (batch,) = await named(spans, "playDice"), await named(spans, "batch plays")
    assert {trace_id(span) for span in (request, batch, *statements)} == {TRACES[0]}
    assert is_below(batch, request)
    assert all(is_below(statement, batch) for statement in statements)
    assert request.attributes is not None
    assert request.attributes["haru.operation"] == "playDice"
    assert (request.attributes["haru.outcome"], request.attributes["http.response.status_code"]) == ("ok", 200)
    told = repr([(span.name, dict(span.attributes or {})) for span in spans.get_finished_spans()])
    assert HOSTILE not in told
    assert str(alice.player_id) not in told


async def test_a_batch_links_its_members(traced: World, spans: InMemorySpanExporter) -> None:
    players = [await traced.player(name) for name in ("ada", "bob", "eve", "untraced")]
    await asyncio.gather(
        *(ask(player, PLAY_DICE, trace, key="k") for player, trace in zip(players, (*TRACES, None), strict=True))
    )
    linked = set()
    for batch in await named(spans, "batch plays"):
        assert batch.attributes is not None
        links = {format_trace_id(link.context.trace_id) for link in batch.links}
        assert len(links) == batch.attributes["haru.batch.size"]
        assert (trace_id(batch) in links) is (len(links) == 1)
        linked |= links
    assert linked >= set(TRACES)
    assert len(await named(spans, "playDice", 4)) == 4


async def test_reads_of_players_and_of_staff(traced: World, spans: InMemorySpanExporter) -> None:
    alice, olga = await traced.player(), await traced.player("olga", Role.OPERATOR)
    await ask(alice, "{ diceStatus { __typename } }", TRACES[0])
    (batch,) = await named(spans, "batch reads")
    assert trace_id(batch) == TRACES[0]
    await ask(olga, "{ couponPools { left } }", TRACES[1])
    (request,) = await named(spans, "couponPools")
    assert any(is_below(span, request) for span in await named(spans, "SELECT"))


async def test_who_is_not_sampled_is_not_traced(traced: World, spans: InMemorySpanExporter) -> None:
    await ask(await traced.player(), PLAY_DICE, TRACES[0], flags="00", key="k")
    await ask(await traced.player("bob"), "{ clock { __typename } }", TRACES[1])
    await named(spans, "clock")
    assert [span.name for span in spans.get_finished_spans()] == ["clock"]


async def test_what_fails_is_marked(traced: World, spans: InMemorySpanExporter, monkeypatch: Any) -> None:
    async def fail(*_: object) -> None:
        raise Unavailable

    monkeypatch.setattr("services.coupons.pools", fail)
    await ask(await traced.player("olga", Role.OPERATOR), "{ couponPools { left } }", None)
    (request,) = await named(spans, "couponPools")
    assert (request.status.status_code.name, request.status.description) == ("ERROR", "UNAVAILABLE")


async def test_a_statement_that_fails(traced: World, spans: InMemorySpanExporter) -> None:
    database, tracer = traced.parts.database, TracerProvider().get_tracer("test")

    async def broken(database: Database) -> None:
        async with database.read() as connection:
            await connection.exec_driver_sql("SELECT no_such_column FROM dice_log")

    with tracer.start_as_current_span("a test"), pytest.raises(Unavailable):
        await broken(database)
    (statement,) = await named(spans, "SELECT")
    assert statement.status.status_code.name == "ERROR"


def test_off_it_is_not_even_imported() -> None:
    code = (
        "import sys; from server.app import create_app; from server.settings import read_settings;"
        "create_app(read_settings(DATABASE_URL='postgresql://haru@localhost/haru'));"
        "assert not {'opentelemetry', 'prometheus_client'} & {name.partition('.')[0] for name in sys.modules}"
    )
    subprocess.run([sys.executable, "-c", code], cwd=PROJECT, check=True, timeout=120)
