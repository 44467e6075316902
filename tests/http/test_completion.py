"""Which type a value is of: the compiled executor tells it as graphql-core does, also where a class alone does not."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields
from typing import Any
from uuid import UUID

import pytest
from graphql.pyutils import Undefined
from strawberry import Schema

from server.graphql import closures, executor
from server.graphql.completion import Completion, attribute_of
from tests.http.odd import HELD, Colour, Later, Leaves, Mood, schema
from tests.http.test_executor import COMPILED, ECHO, both, by_graphql_core, compiled, written
from tests.http.toy import Context
from tests.http.toy import schema as toy

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
    "what takes time to say which it is": "{ slow { __typename name } }",
    "of nobody's class": PLANTS % "nobody",
    "another type of the interface": TREES % "moss",
    "a cast to what is not asked for": TREES % "recast",
}


@pytest.mark.parametrize("text", JUDGED.values(), ids=JUDGED.keys())
async def test_judged_by_graphql_core(text: str) -> None:
    await both(text, fallbacks=1, of=schema)


class Asked(Counter[str]):
    """How often an execution asks for what may be decided or learnt before it."""

    def __init__(self, patched: pytest.MonkeyPatch) -> None:
        super().__init__()
        for owner, name in (
            (Completion, "_runtime_type"),
            (closures, "refuse_unusual"),
            (closures, "get_argument_values"),
            (executor, "get_variable_values"),
        ):
            patched.setattr(owner, name, self.counting(name.strip("_"), getattr(owner, name)))

    def counting(self, name: str, call: Any) -> Any:
        def counted(*args: Any, **options: Any) -> Any:
            self[name] += 1
            return call(*args, **options)

        return counted

    async def again(self, text: str, of: Schema, variables: dict[str, Any]) -> dict[str, int]:
        """What the second execution asks."""
        operation = compiled(text, of=of)
        await operation.execute(Context(), variables)
        self.clear()
        assert (await operation.execute(Context(), variables)).errors is None
        return dict(self)


async def test_what_the_document_or_a_class_decides_is_not_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Asked(monkeypatch)
    documents = dict.fromkeys(COMPILED.items(), toy)
    documents |= {(name, text): schema for name, (text, _) in TOLD.items()}
    again = {name: await asked.again(text, of, {}) for (name, text), of in documents.items()}
    assert {name: counts for name, counts in again.items() if counts} == {
        "typename": {"runtime_type": 2},  # stones: a value tells whether it is one
        "fragments on an interface": {"refuse_unusual": 1},  # an instant is no leaf of GraphQL's own
        "fragments on a union": {"runtime_type": 2},
        "an interface condition in a union": {"runtime_type": 2},
        "an error that is data": {"refuse_unusual": 1},
        "a cast": {"runtime_type": 1},
        "one class, two types": {"runtime_type": 3},
        "a cast among others": {"runtime_type": 1},
        "a cast to another type": {"runtime_type": 1},
        "types of a union": {"runtime_type": 1},
        "a generic type": {"runtime_type": 2},
        "a generic type whose content is another": {"runtime_type": 2},
        "generic types of a union": {"runtime_type": 3},
    }


@pytest.mark.parametrize(
    ("variables", "counts"),
    [
        ({"text": "t", "number": 2, "names": "one", "wish": None}, {}),
        ({"text": "t", "number": 2, "names": "one"}, {"get_variable_values": 1, "get_argument_values": 1}),
        ({"text": None, "number": 2, "names": [], "wish": {"name": "n"}}, {}),
    ],
)
async def test_variables_that_are_all_given_are_looked_up(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, Any], counts: dict[str, int]
) -> None:
    """But for those within a literal, which make it another at each request."""
    asked = await Asked(monkeypatch).again(ECHO, toy, variables)
    assert asked == Counter(counts) + Counter({"get_argument_values": 1})


VALUES: list[Any] = [
    *(None, True, False, 0, 1, 5, 2**31 - 1, 2**31, -(2**31), -(2**31) - 1, 2**53),
    *(0.0, 1.0, 1.5, float("nan"), float("inf"), "", "5", "1.5", "yes", b"x", [], {}, object),
    *(Colour.RED, Colour, Mood.RED, "red", "RED", ValueError("a secret of ours"), UUID(int=1), Undefined, Later()),
]


@pytest.mark.parametrize("leaf", [field.name for field in fields(Leaves)])
async def test_a_leaf_is_what_graphql_core_makes_of_it(leaf: str) -> None:
    text = f'{{ held(leaf: "{leaf}") {{ {leaf} }} }}'
    operation = compiled(text, of=schema)
    for value in VALUES:
        HELD.append(value)
        expected = written(await by_graphql_core(text, {}, Context(), of=schema))
        assert written(await operation.execute(Context(), {})) == expected, value


async def test_an_object_is_what_graphql_core_makes_of_it() -> None:
    """Also where nothing is read of it."""
    text = "{ held_leaf { __typename } }"
    operation = compiled(text, of=schema)
    for value in VALUES:
        HELD.append(value)
        expected = written(await by_graphql_core(text, {}, Context(), of=schema))
        assert written(await operation.execute(Context(), {})) == expected, value


def test_what_is_merely_read_is_no_call() -> None:
    fields = schema._schema.type_map["Sign"].fields  # type: ignore[attr-defined]
    assert {name: attribute_of(field) for name, field in fields.items()} == {"quiet": "quiet", "loud": None}
