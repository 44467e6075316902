"""Browsers: what pages of other origins may send and read, and what no other page may."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from server.app import create_app
from server.settings import read_settings
from tests.http.conftest import Check, client_of, make_endpoint
from tests.http.test_bodies import raw
from tests.live import PROTOCOL, Socket
from tests.unit.test_settings import FOR_REAL, no_environment

__all__ = ["no_environment"]

LOCAL = {"DATABASE_URL": "postgresql://haru@127.0.0.1:1/haru"}
PAGE = "https://shop.example"


@asynccontextmanager
async def browser(**settings: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an application that is never asked for anything in its database."""
    transport = httpx.ASGITransport(create_app(read_settings(**settings)))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
        yield client


async def preflight(client: httpx.AsyncClient, *headers: str, origin: str = PAGE, path: str = "/graphql") -> bool:
    """Whether a browser would send a POST with these headers."""
    asked = {"origin": origin, "access-control-request-method": "POST"}
    if headers:
        asked["access-control-request-headers"] = ",".join(headers)  # browsers write no spaces
    answer = await client.options(path, headers=asked)
    allowed = answer.headers.get("access-control-allow-headers", "").lower().split(", ")
    return (
        answer.status_code == 200
        and answer.headers["access-control-max-age"] == "600"
        and answer.headers.get("access-control-allow-origin") in {"*", origin}
        and all(name in allowed for name in headers)
    )


@pytest.mark.parametrize("environment", [LOCAL, FOR_REAL | {"HARU_CORS_ORIGINS": PAGE}])
@pytest.mark.parametrize(
    "headers",
    [
        ["authorization", "content-type"],
        ["authorization", "content-type", "x-request-id"],
        ["apollographql-client-name", "apollographql-client-version", "authorization", "content-type"],
        ["apollo-require-preflight", "x-apollo-operation-name", "x-apollo-operation-id", "x-apollo-operation-type"],
        ["graphql-client-name", "graphql-client-version", "graphql-require-preflight"],
        ["x-graphql-client-name", "x-graphql-client-version"],
        ["baggage", "content-type", "sentry-trace"],
        ["baggage", "traceparent", "tracestate"],
        ["b3", "uber-trace-id", "x-amzn-trace-id"],
        ["x-b3-flags", "x-b3-parentspanid", "x-b3-sampled", "x-b3-spanid", "x-b3-traceid"],
        ["x-datadog-origin", "x-datadog-parent-id", "x-datadog-sampling-priority", "x-datadog-trace-id"],
        ["elastic-apm-traceparent", "newrelic", "x-correlation-id"],
        ["cache-control", "pragma", "x-requested-with", "last-event-id"],
        ["accept", "accept-language", "content-encoding", "if-modified-since", "if-none-match", "user-agent"],
    ],
)
async def test_a_preflight_with_what_clients_send_passes(environment: dict[str, str], headers: list[str]) -> None:
    async with browser(**environment) as client:
        assert await preflight(client, *headers)
        assert not await preflight(client, *headers, "x-of-nobody")


async def test_headers_are_added_by_the_settings() -> None:
    async with browser(**FOR_REAL, HARU_CORS_ORIGINS=PAGE, HARU_CORS_HEADERS="X-Shop-Version, x-shop-build") as client:
        assert await preflight(client, "authorization", "x-shop-version", "x-shop-build")
        assert not await preflight(client, "x-shop-other")


async def test_an_origin_is_compared_as_browsers_send_it() -> None:
    async with browser(**FOR_REAL, HARU_CORS_ORIGINS="HTTPS://Shop.Example:443/, http://localhost:5173") as client:
        assert await preflight(client, "authorization")
        assert await preflight(client, "authorization", origin="http://localhost:5173")
        for other in ("http://shop.example", "https://shop.example:8443", "https://shop.example.org", "null"):
            assert not await preflight(client, "authorization", origin=other)


async def test_without_origins_no_page_may_call() -> None:
    async with browser(**FOR_REAL) as client:
        assert not await preflight(client)
        answer = await client.post("/graphql", headers={"origin": PAGE}, json={"query": "{ me { id } }"})
    assert (answer.status_code, "access-control-allow-origin" in answer.headers) == (401, False)


@pytest.mark.parametrize("path", ["/graphql", "/graphql/"])
async def test_a_page_reads_refusals_and_their_headers(path: str) -> None:
    async with browser(**FOR_REAL, HARU_CORS_ORIGINS=PAGE) as client:
        assert await preflight(client, "authorization", path=path)
        answer = await client.post(path, headers={"origin": PAGE}, json={"query": "{ me { id } }"})
    assert answer.status_code == 401
    assert answer.headers["access-control-allow-origin"] == PAGE
    assert answer.headers["vary"] == "Origin"
    assert answer.headers["access-control-expose-headers"] == "X-Request-ID, Retry-After"


