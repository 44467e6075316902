"""GraphQL over HTTP: negotiation, methods and statuses, each refusal with its status, code and body."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from schema.context import Principal
from server.graphql.service import GraphQLOptions
from server.http.rates import TooManyRequests
from server.http.requests import GRAPHQL_JSON, JSON, negotiate
from server.wire import Refused
from services.errors import HaruError
from services.request_errors import BadRequest, Forbidden, Internal, RateLimited, Unauthenticated, Unavailable
from tests.http.conftest import Check, Counted, client_of, make_endpoint
from tests.http.toy import called

URQL = (
    "application/graphql-response+json, application/graphql+json, application/json, text/event-stream, multipart/mixed"
)
APOLLO = "application/graphql-response+json,application/json;q=0.9"


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (None, JSON),
        ("", JSON),
        (" ", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        ("application/json", JSON),
        (GRAPHQL_JSON, GRAPHQL_JSON),
        (URQL, GRAPHQL_JSON),
        (APOLLO, GRAPHQL_JSON),
        (f"application/json, {GRAPHQL_JSON}", JSON),
        (f"application/json;q=0.5, {GRAPHQL_JSON}", GRAPHQL_JSON),
        (f"*/*, {GRAPHQL_JSON};q=0.1", GRAPHQL_JSON),
        ("text/event-stream, application/json", JSON),
        ("Application/JSON; charset=utf-8", JSON),
        (f"{JSON}, {GRAPHQL_JSON};q=1", JSON),
        (f"{JSON};q=1, {GRAPHQL_JSON}", JSON),
        (f"{JSON}, {GRAPHQL_JSON};q=9", JSON),
        (f"{JSON};q=9, {GRAPHQL_JSON}", JSON),
        (f"{JSON};charset=utf-8;q=0.1, {GRAPHQL_JSON};charset=utf-8;q=0.2", GRAPHQL_JSON),
        (f"{JSON} ; Q = 0.1 , {GRAPHQL_JSON} ; Q = 0.2", GRAPHQL_JSON),
        ("text/html", None),
        ("text/event-stream", None),
        ("application/json;q=0", None),
        ("application/json;q=nonsense", None),
        (";;;,,,", None),
    ],
)
def test_negotiation(accept: str | None, chosen: str | None) -> None:
    assert negotiate(None if accept is None else accept.encode()) == chosen


async def test_an_answer(client: httpx.AsyncClient) -> None:
    response = await client.post(
        "/graphql", json={"query": "query Q($n: Int!) { echo(number: $n) }", "variables": {"n": 4}}
    )
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json; charset=utf-8"
    assert response.headers["cache-control"] == "no-store"
    assert "4" in response.json()["data"]["echo"]


async def test_urql_gets_json(client: httpx.AsyncClient) -> None:
    response = await client.post("/graphql", json={"query": "{ matrix }"}, headers={"accept": URQL})
    assert response.headers["content-type"] == "application/graphql-response+json; charset=utf-8"
    assert response.json() == {"data": {"matrix": [[1, 2], [], [None, 3]]}}


async def test_get(client: httpx.AsyncClient) -> None:
    parameters = {"query": "query A($n: Int!) { echo(number: $n) } query B { matrix }", "operationName": "A"}
    response = await client.get("/graphql", params=parameters | {"variables": '{"n": 8}', "extensions": ""})
    assert "8" in response.json()["data"]["echo"]
    most = {"query": "{ matrix }"} | {f"a{number}": "1" for number in range(15)}
    assert (await client.get("/graphql", params=most)).json()["data"]["matrix"]
    empty = {"query": "{ matrix }", "variables": "", "operationName": "", "documentId": ""}
    assert (await client.get("/graphql", params=empty)).json()["data"]["matrix"]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (BadRequest("x"), 400),
        (Unauthenticated(), 401),
        (Forbidden(), 403),
        (RateLimited(), 429),
        (Internal(), 500),
        (Unavailable(), 503),
    ],
)
def test_the_status_of_what_is_refused_as_a_whole(error: HaruError, status: int) -> None:
    assert (Refused(error).status, Refused(error).unread, str(Refused(error))) == (status, False, error.message)
    assert Refused(error, status=418).status == 418


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(-1.0, b"1"), (0.0, b"1"), (0.2, b"1"), (1.0, b"1"), (1.001, b"2"), (59.5, b"60")],
)
def test_when_to_come_again_is_told_in_whole_seconds(seconds: float, told: bytes) -> None:
    assert Refused(TooManyRequests(seconds)).headers == [(b"retry-after", told)]


async def test_accept_that_fits_nothing(client: httpx.AsyncClient, refused: Check) -> None:
    response = await client.post("/graphql", json={"query": "{ matrix }"}, headers={"accept": "text/html"})
    refused(response, 406, "BAD_REQUEST")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_methods(client: httpx.AsyncClient, refused: Check, method: str) -> None:
    response = await client.request(method, "/graphql")
    refused(response, 405, "BAD_REQUEST")
    assert response.headers["allow"] == "GET, POST"


@pytest.mark.parametrize("accept", [JSON, GRAPHQL_JSON])
async def test_a_mutation_by_get(client: httpx.AsyncClient, refused: Check, accept: str) -> None:
    parameters = {"query": 'mutation { playAtOnce(key: "a") }'}
    response = await client.get("/graphql", params=parameters, headers={"accept": accept})
    refused(response, 405, "BAD_REQUEST")
    assert response.headers["allow"] == "POST"


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16", "", "nonsense;;="]
)
async def test_content_types(client: httpx.AsyncClient, refused: Check, kind: str) -> None:
    response = await client.post("/graphql", content=b'{"query": "{ matrix }"}', headers={"content-type": kind})
    refused(response, 415, "BAD_REQUEST")


async def test_no_content_type(client: httpx.AsyncClient, refused: Check) -> None:
    refused(await client.post("/graphql", content=b'{"query": "{ matrix }"}'), 415, "BAD_REQUEST")


@pytest.mark.parametrize(
    "kind",
    ["application/json;charset=UTF-8", 'application/json; charset="utf-8"', "APPLICATION/JSON; charset=utf8"],
)
async def test_json_in_utf8(client: httpx.AsyncClient, kind: str) -> None:
    response = await client.post("/graphql", content=b'{"query": "{ matrix }"}', headers={"content-type": kind})
    assert response.status_code == 200


async def test_good_strings(client: httpx.AsyncClient) -> None:
    for text in ("tab\tline\nreturn\r", "ünï ½ 🎲 \\u", "\u2028"):
        response = await client.post(
            "/graphql", json={"query": "query ($t: String) {\r\n\techo(text: $t)\n}", "variables": {"t": text}}
        )
        assert repr(text) in response.json()["data"]["echo"]


async def test_nulls_mean_absent(client: httpx.AsyncClient) -> None:
    body = {"query": "{ matrix }", "variables": None, "operationName": None, "extensions": None, "id": 3}
    assert (await client.post("/graphql", json=body)).status_code == 200
    assert (await client.post("/graphql", json=body | {"operationName": ""})).status_code == 200


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("", "The request needs a 'query'."),
        ("query=", "The request needs a 'query'."),
        ("query=%7Bmatrix%7D&variables=[]", "The parameter 'variables' must be an object."),
        ("query=%7Bmatrix%7D&variables=%7B", "The request is not valid JSON."),
        ("query=%7Bmatrix%7D&variables=1", "The parameter 'variables' must be an object."),
        ("query=%7Bmatrix%7D&extensions=x", "The request is not valid JSON."),
        ("query=%7Bmatrix%7D%00", "Strings must not contain control characters."),
        ("query=%7Bmatrix%7D%ff%fe", "The query string is malformed."),
        ("query=%7Bmatrix%7D&" + "&".join(f"a{n}=1" for n in range(16)), "The query string is malformed."),
    ],
)
async def test_bad_query_strings(client: httpx.AsyncClient, refused: Check, query: str, message: str) -> None:
    assert refused(await client.get(f"/graphql?{query}"), 400, "BAD_REQUEST")["message"] == message


async def test_bytes_in_a_query_string(refused: Check) -> None:
    endpoint = make_endpoint()
    sent: list[Any] = []
    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b"query=\xff"}

    async def receive() -> Any:
        raise AssertionError("a GET has no body")

    async def send(message: Any) -> None:
        sent.append(message)

    await endpoint(scope, receive, send)
    assert sent[0]["status"] == 400
    assert b"BAD_REQUEST" in sent[1]["body"]


# Who asks


@pytest.mark.parametrize("token", ["Bearer bad", "Basic x", ""])
async def test_a_bad_token_is_refused_everywhere(
    client: httpx.AsyncClient, local: httpx.AsyncClient, refused: Check, token: str
) -> None:
    for each in (client, local):
        response = await each.post("/graphql", json={"query": "{ syntax"}, headers={"authorization": token})
        refused(response, 401, "UNAUTHENTICATED")
        assert response.headers["www-authenticate"] == "Bearer"


async def test_no_token_is_refused_before_parsing(client: httpx.AsyncClient, refused: Check) -> None:
    del client.headers["authorization"]
    refused(await client.post("/graphql", json={"query": "{ syntax"}), 401, "UNAUTHENTICATED")
    refused(await client.post("/graphql", content=b"{", headers={"content-type": JSON}), 400, "BAD_REQUEST")


async def test_no_token_in_the_local_environment(local: httpx.AsyncClient, refused: Check) -> None:
    response = await local.post("/graphql", json={"query": "{ whoami }"})
    error = refused(response, 200, "UNAUTHENTICATED", data=True)
    assert error["path"] == ["whoami"]
    assert error["message"] == "A valid access token is required."
    assert (await local.post("/graphql", json={"query": "{ __typename matrix }"})).json()["data"]["matrix"]


async def test_a_token_is_vouched_for_and_who_has_none_is_nobody_to_vouch_for(refused: Check) -> None:
    async def vouch(_: Principal) -> None:
        raise Unauthenticated

    options = GraphQLOptions(anonymous_may_introspect=True)
    async with client_of(make_endpoint(options, vouch=vouch)) as client:
        refused(await client.post("/graphql", json={"query": "{ matrix }"}), 401, "UNAUTHENTICATED")
        del client.headers["authorization"]
        assert (await client.post("/graphql", json={"query": "{ __typename }"})).status_code == 200


class TooMany(RateLimited):
    """Slow down."""

    retry_after_seconds = 1.2


async def test_rates_are_judged_after_the_token_and_before_parsing(refused: Check) -> None:
    def admit(scope: Any, principal: Principal | None) -> None:
        if principal == called("eager"):
            raise TooMany
        if principal == called("greedy"):
            raise RateLimited

    async with client_of(make_endpoint(admit=admit)) as client:
        body = {"query": "{ syntax"}
        eager = await client.post("/graphql", json=body, headers={"authorization": "Bearer eager"})
        assert refused(eager, 429, "RATE_LIMITED")["extensions"]["retryable"] is True
        assert eager.headers["retry-after"] == "2"
        greedy = await client.post("/graphql", json=body, headers={"authorization": "Bearer greedy"})
        refused(greedy, 429, "RATE_LIMITED")
        assert "retry-after" not in greedy.headers
        assert (await client.post("/graphql", json={"query": "{ matrix }"})).status_code == 200


async def test_a_bad_token_counts_for_its_address(refused: Check) -> None:
    admit = Counted(2)
    async with client_of(make_endpoint(admit=admit)) as client:
        client.headers["authorization"] = "Bearer bad"
        for status, code in ((401, "UNAUTHENTICATED"), (401, "UNAUTHENTICATED"), (429, "RATE_LIMITED")):
            refused(await client.post("/graphql", json={"query": "{ matrix }"}), status, code)
        refused(await client.post("/graphql", files={"0": b""}), 429, "RATE_LIMITED")
        assert admit.asked == [None] * 4
        client.headers["authorization"] = "Bearer mia"
        refused(await client.post("/graphql", json={"query": "{ matrix }"}), 429, "RATE_LIMITED")
        assert admit.asked == [None] * 4 + ["mia"]  # a good one counts once


async def test_request_ids(client: httpx.AsyncClient) -> None:
    body = {"query": "{ matrix }"}
    made = {(await client.post("/graphql", json=body)).headers["x-request-id"] for _ in range(3)}
    assert len(made) == 3
    given = await client.post("/graphql", json=body, headers={"x-request-id": "edge-1.a_B"})
    assert given.headers["x-request-id"] == "edge-1.a_B"
    longest = await client.post("/graphql", json=body, headers={"x-request-id": "x" * 64})
    assert longest.headers["x-request-id"] == "x" * 64
    for bad in (b"", b"x" * 65, b"a b", b"<script>", b"\xfc"):
        response = await client.post("/graphql", json=body, headers={b"x-request-id": bad})
        assert response.headers["x-request-id"].encode() not in (b"", bad)
