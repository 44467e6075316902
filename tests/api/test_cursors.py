"""Crafted cursors of every list are the client's fault, and the same one; tests/unit/test_cursors.py has many more."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from typing import Any

import pytest

from models import FeatureType, Role
from tests.world import World

LISTS = {
    "players": "query ($after: String) { players(after: $after) { nodes { id } } }",
    "players by name": 'query ($after: String) { players(search: "a", after: $after) { nodes { id } } }',
    "userEvents": "query ($after: String) { userEvents(after: $after) { nodes { id } } }",
    "auditLog": "query ($after: String) { auditLog(after: $after) { nodes { id } } }",
    "plays": "query ($after: String) { me { plays(after: $after) { nodes { id } } } }",
    "rewards": "query ($after: String) { me { rewards(after: $after) { nodes { id } } } }",
    "events": "query ($after: String) { me { events(after: $after) { nodes { id } } } }",
    "entries": "query ($after: String) { rankingSnapshot { ... on RankingSnapshot "
    "{ entries(after: $after) { nodes { rank } } } } }",
}
INSTANT = "2026-03-02T03:00:00+00:00"
KEYS: list[Any] = [
    [],
    ["a\0"],
    ["\ud800"],
    [5],
    [None],
    [2**70],
    [float("nan")],
    [INSTANT, 5],
    [INSTANT, None],
    [INSTANT, "5", "5"],
    [INSTANT, "9" * 30],
    ["0001-01-01T00:00:00+14:00", "5"],
    ["9999-12-31T23:59:59-12:00", "5"],
    {"a": 1},
    5,
]


@pytest.mark.parametrize("document", LISTS.values(), ids=LISTS.keys())
async def test_a_crafted_cursor_is_refused(world: World, document: str) -> None:
    staff = await world.player("auditor", Role.AUDITOR)
    await world.today(FeatureType.RANKING)
    assert "errors" not in await staff.execute(document)
    for key in KEYS:
        cursor = urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")
        (error,) = (await staff.execute(document, after=cursor))["errors"]
        assert error["message"] == "after is not a cursor of this list.", key
        assert error["extensions"]["code"] == "BAD_REQUEST"
