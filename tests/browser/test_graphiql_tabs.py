"""The ready-made operations: valid, with variables that fit, in the toy's schema, and that in the server's."""

import json
import re
from pathlib import Path

import pytest
from graphql import GraphQLSchema, OperationDefinitionNode, build_schema, parse, validate
from graphql.execution.values import get_variable_values
from graphql.language import VariableDefinitionNode
from graphql.utilities import find_breaking_changes

from server.graphiql import DIST
from tests.browser.toy import SCHEMA

TABS = DIST.parent / "src" / "tabs"
PRINTED = Path(__file__).parents[2] / "schema.graphql"
NAMES = sorted(path.stem for path in TABS.glob("*.graphql"))


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return build_schema(SCHEMA.read_text())


@pytest.mark.parametrize("name", NAMES)
def test_a_tab_is_valid(schema: GraphQLSchema, name: str) -> None:
    assert validate(schema, parse((TABS / f"{name}.graphql").read_text())) == []


@pytest.mark.parametrize("name", NAMES)
def test_its_variables_fit(schema: GraphQLSchema, name: str) -> None:
    text = (TABS / f"{name}.json").read_text()
    variables = json.loads(re.sub(r"\{\{today(\+\d+)?\}\}", "2024-12-06", text.replace("{{key}}", "0" * 32)))
    document = parse((TABS / f"{name}.graphql").read_text())
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    used = set()
    for operation in operations:
        definitions: tuple[VariableDefinitionNode, ...] = tuple(operation.variable_definitions or ())
        used |= {definition.variable.name.value for definition in definitions}
        # the page puts the picked file where null is
        given = {**variables, "input": {**variables["input"], "file": "a file"}} if name == "upload" else variables
        coerced = get_variable_values(schema, definitions, given)
        assert not isinstance(coerced, list), coerced
    assert set(variables) == used


def test_the_toy_promises_nothing_that_the_server_does_not(schema: GraphQLSchema) -> None:
    printed = build_schema(PRINTED.read_text())
    if printed.subscription_type is None:
        pytest.skip("schema.graphql is not whole yet")
    assert find_breaking_changes(schema, printed) == []
