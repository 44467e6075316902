"""The compiled executor answers exactly as graphql-core does, and calls root resolvers once."""

from __future__ import annotations

import asyncio
import gc
import json
import warnings
from typing import Any

import pytest
from graphql import ExecutionResult, OperationDefinitionNode, execute, parse
from strawberry import Schema

from server.graphql.executor import PLANS_PER_OPERATION, CompiledOperation
from tests.http.toy import Context, schema


class Watched(CompiledOperation):
    """Counts how often graphql-core had to help."""

    fallbacks = 0

    async def _by_graphql_core(self, *args: Any, **options: Any) -> ExecutionResult:
        self.fallbacks += 1
        return await super()._by_graphql_core(*args, **options)


def compiled(text: str, name: str | None = None, of: Schema = schema) -> Watched:
    document = parse(text)
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    chosen = next(node for node in operations if name is None or (node.name and node.name.value == name))
    return Watched(of, document, chosen, hide_suggestions=False)


async def by_graphql_core(
    text: str, variables: dict[str, Any], context: Context, name: str | None = None, of: Schema = schema
) -> ExecutionResult:
    result = execute(
        of._schema,
        parse(text),
        context_value=context,
        variable_values=variables,
        operation_name=name,
        max_coercion_errors=5,
        executor_class=of.execution_context_class,
        operation_extensions=None,
    )
    return result if isinstance(result, ExecutionResult) else await result


def written(result: ExecutionResult) -> str:
    """The answer as text: the order of its keys counts."""
    errors = [error.formatted for error in result.errors] if result.errors else None
    return json.dumps({"data": result.data, "errors": errors}, indent=1, default=str)


async def both(text: str, variables: dict[str, Any] | None = None, *, fallbacks: int, of: Schema = schema) -> str:
    """Execute by both, twice, compare, and say what the answer is."""
    operation = compiled(text, of=of)
    for _ in range(2):
        ours, theirs = Context(), Context()
        answer = written(await operation.execute(ours, variables or {}))
        assert answer == written(await by_graphql_core(text, variables or {}, theirs, of=of))
        assert ours.calls == theirs.calls or fallbacks
    assert operation.fallbacks == 2 * fallbacks
    return answer


COMPILED = {
    "leaves and lists": "{ animals { id name colour legs toys { label price } } }",
    "null in a nullable list": "{ animals { name } }",
    "null for a list": '{ animals(kind: "none") { name } }',
    "a tuple is a list": '{ animals(kind: "tuple") { name } }',
    "nested lists": "{ matrix }",
    "typename": "{ __typename animal { __typename kind: __typename } things { __typename } }",
    "aliases": '{ a: animal { n: name m: name } b: animal(kind: "dog") { name } }',
    "fragments on an interface": """
        query { animals { ...animal ... on Cat { lives born } ... on Dog { good } } }
        fragment animal on Animal { name friend { name ... on Dog { good } } }""",
    "fragments on a union": "{ things { ... on Cat { lives } ... on Dog { good } ... on Stone { weight } } }",
    "an interface condition in a union": "{ things { ... on Animal { name ... on Cat { lives } } } }",
    "a fragment without condition": "{ animal { ... { name } ... @include(if: true) { id } } }",
    "merged fields": "{ animal { friend { name } toys { label } toys { price } friend { id } ...f } } "
    "fragment f on Animal { toys { label broken } }",
    "merged fields of one root": "{ animal { name } animal { id } }",
    "an error that is data": '{ adopt(name: "gone") { __typename ... on Problem { code message } } }',
    "a sync resolver below": "{ animals { ... on Cat { purr } } }",
    "its arguments": "{ animals { ... on Cat { purr(times: 3, loud: true) short: purr(loud: null) } } }",
    "async resolvers below": "{ animals { ... on Dog { walks(first: 4) { metres company dog { name } } } } }",
    "async resolvers on many levels": """
        { page { total nodes { name walks { company(names: ["x"]) dog { walks(first: 1) { metres } } } } } }""",
    "what a resolver is told": "query Q { seen s: seen }",
    "a cast": '{ animals(kind: "cast") { __typename name } }',
    "constant directives": "{ animal { name @skip(if: true) id @include(if: true) legs @include(if: false) } }",
    "a mutation": 'mutation { a: play(key: "1") { name } b: playAtOnce(key: "2") c: playStrictly(key: "3") { id } }',
    "nulls": 'mutation { play(key: "1", result: "null") { name } }',
    "constant arguments": '{ echo(text: "t", number: 3, colour: RED, wish: {name: "w", friend: {name: "v"}}) }',
    "one for a list": '{ echo(names: "a") other: echo(names: ["a", "b"]) }',
}


