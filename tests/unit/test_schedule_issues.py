"""What is wrong with a day, to the word: the code that players would meet, and what to mend."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
import pytest

from models import FeatureType, RewardType
from services.rules.day import Day, Scheduled
from services.rules.schedule import ScheduleIssue, issues_of
from tests.unit import rules
from tests.unit.rules import NOW, TODAY

DICE, LOTTERY, RANKING = FeatureType.DICE, FeatureType.LOTTERY, FeatureType.RANKING
YESTERDAY, TOMORROW = dt.date(2026, 3, 1), dt.date(2026, 3, 3)
SEASON = rules.season([(1, True)])
COUPONS = tuple("abcdefghi")


def a_day(feature: FeatureType | None = DICE, **changes: Any) -> Day:
    return msgspec.structs.replace(rules.day(feature, seasons=[SEASON]), **changes)


def features(feature: FeatureType, **changes: Any) -> dict[FeatureType, Any]:
    there = dict(a_day().features)
    return there | {feature: msgspec.structs.replace(there[feature], **changes)}


def told(day: Day, played: Any = None, **more: Any) -> list[str]:
    """What is wrong with a day, of which the dice are played from its beginning on."""
    known: dict[str, Any] = {"today": TODAY, "empty_pools": (), "is_ranked": False} | more
    found = issues_of(day, played=[(NOW, rules.dice())] if played is None else played, **known)
    assert all(issue == ScheduleIssue(day.date, issue.code, issue.message) for issue in found)
    return [f"{issue.code}: {issue.message}" for issue in found]


def off(feature: FeatureType) -> Scheduled:
    return Scheduled(feature, is_active=False)


DRAWN_ODDLY = (
    "DRAW_ALARM: What was drawn of DICE did not fit its published odds: drawConformance tells more. Once that is"
    " explained, an ADMIN switches DICE on again (upsertFeatureConfig), from off, with a reason."
)
UNRANKED = "RANKING_NOT_FOUND: No ranking is published for this day of the ranking."
NOTHING_ON = "NO_FEATURE_TODAY: Nothing is scheduled."
SWITCHED_OFF = "NO_FEATURE_TODAY: The day of DICE is switched off (isActive)."


@pytest.mark.parametrize(
    ("day", "faults"),
    [
        (a_day(), []),
        (a_day(None), [NOTHING_ON]),
        (a_day(scheduled=off(DICE)), [SWITCHED_OFF]),
        (a_day(features={}), ["NO_FEATURE_TODAY: DICE is not configured: upsertFeatureConfig does that."]),
        (a_day(features=features(DICE, is_enabled=False)), ["NO_FEATURE_TODAY: DICE is switched off (isEnabled)."]),
        (
            a_day(scheduled=off(DICE), features=features(DICE, is_enabled=False)),
            [SWITCHED_OFF, "NO_FEATURE_TODAY: DICE is switched off (isEnabled)."],
        ),
        (a_day(seasons=()), ["NO_ACTIVE_SEASON: No season is on."]),
        (
            a_day(seasons=(SEASON, msgspec.structs.replace(SEASON, name="twin"))),
            ["NO_ACTIVE_SEASON_CONFLICT: More than one season is on: season, twin."],
        ),
        (
            a_day(seasons=(rules.season([(1, True), (1, True)]),)),
            ['INVALID_SEASON_CONFIG: The levels of the season "season" are broken.'],
        ),
        (a_day(None, seasons=()), [NOTHING_ON, "NO_ACTIVE_SEASON: No season is on."]),
    ],
)
def test_what_is_scheduled_and_the_season(day: Day, faults: list[str]) -> None:
    assert told(day) == faults


def coupons() -> Any:
    """A lottery of a coupon of each kind."""
    lottery = rules.lottery([(1, None)] * len(COUPONS))
    prizes = (
        msgspec.structs.replace(prize, reward_type=RewardType.COUPON, reward_amount=1, coupon_type=kind)
        for prize, kind in zip(lottery.prizes, reversed(COUPONS), strict=True)
    )
    return msgspec.structs.replace(lottery, prizes=tuple(prizes))


LATER = dt.datetime(2026, 3, 2, 9, 30, tzinfo=dt.UTC)
BROKEN = rules.dice(win_reward_amount=-1, revision=4)


@pytest.mark.parametrize(
    ("feature", "played", "faults"),
    [
        (DICE, [], []),
        (DICE, [(NOW, None)], ["INVALID_FEATURE_SCHEDULE: No revision of DICE is played: publish one."]),
        (
            DICE,
            [(NOW, rules.dice()), (LATER, None)],
            ["INVALID_FEATURE_SCHEDULE: No revision of DICE is played from 2026-03-02T09:30:00Z on: publish one."],
        ),
        (
            DICE,
            [(NOW, BROKEN), (LATER, BROKEN)],
            [
                f"INVALID_DICE_CONFIG: Revision 4 of DICE, which is played{since}, is broken: publish another."
                for since in ("", " from 2026-03-02T09:30:00Z on")
            ],
        ),
        (
            LOTTERY,
            [(NOW, rules.lottery([(1, 0)])), (LATER, rules.lottery([(1, 0), (1, 1)]))],
            ["OUT_OF_STOCK: Nothing is left to draw of revision 3, which is played."],
        ),
        (
            LOTTERY,
            [(NOW, coupons())],
            [
                f"COUPON_POOL_EMPTY: No code of {kind} is left, which revision 3 of LOTTERY gives: import more."
                " Who wins one waits for it."
                for kind in COUPONS
            ],
        ),
        (RANKING, [(NOW, None)], []),
    ],
)
def test_what_is_played(feature: FeatureType, played: Any, faults: list[str]) -> None:
    assert told(a_day(feature), played, empty_pools=COUPONS) == faults
    assert told(a_day(feature, scheduled=off(feature)), played)[1:] == [], "of what is switched off nothing is played"


def test_a_pool_that_is_full_or_of_no_prize_is_no_issue() -> None:
    assert told(a_day(LOTTERY), [(NOW, coupons())], empty_pools=["z"]) == []


@pytest.mark.parametrize(("date", "is_told"), [(YESTERDAY, False), (TODAY, True), (TOMORROW, True)])
def test_draws_that_are_doubted_from_today_on(date: dt.date, is_told: bool) -> None:
    assert told(a_day(date=date), doubted=[DICE]) == ([DRAWN_ODDLY] if is_told else [])
    assert told(a_day(date=date), doubted=[LOTTERY]) == []
    assert told(a_day(None, date=date), doubted=[DICE]) == [NOTHING_ON]
    assert told(a_day(date=date, scheduled=off(DICE)), doubted=[DICE]) == [SWITCHED_OFF]


@pytest.mark.parametrize(("date", "is_told"), [(YESTERDAY, True), (TODAY, False), (TOMORROW, False)])
def test_a_ranking_that_is_missing_once_its_day_is_over(date: dt.date, is_told: bool) -> None:
    assert told(a_day(RANKING, date=date)) == ([UNRANKED] if is_told else [])
    assert told(a_day(RANKING, date=date), is_ranked=True) == []
    assert told(a_day(date=date)) == []
