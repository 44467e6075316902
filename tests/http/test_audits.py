"""The GraphQL-over-HTTP audits of graphql-http, all of them, against a real server."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route

from server.graphql import GraphQLOptions
from tests.http.conftest import make_endpoint

CLIENTS = Path(__file__).parent.parent / "clients"
AUDITS = 61


@asynccontextmanager
async def served(endpoint: Any) -> AsyncIterator[str]:
    """Serve on a free loopback port, as in production: mounted as a route."""
    app = Starlette(routes=[Route("/graphql", endpoint)])
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
        task = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/graphql"
        finally:
            server.should_exit = True
            await task


def node() -> str:
    """Node with the clients installed; without it a developer's test is skipped, but never CI's."""
    found = shutil.which("node")
    if found and (CLIENTS / "node_modules" / "graphql-http").is_dir():
        return found
    reason = "Node and `npm ci` in tests/clients are needed."
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


async def test_every_audit_passes() -> None:
    executable = node()
    options = GraphQLOptions(introspection=True, anonymous_may_introspect=True)
    async with served(make_endpoint(options)) as url:
        process = await asyncio.create_subprocess_exec(
            executable, "audit.mjs", url, cwd=CLIENTS, stdout=asyncio.subprocess.PIPE
        )
        output, _ = await asyncio.wait_for(process.communicate(), 60)
    audits = [json.loads(line) for line in output.splitlines()]
    assert [audit for audit in audits if audit["status"] != "ok"] == []
    assert len(audits) == AUDITS
