"""The GraphQL-over-HTTP audits of graphql-http, all of them, against a real server."""

from __future__ import annotations

import asyncio
import json

from starlette.applications import Starlette
from starlette.routing import Route

from server.graphql.service import GraphQLOptions
from tests.http.conftest import make_endpoint
from tests.outside import node
from tests.serving import listening

AUDITS = 61


async def test_every_audit_passes() -> None:
    options = GraphQLOptions(introspection=True, anonymous_may_introspect=True)
    app = Starlette(routes=[Route("/graphql", make_endpoint(options))])
    async with listening(app) as url:
        output = await asyncio.to_thread(node, "audit.mjs", f"{url}/graphql")
    audits = [json.loads(line) for line in output.splitlines()]
    assert [audit for audit in audits if audit["status"] != "ok"] == []
    assert len(audits) == AUDITS