@pytest.mark.parametrize("text", COMPILED.values(), ids=COMPILED.keys())
async def test_compiled(text: str) -> None:
    assert '"errors": null' in await both(text, fallbacks=0)


JUDGED = {
    "a root error": "{ fails animal { name } }",
    "a root error in the middle": '{ a: animal { name } fails(how: "stock") b: echo }',
    "a root error at once": "{ animal { name } failsAtOnce matrix }",
    "a null root": "{ animal { name } failsHard matrix }",
    "a null root at once": "{ animal { name } failsHardAtOnce matrix }",
    "a null root before one that was called": """
        { strictAnimals { name } animal { name } failsAtOnce }""",
    "two kinds of failure": "{ fails(ticks: 2) failsHard(ticks: 1) }",
    "the other way round": "{ failsHard(ticks: 2) fails(ticks: 1) }",
    "in the same tick": "{ failsHard fails }",
    "at once, before what was called first": "{ fails(ticks: 0) failsAtOnce }",
    "awaited, after what is there at once": "{ fails(ticks: 0) unserializable }",
    "null for a non-null": '{ animal(kind: "nothing") { name } }',
    "null for a non-null item": "{ strictAnimals { name } }",
    "null for a non-null field": '{ animal(kind: "broken") { friend { name } } }',
    "several faults": '{ animals(kind: "broken") { name toys { label price broken } friend { legs friend { id } } } }',
    "an iterator": '{ animals(kind: "iterator") { name } }',
    "awaitable items": '{ animals(kind: "awaitables") { name } }',
    "awaitable items by their type alone": '{ animals(kind: "awaitables") { __typename } }',
    "no iterable": '{ animals(kind: "scalar") { name } }',
    "no known type": '{ animals(kind: "strange") { name } }',
    "a fault beside a resolver that waits": """
        { animals(kind: "sleepy") { ... on Dog { walks { metres } } friend { id name } } }""",
    "a type that does not belong": '{ animals(kind: "stone") { name } }',
    "a value that is not of its type": "{ miscast { weight } }",
    "a leaf that serializes to nothing": "{ nothingSerialized }",
    "no list": '{ animals(kind: "scalar") { name } matrix }',
    "a subscription": "subscription { ticks }",
    "a leaf that does not serialize": "{ unserializable }",
    "an unhandled error of a handled field": '{ adopt(name: "bug") { __typename } }',
    "an error below": "{ page { nodes { walks(first: 11) { metres } } } }",
    "an error below among others": """
        { page { nodes { name w: walks { company } walks(first: 11) { metres } } } animals { ... on Cat { purr } } }""",
    "no propagation": 'query @experimental_disableErrorPropagation { animal(kind: "nothing") { name } }',
    "introspection": "{ __schema { queryType { name } } animal { name } }",
    "introspection of a type": '{ __type(name: "Cat") { name fields { name } } }',
    "a mutation that fails": 'mutation { a: play(key: "1") { name } b: play(key: "2", result: "bug") { name } '
    'c: playAtOnce(key: "3") }',
    "a mutation that stops": 'mutation { a: play(key: "1") { name } b: playStrictly(key: "2", result: "bug") { name } '
    'c: playAtOnce(key: "3") }',
    "a mutation that fails at once": 'mutation { a: play(key: "1") { name } b: playAtOnce(key: "bug") '
    'c: play(key: "3") { name } }',
    "a mutation with a broken answer": 'mutation { a: play(key: "1", result: "broken") { toys { label } } '
    'b: playAtOnce(key: "2") }',
    "a mutation with a null answer": 'mutation { playStrictly(key: "1", result: "null") { name } }',
}


