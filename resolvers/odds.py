"""The odds as everybody reads them, and whether they are those that are drawn."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import strawberry

from models import FeatureType
from resolvers.root import root
from schema.conformance import DrawConformance
from schema.connections import After, Connection, First, connection_of, decode_cursor, page_size, row_number
from schema.context import Info
from schema.odds import OddsSheet
from schema.schedule import From, To
from services import conformance, odds
from services.request_errors import BadRequest
from services.rules.registry import GAMES

OfGame = Annotated[FeatureType, strawberry.argument(description="Which game: DICE, ROULETTE or LOTTERY.")]


@root
async def odds_sheets(
    info: Info, feature_type: OfGame, from_: From, to: To, *, first: First = 20, after: After = strawberry.UNSET
) -> Connection[OddsSheet]:
    """The odds of a game that may be played on some of these days, past or to come, newest first."""
    game = GAMES.get(feature_type)
    if game is None:
        raise BadRequest(f"{feature_type} has no odds: featureType is DICE, ROULETTE or LOTTERY.")
    app, key = info.context.app, decode_cursor(after, row_number)
    page = await odds.sheets(
        app.database, app.calendar, game, from_, to, first=page_size(first), before_revision=key[0] if key else None
    )
    return connection_of(page, lambda rules: (rules.revision,), partial(OddsSheet.of, game))


@root
async def draw_conformance(info: Info, from_: From, to: To) -> DrawConformance:
    """Whether the draws of some days fit the odds that were published for them."""
    return DrawConformance.of(await conformance.of_days(info.context.app.database, from_, to))
