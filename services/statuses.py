"""What is on, and how a player stands in it, out of what `Reads` reads."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from models import FeatureType
from services.answers import DailyLimit, Reward
from services.reads import Reads, Seen
from services.rules.day import Day, Feature, SeasonRules
from services.rules.play import feature_on, rules_at
from services.rules.registry import GAMES
from services.rules.state import Progress


@dataclass(frozen=True)
class GameStatus:
    """How a game stands for a player on a day: its rules, what is left of the limit, and what is left of its prizes."""

    player_id: UUID
    date: dt.date
    rules: Any
    daily_limit: DailyLimit
    stocks: dict[int, int]


@dataclass(frozen=True)
class LevelStatus:
    """A level as a player sees it."""

    level: int
    required_xp: int
    reward: Reward
    auto_claim: bool
    is_reached: bool
    claimed_at: dt.datetime | None


@dataclass(frozen=True)
class SeasonStatus:
    """The season that is on, and a player's way through it."""

    season: SeasonRules
    progress: Progress | None
    levels: Sequence[LevelStatus]
    date: dt.date
    is_stamped: bool


async def today(reads: Reads, now: dt.datetime, viewer: UUID | None = None) -> tuple[Day, Feature]:
    """What is on now; that `viewer`, a player, has seen it is recorded.

    Raises: NoFeatureToday, InvalidFeatureSchedule.
    """
    state = await (reads.day(now) if viewer is None else reads.seen_by(viewer, now))
    return state.day, feature_on(state, now)


async def game_status(reads: Reads, player_id: UUID, feature: FeatureType, now: dt.datetime) -> GameStatus:
    """How `feature` stands for a player now.

    Raises: NoFeatureToday, the game's INVALID_*_CONFIG, Unauthenticated.
    """
    return game_status_of(await reads.player(player_id, now), player_id, feature, now)


def game_status_of(seen: Seen, player_id: UUID, feature: FeatureType, now: dt.datetime) -> GameStatus:
    """The same, out of what was read.

    Raises: NoFeatureToday, the game's INVALID_*_CONFIG, Unauthenticated.
    """
    day = seen.state.day
    rules = rules_at(GAMES[feature], seen.state, now)
    used = seen.player(player_id).used[feature]
    return GameStatus(player_id, day.date, rules, DailyLimit(rules.daily_max, used, day.ends_at), seen.state.stocks)


async def season_status(reads: Reads, player_id: UUID, now: dt.datetime) -> SeasonStatus:
    """How the season pass stands for a player now.

    Raises: NoActiveSeason, NoActiveSeasonConflict, InvalidSeasonConfig, Unauthenticated.
    """
    seen = await reads.player(player_id, now)
    player, season = seen.player(player_id), seen.state.day.season()
    reached = player.progress.current_level if player.progress else 0
    levels = [
        LevelStatus(
            level.level,
            level.required_xp,
            level.reward,
            level.auto_claim,
            level.level <= reached,
            player.claimed.get(level.level),
        )
        for level in season.levels
    ]
    return SeasonStatus(season, player.progress, levels, seen.state.day.date, player.stamped)
