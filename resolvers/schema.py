"""The GraphQL schema: root fields, the types that only appear behind interfaces, and how refusals become data."""

from __future__ import annotations

import strawberry
from graphql import build_schema, lexicographic_sort_schema, print_schema
from strawberry.schema.config import StrawberryConfig

from resolvers.mutations import Mutation
from resolvers.queries import Query
from resolvers.subscriptions import Subscription
from schema.errors import HANDLERS
from schema.games import DiceConfig, DicePlay, LotteryConfig, LotteryDraw, RouletteConfig, RouletteSpin
from schema.scalars import SCALARS

schema = strawberry.Schema(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    types=[DicePlay, RouletteSpin, LotteryDraw, DiceConfig, RouletteConfig, LotteryConfig],
    exception_handlers=HANDLERS,
    config=StrawberryConfig(scalar_map=SCALARS),
)


def sdl() -> str:
    """The schema as schema.graphql has it: sorted, so that a change shows as one."""
    return print_schema(lexicographic_sort_schema(build_schema(schema.as_str()))) + "\n"
