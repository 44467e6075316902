"""GraphQL over server-sent events, distinct connections mode, over the toy schema."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from server.graphql.service import GraphQLOptions
from server.http.endpoint import GraphQLEndpoint
from server.http.places import PlaceLimits, Places
from server.http.sse import accepts_events
from services.request_errors import RateLimited
from tests.http.conftest import make_endpoint
from tests.live import Events, events

URQL = (
    "application/graphql-response+json, application/graphql+json, application/json, text/event-stream, multipart/mixed"
)
COUNT = "subscription ($to: Int!) { count(to: $to) }"


def endpoint(
    options: GraphQLOptions | None = None, *, now: Callable[[], float] = lambda: 0.0, admit: Any = None, **limits: Any
) -> GraphQLEndpoint:
    """An endpoint whose tokens expire at 1,000."""
    places = Places(now=now, limits=PlaceLimits(**limits))
    return make_endpoint(options, places=places, admit=admit)


@pytest.mark.parametrize(
    ("accept", "accepted"),
    [
        (None, False),
        ("*/*", False),
        ("text/*", False),
        ("application/json", False),
        ("text/event-stream", True),
        ("Text/Event-Stream; charset=utf-8", True),
        ("text/event-stream;q=0", False),
        ("text/event-stream;q=0.1, */*", True),
        (URQL, True),
        (",,", False),
    ],
)
def test_accept(accept: str | None, accepted: bool) -> None:
    assert accepts_events(None if accept is None else accept.encode()) is accepted


async def test_a_subscription() -> None:
    async with events(endpoint(), COUNT, token="mia", variables={"to": 2}) as stream:
        assert stream.status == 200
        assert stream.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert stream.headers["cache-control"] == "no-store, no-transform"
        assert stream.headers["x-accel-buffering"] == "no"
        assert stream.headers["x-request-id"]
        assert [await stream.event(), await stream.event(), await stream.event(), await stream.event()] == [
            ("next", {"data": {"count": 1}}),
            ("next", {"data": {"count": 2}}),
            ("complete", None),
            None,
        ]


async def test_the_very_bytes() -> None:
    async with events(endpoint(), COUNT, token="mia", variables={"to": 1}) as stream:
        messages = [await stream.next() for _ in range(4)]
    assert [(message["body"], message.get("more_body", False)) for message in messages] == [
        (b":\n", True),
        (b'event: next\ndata: {"data":{"count":1}}\n\n', True),
        (b"event: complete\ndata:\n\n", True),
        (b"", False),
    ]


@pytest.mark.parametrize("accept", [URQL, "text/event-stream, multipart/mixed", "application/json, text/event-stream"])
async def test_a_subscription_is_streamed_to_whoever_takes_it(accept: str) -> None:
    async with events(endpoint(), COUNT, token="mia", variables={"to": 1}, accept=accept) as stream:
        assert await stream.data() == {"count": 1}


@pytest.mark.parametrize("query", ["{ matrix }", 'mutation { playAtOnce(key: "a") }'])
async def test_a_query_or_mutation_is_answered_as_json_where_json_is_taken(query: str) -> None:
    async with events(endpoint(), query, token="mia", accept=URQL) as stream:
        assert stream.headers["content-type"] == "application/graphql-response+json; charset=utf-8"
        assert b'"data"' in await stream.chunk()


async def test_a_query_is_streamed_to_a_client_that_takes_nothing_else() -> None:
    async with events(endpoint(), "{ matrix }", token="mia") as stream:
        assert await stream.event() == ("next", {"data": {"matrix": [[1, 2], [], [None, 3]]}})
        assert await stream.event() == ("complete", None)
        assert await stream.event() is None


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ("subscription {", {}),
        ("subscription { nothing }", {}),
        (COUNT, {"to": "x"}),
        (COUNT, {}),
        ("{ __schema { __typename } }", {}),
    ],
)
async def test_faults_of_the_document_are_events(query: str, variables: dict[str, Any]) -> None:
    async with events(endpoint(), query, token="mia", variables=variables) as stream:
        assert stream.status == 200
        event = await stream.event()
        assert event is not None
        assert event[0] == "next"
        assert "data" not in event[1]
        assert event[1]["errors"][0]["extensions"]["code"] == "BAD_REQUEST"
        assert await stream.event() == ("complete", None)


async def test_no_token_is_a_401() -> None:
    async with events(endpoint(), COUNT, variables={"to": 1}) as stream:
        assert (stream.status, stream.headers["content-type"]) == (401, "application/json; charset=utf-8")
    async with events(endpoint(), COUNT, token="bad", variables={"to": 1}) as stream:
        assert stream.status == 401


async def test_a_rate_is_a_429() -> None:
    def admit(*_: Any) -> None:
        raise RateLimited

    async with events(endpoint(admit=admit), COUNT, token="mia", variables={"to": 1}) as stream:
        assert stream.status == 429


async def test_without_the_accept_a_subscription_stays_a_bad_request() -> None:
    async with events(endpoint(), COUNT, token="mia", variables={"to": 1}, accept="application/json") as stream:
        assert stream.status == 200
        assert b"BAD_REQUEST" in await stream.chunk()


async def test_without_subscriptions_there_are_no_event_streams() -> None:
    async with events(make_endpoint(), COUNT, token="mia", variables={"to": 1}) as stream:
        assert stream.status == 406


async def test_a_bug_ends_the_stream_masked(caplog: pytest.LogCaptureFixture) -> None:
    async with events(endpoint(), 'subscription { breaks(how: "bug") }', token="mia") as stream:
        assert await stream.data() == {"breaks": 1}
        event = await stream.event()
        assert event is not None
        assert event[1]["errors"][0]["extensions"]["code"] == "INTERNAL"
        assert event[1]["errors"][0]["extensions"]["requestId"] == stream.headers["x-request-id"]
        assert "secret" not in str(event)
        assert await stream.event() == ("complete", None)
    assert "a secret of ours" in caplog.text


@pytest.mark.parametrize(
    ("how", "code"), [("stock", "OUT_OF_STOCK"), ("slow", "RATE_LIMITED"), ("time", "UNAVAILABLE")]
)
async def test_a_refusal_ends_the_stream_with_its_code(how: str, code: str) -> None:
    query = "subscription ($how: String!) { breaks(how: $how) }"
    async with events(endpoint(), query, token="mia", variables={"how": how}) as stream:
        await stream.data()
        event = await stream.event()
        assert event is not None
        assert event[1]["errors"][0]["extensions"]["code"] == code


async def test_an_answer_with_errors_does_not_end_the_stream() -> None:
    async with events(endpoint(), "subscription { things { name friend { name } } }", token="mia") as stream:
        first, second = await stream.event(), await stream.event()
        assert first is not None
        assert "errors" in first[1]
        assert "data" in first[1]
        assert second == ("next", {"data": {"things": {"name": "Mia", "friend": None}}})


async def test_every_event_has_a_context_of_its_own() -> None:
    async with events(endpoint(), "subscription { contexts { first second } }", token="mia") as stream:
        seen = [(await stream.data())["contexts"] for _ in range(3)]
    assert all(pair["first"] == pair["second"] for pair in seen)
    assert len({pair["first"] for pair in seen}) == 3


async def test_it_is_kept_alive() -> None:
    async with events(endpoint(keep_alive_seconds=0.02), "subscription { never }", token="mia") as stream:
        assert [await stream.chunk() for _ in range(4)] == [b":\n"] * 4


async def test_a_client_that_leaves_ends_the_source() -> None:
    from tests.http.toy import SOURCES

    async with events(endpoint(), "subscription { never }", token="mia") as stream:
        await stream.chunk()
        async with asyncio.timeout(30):
            while not SOURCES:
                await asyncio.sleep(0.01)
    assert not SOURCES


async def test_a_client_that_does_not_read_is_left() -> None:
    from tests.http.toy import SOURCES

    made = Events(endpoint(send_seconds=0.05), COUNT, token="mia", variables={"to": 1000})
    await made.open()
    assert made.task is not None
    await asyncio.wait([made.task], timeout=30)
    assert made.task.done()
    assert not SOURCES


async def test_connections_per_player_are_bounded() -> None:
    app = endpoint(connections_per_player=2)
    async with (
        events(app, "subscription { never }", token="mia"),
        events(app, "subscription { never }", token="mia") as second,
    ):
        async with events(app, "subscription { never }", token="mia") as third:
            assert (second.status, third.status) == (200, 429)
        async with events(app, "subscription { never }", token="leo") as other:
            assert other.status == 200
        await second.leave()
        async with events(app, "subscription { never }", token="mia") as third:
            assert third.status == 200


async def test_connections_in_all_are_bounded() -> None:
    app = endpoint(connections=1)
    async with (
        events(app, "subscription { never }", token="mia"),
        events(app, "subscription { never }", token="leo") as second,
    ):
        assert second.status == 503


async def test_expiry_ends_the_stream_without_complete() -> None:
    clock = [0.0]
    app = endpoint(now=lambda: clock[0], longest_nap_seconds=0.02)
    async with events(app, "subscription { never }", token="mia") as stream:
        with pytest.raises(TimeoutError):
            await stream.event(0.1)
        clock[0] = 1000.0
        assert await stream.event() is None


async def test_nothing_is_sent_once_the_token_has_expired() -> None:
    from tests.http.toy import SOURCES

    app = endpoint(now=lambda: 1000.0 if SOURCES else 0.0)
    async with events(app, COUNT, token="mia", variables={"to": 1}) as stream:
        assert await stream.event() is None


async def test_the_servers_stop_ends_the_stream_without_complete() -> None:
    app = endpoint()
    assert app.places is not None
    async with events(app, "subscription { never }", token="mia") as stream:
        app.places.stop()
        assert await stream.event() is None
    async with events(app, "subscription { never }", token="mia") as stream:
        assert stream.status == 503
