"""The chance games, by feature. A new game is one more line here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models import FeatureType
from services.rules.day import Day
from services.rules.dice import DICE
from services.rules.game import Game
from services.rules.lottery import LOTTERY
from services.rules.roulette import ROULETTE

GAMES: Mapping[FeatureType, Game[Any, Any]] = {game.feature: game for game in (DICE, ROULETTE, LOTTERY)}

NOT_GAMES = {FeatureType.RANKING, FeatureType.SEASON_PASS}

assert GAMES.keys() | NOT_GAMES == set(FeatureType), "every feature is a registered game, or known not to be one"


def game_of(day: Day) -> Game[Any, Any] | None:
    """The game that is scheduled for a day, switched off or not; none on a day of something else, or of nothing."""
    return GAMES.get(day.scheduled.feature_type) if day.scheduled else None
