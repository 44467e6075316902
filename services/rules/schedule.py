"""What is wrong with a day ahead: a pure function of what the tables say about it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from models import FeatureType
from services.errors import DomainError, ErrorCode
from services.rules.day import Day
from services.rules.lottery import LotteryRules
from services.rules.registry import GAMES


@dataclass(frozen=True)
class ScheduleIssue:
    """One fault of a day: the code that players would meet, and what to mend."""

    date: dt.date
    code: ErrorCode
    message: str


def issues_of(day: Day, *, today: dt.date, active: Mapping[FeatureType, Any], is_ranked: bool) -> list[ScheduleIssue]:
    """Every fault of a day. `active`: each game's active revision now; `is_ranked`: whether the day has a ranking.

    Of a past day only the schedule, the season and the ranking are judged: what was published by then is history.
    """
    found = [*_schedule_faults(day), *_season_faults(day)]
    if day.scheduled is not None and day.scheduled.is_active:
        feature = day.scheduled.feature_type
        if feature in GAMES and day.date >= today:
            found += _game_faults(feature, active.get(feature))
        if feature is FeatureType.RANKING and day.date < today and not is_ranked:
            found.append((ErrorCode.RANKING_NOT_FOUND, "No ranking is published for this day of the ranking."))
    return [ScheduleIssue(day.date, code, message) for code, message in found]


Fault = tuple[ErrorCode, str]


def _schedule_faults(day: Day) -> Iterator[Fault]:
    if day.scheduled is None:
        yield ErrorCode.NO_FEATURE_TODAY, "Nothing is scheduled."
        return
    feature = day.scheduled.feature_type
    if not day.scheduled.is_active:
        yield ErrorCode.NO_FEATURE_TODAY, f"The day of {feature} is switched off (isActive)."
    if feature not in day.features:
        yield ErrorCode.NO_FEATURE_TODAY, f"{feature} is not configured: upsertFeatureConfig does that."
    elif not day.features[feature].is_enabled:
        yield ErrorCode.NO_FEATURE_TODAY, f"{feature} is switched off (isEnabled)."


def _season_faults(day: Day) -> Iterator[Fault]:
    try:
        day.season()
    except DomainError as fault:
        match fault.code:
            case ErrorCode.NO_ACTIVE_SEASON:
                yield fault.code, "No season is on."
            case ErrorCode.NO_ACTIVE_SEASON_CONFLICT:
                yield fault.code, "More than one season is on: " + ", ".join(one.name for one in day.seasons) + "."
            case _:
                yield fault.code, f'The levels of the season "{day.seasons[0].name}" are broken.'


def _game_faults(feature: FeatureType, rules: Any) -> Iterator[Fault]:
    if rules is None:
        yield ErrorCode.INVALID_FEATURE_SCHEDULE, f"{feature} has no active revision: publish one."
    elif not rules.is_valid:
        code = GAMES[feature].invalid.code
        yield code, f"The active revision {rules.revision} of {feature} is broken: publish another."
    elif isinstance(rules, LotteryRules) and not sum(rules.weights(rules.stocks())):
        yield ErrorCode.OUT_OF_STOCK, f"Nothing is left to draw of the active revision {rules.revision}."
