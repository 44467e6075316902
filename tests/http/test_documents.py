"""Documents: syntax, validation, limits, hostile shapes, the cache, masking."""

from __future__ import annotations

import logging
import re
from typing import Any

import httpx
import pytest
from graphql import get_introspection_query

from schema.context import Principal
from server.graphql.masking import cut
from server.graphql.service import GraphQLOptions
from server.http.requests import GRAPHQL_JSON, JSON
from services.request_errors import Unavailable
from tests.http.conftest import Check, client_of, make_endpoint
from tests.http.toy import name_of, schema

BOTH = pytest.mark.parametrize("accept", [JSON, GRAPHQL_JSON])


async def post(
    client: httpx.AsyncClient, query: str | None = None, accept: str = GRAPHQL_JSON, **more: Any
) -> httpx.Response:
    body = more if query is None else {"query": query} | more
    return await client.post("/graphql", json=body, headers={"accept": accept})


# Faults of the document


@BOTH
@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("{ syntax", "Syntax Error: Expected Name, found <EOF>."),
        ("{ nope }", "Cannot query field 'nope' on type 'Query'."),
        ("{ animal }", "Field 'animal' of type 'Animal!' must have a selection of subfields."),
        ("query ($n: Int!) { echo(number: $n) }", "Variable '$n' has invalid value: Expected a value of non-null type"),
        ("query ($w: Wish) { echo(wish: $w) }", "Variable '$w' has invalid value"),
        ("query A { matrix } query B { matrix }", "Must provide operation name"),
        ("fragment F on Query { matrix }", "Fragment 'F' is never used."),
        ("subscription { ticks }", "A subscription needs a connection"),
        ('{ echo(text: "\\u0000") }', "Strings must not contain control characters."),
        ('{ echo(text: "\\u{7f}") }', "Strings must not contain control characters."),
        ('{ echo(text: "\\ud800") }', "Syntax Error: Invalid Unicode escape sequence"),
        ("query @nope { matrix }", "Unknown directive '@nope'."),
        ("{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }", "Cannot spread fragment 'a'"),
        ("{" * 300, "Syntax Error"),
        ("{ echo(names: " + "[" * 220, "Syntax Error: Document is nested too deeply"),
        ("# nothing", "Syntax Error: Unexpected <EOF>."),
    ],
)
async def test_faults(client: httpx.AsyncClient, refused: Check, query: str, message: str, accept: str) -> None:
    response = await post(client, query, accept, variables={"w": 3})
    error = refused(response, 400 if accept == GRAPHQL_JSON else 200, "BAD_REQUEST")
    assert error["message"].startswith(message)
    assert error["extensions"] == {"code": "BAD_REQUEST", "retryable": False}


async def test_an_unknown_operation(client: httpx.AsyncClient, refused: Check) -> None:
    response = await post(client, "query A { matrix } query B { matrix }", operationName="C")
    assert refused(response, 400, "BAD_REQUEST")["message"] == "Unknown operation named 'C'."
    response = await post(client, "query A { matrix } query B { echo }", operationName="B")
    assert "echo" in response.json()["data"]


async def test_at_most_five_faults_are_told(client: httpx.AsyncClient) -> None:
    response = await post(client, "{ " + " ".join(f"nope{n}" for n in range(20)) + " }")
    assert len(response.json()["errors"]) == 5
    names = [f"n{n}" for n in range(9)]
    variables = ", ".join(f"${name}: Int!" for name in names)
    fields = " ".join(f"{name}: echo(number: ${name})" for name in names)
    response = await post(client, f"query ({variables}) {{ {fields} }}")
    assert len(response.json()["errors"]) == 5


async def test_long_messages_are_cut(client: httpx.AsyncClient, refused: Check) -> None:
    error = refused(await post(client, "{ " + "n" * 5000 + " }"), 400, "BAD_REQUEST")
    assert len(error["message"]) == 200
    assert error["message"].endswith("…")


def test_a_message_is_cut_beyond_200_characters() -> None:
    assert cut("n" * 200) == "n" * 200
    assert cut("n" * 201) == "n" * 199 + "…"


