"""The documents that are ours, in pages, GraphiQL, examples and clients: the limits leave them all room."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from graphql import GraphQLInt, get_nullable_type, is_interface_type, is_object_type, parse

from resolvers.schema import schema
from server.graphql.answer_size import answer_sizes
from server.graphql.documents import Documents
from server.graphql.limits import GraphQLLimits
from server.settings import PROJECT
from tests.api.test_history import PLAYS

LIMITS = GraphQLLimits()
FILES = [
    path
    for pattern in ("server/graphiql/src/tabs/*.graphql", "examples/*/*.graphql", "tests/clients/*/*.graphql")
    for path in PROJECT.glob(pattern)
]
PAGES = [PROJECT / "docs/examples.md", PROJECT / "docs/operations.md"]
PROGRAMS = [PROJECT / "examples/web/src", PROJECT / "examples/typescript/src"]
OPERATOR = "query ($n: Int!) { players(first: $n) { nodes { id externalId balances { type amount } } } }"


def documents() -> Iterator[str]:
    """Every whole document."""
    for path in FILES:
        yield path.read_text(encoding="utf-8")
    for path in PAGES:
        yield from re.findall(r"```graphql\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL)


def program_of(sources: Path) -> str:
    """All that a program asks for, its fragments being anywhere in it, as one document."""
    texts = [path.read_text(encoding="utf-8") for path in sources.rglob("*.ts*")]
    return "".join(part for text in texts for part in re.findall(r"\bgraphql\(\s*`(.*?)`", text, re.DOTALL))


def largest(text: str, **variables: object) -> float:
    return max(size.fields(variables) for size in answer_sizes(schema._schema, parse(text)).values())


def test_our_documents_pass_every_limit() -> None:
    prepared = Documents(schema, limits=LIMITS, hide_suggestions=True, cache_size=1)
    ours = list(documents())
    assert len(ours) > len(FILES) > 10
    for text in ours:
        assert prepared.prepare(text)
        assert largest(text, first=100) <= LIMITS.answer_fields * 2 / 3, text


@pytest.mark.parametrize("sources", PROGRAMS, ids=lambda path: path.parent.name)
def test_our_programs_ask_for_little(sources: Path) -> None:
    assert largest(program_of(sources)) <= LIMITS.answer_fields / 10


def test_the_longest_pages_fit() -> None:
    assert largest(OPERATOR, n=100) <= LIMITS.answer_fields / 5
    assert largest(PLAYS, first=100) <= LIMITS.answer_fields


def test_every_page_has_a_length_that_can_be_counted() -> None:
    for named in schema._schema.type_map.values():
        if not (is_object_type(named) or is_interface_type(named)):
            continue
        for name, field in named.fields.items():
            argument = field.args.get("first")
            is_connection = str(get_nullable_type(field.type)).endswith("Connection")
            assert argument or not is_connection, name
            if argument:
                assert get_nullable_type(argument.type) is GraphQLInt, name
                assert isinstance(argument.default_value, int), name
