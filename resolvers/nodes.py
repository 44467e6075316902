"""Finding anything again by its id: one table of what finds each kind, and who may see it.

What does not exist and what is not the caller's to see are answered alike: null. Players see what is theirs, and what
is shown to everybody; staff see all.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, TypeAlias
from uuid import UUID

import strawberry

from models import LAST_DATE, FeatureType
from resolvers.root import root
from schema.audit import AuditEntry
from schema.context import Info
from schema.events import UserEvent
from schema.games import STATUSES, DiceConfig, LotteryConfig, LotteryPrize, RouletteConfig, RouletteSegment
from schema.nodes import Kind, Node, parts_of, read_id
from schema.odds import OddsSheet
from schema.players import Player, RewardEntry
from schema.plays import DicePlay, LotteryDraw, RouletteSpin, play_of
from schema.ranking import RankingSnapshot, wanted_pages
from schema.roots import READERS
from schema.schedule import FeatureConfig, ScheduledDay
from schema.season_pass import Season, SeasonPassStatus
from services import audit, odds, published, ranking, schedule, seasons, statuses
from services.errors import DomainError
from services.published import Published
from services.request_errors import BadRequest, Unauthenticated
from services.rules.dice import DICE
from services.rules.game import Game
from services.rules.lottery import LOTTERY
from services.rules.registry import GAMES
from services.rules.roulette import ROULETTE

MAX_NODES = 100

Found: TypeAlias = Any
Finder: TypeAlias = Callable[..., Awaitable[Found]]

Id = Annotated[strawberry.ID, strawberry.argument(description="What `id` of a node tells.")]
Ids = Annotated[list[strawberry.ID], strawberry.argument(description=f"At most {MAX_NODES}.")]


def _is_staff(info: Info) -> bool:
    return info.context.me.role in READERS


def _theirs(find: Finder) -> Finder:
    """Of the player whom the id begins with: theirs to see, and staff's."""

    async def finder(info: Info, player_id: UUID, *parts: Any) -> Found:
        if player_id != info.context.me.player_id and not _is_staff(info):
            return None
        return await find(info, player_id, *parts)

    return finder


def _staffs(find: Finder) -> Finder:
    """Staff's alone."""

    async def finder(info: Info, *parts: Any) -> Found:
        return await find(info, *parts) if _is_staff(info) else None

    return finder


@_theirs
async def _player(info: Info, player_id: UUID) -> Player | None:
    found = await info.context.loaders.players.load(player_id)
    return Player.of(found) if found else None


def _play(kind: type) -> Finder:
    @_theirs
    async def finder(info: Info, player_id: UUID, play_id: UUID) -> Found:
        found = await info.context.loaders.plays_by_id.load((player_id, play_id))
        play = play_of(found, player_id) if found else None
        return play if type(play) is kind else None

    return finder


@_theirs
async def _reward_entry(info: Info, player_id: UUID, number: int) -> RewardEntry | None:
    found = await info.context.loaders.lines.load((player_id, number))
    return RewardEntry.of(found) if found else None


@_theirs
async def _user_event(info: Info, player_id: UUID, event_id: UUID) -> UserEvent | None:
    found = await info.context.loaders.events_by_id.load((player_id, event_id))
    return UserEvent.of(found) if found else None


async def _status_now(info: Info, player_id: UUID, feature: FeatureType) -> statuses.GameStatus | None:
    """How a game stands for a player today; none where it is not on, or there is no such player."""
    app = info.context.app
    try:
        return await statuses.game_status(app.reads, player_id, feature, app.clock())
    except (DomainError, Unauthenticated):
        return None


async def _shown(info: Info, game: Game[Any, Any]) -> statuses.GameStatus | None:
    """How a game stands for the caller today, where it is on."""
    return await _status_now(info, info.context.me.player_id, game.feature)


async def _seen(info: Info, game: Game[Any, Any], found: Published[Any] | None) -> Published[Any] | None:
    """A revision, where the caller may see it: staff see all, players what is played now."""
    if found is None or _is_staff(info):
        return found
    status = await _shown(info, game)
    return found if status is not None and status.rules.id == found.rules.id else None


def _config(game: Game[Any, Any], show: Callable[[Any], Found]) -> Finder:
    async def finder(info: Info, revision_id: int) -> Found:
        app = info.context.app
        found = await published.revision_with(app.database, game, revision_id, now=app.clock())
        seen = await _seen(info, game, found)
        return show(seen) if seen else None

    return finder


async def _owner(info: Info, game: Game[Any, Any], part_id: int) -> Published[Any] | None:
    """The revision of a segment or a prize, where the caller may see it."""
    app = info.context.app
    return await _seen(info, game, await published.revision_of_part(app.database, game, part_id, now=app.clock()))


async def _segment(info: Info, segment_id: int) -> RouletteSegment | None:
    seen = await _owner(info, ROULETTE, segment_id)
    shown = seen.rules.shown() if seen else ()
    return next((RouletteSegment.of(segment) for segment in shown if segment.id == segment_id), None)