async def test_suggestions_are_for_the_local_environment(client: httpx.AsyncClient, local: httpx.AsyncClient) -> None:
    faults = [
        ("{ matri }", {}),
        ("{ animal { nam } }", {}),
        ("{ echo(tex: 1) }", {}),
        ("{ colour(of: GREE) }", {}),
        ("query ($w: Wisch) { matrix }", {}),
        ("query ($c: Colour!) { colour(of: $c) }", {"c": "GREE"}),
        ("query ($w: Wish) { echo(wish: $w) }", {"w": {"nam": "x", "name": "y"}}),
    ]
    for query, variables in faults:
        assert "Did you mean" in (await post(local, query, variables=variables)).text
        assert "Did you mean" not in (await post(client, query, variables=variables)).text


# Introspection

INTROSPECTION = get_introspection_query(
    specified_by_url=True,
    directive_is_repeatable=True,
    schema_description=True,
    input_value_deprecation=True,
    one_of=True,
)


async def test_introspection_in_the_local_environment(local: httpx.AsyncClient) -> None:
    response = await post(local, INTROSPECTION)
    assert response.status_code == 200
    names = {type_["name"] for type_ in response.json()["data"]["__schema"]["types"]}
    assert {"Query", "Cat", "DateTime"} <= names
    assert (await post(local, '{ __type(name: "Cat") { name } matrix }')).json()["data"]["__type"] == {"name": "Cat"}


@pytest.mark.parametrize(
    "query",
    [
        INTROSPECTION,
        '{ __type(name: "Cat") { name } }',
        "{ ...a } fragment a on Query { b: __schema { queryType { name } } }",
        "query A { matrix } query B { __schema { queryType { name } } }",
    ],
)
async def test_introspection_elsewhere(client: httpx.AsyncClient, refused: Check, query: str) -> None:
    response = await post(client, query, operationName="A" if "query A" in query else None)
    assert refused(response, 400, "BAD_REQUEST")["message"] == "Introspection is switched off."
    assert (await post(client, "{ __typename }")).json() == {"data": {"__typename": "Query"}}


async def test_staff_may_introspect(refused: Check) -> None:
    async with client_of(make_endpoint(may_introspect=lambda principal: name_of(principal) == "staff")) as client:
        refused(await post(client, INTROSPECTION), 400, "BAD_REQUEST")
        client.headers["authorization"] = "Bearer staff"
        assert (await post(client, INTROSPECTION)).status_code == 200


async def test_introspection_is_bounded(local: httpx.AsyncClient, refused: Check) -> None:
    circular = "{ __schema { types { fields { type { fields { type { fields { type { name } } } } } } } } }"
    refused(await post(local, circular), 400, "BAD_REQUEST")
    deep = "{ __schema { types { " + "ofType { " * 20 + "name" + " }" * 20 + " } } }"
    refused(await post(local, deep), 400, "QUERY_TOO_COMPLEX")
    wide = "{ __schema { ...a ...a } } " + " ".join(
        f"fragment {x} on __Schema {{ ...{y} ...{y} }}" for x, y in ("ab", "bc", "cd", "de", "ef", "fg", "gh", "hi")
    )
    refused(await post(local, wide + " fragment i on __Schema { queryType { name } }"), 400, "QUERY_TOO_COMPLEX")


# Masking


async def test_a_bug_is_masked_and_logged(
    client: httpx.AsyncClient, refused: Check, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, "haru.graphql"):
        response = await post(client, "{ matrix fails }")
    error = refused(response, 200, "INTERNAL", data=True)
    assert error == {
        "message": "Something went wrong on our side.",
        "locations": [{"line": 1, "column": 10}],
        "path": ["fails"],
        "extensions": {"code": "INTERNAL", "retryable": False, "requestId": response.headers["x-request-id"]},
    }
    assert response.json()["data"] == {"matrix": [[1, 2], [], [None, 3]], "fails": None}
    (record,) = caplog.records
    assert record.getMessage() == f"request {response.headers['x-request-id']} failed in fails"
    assert record.exc_info
    assert repr(record.exc_info[1]) == "ValueError('a secret of ours')"


@pytest.mark.parametrize(
    ("query", "where"),
    [
        ("{ unserializable }", "unserializable"),
        ('{ broken: animal(kind: "nothing") { name } }', "broken"),
        ('{ animal(kind: "broken") { toys { price label } } }', "animal.toys.1.label"),
        ("{ failsHardAtOnce }", "failsHardAtOnce"),
    ],
)
async def test_a_broken_answer_is_a_bug(
    client: httpx.AsyncClient, refused: Check, caplog: pytest.LogCaptureFixture, query: str, where: str
) -> None:
    response = await post(client, query)
    error = refused(response, 200, "INTERNAL", data=True)
    assert response.json()["data"] is None
    assert "secret" not in response.text
    assert ".".join(str(key) for key in error["path"]) == where
    assert caplog.messages[0] == f"request {response.headers['x-request-id']} failed in {where}"
    assert "During handling of the above exception" not in caplog.text  # it is told alone


