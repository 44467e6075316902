"""The size of an answer: counted as an answer of full pages has it, whatever a document hides its pages behind."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from graphql import (
    GraphQLEnumType,
    build_schema,
    execute_sync,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
    parse,
    validate,
)
from hypothesis import given
from hypothesis import strategies as st

from resolvers.schema import schema, sdl
from server.graphql.answer_size import CONNECTION, PAGE, WHOLE_LIST, AnswerSize, answer_sizes
from server.graphql.documents import Documents
from server.graphql.limits import GraphQLLimits
from services.request_errors import QueryTooComplex
from tests.http.conftest import Check, client_of, make_endpoint

CORE = schema._schema


def size_of(text: str) -> AnswerSize:
    document = parse(text)
    assert validate(CORE, document) == []
    (size,) = answer_sizes(CORE, document).values()
    return size


def fields(text: str, **variables: Any) -> float:
    return size_of(text).fields(variables)


def answered(text: str, **variables: Any) -> int:
    """Execute the document over lists that are as long as they are taken to be; count the fields of the answer.

    A connection is resolved as its length, and its own fields count once for each row; a page counts `PAGE`.
    """
    count = 0

    def resolve(source: Any, info: Any, **arguments: Any) -> Any:
        nonlocal count
        first, paged = arguments.get("first", 0), info.parent_type.name.endswith(CONNECTION)
        count += source if paged else PAGE if first else 1
        named = get_named_type(info.return_type)
        value = next(iter(named.values)) if isinstance(named, GraphQLEnumType) else 0 if is_leaf_type(named) else first
        if not is_list_type(get_nullable_type(info.return_type)):
            return value
        return [value] * (first or (source if paged else WHOLE_LIST))

    result = execute_sync(
        build_schema(sdl()),
        parse(text),
        field_resolver=resolve,
        type_resolver=lambda _value, info, of: info.schema.get_possible_types(of)[0].name,
        variable_values=variables,
    )
    assert result.errors is None
    return count


@pytest.mark.parametrize(
    "text",
    [
        "{ me { id } }",
        "{ me { id balances { type amount } } }",
        "{ players(first: 100) { nodes { id externalId balances { type amount } } } }",
        "{ players { edges { cursor node { id plays(first: 3) { nodes { id reward { type } } } } } } }",
        "{ me { events(first: 9) { nodes { player { events(first: 8) { nodes { player { id } } } } } } } }",
        "{ lotteryConfigs(first: 7) { nodes { name prizes { label odds { weight } } } } "
        "seasons { nodes { levels { level } } } }",
        "{ a: players(first: 2) { nodes { id } } b: players(first: 4) { nodes { id } } }",
        "{ ...q } fragment q on Query { players(first: 6) { ...c } } fragment c on PlayerConnection { nodes { id } }",
        "{ players(first: 6) { ... { ... on PlayerConnection { nodes { ... on Player { ... { id } } } } } } }",
        "query ($n: Int! = 7, $m: Int) { players(first: $n) { nodes { events(first: $m) { nodes { id } } } } }",
        "query ($n: Int!, $m: Int!) { me { ...a ...b } } fragment a on Player { events(first: $n) { nodes { ...c } } } "
        "fragment b on Player { rewards(first: $m) { nodes { id } } } "
        "fragment c on UserEvent { id player { plays(first: $m) { nodes { id } } } }",
        'mutation { issueToken(input: {externalId: "x"}) { __typename } }',
    ],
)
def test_it_is_that_of_an_answer_of_full_pages(text: str) -> None:
    if "mutation" in text:
        assert fields(text) == 2
        return
    for variables in ({"n": 3, "m": 5}, {"n": 100, "m": 1}):
        assert fields(text, **variables) == answered(text, **variables)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("{ me { id } }", 2),
        ("{ players(first: 50) { nodes { id } } }", 4 + 50 * 2),
        ("{ players { nodes { id } } }", 4 + 20 * 2),
        ("{ players(first: 50) { ... on PlayerConnection { nodes { ... on Player { id } } } } }", 4 + 50 * 2),
        ("{ players(first: 50) { ... { nodes { ... { id } } } } }", 4 + 50 * 2),
        (
            "{ ...q } fragment q on Query { players(first: 9) { ...c } } "
            "fragment c on PlayerConnection { nodes { id } }",
            22,
        ),
        ("{ ... on Query { ... @include(if: true) { players(first: 50) { nodes { id } } } } }", 4 + 50 * 2),
        ("{ me { balances { amount } } }", 1 + 1 + 5 * 1),
        ("{ me { ... on Player { balances { type amount } } } }", 1 + 1 + 5 * 2),
        ("{ players(first: 3) { nodes { events(first: 7) { nodes { id } } } } }", 4 + 3 * (1 + 4 + 7 * 2)),
        ("query ($n: Int! = 6) { players(first: $n) { nodes { ... on Player { id externalId } } } }", 4 + 6 * 3),
        ("{ diceStatus { ... on DiceStatus { dailyLimit { max } } ... on Problem { code } } }", 4),
        ('{ nodes(ids: ["a", "b", "c"]) { id __typename } }', 1 + 3 * 2),
        ('{ nodes(ids: "a") { id } }', 1 + 1 * 1),
        ("{ nodes(ids: []) { id } }", 1 + 1 * 1),
        ("{ __typename __schema { types { fields { name } } } }", 2),
    ],
)
def test_exact_sizes(text: str, size: int) -> None:
    assert fields(text) == size


def test_rows_count_though_nothing_is_told_of_them() -> None:
    assert fields("{ players(first: 100) { __typename } }") == PAGE + 100


def test_every_member_and_what_a_directive_leaves_out_count() -> None:
    one = "{ diceStatus { ... on DiceStatus { dailyLimit { max } } } }"
    two = "{ diceStatus { ... on DiceStatus { dailyLimit { max } } ... on Problem { code } } }"
    assert fields(two) == fields(one) + 1
    skipped = "query ($s: Boolean!) { players(first: 100) @skip(if: $s) { nodes { id @include(if: false) } } }"
    assert fields(skipped, s=True) == PAGE + 100 * 2


NESTED = "query (%s) { players(first: $n) { nodes { id } } }"


@pytest.mark.parametrize(
    ("declared", "variables", "rows"),
    [
        ("$n: Int!", {"n": 9}, 9),
        ("$n: Int!", {"n": 9.0}, 9),  # GraphQL takes it for an Int
        ("$n: Int!", {"n": 2**31}, 2**31),
        ("$n: Int!", {"n": 0}, 1),
        ("$n: Int!", {"n": -100}, 1),
        ("$n: Int!", {}, 20),  # refused, as all below: not executed
        ("$n: Int!", {"n": "100"}, 1),
        ("$n: Int!", {"n": [100]}, 1),
        ("$n: Int", {}, 20),
        ("$n: Int", {"n": None}, 20),
        ("$n: Int = 50", {}, 50),
        ("$n: Int = 50", {"n": 7}, 7),
        ("$n: Int = 50", {"n": None}, 20),
        ("$n: Int = null", {}, 20),
    ],
)
def test_what_a_variable_asks_for(declared: str, variables: dict[str, Any], rows: int) -> None:
    assert fields(NESTED % declared, **variables) == PAGE + rows * 2


THREE = {"ids": ["a", "b", "c"]}


@pytest.mark.parametrize(
    ("declared", "ids", "rows"),
    [
        ("[ID!]!", THREE, 3),
        ("[ID!]!", {"ids": []}, 1),
        ("[ID!]!", {"ids": "a"}, 1),
        ("[ID!]!", {"ids": 7}, 1),
        ("[ID!]!", {"ids": None}, 1),
        ("[ID!]!", {}, 1),
        ('[ID!]! = ["a", "b"]', {}, 2),
        ('[ID!]! = ["a", "b"]', THREE, 3),
        ("[ID!]! = []", {}, 1),
        ("[ID!]! = 7", {}, 1),
    ],
)
def test_how_many_ids_a_variable_has(declared: str, ids: dict[str, Any], rows: int) -> None:
    assert fields(f"query ($ids: {declared}) {{ nodes(ids: $ids) {{ id __typename }} }}", **ids) == 1 + rows * 2


@pytest.mark.parametrize("number", ["7", "9" * 5000])
def test_an_id_that_is_written_as_a_number_is_one(number: str) -> None:
    assert fields(f"{{ nodes(ids: {number}) {{ id }} }}") == 2
    assert fields(f"{{ nodes(ids: [{number}, {number}]) {{ id }} }}") == 3
    assert fields(f"query ($id: ID! = {number}) {{ node(id: $id) {{ id }} }}") == 2


@pytest.mark.parametrize(("literal", "rows"), [("0", 1), ("-5", 1), ("2147483647", 2147483647)])
def test_an_absurd_page_does_not_make_others_cheaper(literal: str, rows: int) -> None:
    assert fields(f"{{ players(first: {literal}) {{ nodes {{ id }} }} }}") == PAGE + rows * 2


def test_operations_have_defaults_of_their_own() -> None:
    text = "query A($n: Int! = 2) { ...f } query B($n: Int! = 5) { ...f } query C { me { id } } "
    sizes = answer_sizes(CORE, parse(text + "fragment f on Query { players(first: $n) { nodes { id } } }"))
    assert {name: size.fields({}) for name, size in sizes.items()} == {"A": PAGE + 4, "B": PAGE + 10, "C": 2}
    assert [size.varies for size in sizes.values()] == [True, True, False]


NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
JSON = NUMBERS | st.none() | st.booleans() | st.just("100") | st.lists(NUMBERS) | st.just({"first": 100})
VARYING = size_of(
    "query ($a: Int!, $b: Int = 3, $c: Int) { players(first: $a) { nodes { "
    "events(first: $b) { nodes { player { rewards(first: $c) { nodes { id } } } } } } } }"
)


@given(st.dictionaries(st.sampled_from("abc"), JSON))
def test_whatever_the_variables_are_it_is_measured(variables: dict[str, Any]) -> None:
    assert VARYING.fields(variables) >= VARYING.least


# Through the endpoint

WALKS = "{ page { nodes { walks(first: %s) { dog { walks(first: %s) { metres } } } } } }"
VARIABLE_WALKS = "query ($n: Int!, $m: Int = 100) " + WALKS % ("$n", "$m")
REFUSED: list[tuple[str, dict[str, Any]]] = [
    (WALKS % (100, 100), {}),
    (WALKS % (2147483647, 0), {}),
    (VARIABLE_WALKS, {"n": 100}),
    (VARIABLE_WALKS, {"n": 100, "m": 100.0}),
    (VARIABLE_WALKS, {"n": 10**30, "m": -1}),
    ("{ page { ...p } } fragment p on DogPage " + (WALKS % (100, 100))[7:-1], {}),
]


@pytest.mark.parametrize(("text", "variables"), REFUSED)
async def test_too_large_an_answer_is_refused_and_nothing_executed(
    refused: Check, text: str, variables: dict[str, Any]
) -> None:
    def make_context(*_: object) -> Any:
        raise AssertionError("executed")

    async with client_of(make_endpoint(make_context=make_context)) as client:
        response = await client.post("/graphql", json={"query": text, "variables": variables})
    error = refused(response, 200, "QUERY_TOO_COMPLEX")
    assert error["message"] == "The answer might have more than 10000 fields; ask for shorter pages."


async def test_one_document_is_judged_by_each_request_s_variables(client: httpx.AsyncClient, refused: Check) -> None:
    for first, fits in ((10, True), (1000, False), (9, True)):
        response = await client.post("/graphql", json={"query": VARIABLE_WALKS, "variables": {"n": first, "m": 10}})
        if fits:
            assert len(response.json()["data"]["page"]["nodes"][0]["walks"]) == first
        else:
            refused(response, 200, "QUERY_TOO_COMPLEX")


def test_what_no_variables_could_make_small_is_not_kept() -> None:
    documents = Documents(schema, limits=GraphQLLimits(), hide_suggestions=True, cache_size=4)
    for text in (
        "{ me { events(first: 100) { nodes { player { events(first: 100) { nodes { id } } } } } } }",
        "query ($n: Int!) { me { events(first: $n) { nodes { player { events(first: 9999) { nodes { id } } } } } } }",
    ):
        with pytest.raises(QueryTooComplex):
            documents.prepare(text)
    assert len(documents.prepared) == 0


@pytest.mark.parametrize(("first", "fits"), [(49, True), (50, False)])
def test_the_limit(first: int, fits: bool) -> None:
    limits = GraphQLLimits(answer_fields=PAGE + 98)
    documents = Documents(schema, limits=limits, hide_suggestions=True, cache_size=4)
    document = documents.prepare(NESTED % "$n: Int!")
    if fits:
        assert document.operation(None, {"n": first})
    else:
        with pytest.raises(QueryTooComplex):
            document.operation(None, {"n": first})
