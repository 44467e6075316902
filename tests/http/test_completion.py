"""Which type a value is of: the compiled executor tells it as graphql-core does, also where a class alone does not."""

from __future__ import annotations

from dataclasses import fields
from typing import Any
from uuid import UUID

import pytest

from tests.http.odd import HELD, Colour, Leaves, Mood, schema
from tests.http.test_executor import both, by_graphql_core, compiled, written
from tests.http.toy import Context

PLANTS = '{ plants(of: "%s") { __typename name ... on Tree { tall } ... on Bonsai { tall } } }'
TREES = '{ trees(of: "%s") { __typename name tall } }'
GREENERY = '{ greenery(of: "%s") { __typename ... on Tree { tall } ... on Moss { name } } }'
SHAPES = "{ shapes(corners: %s) { __typename size ... on Square { side: size } } }"

TOLD: dict[str, tuple[str, list[str]]] = {
    "a field that does more than read": ("{ sign { quiet loud } }", ['"loud": "B"', '"quiet": "a"']),
    "one class, two types": (SHAPES % [4, 0, 4], ['"Circle"', '"Square"', '"side": 4']),
    "types of an interface": (PLANTS % "plain", ['"Tree"', '"Bonsai"']),
    "a cast among others": (PLANTS % "cast", ['"tall": false']),
    "a cast to another type": (PLANTS % "recast", ['"Bonsai"']),
    "types of a union": (GREENERY % "garden", ['"Moss"', '"Tree"']),
    "an object type": (TREES % "plain", ['"name": "c"']),
    "a generic type": ("{ boxes(mixed: false) { size content { quiet } } }", ['"size": 2']),
    "a generic type whose content is another": ("{ boxes(mixed: true) { size content { quiet } } }", ['"size": 2']),
    "a generic type of no interface": ("{ bags { content { quiet } } }", []),
    "generic types of a union": (
        "{ anything { __typename ... on SignBag { content { quiet } } ... on LeafBag { content { green } } } }",
        ['"SignBag"', '"LeafBag"', '"Leaf"'],
    ),
    "whatever there is for a type of no interface": ("{ leaves { __typename green } }", ['"green": false']),
}


@pytest.mark.parametrize(("text", "parts"), TOLD.values(), ids=TOLD.keys())
async def test_told_at_once(text: str, parts: list[str]) -> None:
    answer = await both(text, fallbacks=0, of=schema)
    assert [part for part in parts if part not in answer] == []


JUDGED = {
    "a type of another interface": SHAPES % [0, 9],
    "no type at all": SHAPES % [0, 7],
    "a type that is no name": SHAPES % [0, 10],
    "one of a class does not belong": PLANTS % "moss",
    "one of a union does not belong": GREENERY % "moss",
    "it nearly belongs": PLANTS % "almost",
    "who takes time to say so": "{ ferns { name } }",
    "of nobody's class": PLANTS % "nobody",
    "another type of the interface": TREES % "moss",
    "a cast to what is not asked for": TREES % "recast",
}


@pytest.mark.parametrize("text", JUDGED.values(), ids=JUDGED.keys())
async def test_judged_by_graphql_core(text: str) -> None:
    await both(text, fallbacks=1, of=schema)


VALUES: list[Any] = [
    *(None, True, False, 0, 1, 5, 2**31 - 1, 2**31, -(2**31), -(2**31) - 1, 2**53),
    *(0.0, 1.0, 1.5, float("nan"), float("inf"), "", "5", "1.5", "yes", b"x", [], {}, object),
    *(Colour.RED, Colour, Mood.RED, "red", "RED", ValueError("a secret of ours"), UUID(int=1)),
]


@pytest.mark.parametrize("leaf", [field.name for field in fields(Leaves)])
async def test_a_leaf_is_what_graphql_core_makes_of_it(leaf: str) -> None:
    text = f'{{ held(leaf: "{leaf}") {{ {leaf} }} }}'
    operation = compiled(text, of=schema)
    for value in VALUES:
        HELD.append(value)
        expected = written(await by_graphql_core(text, {}, Context(), of=schema))
        assert written(await operation.execute(Context(), {})) == expected, value
