"""Bodies of requests: what is no request, what is too large, and what does not arrive."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest

from server.graphql.service import GraphQLOptions
from server.http.requests import GRAPHQL_JSON, JSON, read_body, refuse_declared_length
from server.wire import Refused
from tests.http.conftest import Check, make_endpoint

BAD_BODIES: dict[str, dict[str, bytes]] = {
    "The request is not valid JSON.": {
        "nothing": b"",
        "no JSON": b"{",
        "NaN": b'{"query": "{ matrix }", "variables": {"n": NaN}}',
        "infinity": b'{"query": "{ matrix }", "variables": {"n": -Infinity}}',
        "a long integer": b'{"query": "{ matrix }", "variables": {"n": ' + b"1" * 5000 + b"}}",
        "deep nesting": b'{"query": ' + b"[" * 30_000 + b"]" * 30_000 + b"}",
        "deeper than a body is long": b"[" * 100_000 + b"]" * 100_000,
        "deeper objects than a body is long": b'{"variables":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"}",
        "deep objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
        "invalid UTF-8": b'{"query": "{ matrix }\xff"}',
        "UTF-16": '{"query": "{ matrix }"}'.encode("utf-16"),
        "a byte order mark": b'\xef\xbb\xbf{"query": "{ matrix }"}',
        "a lone surrogate": b'{"query": "{ matrix }", "variables": {"a": "\\ud800"}}',
        "trailing rubbish": b'{"query": "{ matrix }"} x',
        "a single quote": b"{'query': '{ matrix }'}",
        "a raw NUL": b'{"query": "{ matrix }\x00"}',
    },
    "The request must be a JSON object.": {
        "a string": b'"x"',
        "a number": b"1",
        "null": b"null",
    },
    "Batches are not served.": {
        "a batch": b'[{"query": "{ matrix }"}]',
        "an empty batch": b"[]",
    },
    "Strings must not contain control characters.": {
        "an escaped NUL": b'{"query": "{ matrix }", "variables": {"a": "\\u0000"}}',
        "a NUL in a key": b'{"query": "{ matrix }", "variables": {"a\\u0000": 1}}',
        "a NUL in a list": b'{"query": "{ matrix }", "variables": {"a": [["\\u0000"]]}}',
        "a backspace": b'{"query": "{ matrix }", "variables": {"a": "\\b"}}',
        "a form feed": b'{"query": "{ matrix }", "variables": {"a": "\\f"}}',
        "DEL": b'{"query": "{ matrix }", "variables": {"a": "\x7f"}}',
        "a C1 control": '{"query": "{ matrix }", "variables": {"a": "\x85"}}'.encode(),
        "a control character in the query": b'{"query": "{ matrix # \\u0007 \\n }"}',
    },
    "The request needs a 'query'.": {
        "no query": b"{}",
        "an empty query": b'{"query": ""}',
    },
    "The parameter 'query' must be a string.": {
        "a query of another type": b'{"query": 1}',
    },
    "The parameter 'variables' must be an object.": {
        "variables of another type": b'{"query": "{ matrix }", "variables": "{}"}',
        "variables in a list": b'{"query": "{ matrix }", "variables": []}',
    },
    "The parameter 'extensions' must be an object.": {
        "extensions of another type": b'{"query": "{ matrix }", "extensions": 1}',
    },
    "The parameter 'operationName' must be a string.": {
        "an operation name of another type": b'{"query": "{ matrix }", "operationName": {}}',
    },
}
"""Bodies that are refused, by the words of their refusal."""


@pytest.mark.parametrize("accept", [JSON, GRAPHQL_JSON])
@pytest.mark.parametrize(
    ("message", "body"),
    [pytest.param(message, body, id=name) for message, those in BAD_BODIES.items() for name, body in those.items()],
)
async def test_bad_bodies(client: httpx.AsyncClient, refused: Check, message: str, body: bytes, accept: str) -> None:
    headers = {"content-type": JSON, "accept": accept}
    response = await client.post("/graphql", content=body, headers=headers)
    assert refused(response, 400, "BAD_REQUEST")["message"] == message
    assert response.headers["content-type"].startswith(accept)


# Size and time


async def test_a_large_body(client: httpx.AsyncClient, refused: Check) -> None:
    fits = json.dumps({"query": "{ matrix }", "x": "y" * 65_000}).encode()
    headers = {"content-type": JSON}
    assert (await client.post("/graphql", content=fits, headers=headers)).status_code == 200
    response = await client.post("/graphql", content=fits + b" " * 1000, headers=headers)
    refused(response, 413, "BAD_REQUEST")
    assert response.headers["connection"] == "close"
    # The size is judged first: before the content type, the JSON and the token.
    headers = {"content-type": "text/plain", "authorization": "Bearer bad"}
    refused(await client.post("/graphql", content=b"x" * 70_000, headers=headers), 413, "BAD_REQUEST")


async def test_a_large_body_in_chunks(client: httpx.AsyncClient, refused: Check) -> None:
    async def chunks() -> Any:
        for _ in range(100):
            yield b" " * 1000

    refused(await client.post("/graphql", content=chunks(), headers={"content-type": JSON}), 413, "BAD_REQUEST")


async def test_a_large_body_that_is_all_there_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    # With nothing left to arrive, waiting for more would only end with the connection, or with the test.
    monkeypatch.setattr("server.http.endpoint.DRAIN_SECONDS", 600.0)
    whole = {"type": "http.request", "body": b" " * 70_000, "more_body": False}
    form = [(b"content-type", b"multipart/form-data; boundary=b"), HEADERS[1]]
    assert (await raw(make_endpoint(), HEADERS, [dict(whole)]))[0] == 413
    small = make_endpoint(GraphQLOptions(upload_bytes=60_000))
    assert (await raw(small, form, [dict(whole)]))[0] == 413


async def test_a_body_ends_where_nothing_says_that_it_goes_on() -> None:
    messages = [{"type": "http.request", "body": b"1", "more_body": True}, {"type": "http.request", "body": b"2"}]

    async def receive() -> Any:
        return messages.pop(0)

    assert await read_body([], receive, at_most=10) == b"12"


async def test_a_body_that_is_as_long_as_may_be_ends_there_or_is_too_large() -> None:
    begun, messages = {"type": "http.request", "body": b"1234", "more_body": True}, list[dict[str, Any]]()

    async def receive() -> Any:
        return messages.pop(0)

    messages[:] = [begun, {"type": "http.request", "body": b""}]
    assert await read_body([], receive, at_most=4) == b"1234"
    messages[:] = [begun, {"type": "http.request", "body": b"5", "more_body": True}]
    with pytest.raises(Refused) as refusal:
        await read_body([], receive, at_most=4)
    assert (refusal.value.status, refusal.value.unread, messages) == (413, True, [])


@pytest.mark.parametrize("declared", [b"11", b"1" + b"0" * 18, b"9" * 5_000])
def test_a_length_that_is_declared_is_too_large(declared: bytes) -> None:
    with pytest.raises(Refused, match="larger than 10 bytes") as refusal:
        refuse_declared_length([(b"content-length", declared)], 10)
    assert (refusal.value.status, refusal.value.unread) == (413, True)


@pytest.mark.parametrize("declared", [b"10", b"0" * 20, b"", b"-99"])
def test_a_length_that_is_declared_fits(declared: bytes) -> None:
    """What is no length is the server's to refuse."""
    refuse_declared_length([(b"content-length", declared)], 10)


