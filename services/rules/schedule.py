"""What is wrong with a day ahead: a pure function of what the tables say about it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from models import FeatureType
from services.error_codes import ScheduleIssueCode
from services.errors import DomainError
from services.rules.day import Day
from services.rules.game import Rules
from services.rules.registry import GAMES


@dataclass(frozen=True)
class ScheduleIssue:
    """One fault of a day: the code that players would meet, and what to mend."""

    date: dt.date
    code: ScheduleIssueCode
    message: str


Played = Sequence[tuple[dt.datetime, Rules | None]]
"""What is played of a game, and from when on; none where no window holds that time."""


def issues_of(
    day: Day,
    *,
    today: dt.date,
    played: Played,
    empty_pools: Collection[str],
    is_ranked: bool,
    doubted: Collection[FeatureType] = (),
) -> list[ScheduleIssue]:
    """Every fault of a day. `played`: its game, as far as it lies ahead; `is_ranked`: whether it has a ranking.

    `empty_pools`: coupon types that no code is left of; `doubted`: features whose draws raised an alarm.

    Of a past day only the schedule, the season and the ranking are judged: nothing can be mended any more.
    """
    found = [*_schedule_faults(day), *_season_faults(day)]
    if day.scheduled is not None and day.scheduled.is_active:
        feature = day.scheduled.feature_type
        if feature in GAMES:
            for number, (instant, rules) in enumerate(played):
                since = f" from {instant:%Y-%m-%dT%H:%M:%SZ} on" if number else ""
                found += _game_faults(feature, rules, since, empty_pools)
        if feature in doubted and day.date >= today:
            found.append((ScheduleIssueCode.DRAW_ALARM, _DOUBTED.format(feature)))
        if feature is FeatureType.RANKING and day.date < today and not is_ranked:
            found.append((ScheduleIssueCode.RANKING_NOT_FOUND, "No ranking is published for this day of the ranking."))
    return [ScheduleIssue(day.date, code, message) for code, message in found]


Fault = tuple[ScheduleIssueCode, str]


def _schedule_faults(day: Day) -> Iterator[Fault]:
    if day.scheduled is None:
        yield ScheduleIssueCode.NO_FEATURE_TODAY, "Nothing is scheduled."
        return
    feature = day.scheduled.feature_type
    if not day.scheduled.is_active:
        yield ScheduleIssueCode.NO_FEATURE_TODAY, f"The day of {feature} is switched off (isActive)."
    if feature not in day.features:
        yield ScheduleIssueCode.NO_FEATURE_TODAY, f"{feature} is not configured: upsertFeatureConfig does that."
    elif not day.features[feature].is_enabled:
        yield ScheduleIssueCode.NO_FEATURE_TODAY, f"{feature} is switched off (isEnabled)."


def _season_faults(day: Day) -> Iterator[Fault]:
    try:
        day.season()
    except DomainError as fault:
        match code := ScheduleIssueCode(fault.code):
            case ScheduleIssueCode.NO_ACTIVE_SEASON:
                yield code, "No season is on."
            case ScheduleIssueCode.NO_ACTIVE_SEASON_CONFLICT:
                yield code, "More than one season is on: " + ", ".join(one.name for one in day.seasons) + "."
            case _:
                yield code, f'The levels of the season "{day.seasons[0].name}" are broken.'


_DOUBTED = (
    "What was drawn of {0} did not fit its published odds: drawConformance tells more. Once that is explained, an ADMIN"
    " switches {0} on again (upsertFeatureConfig), from off, with a reason."
)


def _game_faults(
    feature: FeatureType, rules: Rules | None, since: str, empty_pools: Collection[str]
) -> Iterator[Fault]:
    """What is wrong with what is played; `since` says from when on, where that is not the day's beginning."""
    if rules is None:
        yield ScheduleIssueCode.INVALID_FEATURE_SCHEDULE, f"No revision of {feature} is played{since}: publish one."
    elif not rules.is_valid:
        code = ScheduleIssueCode(GAMES[feature].invalid.code)
        yield code, f"Revision {rules.revision} of {feature}, which is played{since}, is broken: publish another."
    elif rules.is_sold_out:
        yield (
            ScheduleIssueCode.OUT_OF_STOCK,
            f"Nothing is left to draw of revision {rules.revision}, which is played{since}.",
        )
    else:
        for coupon_type in sorted(rules.coupon_types & set(empty_pools)):
            told = f"No code of {coupon_type} is left, which revision {rules.revision} of {feature} gives{since}"
            yield ScheduleIssueCode.COUPON_POOL_EMPTY, f"{told}: import more. Who wins one waits for it."
