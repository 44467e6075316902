"""An endpoint over the toy schema, and a client that speaks to it without a network."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from starlette.types import Scope

from schema.context import Principal
from server.graphql.limits import GraphQLLimits
from server.graphql.service import GraphQLOptions, GraphQLService
from server.http.endpoint import GraphQLEndpoint
from server.http.places import Places
from server.wire import Headers, header
from services.request_errors import RateLimited, Unauthenticated
from tests.http.toy import Context, called, name_of, schema

TOKEN = {"authorization": "Bearer mia"}
LIMITS = GraphQLLimits(playing_mutations=frozenset({"play", "playStrictly"}))


def authenticate(headers: Headers) -> Principal | None:
    token = header(headers, b"authorization")
    if token is None:
        return None
    if not token.startswith(b"Bearer ") or token == b"Bearer bad":
        raise Unauthenticated
    return called(token[7:].decode())


def make_endpoint(
    options: GraphQLOptions | None = None, *, places: Places | None = None, **arguments: Any
) -> GraphQLEndpoint:
    given: dict[str, Any] = {"authenticate": authenticate, "make_context": Context, "limits": LIMITS}
    return GraphQLEndpoint(GraphQLService(schema, options=options, **given | arguments), places)


class Counted:
    """Admits a number of requests, and counts for whom it was asked."""

    def __init__(self, admitted: int) -> None:
        self.admitted = admitted
        self.asked: list[str | None] = []

    def __call__(self, scope: Scope, principal: Principal | None) -> None:
        self.asked.append(None if principal is None else name_of(principal))
        if len(self.asked) > self.admitted:
            raise RateLimited


@asynccontextmanager
async def client_of(endpoint: GraphQLEndpoint) -> AsyncIterator[httpx.AsyncClient]:
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
