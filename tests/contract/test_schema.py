"""The public schema: committed as it is, and explained in every part."""

from __future__ import annotations

from collections.abc import Iterator

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLUnionType,
    build_schema,
    get_named_type,
    is_introspection_type,
    is_specified_scalar_type,
    print_type,
    validate_schema,
)
from strawberry.types.base import StrawberryObjectDefinition

from models import Role
from resolvers.schema import players_sdl, schema, sdl
from schema.described import docstring
from schema.roots import ROOTS
from server.settings import PROJECT
from services.error_codes import ErrorCode
from tests.docs.errors import errors_page

core = schema._schema


def our_types() -> list[GraphQLNamedType]:
    return [
        named
        for named in core.type_map.values()
        if not is_introspection_type(named) and not is_specified_scalar_type(named)
    ]


def elements() -> Iterator[tuple[str, str | None]]:
    """Everything that has a description, or should have: types, fields, arguments, values."""
    for named in our_types():
        yield named.name, named.description
        match named:
            case GraphQLObjectType() | GraphQLInterfaceType():
                for name, field in named.fields.items():
                    yield f"{named.name}.{name}", field.description
                    for argument_name, argument in field.args.items():
                        # A mutation's one `input` is described by its type.
                        is_input = isinstance(get_named_type(argument.type), GraphQLInputObjectType)
                        explained = get_named_type(argument.type).description if is_input else argument.description
                        yield f"{named.name}.{name}({argument_name})", explained
            case GraphQLInputObjectType():
                for name, value in named.fields.items():
                    yield f"{named.name}.{name}", value.description
            case GraphQLEnumType():
                for name, enum_value in named.values.items():
                    yield f"{named.name}.{name}", enum_value.description


def test_the_committed_schema_is_the_schema() -> None:
    assert (PROJECT / "schema.graphql").read_text(encoding="utf-8") == sdl(), "run: make format"


def test_the_committed_players_schema_is_the_players_schema() -> None:
    assert (PROJECT / "schema.player.graphql").read_text(encoding="utf-8") == players_sdl(), "run: make format"


def test_the_players_schema_has_what_players_may_call() -> None:
    whole, players = build_schema(sdl()), build_schema(players_sdl())
    called = {
        name
        for root in (players.query_type, players.mutation_type, players.subscription_type)
        if root is not None
        for name in root.fields
    }
    assert called == {name for name, root in ROOTS.items() if Role.PLAYER in root.roles}
    roots = {"Query", "Mutation", "Subscription"}
    for name in players.type_map.keys() - roots:
        assert print_type(players.type_map[name]) == print_type(whole.type_map[name])


def test_the_players_schema_has_every_node_that_players_may_find() -> None:
    nodes = [
        {named.name for named in built.get_possible_types(built.type_map["Node"])}  # type: ignore[arg-type]
        for built in (build_schema(sdl()), build_schema(players_sdl()))
    ]
    assert nodes[0] - nodes[1] == {"AuditEntry", "FeatureConfig", "ScheduledDay"}
    assert nodes[1] < nodes[0]


def test_the_committed_schema_is_valid() -> None:
    assert validate_schema(build_schema(sdl())) == []
    assert validate_schema(build_schema(players_sdl())) == []
    assert validate_schema(core) == []


def test_every_element_is_described() -> None:
    assert [name for name, description in elements() if not (description or "").strip()] == []


def test_what_has_a_docstring_is_described_by_it() -> None:
    """A sentence that is written twice is soon two."""
    definitions = {name: named.extensions.get("strawberry-definition") for name, named in core.type_map.items()}
    declared = {
        name: (definition.concrete_of or definition).origin
        for name, definition in definitions.items()
        if isinstance(definition, StrawberryObjectDefinition)
    }
    assert len(declared) > 60
    assert {name: core.type_map[name].description for name in declared} == {
        name: docstring(origin) for name, origin in declared.items()
    }


def test_no_union_and_no_error_is_told_in_part() -> None:
    unions = {named.name: named.description or "" for named in our_types() if isinstance(named, GraphQLUnionType)}
    assert [name for name, description in unions.items() if "..." in description] == []
    assert [line for line in errors_page().splitlines() if line.endswith("...")] == []


def test_every_error_code_is_in_the_schema() -> None:
    codes = core.type_map["ErrorCode"]
    assert isinstance(codes, GraphQLEnumType)
    assert set(codes.values) == {code.value for code in ErrorCode}


def test_every_result_union_can_tell_a_problem() -> None:
    roots = [root for root in (core.query_type, core.mutation_type) if root is not None]
    names = {named.name for named in our_types()}
    assert roots
    for result in (name for name in names if name.endswith("Result")):
        assert "Problem" in {member.name for member in core.get_possible_types(core.type_map[result])}  # type: ignore[arg-type]