async def test_a_declared_length_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.http.endpoint.DRAIN_SECONDS", 0.05)
    for length in (b"1048577", b"9" * 5_000):
        status, body = await raw(
            make_endpoint(), [(b"content-type", b"application/json"), (b"content-length", length)], []
        )
        assert (status, b"BAD_REQUEST" in body) == (413, True)


async def test_what_is_refused_is_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever closes on a client that still sends takes the answer from it, too."""
    monkeypatch.setattr("server.http.endpoint.DRAIN_SECONDS", 600.0)
    length = (b"content-length", b"2000000")
    piece = {"type": "http.request", "body": b" " * 500_000, "more_body": True}
    messages = [dict(piece), dict(piece), dict(piece), piece | {"more_body": False}]
    assert (await raw(make_endpoint(), [HEADERS[0], length], messages))[0] == 413
    assert not messages


async def test_the_largest_body_is_read(client: httpx.AsyncClient) -> None:
    document = b'{"query": "{ matrix }"}'
    for padding, status in ((0, 200), (65_536 - len(document), 200), (65_537 - len(document), 413)):
        body = document + b" " * padding
        response = await client.post("/graphql", content=body, headers={"content-type": JSON})
        assert response.status_code == status


async def test_a_body_in_chunks(client: httpx.AsyncClient) -> None:
    async def chunks() -> Any:
        for piece in (b'{"query": ', b'"{ matrix', b' }"}'):
            yield piece

    response = await client.post("/graphql", content=chunks(), headers={"content-type": JSON})
    assert response.status_code == 200


async def raw(endpoint: Any, headers: list[tuple[bytes, bytes]], messages: list[Any]) -> tuple[int, bytes]:
    """Speak ASGI: the messages, then silence."""
    sent: list[Any] = []

    async def receive() -> Any:
        if not messages:
            await asyncio.sleep(600)
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": headers}
    await asyncio.wait_for(endpoint(scope, receive, send), 30)
    return (sent[0]["status"], sent[1]["body"]) if sent else (0, b"")


HEADERS = [(b"content-type", b"application/json"), (b"authorization", b"Bearer mia")]


async def test_a_body_that_does_not_arrive() -> None:
    endpoint = make_endpoint(GraphQLOptions(read_seconds=0.05, upload_seconds=0.05))
    begun = {"type": "http.request", "body": b"--b", "more_body": True}
    for messages in ([], [dict(begun)]):
        status, body = await raw(endpoint, HEADERS, list(messages))
        assert (status, b"BAD_REQUEST" in body) == (408, True)
    form = [(b"content-type", b"multipart/form-data; boundary=b"), HEADERS[1]]
    assert (await raw(endpoint, form, [dict(begun)]))[0] == 408


async def test_a_client_that_goes_away() -> None:
    gone = {"type": "http.disconnect"}
    begun = {"type": "http.request", "body": b"--b", "more_body": True}
    form = [(b"content-type", b"multipart/form-data; boundary=b"), HEADERS[1]]
    for messages in ([gone], [begun, gone]):
        assert (await raw(make_endpoint(), HEADERS, list(messages)))[0] == 0
        assert (await raw(make_endpoint(), form, list(messages)))[0] == 0