@pytest.mark.parametrize(
    ("settings", "introspection"),
    [(LOCAL, (True, True)), (FOR_REAL, (False, False)), (FOR_REAL | {"HARU_INTROSPECTION": "1"}, (True, False))],
)
def test_who_may_look_at_the_schema(settings: dict[str, Any], introspection: tuple[bool, bool]) -> None:
    routes: list[Any] = create_app(read_settings(**settings)).routes
    options = next(route for route in routes if route.path == "/graphql").endpoint.options
    assert (options.introspection, options.anonymous_may_introspect) == introspection


# What hands out tokens

CONFIG = "/graphiql/config.json"


async def test_a_page_of_this_server_reads_the_demo_tokens() -> None:
    async with browser(**LOCAL) as client:
        answer = await client.get(CONFIG, headers={"sec-fetch-site": "same-origin"})
    assert [one["role"] for one in answer.json()["demoTokens"]] == ["PLAYER", "OPERATOR", "ADMIN"]


@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
async def test_a_page_of_another_origin_does_not(method: str) -> None:
    async with browser(**LOCAL) as client:
        headers = {"origin": PAGE, "access-control-request-method": "GET"}
        answer = await client.request(method, CONFIG, headers=headers)
    assert not {name for name in answer.headers if name.startswith("access-control-")}
    assert answer.headers.get("cross-origin-resource-policy") == ("same-origin" if method == "GET" else None)


@pytest.mark.parametrize(("site", "status"), [("cross-site", 403), ("same-site", 403), ("none", 200)])
async def test_what_a_browser_says_of_the_page_is_heard(site: str, status: int) -> None:
    async with browser(**LOCAL) as client:
        answer = await client.get(CONFIG, headers={"sec-fetch-site": site})
    assert (answer.status_code, "demoTokens" in answer.text) == (status, status == 200)


@pytest.mark.parametrize(
    ("hosts", "status"),
    [
        (["localhost:8000"], 200),
        (["127.0.0.1"], 200),
        (["[::1]:8000"], 200),
        (["dev.example:8000"], 200),
        (["box.lan"], 200),
        (["rebound.example:8000"], 403),
        (["localhost", "rebound.example"], 403),
        ([""], 403),
        ([], 403),
    ],
)
async def test_the_tokens_are_given_to_a_name_of_the_server_s_own(hosts: list[str], status: int) -> None:
    """A page of a name that its owner has lead to 127.0.0.1 is of the same origin: its name tells it apart."""
    app = create_app(read_settings(**LOCAL, HOST="Box.lan", HARU_HOSTS="Dev.Example"))
    answers: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        answers.append(message)

    async def receive() -> Any:
        return {"type": "http.request"}

    headers = [(b"host", host.encode()) for host in hosts]
    scope = {"type": "http", "method": "GET", "path": CONFIG, "query_string": b"", "headers": headers}
    await app(scope, receive, send)
    assert answers[0]["status"] == status
    assert (b"demoTokens" in answers[1]["body"]) is (status == 200)


async def test_a_configuration_without_tokens_is_for_every_name() -> None:
    async with browser(**FOR_REAL, HARU_GRAPHIQL="1") as client:
        answer = await client.get(CONFIG, headers={"host": "haru.example"})
    assert (answer.status_code, answer.json()["demoTokens"]) == (200, [])


# Bodies

HELLO = b'{"query": "{ name }"}'


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "br", "deflate", "zstd", "gzip, identity", "x-of-nobody"])
@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=b"])
async def test_a_compressed_body_is_refused(
    client: httpx.AsyncClient, refused: Check, encoding: str, kind: str
) -> None:
    headers = {"content-type": kind, "content-encoding": encoding}
    answer = await client.post("/graphql", content=HELLO, headers=headers)
    assert "compressed" in refused(answer, 415, "BAD_REQUEST")["message"]
    assert answer.headers["accept-encoding"] == "identity"


async def test_a_compressed_body_is_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever closes on a client that still sends takes the answer from it, too."""
    monkeypatch.setattr("server.http.endpoint.DRAIN_SECONDS", 600.0)
    headers = [(b"content-type", b"application/json"), (b"content-encoding", b"gzip")]
    piece = {"type": "http.request", "body": HELLO, "more_body": True}
    messages = [piece, piece | {"more_body": False}]
    assert (await raw(make_endpoint(), headers, messages))[0] == 415
    assert not messages


@pytest.mark.parametrize("encoding", ["identity", " Identity ", ""])
async def test_a_body_that_says_that_it_is_not_compressed_is_read(encoding: str) -> None:
    async with client_of(make_endpoint()) as client:
        headers = {"content-type": "application/json", "content-encoding": encoding}
        answer = await client.post("/graphql", content=HELLO, headers=headers)
    assert answer.status_code == 200


async def test_a_websocket_is_opened_with_a_slash_behind_the_path_as_well() -> None:
    app, accepted = create_app(read_settings(**LOCAL)), []
    for path in ("/graphql", "/graphql/"):
        made = Socket(app)
        made._scope |= {"path": path, "raw_path": path.encode()}
        accepted.append(await made.open())
        await made.leave()
    assert accepted == [{"type": "websocket.accept", "subprotocol": PROTOCOL}] * 2
