"""The games' configurations: what operators read, publish and withdraw."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar

import strawberry

from resolvers.root import root
from resolvers.staff import tried
from schema.config_inputs import (
    AdjustStockInput,
    RepublishConfigInput,
    UpsertDiceConfigInput,
    UpsertLotteryConfigInput,
    UpsertRouletteConfigInput,
    WithdrawConfigInput,
)
from schema.config_payloads import (
    AdjustStockPayload,
    ConfigPayload,
    UpsertDiceConfigPayload,
    UpsertLotteryConfigPayload,
    UpsertRouletteConfigPayload,
)
from schema.connections import After, Connection, First, connection_of, decode_cursor, page_size, row_number
from schema.context import Info
from schema.games import DiceConfig, LotteryConfig, LotteryPrize, RouletteConfig
from schema.inputs import given
from schema.nodes import Kind, number_of, read_id
from services import configs, published, stocks
from services.changes import Outcome
from services.configs import NO_REVISION
from services.errors import NotFound
from services.published import Published
from services.rules.dice import DICE
from services.rules.game import Game, RulesT
from services.rules.lottery import LOTTERY
from services.rules.roulette import ROULETTE
from services.stocks import Stocked

ShownT = TypeVar("ShownT")

GAME_OF: Mapping[Kind, tuple[Game[Any, Any], Callable[[Published[Any]], Any]]] = {
    Kind.DICE_CONFIG: (DICE, DiceConfig.of),
    Kind.ROULETTE_CONFIG: (ROULETTE, RouletteConfig.of),
    Kind.LOTTERY_CONFIG: (LOTTERY, LotteryConfig.of),
}
"""Whose revision an id is of, and how it is shown."""


async def _revisions(
    info: Info, game: Game[RulesT, Any], first: int, after: str | None, show: Callable[[Published[RulesT]], ShownT]
) -> Connection[ShownT]:
    app, key = info.context.app, decode_cursor(after, row_number)
    before = key[0] if key else None
    page = await published.revisions(
        app.database, game, now=app.clock(), first=page_size(first), before_revision=before
    )
    return connection_of(page, lambda one: (one.rules.revision,), show)


@root
async def dice_configs(info: Info, first: First = 20, after: After = strawberry.UNSET) -> Connection[DiceConfig]:
    """The revisions of the dice game, newest first."""
    return await _revisions(info, DICE, first, after, DiceConfig.of)


@root
async def roulette_configs(
    info: Info, first: First = 20, after: After = strawberry.UNSET
) -> Connection[RouletteConfig]:
    """The revisions of the roulette, newest first."""
    return await _revisions(info, ROULETTE, first, after, RouletteConfig.of)


@root
async def lottery_configs(info: Info, first: First = 20, after: After = strawberry.UNSET) -> Connection[LotteryConfig]:
    """The revisions of the lottery, newest first, each with what is left of its stocks."""
    return await _revisions(info, LOTTERY, first, after, LotteryConfig.of)


async def _publish(
    info: Info,
    game: Game[RulesT, Any],
    input: UpsertDiceConfigInput | UpsertRouletteConfigInput | UpsertLotteryConfigInput,  # noqa: A002
) -> Outcome[Published[RulesT]]:
    command = partial(
        configs.publish,
        game=game,
        config=input.draft(),
        window=input.window(),
        expected_revision=given(input.expected_revision),
        notice_hours=info.context.app.odds_notice_hours,
    )
    return await tried(info, input, command)


@root
async def upsert_dice_config(info: Info, input: UpsertDiceConfigInput) -> UpsertDiceConfigPayload:  # noqa: A002
    """Publish the next revision of the dice game. Plays that are under way get the old one or the new one, whole."""
    outcome = await _publish(info, DICE, input)
    return UpsertDiceConfigPayload.of(outcome, input.mode, config=DiceConfig.of)


@root
async def upsert_roulette_config(
    info: Info,
    input: UpsertRouletteConfigInput,  # noqa: A002
) -> UpsertRouletteConfigPayload:
    """Publish the next revision of the roulette. Spins that are under way get the old one or the new one, whole."""
    outcome = await _publish(info, ROULETTE, input)
    return UpsertRouletteConfigPayload.of(outcome, input.mode, config=RouletteConfig.of)


@root
async def upsert_lottery_config(
    info: Info,
    input: UpsertLotteryConfigInput,  # noqa: A002
) -> UpsertLotteryConfigPayload:
    """Publish the next revision of the lottery, with its stock.

    Draws under way get the old one or the new one, whole.
    """
    outcome = await _publish(info, LOTTERY, input)
    return UpsertLotteryConfigPayload.of(outcome, input.mode, config=LotteryConfig.of)


def _revision(text: str) -> tuple[Game[Any, Any], Callable[[Published[Any]], Any], int]:
    """A revision's game, how it is shown, and its number. Raises: NotFound, for another id."""
    kind, parts = read_id(text) or (Kind.PLAYER, [])
    if kind not in GAME_OF:
        raise NotFound(NO_REVISION)
    return *GAME_OF[kind], parts[0]


@root
async def republish_config(info: Info, input: RepublishConfigInput) -> ConfigPayload:  # noqa: A002
    """Publish what an old revision says once more, as its game's next one."""
    game, show, config_id = _revision(input.config_id)
    command = partial(
        configs.republish,
        game=game,
        config_id=config_id,
        window=input.window(),
        expected_revision=given(input.expected_revision),
        notice_hours=info.context.app.odds_notice_hours,
    )
    return ConfigPayload.of(await tried(info, input, command), input.mode, config=show)


@root
async def withdraw_config(info: Info, input: WithdrawConfigInput) -> ConfigPayload:  # noqa: A002
    """Take back a revision before its window begins. One that has begun is history: publish another."""
    game, show, config_id = _revision(input.config_id)
    command = partial(configs.withdraw, game=game, config_id=config_id, reason=input.reason)
    return ConfigPayload.of(await tried(info, input, command), input.mode, config=show)


@root
async def adjust_stock(info: Info, input: AdjustStockInput) -> AdjustStockPayload:  # noqa: A002
    """Add to a stock, or take away, for every prize that is drawn from it. Draws under way wait, and then know."""
    stock_id = number_of(input.stock_id, Kind.LOTTERY_STOCK)
    command = partial(
        stocks.adjust, stock_id=stock_id, by=input.by, expected_left=input.expected_left, reason=input.reason
    )
    return AdjustStockPayload.of(await tried(info, input, command), input.mode, prize=_stocked)


def _stocked(stocked: Stocked) -> LotteryPrize:
    """The prize whose stock was adjusted."""
    rules = stocked.rules
    return LotteryPrize.all_of(rules, rules.stocks())[rules.prizes.index(stocked.prize)]
