"""The smallest valid document for each root field, made from the schema: for tests of all of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    get_named_type,
    is_composite_type,
    is_required_argument,
    is_required_input_field,
)

from resolvers.schema import schema
from schema.nodes import Kind, node_id
from tests.world import Client

core = schema._schema

VALUES: dict[str, Any] = {
    "String": "text",
    "ID": "1",
    "Int": 1,
    "Float": 1.0,
    "Boolean": False,
    "BigInt": 1,
    "JSON": {},
    "Date": "2026-03-02",
    "DateTime": "2026-03-02T00:00:00+00:00",
}


def roots(*operations: str) -> Iterator[tuple[str, str, GraphQLField]]:
    """Every root field, with its operation and name."""
    for operation in operations:
        root = getattr(core, f"{operation}_type")
        if root is not None:
            for name, field in root.fields.items():
                yield operation, name, field


IDS = {
    "configId": node_id(Kind.DICE_CONFIG, 1),
    "seasonId": node_id(Kind.SEASON, 1),
    "stockId": node_id(Kind.LOTTERY_STOCK, 1),
}
"""Ids of the kinds that inputs of these names take: others are refused without a look at the database."""


def a_value(kind: GraphQLInputType, path: str, files: list[str]) -> Any:
    """The plainest value that validation lets pass. A file is null, and sent beside."""
    if isinstance(kind, GraphQLNonNull):
        return a_value(kind.of_type, path, files)
    if isinstance(kind, GraphQLList):
        return [a_value(kind.of_type, f"{path}.0", files)]
    if isinstance(kind, GraphQLEnumType):
        return next(iter(kind.values))
    if isinstance(kind, GraphQLInputObjectType):
        fields = kind.fields.items()
        wanted = list(fields)[:1] if kind.is_one_of else [one for one in fields if is_required_input_field(one[1])]
        return {name: a_value(field.type, f"{path}.{name}", files) for name, field in wanted}
    name = get_named_type(kind).name
    if name == "Upload":
        files.append(path)
        return None
    return IDS.get(path.rpartition(".")[2], VALUES[name])


def a_document(
    operation: str, name: str, field: GraphQLField, selected: str = "__typename"
) -> tuple[str, dict[str, Any], list[str]]:
    """The smallest valid document that calls a root field, its variables, and the paths of its files."""
    files: list[str] = []
    required = {key: argument for key, argument in field.args.items() if is_required_argument(argument)}
    variables = {key: a_value(argument.type, f"variables.{key}", files) for key, argument in required.items()}
    declared = ", ".join(f"${key}: {argument.type}" for key, argument in required.items())
    passed = ", ".join(f"{key}: ${key}" for key in required)
    selection = f" {{ {selected} }}" if is_composite_type(get_named_type(field.type)) else ""
    head = f"{operation} ({declared})" if required else operation
    return f"{head} {{ {name}{f'({passed})' if passed else ''}{selection} }}", variables, files


async def ask(
    client: Client, operation: str, name: str, field: GraphQLField, selected: str = "__typename", content: bytes = b""
) -> dict[str, Any]:
    """Send the smallest valid document that calls a root field, with `content` for a file: the whole answer."""
    query, variables, files = a_document(operation, name, field, selected)
    headers = {"Authorization": f"Bearer {client.token}"} if client.token else {}
    body = {"query": query, "variables": variables}
    if files:
        parts = {str(number): ("file.csv", content, "text/csv") for number in range(len(files))}
        form = {"operations": json.dumps(body), "map": json.dumps({str(n): [path] for n, path in enumerate(files)})}
        response = await client.http.post("/graphql", data=form, files=parts, headers=headers)
    else:
        response = await client.http.post("/graphql", json=body, headers=headers)
    answer: dict[str, Any] = response.json()
    return answer
