"""Who may call what: the table has a row for every root field, and the server does what the table says."""

from __future__ import annotations

import json
from collections import defaultdict
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

from models import Base, Role
from resolvers.schema import schema
from schema.permissions import PERMISSIONS
from tests.world import Client, World

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
REFUSALS = ("UNAUTHENTICATED", "FORBIDDEN")
NOBODY, EXPIRED = "nobody", "an expired token"


def roots(*operations: str) -> Iterator[tuple[str, str, GraphQLField]]:
    """Every root field, with its operation and name."""
    for operation in operations:
        root = getattr(core, f"{operation}_type")
        if root is not None:
            for name, field in root.fields.items():
                yield operation, name, field


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
    return VALUES[name]


def a_document(operation: str, name: str, field: GraphQLField) -> tuple[str, dict[str, Any], list[str]]:
    """The smallest valid document that calls a root field, its variables, and the paths of its files."""
    files: list[str] = []
    required = {key: argument for key, argument in field.args.items() if is_required_argument(argument)}
    variables = {key: a_value(argument.type, f"variables.{key}", files) for key, argument in required.items()}
    declared = ", ".join(f"${key}: {argument.type}" for key, argument in required.items())
    passed = ", ".join(f"{key}: ${key}" for key in required)
    selection = " { __typename }" if is_composite_type(get_named_type(field.type)) else ""
    head = f"{operation} ({declared})" if required else operation
    return f"{head} {{ {name}{f'({passed})' if passed else ''}{selection} }}", variables, files


async def asked(client: Client, operation: str, name: str, field: GraphQLField) -> str:
    """UNAUTHENTICATED, FORBIDDEN, or `served`: whatever else came of it, it was allowed."""
    query, variables, files = a_document(operation, name, field)
    headers = {"Authorization": f"Bearer {client.token}"} if client.token else {}
    body = {"query": query, "variables": variables}
    if files:
        parts = {str(number): ("file.csv", b"", "text/csv") for number in range(len(files))}
        form = {"operations": json.dumps(body), "map": json.dumps({str(n): [path] for n, path in enumerate(files)})}
        response = await client.http.post("/graphql", data=form, files=parts, headers=headers)
    else:
        response = await client.http.post("/graphql", json=body, headers=headers)
    codes = [error["extensions"]["code"] for error in response.json().get("errors", [])]
    assert "INTERNAL" not in codes, (name, response.text)
    assert not any(error["message"].startswith("Variable") for error in response.json().get("errors", [])), (
        response.text
    )
    return codes[0] if codes and codes[0] in REFUSALS else "served"


def test_every_root_field_has_a_row_and_every_row_a_root_field() -> None:
    assert {name for _, name, _ in roots("query", "mutation", "subscription")} == PERMISSIONS.keys()


def test_every_row_admits_somebody() -> None:
    assert [name for name, roles in PERMISSIONS.items() if not roles] == []


def test_nothing_is_for_players_that_changes_what_staff_publish() -> None:
    playing = {"playDice", "spinRoulette", "drawLottery", "stamp", "claimReward"}
    assert {name for _, name, _ in roots("mutation") if Role.PLAYER in PERMISSIONS[name]} == playing


async def test_the_matrix(world: World) -> None:
    clients = {role: await world.player(f"the {role}", role) for role in Role}
    expired = await world.player("late")
    world.clock.advance(hours=2)
    for role in Role:
        await world.player(f"the {role}", role)  # with a fresh token
    answered: dict[str, dict[str, str]] = defaultdict(dict)
    expected: dict[str, dict[str, str]] = defaultdict(dict)
    for operation, name, field in roots("query", "mutation"):
        for who, client in ((NOBODY, world.nobody), (EXPIRED, expired)):
            answered[name][who] = await asked(client, operation, name, field)
            expected[name][who] = "UNAUTHENTICATED"
        for role, client in clients.items():
            answered[name][role] = await asked(client, operation, name, field)
            expected[name][role] = "served" if role in PERMISSIONS[name] else "FORBIDDEN"
    assert answered == expected
    print(f"{sum(map(len, answered.values()))} cells of {len(answered)} root fields")


async def test_a_refused_caller_changes_nothing(world: World) -> None:
    """No refusal writes a row anywhere."""
    tables = [table.name for table in Base.metadata.sorted_tables]
    clients = [world.nobody, *[await world.player(f"the {role}", role) for role in Role]]
    before = {table: await world.count(table) for table in tables}
    roles: list[Role | None] = [None, *Role]
    for role, client in zip(roles, clients, strict=True):
        for operation, name, field in roots("mutation"):
            if role not in PERMISSIONS[name]:
                assert await asked(client, operation, name, field) in REFUSALS
    assert {table: await world.count(table) for table in tables} == before


def test_the_documents_know_every_scalar() -> None:
    for operation, name, field in roots("query", "mutation", "subscription"):
        assert name in a_document(operation, name, field)[0]
