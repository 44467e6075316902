"""What clients of any kind meet: `haru serve` with a database of its own."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import make_url

from tests.conftest import drop_database, run_sql
from tests.serving import Served, serving


@pytest.fixture(scope="session")
async def served(server_url: str) -> AsyncIterator[Served]:
    """A server in the local environment, which all these tests share."""
    name = f"haru_clients_{os.getpid()}"
    url = make_url(server_url).set(database=name, drivername="postgresql").render_as_string(hide_password=False)
    await run_sql(server_url, f"DROP DATABASE IF EXISTS {name}", f"CREATE DATABASE {name}")
    async with serving(url) as running:
        yield running
    await drop_database(server_url, name)
