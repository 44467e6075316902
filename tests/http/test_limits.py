"""The document guard: each limit at its edge, linear time on hostile shapes, and through the endpoint."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import httpx
import pytest
from graphql import get_introspection_query, parse

from server.graphql.limits import GraphQLLimits, guard
from services.request_errors import QueryTooComplex
from tests.http.conftest import Check

LIMITS = GraphQLLimits(playing_mutations=frozenset({"play", "spin"}))


def fits(text: str, limits: GraphQLLimits = LIMITS) -> bool:
    try:
        guard(parse(text), limits)
    except QueryTooComplex:
        return False
    return True


def nested(levels: int, leaf: str = "leaf") -> str:
    return "{ a " * levels + "{ " + leaf + " }" + " }" * levels


def test_depth() -> None:
    assert fits(nested(8))
    assert not fits(nested(9))
    assert fits("{ a { ... { ... on B { b { c } } } } }", GraphQLLimits(depth=2))
    assert not fits("{ a { ...f } } fragment f on B { b { c { d } } }", GraphQLLimits(depth=2))


def test_the_contracts_deepest_useful_documents_pass() -> None:
    assert fits("{ players { edges { node { plays { edges { node { reward { type } } } } } } } }")
    assert fits("{ players { edges { node { plays { edges { node { seasonPass { rewards { level } } } } } } } } }")
    assert fits("{ me { plays { edges { node { seasonPass { rewards { reward { type } } } } } } } }")


def test_fields() -> None:
    assert fits("{ " + "a " * 200 + "}")
    assert not fits("{ " + "a " * 201 + "}")
    five = "fragment f on A { a a a a a }"
    assert fits("{ " + "...f " * 40 + "} " + five)
    assert not fits("{ " + "...f " * 40 + "b } " + five)


def test_aliases() -> None:
    names = [f"a{n}: b" for n in range(16)]
    assert fits("{ " + " ".join(names[:15]) + " }")
    assert not fits("{ " + " ".join(names) + " }")
    assert not fits("{ x { ...f } y { ...f } } fragment f on A { " + " ".join(names[:8]) + " }")


def test_directives() -> None:
    assert fits("query @a @a @a { b @a ... @a { c @a } ...f @a } fragment f on A { d @a }")
    assert not fits("query @a @a @a { b @a ... @a { c @a } ...f @a } fragment f on A { d @a e @a }")
    assert not fits("{ b " + "@a " * 9 + "}")


def test_one_include_and_one_skip_of_a_selection_count_nothing() -> None:
    both = "@include(if: $a) @skip(if: $b)"
    assert fits("{ " + f"a {both} " * 50 + "}")
    assert fits("{ __schema { " + f"a {both} " * 50 + "} }")
    assert fits("{ a " + "@include(if: $a) " * 8 + "}")
    assert not fits("{ a " + "@include(if: $a) " * 9 + "}")
    assert not fits("{ __schema { a " + "@skip(if: $a) " * 9 + "} }")
    assert fits(f"{{ a {both} " + "@c " * 8 + "}")
    assert not fits(f"{{ a {both} " + "@c " * 9 + "}")
    assert fits(f"{{ ...f {both} ... {both} {{ a }} }} fragment f on A {{ b {both} }}", GraphQLLimits(directives=0))
    assert not fits("query @include(if: $a) { a }", GraphQLLimits(directives=0))


SIZES: dict[str, dict[str, int]] = {
    "{ a }": {"fields": 1},
    "{ x: a @c { b } }": {"depth": 1, "fields": 2, "aliases": 1, "directives": 1},
    "query @c { a { b { c } } ... @c @d { d e { f } } }": {"depth": 2, "fields": 6, "directives": 3},
    "{ a { ...f } g: h { i { ...f } } } fragment f on A { x: y @c { z } }": {
        "depth": 3, "fields": 7, "aliases": 3, "directives": 2
    },
    "mutation { play { a } spin ...f } fragment f on M { x: play }": {
        "depth": 1, "fields": 4, "aliases": 1, "plays": 3
    },
    "{ __schema }": {"introspection_fields": 1},
    "{ x: __type @c { y: a @d { z: b } } }": {
        "aliases": 3, "directives": 2, "introspection_depth": 2, "introspection_fields": 3
    },
    "{ __schema { a { b } } a { b } __type { a { b { c } } } ...f } fragment f on A { __schema { a } }": {
        "depth": 1, "fields": 2, "introspection_depth": 3, "introspection_fields": 9
    },
}  # fmt: skip
NAMES = {
    "depth": "levels of fields",
    "introspection_depth": "levels of introspection fields",
    "introspection_fields": "introspection fields",
}


@pytest.mark.parametrize(("text", "size"), SIZES.items())
def test_exact_sizes(text: str, size: dict[str, int]) -> None:
    """A document fits limits that are just so, with nothing of what it does not have; not with one less of any."""
    counted = ("depth", "fields", "aliases", "directives", "introspection_depth", "introspection_fields", "plays")
    just: dict[str, Any] = dict.fromkeys(counted, 0) | size
    guard(parse(text), replace(LIMITS, **just))
    for name, most in size.items():
        words = f"The operation has more than {most - 1} {NAMES.get(name, name)}."
        with pytest.raises(QueryTooComplex, match=f"^{re.escape(words)}$"):
            guard(parse(text), replace(LIMITS, **just | {name: most - 1}))


def test_one_play_per_request() -> None:
    assert fits("mutation { play }")
    assert fits("mutation { play stamp claim }")
    assert not fits("mutation { play spin }")
    assert not fits("mutation { a: play b: play }")
    assert not fits("mutation { play ...f } fragment f on Mutation { ... { spin } }")
    assert fits("mutation A { play } mutation B { spin }")
    assert fits("query { play spin }")
    assert fits("mutation { stamp { play { x } } play { spin } }")


def test_introspection_has_a_budget_of_its_own() -> None:
    full = get_introspection_query(
        specified_by_url=True, directive_is_repeatable=True, schema_description=True,
        input_value_deprecation=True, one_of=True,
    )  # fmt: skip
    assert fits(full)
    assert fits("{ __schema " + nested(14) + " }")
    assert not fits("{ __schema " + nested(16) + " }")
    assert fits("{ __type { " + "a " * 499 + "} " + "a " * 200 + "}")
    assert not fits("{ __type { " + "a " * 500 + "} }")
    assert not fits("{ __schema { a } " + "a " * 201 + "}")
    assert not fits("{ __schema { " + " ".join(f"a{n}: b" for n in range(16)) + " } }")


@pytest.mark.parametrize(
    "text",
    [
        "{ ...a }",
        "{ ...a } fragment a on A { ...a x }",
        "{ ...a } fragment a on A { ...b x } fragment b on A { y { ...a } }",
    ],
)
def test_cycles_and_unknown_fragments_are_left_to_validation(text: str) -> None:
    assert fits(text)


def test_doubled_fragments_take_linear_time() -> None:
    doubled = "{ ...f0 } " + " ".join(f"fragment f{n} on A {{ ...f{n + 1} ...f{n + 1} }}" for n in range(2000))
    document = parse(doubled + " fragment f2000 on A { a }")
    with pytest.raises(QueryTooComplex):  # anything but a linear pass never gets here; benchmarks/guard.py measures it
        guard(document, LIMITS)


def test_nesting_beyond_the_stack_is_too_complex() -> None:
    chain = " ".join(f"fragment f{n} on A {{ x {{ ...f{n + 1} }} }}" for n in range(2000))
    assert not fits("{ ...f0 } " + chain + " fragment f2000 on A { a }", GraphQLLimits(depth=10**6))


# Through the endpoint

HOSTILE = {
    "doubled fragments": "{ ...f0 } "
    + " ".join(f"fragment f{n} on Query {{ ...f{n + 1} ...f{n + 1} }}" for n in range(30))
    + " fragment f30 on Query { matrix }",
    "a doubled cycle": "{ ...f0 } "
    + " ".join(f"fragment f{n} on Query {{ ...f{(n + 1) % 30} ...f{(n + 1) % 30} }}" for n in range(30)),
    "one name many times": "{ " + "animal { name } " * 99 + "}",
    "one name with different arguments": "{ " + " ".join(f'a: echo(text: "{n}")' for n in range(15)) + " }",
    "nested conflicts": "{ " + " ".join(f"a: animal {{ b: friend {{ c{n}: name }} }}" for n in range(7)) + " }",
    "many tokens": "{ " + "matrix " * 9_000 + "}",
    "many comments": "{ matrix }" + "#\n" * 20_000,
    "many commas": "{ matrix }" + "," * 60_000,
    "many spreads of nothing": "{ " + "...x " * 240 + "}",
    "many variables": "query (" + " ".join(f"$v{n}: Int" for n in range(120)) + ") { matrix }",
    "many operations": " ".join(f"query q{n} {{ matrix }}" for n in range(90)),
    "many directives": "{ matrix " + "@a " * 200 + "}",
    "a deep literal": "{ echo(wish: " + "{friend: " * 90 + "{name: 1}" + "}" * 90 + ") }",
    "a deep list": "{ echo(names: " + "[" * 150 + "]" * 150 + ") }",
    "an enormous number": "{ echo(number: " + "9" * 60_000 + ") }",
    "an enormous string": '{ echo(text: "' + "x" * 60_000 + '") matri }',
    "an enormous name": "{ " + "x" * 60_000 + " }",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
async def test_hostile_documents_are_answered(client: httpx.AsyncClient, text: str) -> None:
    for body in ({"query": text}, {"query": text, "operationName": "q0"}):
        response = await client.post("/graphql", json=body)
        assert response.status_code in (200, 400)
        assert response.headers["content-type"].startswith("application/json")
        for error in response.json().get("errors", []):
            assert error["extensions"]["code"] in ("BAD_REQUEST", "QUERY_TOO_COMPLEX")
            assert len(error["message"]) <= 200


@pytest.mark.parametrize(
    "text",
    [
        nested(9),
        "{ " + "matrix " * 201 + "}",
        "{ " + "matrix " * 600 + "}",
        "{ " + " ".join(f"a{n}: matrix" for n in range(16)) + " }",
        "{ matrix " + "@skip(if: false) " * 9 + "}",
        'mutation { a: play(key: "1") { id } b: playStrictly(key: "2") { id } }',
    ],
)
async def test_refusals(client: httpx.AsyncClient, refused: Check, text: str) -> None:
    for accept, status in (("application/json", 200), ("application/graphql-response+json", 400)):
        response = await client.post("/graphql", json={"query": text}, headers={"accept": accept})
        assert refused(response, status, "QUERY_TOO_COMPLEX")["extensions"]["retryable"] is False