@pytest.mark.parametrize("text", JUDGED.values(), ids=JUDGED.keys())
async def test_judged_by_graphql_core(text: str) -> None:
    await both(text, fallbacks=1)


@pytest.mark.parametrize("text", [text for text in JUDGED.values() if text.startswith("mutation")])
async def test_a_mutation_never_runs_twice(text: str) -> None:
    ours, theirs = Context(), Context()
    await compiled(text).execute(ours, {})
    await by_graphql_core(text, {}, theirs)
    assert ours.calls == theirs.calls
    assert len(set(ours.calls)) == len(ours.calls) >= 1


ECHO = """query ($text: String = "of the variable", $number: Int! = 7, $wish: Wish, $names: [String!]) {
  echo(text: $text, number: $number, wish: $wish, names: $names)
  nested: echo(wish: {name: "outer", friend: $wish, toys: $names}, names: ["x"])
}"""


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"text": None, "names": [], "wish": None},
        {"text": "given", "number": 2, "names": "one"},
        {"wish": {"name": "n", "colour": "GREEN", "toys": ["a"], "friend": {"name": "f"}}, "names": ["p", "q"]},
    ],
)
async def test_variables(variables: dict[str, Any]) -> None:
    await both(ECHO, variables, fallbacks=0)


@pytest.mark.parametrize(
    ("text", "variables"),
    [
        ("query ($n: Int!) { echo(number: $n) }", {}),
        ("query ($n: Int!) { echo(number: $n) }", {"n": "3"}),
        ("query ($n: Int!) { echo(number: $n) }", {"n": None}),
        ("query ($n: Int! = 3) { echo(number: $n) }", {"n": 2**31}),
        ("query ($c: Colour!) { colour(of: $c) }", {"c": "BLUE"}),
        ("query ($w: Wish) { echo(wish: $w) }", {"w": {"name": 1, "extra": 2}}),
        ("query ($w: Wish) { echo(wish: $w) }", {"w": [{}]}),
        ("query ($a: Int!, $b: Int!, $c: Int!, $d: Int!, $e: Int!, $f: Int!, $g: Int!) { echo }", {}),
    ],
)
async def test_variables_that_do_not_fit(text: str, variables: dict[str, Any]) -> None:
    assert '"data": null' in await both(text, variables, fallbacks=0)


async def test_a_variable_nested_beyond_the_stack_is_a_request_error() -> None:
    wish: dict[str, Any] = {"name": "n"}
    for _ in range(1020):
        wish = {"name": "n", "friend": wish}
    answer = await both("query ($w: Wish) { echo(wish: $w) }", {"w": wish}, fallbacks=0)
    assert "nested too deeply" in answer


async def test_null_for_an_argument_with_a_default_is_found_at_execution() -> None:
    text = "query ($n: Int) { echo(number: $n) animal { name } }"
    assert "Argument 'number' has invalid value" in await both(text, {"n": None}, fallbacks=1)
    assert '"errors": null' in await both(text, {"n": 2}, fallbacks=0)
    assert '"errors": null' in await both(text, {}, fallbacks=0)


CONDITIONS = """query ($a: Boolean!, $b: Boolean = true) {
  animal { name @include(if: $a) id @skip(if: $b) ... on Cat @include(if: $b) { lives friend @skip(if: $a) { id } } }
  matrix @skip(if: $a) @include(if: $b)
  ...rest @include(if: $a)
}
fragment rest on Query { echo @skip(if: $b) }"""


