"""Tools that fetch the schema: what they send is answered, whole."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import httpx
import pytest
from graphql import build_client_schema, get_introspection_query, lexicographic_sort_schema

from resolvers.schema import schema
from server.app import create_app
from server.settings import read_settings
from tests.world import World

CASES = Path(__file__).parents[1] / "cases"
OPTIONS = (
    "descriptions",
    "specified_by_url",
    "directive_is_repeatable",
    "schema_description",
    "input_value_deprecation",
)


async def fetched(query: str, **variables: Any) -> Any:
    """The data that a server in the local environment answers; its database is never asked."""
    app = create_app(read_settings(DATABASE_URL="postgresql://haru@127.0.0.1:1/haru"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://haru.test") as client:
        answer = (await client.post("/graphql", json={"query": query, "variables": variables})).json()
    assert "errors" not in answer, answer["errors"]
    return answer["data"]


def names(introspected: Any) -> list[str]:
    return list(lexicographic_sort_schema(build_client_schema(introspected)).type_map)


NAMES = sorted(schema._schema.type_map)


@pytest.mark.parametrize("chosen", list(product([True, False], repeat=len(OPTIONS))))
async def test_graphql_core_s_query_with_every_choice_of_options(chosen: tuple[bool, ...]) -> None:
    query = get_introspection_query(**dict(zip(OPTIONS, chosen, strict=True)))
    assert names(await fetched(query)) == NAMES


@pytest.mark.parametrize("descriptions", [True, False])
@pytest.mark.parametrize("deprecated", [True, False])
async def test_a_query_whose_parts_are_included_by_variables(*, descriptions: bool, deprecated: bool) -> None:
    """As sgqlc writes its own: eleven `@include`, and more as they are executed."""
    query = (CASES / "introspection-with-includes.graphql").read_text()
    found = await fetched(query, descriptions=descriptions, deprecated=deprecated)
    assert [one["name"] for one in sorted(found["__schema"]["types"], key=lambda one: str(one["name"]))] == NAMES
    (player,) = (one for one in found["__schema"]["types"] if one["name"] == "Player")
    assert ("description" in player, "isDeprecated" in player["fields"][0]) == (descriptions, deprecated)


@pytest.mark.parametrize("wide", [True, False])
async def test_nine_includes_are_answered(world: World, *, wide: bool) -> None:
    player = await world.player("demo-player")
    data = await player.data((CASES / "nine-includes.graphql").read_text(), wide=wide)
    assert data["todayFeature"]["__typename"] == "TodayFeature"
    assert ("externalId" in data["me"], "title" in data["todayFeature"]) == (wide, wide)
