"""The GraphQL schema: root fields, and how refusals become data."""

from __future__ import annotations

import strawberry
from graphql import (
    GraphQLInputObjectType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    lexicographic_sort_schema,
    print_schema,
)
from strawberry.schema.config import StrawberryConfig

from models import Role
from resolvers.mutations import Mutation
from resolvers.queries import Query
from resolvers.subscriptions import Subscription
from schema.errors import HANDLERS
from schema.roots import ROOTS
from schema.scalars import SCALARS

schema = strawberry.Schema(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    exception_handlers=HANDLERS,
    config=StrawberryConfig(scalar_map=SCALARS),
)

for named in schema._schema.type_map.values():
    if isinstance(named, GraphQLInputObjectType):
        # Strawberry refuses a second key of a @oneOf input late, by an exception of its own; graphql-core, once it
        # knows, as it refuses every other variable or literal.
        named.is_one_of = named.extensions["strawberry-definition"].is_one_of


def sdl() -> str:
    """The schema as schema.graphql has it: sorted, so that a change shows as one."""
    return _printed(build_schema(schema.as_str()))


def players_sdl() -> str:
    """What players may call of it, as schema.player.graphql has it, with the types that it leads to and no others.

    A type of staff's is not in it for what it implements: no id that a player has finds one.
    """
    whole = build_schema(schema.as_str())
    query, mutation, subscription = map(_players, (whole.query_type, whole.mutation_type, whole.subscription_type))
    return _printed(GraphQLSchema(query, mutation, subscription))


def _players(operation: GraphQLObjectType | None) -> GraphQLObjectType:
    assert operation is not None
    fields = {name: field for name, field in operation.fields.items() if Role.PLAYER in ROOTS[name].roles}
    return GraphQLObjectType(operation.name, fields, description=operation.description)


def _printed(whole: GraphQLSchema) -> str:
    return print_schema(lexicographic_sort_schema(whole)) + "\n"