async def _prize(info: Info, prize_id: int) -> LotteryPrize | None:
    seen = await _owner(info, LOTTERY, prize_id)
    shown = LotteryConfig.of(seen).prizes if seen else []
    return next((prize for prize in shown if parts_of(prize.id, Kind.LOTTERY_PRIZE) == [prize_id]), None)


def _status(feature: FeatureType) -> Finder:
    @_theirs
    async def finder(info: Info, player_id: UUID, date: dt.date) -> Found:
        found = await _status_now(info, player_id, feature)
        return STATUSES[feature].of(found) if found and found.date == date else None

    return finder


async def _season_today(info: Info, player_id: UUID) -> statuses.SeasonStatus | None:
    app = info.context.app
    try:
        return await statuses.season_status(app.reads, player_id, app.clock())
    except (DomainError, Unauthenticated):
        return None


async def _season(info: Info, season_id: int) -> Season | None:
    if _is_staff(info):
        found = await seasons.season_with(info.context.app.database, season_id)
        return Season.of(found) if found else None
    status = await _season_today(info, info.context.me.player_id)
    return Season.of(status.season) if status and status.season.id == season_id else None


@_theirs
async def _season_pass_status(info: Info, player_id: UUID, season_id: int) -> SeasonPassStatus | None:
    status = await _season_today(info, player_id)
    return SeasonPassStatus.of(status, player_id) if status and status.season.id == season_id else None


async def _ranking_snapshot(info: Info, date: dt.date, revision: int) -> RankingSnapshot | None:
    app, reader = info.context.app, ranking.Reader(info.context.me.player_id, wanted_pages(info))
    try:
        found = await ranking.read(app.database, app.reads, date, info.context.today(), reader)
    except DomainError:
        return None
    return RankingSnapshot.of(found) if found.revision == revision else None


@_staffs
async def _scheduled_day(info: Info, date: dt.date) -> ScheduledDay | None:
    found = await schedule.scheduled_days(info.context.app.database, date, date) if date <= LAST_DATE else []
    return ScheduledDay.of(found[0]) if found else None


@_staffs
async def _feature_config(info: Info, feature: FeatureType) -> FeatureConfig | None:
    found = await schedule.feature_configs(info.context.app.database)
    return next((FeatureConfig.of(row) for row in found if row.feature_type is feature), None)


@_staffs
async def _audit_entry(info: Info, entry_id: int) -> AuditEntry | None:
    found = await audit.entry(info.context.app.database, entry_id)
    # What it is about is found as everything is, so whoever knows how that is written knows this module.
    from resolvers.targets import node_of  # noqa: PLC0415

    return AuditEntry.of(found, node_of) if found else None


async def _odds_sheet(info: Info, feature: FeatureType, revision_id: int) -> OddsSheet | None:
    game = GAMES.get(feature)
    found = await odds.sheet_with(info.context.app.database, game, revision_id) if game else None
    return OddsSheet.of(game, found) if game and found else None


FINDERS: Mapping[Kind, Finder] = {
    Kind.PLAYER: _player,
    Kind.DICE_PLAY: _play(DicePlay),
    Kind.ROULETTE_SPIN: _play(RouletteSpin),
    Kind.LOTTERY_DRAW: _play(LotteryDraw),
    Kind.REWARD_ENTRY: _reward_entry,
    Kind.USER_EVENT: _user_event,
    Kind.DICE_CONFIG: _config(DICE, DiceConfig.of),
    Kind.ROULETTE_CONFIG: _config(ROULETTE, RouletteConfig.of),
    Kind.LOTTERY_CONFIG: _config(LOTTERY, LotteryConfig.of),
    Kind.ROULETTE_SEGMENT: _segment,
    Kind.LOTTERY_PRIZE: _prize,
    Kind.DICE_STATUS: _status(FeatureType.DICE),
    Kind.ROULETTE_STATUS: _status(FeatureType.ROULETTE),
    Kind.LOTTERY_STATUS: _status(FeatureType.LOTTERY),
    Kind.SEASON: _season,
    Kind.SEASON_PASS_STATUS: _season_pass_status,
    Kind.RANKING_SNAPSHOT: _ranking_snapshot,
    Kind.SCHEDULED_DAY: _scheduled_day,
    Kind.FEATURE_CONFIG: _feature_config,
    Kind.AUDIT_ENTRY: _audit_entry,
    Kind.ODDS_SHEET: _odds_sheet,
}
"""What finds each kind of node. Ids of the other kinds name what is shown with something else, and find nothing."""


async def find(info: Info, text: str) -> Found:
    """What has this id, where the caller may see it; else none."""
    known = read_id(text)
    finder = FINDERS.get(known[0]) if known else None
    return await finder(info, *known[1]) if known and finder else None


@root
async def node(info: Info, id: Id) -> Node | None:  # noqa: A002 (the contract's name)
    """Find anything again by its id; null for what does not exist, or is not the caller's to see."""
    found: Node | None = await find(info, id)
    return found


@root
async def nodes(info: Info, ids: Ids) -> list[Node | None]:
    """Find several by their ids, in their order; null in the place of what does not exist, or is not to be seen."""
    if len(ids) > MAX_NODES:
        raise BadRequest(f"ids must be at most {MAX_NODES}.")
    return list(await asyncio.gather(*(find(info, text) for text in ids)))
