"""graphql-transport-ws over the toy schema: messages and close codes."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from schema.context import Principal
from server.graphql.service import GraphQLOptions
from server.http.places import Places
from server.http.websocket import WebSocketEndpoint
from services.request_errors import Unauthenticated
from tests.http.conftest import make_endpoint
from tests.http.test_sse import endpoint
from tests.http.toy import SLEEPING, SOURCES, name_of
from tests.live import Closed, socket

COUNT = "subscription ($to: Int!) { count(to: $to) }"
NEVER = "subscription { never }"


def app(options: GraphQLOptions | None = None, **arguments: Any) -> WebSocketEndpoint:
    made = endpoint(options, **arguments)
    assert made.places is not None
    return WebSocketEndpoint(made.service, made.places)


async def close_code(send: list[str], **arguments: Any) -> int:
    """What the server closes with after these texts."""
    async with socket(app(**arguments)) as client:
        for text in send:
            await client.send_text(text)
        return await client.close_code()


INIT = '{"type": "connection_init", "payload": {"Authorization": "Bearer mia"}}'


def subscribe(id_: Any = "1", query: Any = NEVER) -> str:
    return json.dumps({"type": "subscribe", "id": id_, "payload": {"query": query}})


async def test_a_subscription() -> None:
    async with socket(app(), "mia") as client:
        assert client.accepted == {"type": "websocket.accept", "subprotocol": "graphql-transport-ws"}
        await client.subscribe(COUNT, id="a", to=2)
        assert [await client.message() for _ in range(3)] == [
            {"type": "next", "id": "a", "payload": {"data": {"count": 1}}},
            {"type": "next", "id": "a", "payload": {"data": {"count": 2}}},
            {"type": "complete", "id": "a"},
        ]


@pytest.mark.parametrize(
    ("query", "data"),
    [("{ matrix }", {"matrix": [[1, 2], [], [None, 3]]}), ('mutation { playAtOnce(key: "k") }', {"playAtOnce": "k"})],
)
async def test_queries_and_mutations(query: str, data: Any) -> None:
    async with socket(app(), "mia") as client:
        await client.subscribe(query)
        assert await client.data() == data
        assert await client.message() == {"type": "complete", "id": "1"}
        await client.subscribe(query)  # the id is free again
        assert await client.data() == data


async def test_operations_side_by_side() -> None:
    async with socket(app(), "mia") as client:
        await client.subscribe(NEVER, id="a")
        await client.subscribe("{ matrix }", id="b")
        await client.subscribe(COUNT, id="c", to=1)
        seen = [await client.message() for _ in range(4)]
    assert {(message["id"], message["type"]) for message in seen} == {
        ("b", "next"),
        ("b", "complete"),
        ("c", "next"),
        ("c", "complete"),
    }
    assert not SOURCES


async def test_complete_ends_the_source_and_frees_the_id() -> None:
    async with socket(app(), "mia") as client:
        await client.subscribe(NEVER)
        while not SOURCES:
            await asyncio.sleep(0.01)
        await client.send("complete", id="1")
        while SOURCES:
            await asyncio.sleep(0.01)
        await client.send("complete", id="unknown")
        await client.subscribe(COUNT, to=1)
        assert await client.data() == {"count": 1}


@pytest.mark.parametrize(
    ("query", "variables", "code"),
    [
        ("subscription {", {}, "BAD_REQUEST"),
        ("{ nothing }", {}, "BAD_REQUEST"),
        (COUNT, {"to": "x"}, "BAD_REQUEST"),
        ("{ __schema { __typename } }", {}, "BAD_REQUEST"),
        ("", {}, "BAD_REQUEST"),
        ("{" + "a{" * 20 + "b" + "}" * 21, {}, "QUERY_TOO_COMPLEX"),
        ("query Q($n: Int!) { echo(number: $n) }", {}, "BAD_REQUEST"),
    ],
)
async def test_faults_of_an_operation_leave_the_connection_open(query: str, variables: Any, code: str) -> None:
    async with socket(app(), "mia") as client:
        await client.subscribe(query, **variables)
        message = await client.message()
        assert (message["type"], message["id"]) == ("error", "1")
        assert message["payload"][0]["extensions"]["code"] == code
        await client.subscribe("{ matrix }")
        await client.data()


async def test_errors_of_execution_are_part_of_the_answer() -> None:
    async with socket(app(), "mia") as client:
        await client.subscribe("{ fails }")
        message = await client.message()
        assert message["type"] == "next"
        assert message["payload"]["data"] == {"fails": None}
        assert message["payload"]["errors"][0]["extensions"]["code"] == "INTERNAL"
        assert "secret" not in str(message)


async def test_a_bug_in_a_source_is_masked_and_ends_the_operation() -> None:
    async with socket(app(), "mia") as client:
        await client.subscribe('subscription { breaks(how: "bug") }')
        assert await client.data() == {"breaks": 1}
        message = await client.message()
        assert message["type"] == "error"
        assert message["payload"][0]["extensions"]["code"] == "INTERNAL"
        assert "secret" not in str(message)


async def test_a_deadline(caplog: pytest.LogCaptureFixture) -> None:
    async with socket(app(GraphQLOptions(deadline_seconds=0.05)), "mia") as client:
        await client.subscribe("{ sleeps(seconds: 600) }")
        assert (await client.message())["payload"][0]["extensions"]["code"] == "UNAVAILABLE"


# Who it is


@pytest.mark.parametrize("name", ["Authorization", "authorization", "AUTHORIZATION"])
@pytest.mark.parametrize("token", ["Bearer mia", "mia", " mia "])
async def test_the_token_of_the_payload(name: str, token: str) -> None:
    async with socket(app(), headers={"Authorization": "Bearer leo"}) as client:
        await client.send("connection_init", payload={name: token})
        assert await client.message() == {"type": "connection_ack"}
        await client.subscribe("subscription { whose }")
        assert await client.data() == {"whose": "mia"}


@pytest.mark.parametrize("payload", [{}, None, {"other": 1}, {"Authorization": None}])
async def test_the_token_of_the_handshake(payload: Any) -> None:
    async with socket(app(), headers={"Authorization": "Bearer leo"}) as client:
        await client.send("connection_init", payload=payload)
        assert await client.message() == {"type": "connection_ack"}
        await client.subscribe("subscription { whose }")
        assert await client.data() == {"whose": "leo"}


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"Authorization": "Bearer bad"},
        {"Authorization": "Basic mia"},
        {"Authorization": 5},
        {"Authorization": ["Bearer mia"]},
        {"Authorization": "Bearer ü"},
        {"Authorization": "Bearer mia", "authorization": "Bearer leo"},
    ],
)
async def test_a_bad_token_is_forbidden(payload: Any) -> None:
    assert await close_code([json.dumps({"type": "connection_init", "payload": payload})]) == 4403


async def test_nobody_may_connect_where_anonymous_may_introspect() -> None:
    async with socket(app(options=GraphQLOptions(anonymous_may_introspect=True))) as client:
        await client.init()
        await client.subscribe("subscription { whose }")
        assert (await client.message())["payload"][0]["extensions"]["code"] == "UNAUTHENTICATED"
        await client.subscribe("{ matrix }")
        await client.data()


async def test_expiry_ends_a_connection() -> None:
    clock = [0.0]
    async with socket(app(now=lambda: clock[0], longest_nap_seconds=0.02), "mia") as client:
        await client.subscribe(NEVER)
        clock[0] = 1000.0
        assert await client.close_code() == 4403


@pytest.mark.parametrize("query", ["mutation { sleeps(seconds: 0) }", COUNT])
async def test_nothing_is_executed_once_the_token_has_expired(query: str) -> None:
    SLEEPING.clear()
    clock = [0.0]
    async with socket(app(now=lambda: clock[0]), "mia") as client:
        await client.send("ping")
        assert await client.message() == {"type": "pong"}  # by now it is waited for the token's end
        clock[0] = 1000.0
        await client.subscribe(query, to=1)
        with pytest.raises(Closed) as closed:
            await client.message()
        assert (closed.value.code, closed.value.reason) == (4403, "The token has expired.")
    assert not SLEEPING


async def test_nothing_is_answered_once_the_token_has_expired() -> None:
    async with socket(app(now=lambda: 1000.0 if SOURCES else 0.0), "mia") as client:
        await client.subscribe(COUNT, to=1)
        with pytest.raises(Closed) as closed:
            await client.message()
        assert (closed.value.code, closed.value.reason) == (4403, "The token has expired.")


async def test_a_token_is_looked_up_when_it_comes_and_at_each_operation() -> None:
    revoked: list[str] = ["leo"]

    async def vouch(principal: Principal | None) -> None:
        if principal is not None and name_of(principal) in revoked:
            raise Unauthenticated

    places = Places(now=lambda: 0.0)
    served = WebSocketEndpoint(make_endpoint(vouch=vouch).service, places)
    async with socket(served) as client:
        await client.send("connection_init", payload={"Authorization": "Bearer leo"})
        assert await client.close_code() == 4403
    async with socket(served, "mia") as client:
        revoked.append("mia")
        await client.subscribe("{ matrix }")
        assert (await client.message())["payload"][0]["extensions"]["code"] == "UNAUTHENTICATED"


# The protocol


@pytest.mark.parametrize("protocols", [(), ("graphql-ws",), ("other", "another")])
async def test_another_subprotocol(protocols: tuple[str, ...]) -> None:
    async with socket(app(), protocols=protocols) as client:
        assert client.accepted["subprotocol"] is None
        assert await client.close_code() == 4406


async def test_one_subprotocol_of_several() -> None:
    async with socket(app(), "mia", protocols=("graphql-ws", "graphql-transport-ws")) as client:
        assert client.accepted["subprotocol"] == "graphql-transport-ws"


async def test_no_connection_init_in_time() -> None:
    assert await close_code([], init_seconds=0.05) == 4408
    assert await close_code(['{"type": "ping"}'], init_seconds=0.05) == 4408


@pytest.mark.parametrize(
    ("texts", "code"),
    [
        ([INIT, INIT], 4429),
        ([subscribe()], 4401),
        ([INIT, subscribe("a"), subscribe("a")], 4409),
        (["nonsense"], 4400),
        (["[]"], 4400),
        (['"x"'], 4400),
        (['{"type": 5}'], 4400),
        (["{}"], 4400),
        (['{"type": "unknown"}'], 4400),
        (['{"type": "start", "id": "1"}'], 4400),
        (['{"type": "connection_init", "payload": []}'], 4400),
        ([INIT, '{"type": "unknown"}'], 4400),
        ([INIT, '{"type": "subscribe"}'], 4400),
        ([INIT, subscribe("")], 4400),
        ([INIT, subscribe(5)], 4400),
        ([INIT, subscribe("a" * 129)], 4400),
        ([INIT, '{"type": "subscribe", "id": "1"}'], 4400),
        ([INIT, '{"type": "subscribe", "id": "1", "payload": "x"}'], 4400),
        ([INIT, '{"type": "complete"}'], 4400),
        ([INIT, '{"type": "ping", "payload": "\\u0000"}'], 4400),
        ([INIT, '"' + "x" * 70_000 + '"'], 4400),
    ],
)
async def test_close_codes(texts: list[str], code: int) -> None:
    assert await close_code(texts) == code
    assert not SOURCES


async def test_the_reason_of_a_duplicate_fits_into_a_close_frame() -> None:
    async with socket(app(), "mia") as client:
        for _ in range(2):
            await client.send_text(subscribe("é" * 128))
        with pytest.raises(Closed) as closed:
            await client.message()
    assert closed.value.code == 4409
    assert 100 < len(closed.value.reason.encode()) <= 123


async def test_binary_is_no_message() -> None:
    async with socket(app(), "mia") as client:
        await client.given.put({"type": "websocket.receive", "bytes": b"{}"})
        assert await client.close_code() == 4400


async def test_ping_and_pong_at_any_time() -> None:
    async with socket(app()) as client:
        await client.send("ping")
        assert await client.message() == {"type": "pong"}
        await client.send("pong")
        await client.init("mia")
        await client.send("ping", payload={"at": 5})
        assert await client.message() == {"type": "pong", "payload": {"at": 5}}
        await client.send("pong", payload={})
        await client.subscribe("{ matrix }")
        await client.data()


@pytest.mark.parametrize(
    "payload", [{"query": 5}, {"query": "{ matrix }", "variables": []}, {}, {"operationName": "x"}]
)
async def test_a_malformed_request_is_an_error_of_the_operation(payload: Any) -> None:
    async with socket(app(), "mia") as client:
        await client.send("subscribe", id="1", payload=payload)
        message = await client.message()
        assert (message["type"], message["payload"][0]["extensions"]["code"]) == ("error", "BAD_REQUEST")


async def test_persisted_queries_work_over_websockets_too() -> None:
    digest = "0" * 64
    async with socket(app(), "mia") as client:
        extensions = {"persistedQuery": {"version": 1, "sha256Hash": digest}}
        await client.send("subscribe", id="1", payload={"extensions": extensions})
        assert (await client.message())["payload"][0]["extensions"]["code"] == "PERSISTED_QUERY_NOT_FOUND"
