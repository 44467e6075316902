"""After every test here, an audit of the whole database finds nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.audits.audited import findings_of


@pytest.fixture
async def empty_database(empty_database: str, request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """The database without a row. Whatever the test did, everything in it must follow from what happened.

    A test that breaks something itself names the checks that find that: `@pytest.mark.forges("plays.limits")`.
    """
    yield empty_database
    forged = [name for mark in request.node.iter_markers("forges") for name in mark.args]
    assert await findings_of(empty_database, forged=forged) == []
