"""What is on, and how a player stands in it: the reads behind every status."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from models import FeatureType
from services.answers import DailyLimit, Reward
from services.calendar import Calendar
from services.database import Database
from services.errors import Unauthenticated
from services.load import load, load_day
from services.rules.day import Day, Feature, SeasonRules
from services.rules.play import check_schedule, rules_today
from services.rules.registry import GAMES
from services.rules.state import PlayerState, Progress, State


@dataclass(frozen=True, slots=True)
class Reader:
    """A player whose state is to be read."""

    user_id: int
    game: FeatureType | None = None
    key: str = ""


@dataclass(frozen=True)
class GameStatus:
    """A game's active rules, what is left of the day's limit, and what is left of its prizes."""

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


async def today(database: Database, calendar: Calendar, date: dt.date) -> tuple[Day, Feature]:
    """What is on at `date`.

    Raises: NoFeatureToday, InvalidFeatureSchedule.
    """
    async with database.hot() as connection:
        day = await load_day(connection, calendar, date)
    feature = day.feature()
    check_schedule(day)
    return day, feature


async def game_status(
    database: Database, calendar: Calendar, user_id: int, feature: FeatureType, date: dt.date
) -> GameStatus:
    """How `feature` stands for a player at `date`.

    Raises: NoFeatureToday, the game's INVALID_*_CONFIG, Unauthenticated.
    """
    found = await game_statuses(database, calendar, [user_id], feature, date)
    if user_id not in found:
        raise Unauthenticated
    return found[user_id]


async def game_statuses(
    database: Database, calendar: Calendar, user_ids: Sequence[int], feature: FeatureType, date: dt.date
) -> dict[int, GameStatus]:
    """How `feature` stands for each of these players at `date`, by one statement; unknown players are left out.

    Raises: NoFeatureToday, the game's INVALID_*_CONFIG.
    """
    async with database.hot() as connection:
        state = await load(connection, calendar, date, [Reader(user_id, feature) for user_id in user_ids])
    rules = rules_today(GAMES[feature], state.day)
    return {
        user_id: GameStatus(rules, DailyLimit(rules.daily_max, player.used[feature], state.day.ends_at), state.stocks)
        for user_id, player in state.players.items()
    }


async def season_status(database: Database, calendar: Calendar, user_id: int, date: dt.date) -> SeasonStatus:
    """How the season pass stands for a player at `date`.

    Raises: NoActiveSeason, NoActiveSeasonConflict, InvalidSeasonConfig, Unauthenticated.
    """
    state, player = await _read(database, calendar, Reader(user_id), date)
    season = state.day.season()
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
    return SeasonStatus(season, player.progress, levels, date, player.stamped)


async def _read(database: Database, calendar: Calendar, reader: Reader, date: dt.date) -> tuple[State, PlayerState]:
    """The day and the player. Raises: Unauthenticated when there is no such player."""
    async with database.hot() as connection:
        state = await load(connection, calendar, date, [reader])
    player = state.players.get(reader.user_id)
    if player is None:
        raise Unauthenticated
    return state, player