async def test_our_errors_keep_their_words(client: httpx.AsyncClient, refused: Check) -> None:
    slow = refused(await post(client, '{ fails(how: "slow") }'), 200, "RATE_LIMITED", data=True)
    assert (slow["message"], slow["extensions"]["retryable"]) == ("Slow down.", True)
    stock = refused(await post(client, '{ fails(how: "stock") }'), 200, "OUT_OF_STOCK", data=True)
    assert (stock["message"], stock["extensions"]["retryable"]) == ("Nothing is left to draw.", False)


async def test_an_argument_that_turns_out_null_is_the_clients_fault(client: httpx.AsyncClient, refused: Check) -> None:
    response = await post(client, "query ($n: Int) { echo(number: $n) }", variables={"n": None})
    assert refused(response, 200, "BAD_REQUEST", data=True) == {
        "message": "Argument 'number' has invalid value: "
        "Expected variable '$n' provided to non-null type 'Int!' not to be None.",
        "locations": [{"line": 1, "column": 32}],
        "path": ["echo"],
        "extensions": {"code": "BAD_REQUEST", "retryable": False},
    }


async def test_a_bug_of_the_endpoint_is_masked(refused: Check, caplog: pytest.LogCaptureFixture) -> None:
    def make_context(principal: Principal | None, request_id: str) -> Any:
        raise RuntimeError("a secret of ours")

    async with client_of(make_endpoint(make_context=make_context)) as client:
        response = await post(client, "{ matrix }")
    error = refused(response, 500, "INTERNAL")
    assert error["extensions"]["requestId"] == response.headers["x-request-id"]
    assert "a secret of ours" in caplog.text


async def test_the_deadline(refused: Check) -> None:
    async with client_of(make_endpoint(GraphQLOptions(deadline_seconds=0.05))) as client:
        response = await post(client, "{ a: sleeps(seconds: 600) b: sleeps(seconds: 600) }")
    error = refused(response, 503, "UNAVAILABLE")
    assert error["extensions"]["retryable"] is True
    assert Unavailable.code == "UNAVAILABLE"


# The cache


async def test_invalid_documents_are_not_kept() -> None:
    endpoint = make_endpoint()
    async with client_of(endpoint) as client:
        await post(client, "{ matrix }")
        for n in range(5):
            await post(client, f"{{ nope{n} }}")
        prepared = endpoint.service.documents.prepared
        assert len(prepared) == 1
        assert prepared.get("{ matrix }")


# The constructor


def test_what_the_executor_cannot_run_is_refused_at_once() -> None:
    import strawberry
    from strawberry.directive import DirectiveLocation
    from strawberry.extensions import SchemaExtension
    from strawberry.schema.config import StrawberryConfig

    from server.graphql.service import GraphQLService
    from tests.http.toy import SCALARS, Query

    @strawberry.directive(locations=[DirectiveLocation.FIELD])
    def loud(value: str) -> str:
        return value.upper()

    neither = "The compiled executor runs neither schema extensions nor operation directives."
    sorted_ = "A sorted schema cannot resolve its unions: sort it where it is printed."
    for arguments, words in (
        ({"extensions": [SchemaExtension]}, neither),
        ({"directives": [loud]}, neither),
        ({"config": StrawberryConfig(sort_schema=True, scalar_map=SCALARS)}, sorted_),
        (
            {"config": StrawberryConfig(enable_experimental_incremental_execution=True, scalar_map=SCALARS)},
            "Neither @defer nor @stream is served.",
        ),
    ):
        given: dict[str, Any] = {"config": StrawberryConfig(scalar_map=SCALARS)} | arguments
        other = strawberry.Schema(query=Query, types=schema_types(), **given)
        with pytest.raises(TypeError, match=f"^{re.escape(words)}$"):
            GraphQLService(other, authenticate=lambda _: None, make_context=lambda *_: None)


def schema_types() -> list[type]:
    from tests.http.animals import Cat, Dog

    assert schema
    return [Cat, Dog]
