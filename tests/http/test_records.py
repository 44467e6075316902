"""What is noted of each request, over every transport, for the log and the metrics."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from server.graphql.service import GraphQLOptions
from server.http.endpoint import GraphQLEndpoint
from server.http.places import PlaceLimits, Places
from server.http.websocket import WebSocketEndpoint
from server.observing.record import Record
from services.request_errors import RateLimited, Unavailable
from tests.http.conftest import client_of, make_endpoint
from tests.http.toy import SOURCES
from tests.live import events, socket

COUNT = "subscription ($to: Int!) { count(to: $to) }"
HOSTILE = "mutation\u202e \x1b[31m"


@pytest.fixture
def told() -> list[Record]:
    return []


@pytest.fixture
def endpoint(told: list[Record]) -> GraphQLEndpoint:
    return make_endpoint(places=Places(now=lambda: 0.0), told=(told.append,))


@pytest.fixture
def webs(endpoint: GraphQLEndpoint) -> WebSocketEndpoint:
    assert endpoint.places is not None
    return WebSocketEndpoint(endpoint.service, endpoint.places)


@pytest.fixture
def post(endpoint: GraphQLEndpoint, told: list[Record]) -> Iterator[Any]:
    async def send(body: Any, **options: Any) -> tuple[Record, httpx.Response]:
        async with client_of(endpoint) as client:
            response = await client.post("/", content=json.dumps(body), **{"headers": {}} | options)
        return told.pop(), response

    async def post(body: Any, headers: dict[str, str] | None = None) -> tuple[Record, httpx.Response]:
        return await send(body, headers={"content-type": "application/json"} | (headers or {}))

    yield post
    assert not told


def seen(record: Record) -> tuple[Any, ...]:
    return record.operation, record.role, record.outcome, record.code


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("{ matrix }", (("matrix",), "PLAYER", "ok", None)),
        ("query Q { a: matrix b: matrix ...F ... { page { total } } } fragment F on Query { animals { __typename } }",
         (("matrix", "animals", "page"), "PLAYER", "ok", None)),
        ('{ adopt(name: "bug") { __typename } }', (("adopt",), "PLAYER", "failed", "INTERNAL")),
        ("{ __typename }", (("__typename",), "PLAYER", "ok", None)),
        ("{", ((), "PLAYER", "refused", "BAD_REQUEST")),
        ("{ nothing" + "A" * 300 + " }", ((), "PLAYER", "refused", "BAD_REQUEST")),
        ('mutation { playAtOnce(key: "k") }', (("playAtOnce",), "PLAYER", "ok", None)),
    ],
)  # fmt: skip
async def test_over_http(post: Any, query: str, expected: tuple[Any, ...]) -> None:
    record, response = await post({"query": query})
    assert seen(record) == expected
    assert (record.transport, record.bytes, record.answers) == ("http", len(response.content), 1)
    assert record.status == response.status_code
    assert record.request_id == response.headers["x-request-id"]
    assert record.seconds > 0


async def test_refusals_before_the_document(post: Any) -> None:
    record, _ = await post({"query": "{ matrix }"}, headers={"authorization": "Bearer bad"})
    assert seen(record) == ((), None, "refused", "UNAUTHENTICATED")
    record, _ = await post([])
    assert seen(record) == ((), None, "refused", "BAD_REQUEST")


async def test_a_clients_text_is_in_no_record(post: Any) -> None:
    headers = {"x-request-id": 'r"}; drop', "traceparent": "00-x", "authorization": "Bearer mia"}
    operation = {"query": "query Evil_name { evil_alias: matrix }", "operationName": "Evil_name"}
    record, _ = await post(operation, headers)
    assert (record.operation, record.trace_id) == (("matrix",), None)
    assert "drop" not in record.request_id
    record, _ = await post({"query": HOSTILE, "operationName": HOSTILE, "variables": {HOSTILE: HOSTILE}})
    assert seen(record)[0] == ()


async def test_a_client_that_leaves_before_its_body_is_there(endpoint: GraphQLEndpoint, told: list[Record]) -> None:
    async def leave() -> Any:
        return {"type": "http.disconnect"}

    scope = {"type": "http", "method": "POST", "headers": [(b"content-type", b"application/json")]}
    await endpoint(scope, leave, None)  # type: ignore[arg-type]
    assert told.pop().outcome == "gone"


async def test_a_refusal_that_is_data(told: list[Record]) -> None:
    def make_context(_principal: Any, record: Record) -> Any:
        record.refuse("OUT_OF_STOCK")  # as the schema's handler of such errors does
        return None

    async with client_of(make_endpoint(told=(told.append,), make_context=make_context)) as client:
        await client.post("/", json={"query": "{ matrix }"})
    assert seen(told.pop())[2:] == ("refused", "OUT_OF_STOCK")


async def test_an_event_stream(endpoint: GraphQLEndpoint, told: list[Record]) -> None:
    async with events(endpoint, COUNT, token="mia", variables={"to": 2}) as stream:
        while await stream.event() is not None:
            assert not told
    record = told.pop()
    assert seen(record) == (("count",), "PLAYER", "ok", None)
    assert (record.transport, record.answers, record.status) == ("sse", 2, 200)
    assert record.bytes == 2 * len(b'{"data":{"count":1}}')


BREAKS = 'subscription { breaks(how: "stock") }'


async def test_an_event_stream_that_ends_in_a_refusal(endpoint: GraphQLEndpoint, told: list[Record]) -> None:
    async with events(endpoint, BREAKS, token="mia") as stream:
        while await stream.event() is not None:
            assert not told
    assert [seen(record) for record in told] == [(("breaks",), "PLAYER", "refused", "OUT_OF_STOCK")]


async def test_operations_of_a_websocket_and_the_connection(webs: WebSocketEndpoint, told: list[Record]) -> None:
    async with socket(webs, "mia") as client:
        await client.subscribe(COUNT, to=1)
        assert await client.data() == {"count": 1}
        await client.message()
        await client.subscribe("{ nothing }")
        await client.message()
        await client.subscribe("subscription { never }")
        while not SOURCES:
            await asyncio.sleep(0.01)
        await client.send("complete", id="1")
    assert [seen(record) for record in told] == [
        (("count",), "PLAYER", "ok", None),
        ((), "PLAYER", "refused", "BAD_REQUEST"),
        (("never",), "PLAYER", "gone", None),
        (("connection",), "PLAYER", "ok", None),
    ]
    assert len({record.request_id for record in told}) == 4
    assert told[0].bytes == len(b'{"type":"next","id":"1","payload":{"data":{"count":1}}}')
    assert [record.is_live for record in told] == [True, False, True, True]


async def test_a_websocket_whose_operation_ends_in_a_refusal(webs: WebSocketEndpoint, told: list[Record]) -> None:
    async with socket(webs, "mia") as client:
        await client.subscribe(BREAKS)
        assert [(await client.message())["type"] for _ in range(2)] == ["next", "error"]
    assert [seen(record) for record in told] == [
        (("breaks",), "PLAYER", "refused", "OUT_OF_STOCK"),
        (("connection",), "PLAYER", "ok", None),
    ]


async def test_a_websocket_that_meets_a_bug(told: list[Record]) -> None:
    def broken(_headers: Any) -> Any:
        raise ValueError

    made = make_endpoint(told=(told.append,), authenticate=broken)
    async with socket(WebSocketEndpoint(made.service, Places(now=lambda: 0.0))) as client:
        await client.send("connection_init")
        assert await client.close_code() == 1011
    assert [seen(record) for record in told] == [(("connection",), None, "failed", "INTERNAL")]


async def test_a_websocket_that_is_refused(told: list[Record]) -> None:
    def refuse(*_: Any) -> None:
        raise RateLimited

    made = make_endpoint(places=Places(now=lambda: 0.0), told=(told.append,), admit=refuse)
    assert made.places is not None
    async with socket(WebSocketEndpoint(made.service, made.places)):
        pass
    assert seen(told.pop()) == (("connection",), None, "refused", "RATE_LIMITED")


@pytest.mark.parametrize(("token", "code"), [("bad", "UNAUTHENTICATED"), ("mia", "UNAVAILABLE")])
async def test_a_websocket_that_is_closed_when_it_introduces_itself(told: list[Record], token: str, code: str) -> None:
    places = Places(now=lambda: 0.0, limits=PlaceLimits(connections=1))
    made = make_endpoint(GraphQLOptions(), places=places, told=(told.append,))
    async with socket(WebSocketEndpoint(made.service, places)) as client:
        with places.connection(None):
            await client.send("connection_init", payload={"Authorization": f"Bearer {token}"})
            assert await client.close_code() in (4403, 1013)
    assert told.pop().code == code


async def test_unavailable_leaves_a_line_whatever_its_cause(
    told: list[Record], caplog: pytest.LogCaptureFixture
) -> None:
    async def nobody_can_tell(_principal: Any) -> None:
        raise Unavailable

    async with client_of(make_endpoint(told=(told.append,), vouch=nobody_can_tell)) as client:
        assert (await client.post("/", json={"query": "{ matrix }"})).status_code == 503
    assert seen(told.pop()) == ((), "PLAYER", "failed", "UNAVAILABLE")
    async with asyncio.timeout(30):
        while "a request was answered UNAVAILABLE: " not in caplog.text:  # within a second, where another was told
            await asyncio.sleep(0.02)
