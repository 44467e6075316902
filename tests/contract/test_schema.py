"""The public schema: committed as it is, and explained in every part."""

from __future__ import annotations

from collections.abc import Iterator

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    build_schema,
    get_named_type,
    is_introspection_type,
    is_specified_scalar_type,
    validate_schema,
)

from resolvers.schema import schema, sdl
from server.settings import PROJECT
from services.errors import ErrorCode

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


def test_the_committed_schema_is_valid() -> None:
    assert validate_schema(build_schema(sdl())) == []
    assert validate_schema(core) == []


def test_every_element_is_described() -> None:
    assert [name for name, description in elements() if not (description or "").strip()] == []


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
