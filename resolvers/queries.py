"""What players read."""

from __future__ import annotations

import strawberry

from models import FeatureType, Role
from resolvers.lookups import audit_log, user_events
from resolvers.lookups import players as all_players
from resolvers.operators import (
    dice_configs,
    feature_configs,
    feature_schedule,
    lottery_configs,
    roulette_configs,
    schedule_issues,
    seasons,
)
from resolvers.ranking import ranking_snapshot
from resolvers.root import root
from schema.context import Info
from schema.features import TodayFeature, TodayFeatureResult
from schema.games import (
    DiceStatus,
    DiceStatusResult,
    LotteryStatus,
    LotteryStatusResult,
    RouletteStatus,
    RouletteStatusResult,
)
from schema.players import Player
from schema.season_pass import SeasonPassStatus, SeasonPassStatusResult
from services import features, players
from services.errors import Unauthenticated
from services.features import GameStatus


async def _status(info: Info, feature: FeatureType) -> GameStatus:
    app, me = info.context.app, info.context.me
    return await features.game_status(app.database, app.calendar, me.player_id, feature, info.context.today())


@root("The caller.")
async def me(info: Info) -> Player:
    """The caller."""
    found = await players.find_player(info.context.app.database, info.context.me.player_id)
    if found is None:
        raise Unauthenticated
    return Player.of(found)


@root("What is on today.")
async def today_feature(info: Info) -> TodayFeatureResult:
    """What is on today."""
    app = info.context.app
    now = app.clock()
    day, feature = await features.today(app.database, app.calendar, app.calendar.business_date(now))
    if info.context.me.role is Role.PLAYER:
        await app.views.seen(info.context.me.player_id, feature.feature_type, day.date, now)
    return TodayFeature.of(day, feature, now)


@root("The dice game, on its day.")
async def dice_status(info: Info) -> DiceStatusResult:
    """The dice game."""
    return DiceStatus.of(await _status(info, FeatureType.DICE))


@root("The roulette, on its day.")
async def roulette_status(info: Info) -> RouletteStatusResult:
    """The roulette."""
    return RouletteStatus.of(await _status(info, FeatureType.ROULETTE))


@root("The lottery, on its day, with what is left of each prize.")
async def lottery_status(info: Info) -> LotteryStatusResult:
    """The lottery."""
    return LotteryStatus.of(await _status(info, FeatureType.LOTTERY))


@root("The season pass: the season that is on, the caller's progress, and every level.")
async def season_pass_status(info: Info) -> SeasonPassStatusResult:
    """The season pass."""
    app, me = info.context.app, info.context.me
    return SeasonPassStatus.of(
        await features.season_status(app.database, app.calendar, me.player_id, info.context.today())
    )


@strawberry.type(description="What can be read.")
class Query:
    """What can be read."""

    me = me
    today_feature = today_feature
    dice_status = dice_status
    roulette_status = roulette_status
    lottery_status = lottery_status
    season_pass_status = season_pass_status
    ranking_snapshot = ranking_snapshot
    feature_schedule = feature_schedule
    schedule_issues = schedule_issues
    feature_configs = feature_configs
    dice_configs = dice_configs
    roulette_configs = roulette_configs
    lottery_configs = lottery_configs
    seasons = seasons
    players = all_players
    user_events = user_events
    audit_log = audit_log
