"""What players read."""

from __future__ import annotations

import strawberry

from models import FeatureType, Role
from resolvers.configs import dice_configs, lottery_configs, roulette_configs
from resolvers.draws import draw_commitments
from resolvers.lookups import audit_log, coupon_pools, player, user_events
from resolvers.lookups import players as all_players
from resolvers.nodes import node, nodes
from resolvers.odds import draw_conformance, odds_sheets
from resolvers.operators import feature_configs, feature_schedule, schedule_issues, seasons
from resolvers.ranking import ranking_snapshot
from resolvers.root import root
from schema.clock import Clock, Session
from schema.context import Info
from schema.described import described
from schema.features import TodayFeature
from schema.games import (
    DiceStatus,
    LotteryStatus,
    RouletteStatus,
)
from schema.players import Player, wanted_pages
from schema.season_pass import SeasonPassStatus
from services import statuses
from services.statuses import GameStatus


async def _status(info: Info, feature: FeatureType) -> GameStatus:
    app, me = info.context.app, info.context.me
    return await statuses.game_status(app.reads, me.player_id, feature, app.clock())


@root
async def me(info: Info) -> Player:
    """The caller."""
    app, me = info.context.app, info.context.me
    seen = await app.reads.player(me.player_id, app.clock(), wanted_pages(info, me.player_id))
    info.context.loaders.prime(me.player_id, seen)
    return Player.of(seen.accounts[me.player_id])


@root
async def clock(info: Info) -> Clock:
    """What time it is for the event."""
    app = info.context.app
    return Clock.of(app.calendar, app.clock())


@root
async def session(info: Info) -> Session:
    """What the caller's token says."""
    return Session.of(info.context.me)


@root
async def today_feature(info: Info) -> TodayFeature:
    """What is on today."""
    app = info.context.app
    now = app.clock()
    viewer = info.context.me.player_id if info.context.me.role is Role.PLAYER else None
    return TodayFeature.of(*await statuses.today(app.reads, now, viewer), now)


@root
async def dice_status(info: Info) -> DiceStatus:
    """The dice game, on its day."""
    return DiceStatus.of(await _status(info, FeatureType.DICE))


@root
async def roulette_status(info: Info) -> RouletteStatus:
    """The roulette, on its day."""
    return RouletteStatus.of(await _status(info, FeatureType.ROULETTE))


@root
async def lottery_status(info: Info) -> LotteryStatus:
    """The lottery, on its day, with what is left of each prize."""
    return LotteryStatus.of(await _status(info, FeatureType.LOTTERY))


@root
async def season_pass_status(info: Info) -> SeasonPassStatus:
    """The season pass: the season that is on, the caller's progress, and every level."""
    app, me = info.context.app, info.context.me
    status = await statuses.season_status(app.reads, me.player_id, app.clock())
    return SeasonPassStatus.of(status, me.player_id)


@described
@strawberry.type
class Query:
    """What can be read."""

    me = me
    clock = clock
    session = session
    node = node
    nodes = nodes
    today_feature = today_feature
    dice_status = dice_status
    roulette_status = roulette_status
    lottery_status = lottery_status
    season_pass_status = season_pass_status
    ranking_snapshot = ranking_snapshot
    odds_sheets = odds_sheets
    draw_conformance = draw_conformance
    draw_commitments = draw_commitments
    feature_schedule = feature_schedule
    schedule_issues = schedule_issues
    feature_configs = feature_configs
    dice_configs = dice_configs
    roulette_configs = roulette_configs
    lottery_configs = lottery_configs
    seasons = seasons
    players = all_players
    player = player
    user_events = user_events
    audit_log = audit_log
    coupon_pools = coupon_pools
