"""The story, told once for all tests of a module."""

from __future__ import annotations

import asyncpg
import pytest

from services.database import connect_arguments
from tests.audits.story import Story, tell
from tests.roles import EMPTY


@pytest.fixture(scope="module")
async def story(database_url: str) -> Story:
    """Three days in which everything happened."""
    connection = await asyncpg.connect(**connect_arguments(database_url))
    await connection.execute(EMPTY)
    await connection.close()
    return await tell(database_url)