@pytest.mark.parametrize("variables", [{"a": a, "b": b} for a in (True, False) for b in (True, False)] + [{"a": True}])
async def test_conditions_on_variables(variables: dict[str, Any]) -> None:
    await both(CONDITIONS, variables, fallbacks=0)


async def test_every_combination_of_conditions_has_a_plan_up_to_a_bound() -> None:
    names = [f"v{n}" for n in range(5)]
    fields = " ".join(f"{name}: name @include(if: ${name})" for name in names)
    head = ", ".join(f"${name}: Boolean!" for name in names)
    operation = compiled(f"query ({head}) {{ animal {{ id {fields} }} }}")
    for n in range(2**5):
        variables = {name: bool(n >> bit & 1) for bit, name in enumerate(names)}
        result = await operation.execute(Context(), variables)
        assert result.data is not None
        assert result.data["animal"] == {"id": "c1"} | {name: "Mia" for name in names if variables[name]}
    assert len(operation.plans) == PLANS_PER_OPERATION
    assert operation.fallbacks == 2**5 - PLANS_PER_OPERATION


async def test_a_null_condition_is_an_error() -> None:
    text = "query ($a: Boolean = true) { animal { name } matrix @include(if: $a) }"
    await both(text, {"a": None}, fallbacks=1)


async def test_one_of_several_operations() -> None:
    text = 'query A { matrix } mutation B { playAtOnce(key: "b") } query C { nothing: echo failsAtOnce }'
    for name in "ABC":
        context = Context()
        answer = await compiled(text, name).execute(context, {})
        assert written(answer) == written(await by_graphql_core(text, {}, Context(), name))
    assert compiled(text, "B").kind.value == "mutation"


async def test_one_of_several_subscriptions() -> None:
    operation = compiled("subscription A { ticks } subscription B($to: Int!) { count(to: $to) }", "B")
    source = await operation.subscribe(Context(), {"to": 2})
    assert not isinstance(source, ExecutionResult)
    answers = [await operation.execute_event(event, Context(), {"to": 2}) async for event in source]
    assert [(answer.data, answer.errors) for answer in answers] == [({"count": 1}, None), ({"count": 2}, None)]
    refused = await operation.subscribe(Context(), {"to": "two"})
    assert isinstance(refused, ExecutionResult)
    assert "Variable '$to' has invalid value" in written(refused)


async def test_root_fields_of_a_query_run_concurrently() -> None:
    """All have begun before any is done."""
    context = Context()
    executing = asyncio.create_task(compiled("{ a: waits b: waits c: waits }").execute(context, {}))
    async with asyncio.timeout(30):
        while len(context.calls) < 3:
            await asyncio.sleep(0)
        context.gate.set()
        assert (await executing).data == {"a": True, "b": True, "c": True}


async def test_a_field_that_fails_lets_the_others_come_to_their_end() -> None:
    context = Context()
    executing = asyncio.create_task(compiled("{ fails a: waits }").execute(context, {}))
    async with asyncio.timeout(30):
        for _ in range(10):
            await asyncio.sleep(0)
        assert not executing.done()
        context.gate.set()
        answer = await executing
    assert answer.data == {"fails": None, "a": True}
    assert [error.path for error in answer.errors or ()] == [["fails"]]


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize(
    "text", ["{ waits a: waits }", '{ animal(kind: "dog") { ...F a: name } b: waits } fragment F on Animal { name }']
)
async def test_who_leaves_leaves_nothing_behind(text: str, turns: int) -> None:
    """However far the fields have come, each of them has begun or is closed: none is there "never awaited"."""
    running = asyncio.create_task(compiled(text).execute(Context(), {}))
    for _ in range(turns):
        await asyncio.sleep(0)
    running.cancel()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        with pytest.raises(asyncio.CancelledError):
            await running
        del running
        gc.collect()
    assert not told
