"""An endpoint over the toy schema, and a client that speaks to it without a network."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from starlette.types import Scope

from server.graphql import GraphQLEndpoint
from server.http import Headers, header
from server.limits import GraphQLLimits
from server.service import GraphQLOptions, GraphQLService
from server.subscriptions import Subscriptions
from services.errors import RateLimited, Unauthenticated
from tests.http.toy import Context, schema

TOKEN = {"authorization": "Bearer mia"}
LIMITS = GraphQLLimits(playing_mutations=frozenset({"play", "playStrictly"}))


def authenticate(headers: Headers) -> str | None:
    token = header(headers, b"authorization")
    if token is None:
        return None
    if not token.startswith(b"Bearer ") or token == b"Bearer bad":
        raise Unauthenticated
    return token[7:].decode()


def make_endpoint(
    options: GraphQLOptions | None = None, *, subscriptions: Subscriptions[str] | None = None, **arguments: Any
) -> GraphQLEndpoint[str]:
    given: dict[str, Any] = {"authenticate": authenticate, "make_context": Context, "limits": LIMITS}
    return GraphQLEndpoint(GraphQLService(schema, options=options, **given | arguments), subscriptions)


class Counted:
    """Admits a number of requests, and counts for whom it was asked."""

    def __init__(self, admitted: int) -> None:
        self.admitted = admitted
        self.asked: list[str | None] = []

    def __call__(self, scope: Scope, principal: str | None) -> None:
        self.asked.append(principal)
        if len(self.asked) > self.admitted:
            raise RateLimited


@asynccontextmanager
async def client_of(endpoint: GraphQLEndpoint[str]) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(endpoint, raise_app_exceptions=True)
    async with httpx.AsyncClient(transport=transport, base_url="http://haru", headers=TOKEN) as client:
        yield client


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """A client with a token, of an endpoint outside the local environment."""
    async with client_of(make_endpoint()) as made:
        yield made


@pytest.fixture
async def local() -> AsyncIterator[httpx.AsyncClient]:
    """A client without a token, of an endpoint in the local environment."""
    options = GraphQLOptions(introspection=True, anonymous_may_introspect=True)
    async with client_of(make_endpoint(options)) as made:
        del made.headers["authorization"]
        yield made


Check = Callable[..., dict[str, Any]]


@pytest.fixture
def refused() -> Check:
    """Checks a refusal: status, JSON, one error with its code, a request id; answers the error."""

    def check(response: httpx.Response, status: int, code: str, *, data: bool = False) -> dict[str, Any]:
        assert (response.status_code, response.headers["x-request-id"] != "") == (status, True), response.text
        assert response.headers["content-type"].split(";")[0] in (
            "application/json",
            "application/graphql-response+json",
        )
        body = response.json()
        assert ("data" in body) is data
        assert body["errors"][0]["extensions"]["code"] == code
        assert len(body["errors"][0]["message"]) <= 200
        return dict(body["errors"][0])

    return check
