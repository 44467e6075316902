"""The first and the last that each rule for operators lets pass, and what is one beyond.

Numbers are written out: a bound that moves is noticed here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from models import FeatureType, Language, RewardType
from services.answers import Reward
from services.rules import dice, lottery, roulette, validation
from services.rules.dice import DiceDraft
from services.rules.drafts import DayDraft, FeatureDraft, LevelDraft, SeasonDraft, Translation, Translations
from services.rules.lottery import LotteryDraft, PrizeDraft
from services.rules.roulette import RouletteDraft, SegmentDraft
from services.rules.validation import Faults
from tests.unit import rules

BILLION = 1_000_000_000
TODAY, YESTERDAY, TOMORROW = rules.TODAY, dt.date(2026, 3, 1), dt.date(2026, 3, 3)
NEVER = dt.date(3000, 1, 1)
LAST = dt.date(2999, 12, 31)
POINTS = Reward(RewardType.POINT, 10)
COFFEE = Reward(RewardType.COUPON, 1, "COFFEE")

DAY = DayDraft(TODAY, FeatureType.DICE, is_active=True)
FEATURE = FeatureDraft(FeatureType.DICE, "Dice", "/dice", is_enabled=True, stamp_xp_bonus=0)
DICE = DiceDraft("spring", 3, POINTS, POINTS, POINTS)
ROULETTE = RouletteDraft("spring", 3, tuple(SegmentDraft(slot, "a", POINTS, 1, False) for slot in range(6)))
PRIZE = PrizeDraft("a", POINTS, 1, None, is_active=True)
LOTTERY = LotteryDraft("spring", 3, (PRIZE,))
SEVEN = (*ROULETTE.segments, ROULETTE.segments[0])
LEVEL = LevelDraft(1, 100, POINTS, auto_claim=True)
SEASON = SeasonDraft("spring", YESTERDAY, TOMORROW, 100, (LEVEL,))

Change = dict[str, Any]


def changed(draft: Any, **changes: Any) -> Any:
    return msgspec.structs.replace(draft, **changes)


def segment(**changes: Any) -> Change:
    return {"segments": (*ROULETTE.segments[:5], changed(ROULETTE.segments[5], **changes))}


def prize(**changes: Any) -> Change:
    return {"prizes": (PRIZE, changed(PRIZE, **changes))}


def told(*texts: str) -> Translations:
    return Translations(tuple(Translation(language, text) for language, text in zip(Language, texts, strict=False)))


def twice(*texts: str) -> Translations:
    return Translations(tuple(Translation(Language.EN, text) for text in texts))


def level(**changes: Any) -> Change:
    return {"levels": (changed(LEVEL, **changes),)}


def steps(count: int) -> Change:
    return {"levels": tuple(LevelDraft(number, number, POINTS, True) for number in range(1, count + 1))}


def day_faults(draft: DayDraft) -> Faults:
    return validation.day_faults(draft, TODAY)


def season_faults(draft: SeasonDraft) -> Faults:
    return validation.season_faults(draft, TODAY)


OF: dict[str, tuple[Callable[[Any], Faults], Any]] = {
    "day": (day_faults, DAY),
    "feature": (validation.feature_faults, FEATURE),
    "dice": (dice.faults_of, DICE),
    "roulette": (roulette.faults_of, ROULETTE),
    "lottery": (lottery.faults_of, LOTTERY),
    "season": (season_faults, SEASON),
}

CASES: list[tuple[str, Change, Change | None, str]] = [
    ("day", {"date": TODAY}, {"date": YESTERDAY}, "date"),
    ("day", {"date": LAST}, {"date": NEVER}, "date"),
    ("feature", {"title": "가" * 100}, {"title": "가" * 101}, "title"),
    ("feature", {"title": "가"}, {"title": ""}, "title"),
    ("feature", {"page_path": "/" + "x" * 199}, {"page_path": "/" + "x" * 200}, "pagePath"),
    ("feature", {"page_path": "/"}, {"page_path": "//"}, "pagePath"),
    ("feature", {"page_path": "/a//b"}, {"page_path": "a"}, "pagePath"),
    ("feature", {"page_path": "/"}, {"page_path": ""}, "pagePath"),
    ("feature", {"stamp_xp_bonus": 0}, {"stamp_xp_bonus": -1}, "stampXpBonus"),
    ("feature", {"stamp_xp_bonus": 100_000}, {"stamp_xp_bonus": 100_001}, "stampXpBonus"),
    ("dice", {"name": "가" * 100}, {"name": "가" * 101}, "name"),
    ("dice", {"max_daily_plays": 0}, {"max_daily_plays": -1}, "maxDailyPlays"),
    ("dice", {"max_daily_plays": 10_000}, {"max_daily_plays": 10_001}, "maxDailyPlays"),
    *(
        case
        for name, path in (("win_reward", "winReward"), ("draw_reward", "drawReward"), ("lose_reward", "loseReward"))
        for case in (
            ("dice", {name: Reward(RewardType.POINT, 0)}, {name: Reward(RewardType.POINT, -1)}, f"{path}.amount"),
            (
                "dice",
                {name: Reward(RewardType.TOKEN, BILLION)},
                {name: Reward(RewardType.TOKEN, BILLION + 1)},
                f"{path}.amount",
            ),
            ("dice", {name: COFFEE}, {name: changed(COFFEE, amount=0)}, f"{path}.amount"),
            ("dice", {name: COFFEE}, {name: changed(COFFEE, amount=2)}, f"{path}.amount"),
            ("dice", {name: COFFEE}, {name: changed(COFFEE, coupon_type=None)}, f"{path}.couponType"),
            ("dice", {name: POINTS}, {name: changed(POINTS, coupon_type="X")}, f"{path}.couponType"),
            ("dice", {name: Reward(RewardType.NONE, 0)}, {name: Reward(RewardType.NONE, 1)}, f"{path}.amount"),
            (
                "dice",
                {name: changed(COFFEE, coupon_type="C" * 64)},
                {name: changed(COFFEE, coupon_type="C" * 65)},
                f"{path}.couponType",
            ),
        )
    ),
    ("roulette", {"max_daily_spins": 10_000}, {"max_daily_spins": 10_001}, "maxDailySpins"),
    ("roulette", {"max_daily_spins": 0}, {"max_daily_spins": -1}, "maxDailySpins"),
    ("roulette", {"segments": ROULETTE.segments}, {"segments": ROULETTE.segments[:5]}, "segments segments"),
    ("roulette", {"segments": ROULETTE.segments}, {"segments": SEVEN}, "segments segments.6.slot"),
    ("roulette", segment(slot=5), segment(slot=6), "segments.5.slot segments"),
    ("roulette", segment(slot=5), segment(slot=4), "segments.5.slot segments"),
    ("roulette", segment(label="a" * 100), segment(label="a" * 101), "segments.5.label"),
    ("roulette", segment(labels=told("a" * 100)), segment(labels=told("a" * 101)), "segments.5.labels.0.text"),
    ("roulette", segment(labels=told("a", "b")), segment(labels=twice("a", "b")), "segments.5.labels.1.language"),
    ("roulette", segment(weight=0), segment(weight=-1), "segments.5.weight"),
    ("roulette", segment(weight=BILLION - 5), segment(weight=BILLION - 4), "segments"),
    (
        "roulette",
        segment(reward=Reward(RewardType.POINT, 0)),
        segment(reward=Reward(RewardType.POINT, -1)),
        "segments.5.reward.amount",
    ),
    ("lottery", {"max_daily_tickets": 10_000}, {"max_daily_tickets": 10_001}, "maxDailyTickets"),
    ("lottery", {"max_daily_tickets": 0}, {"max_daily_tickets": -1}, "maxDailyTickets"),
    ("lottery", {"prizes": (PRIZE,) * 100}, {"prizes": (PRIZE,) * 101}, "prizes"),
    ("lottery", {"prizes": (PRIZE,)}, {"prizes": ()}, "prizes prizes"),
    ("lottery", {"prizes": (PRIZE,)}, {"prizes": (changed(PRIZE, weight=0),)}, "prizes"),
    ("lottery", {"prizes": (PRIZE,)}, {"prizes": (changed(PRIZE, is_active=False),)}, "prizes"),
    ("lottery", prize(label="a" * 100), prize(label="a" * 101), "prizes.1.label"),
    ("lottery", prize(labels=told("a", "b" * 100)), prize(labels=told("a", "b" * 101)), "prizes.1.labels.1.text"),
    ("lottery", prize(labels=told("a", "b")), prize(labels=twice("a", "b")), "prizes.1.labels.1.language"),
    ("lottery", prize(weight=0), prize(weight=-1), "prizes.1.weight"),
    ("lottery", prize(weight=BILLION - 1), prize(weight=BILLION), "prizes"),
    ("lottery", prize(stock=0), prize(stock=-1), "prizes.1.stock"),
    ("lottery", prize(stock=BILLION), prize(stock=BILLION + 1), "prizes.1.stock"),
    ("lottery", prize(carries_stock_of=1), prize(carries_stock_of=1, stock=1), "prizes.1.stock"),
    ("lottery", prize(is_active=False, weight=BILLION), prize(weight=BILLION), "prizes"),
    ("lottery", prize(reward=COFFEE), prize(reward=changed(COFFEE, amount=2)), "prizes.1.reward.amount"),
    ("season", {"name": "가" * 100}, {"name": "가" * 101}, "name"),
    ("season", {"end_date": TODAY}, {"start_date": dt.date(2026, 2, 1), "end_date": YESTERDAY}, "endDate"),
    ("season", {"start_date": TODAY, "end_date": TODAY}, {"start_date": TOMORROW, "end_date": TODAY}, "endDate"),
    ("season", {"start_date": LAST, "end_date": LAST}, {"start_date": LAST, "end_date": NEVER}, "endDate"),
    # 3,660 days, both included: 2028, 2032 and 2036 are leap years.
    ("season", {"end_date": dt.date(2036, 3, 7)}, {"end_date": dt.date(2036, 3, 8)}, "endDate"),
    ("season", {"base_xp_per_stamp": 0}, {"base_xp_per_stamp": -1}, "baseXpPerStamp"),
    ("season", {"base_xp_per_stamp": 100_000}, {"base_xp_per_stamp": 100_001}, "baseXpPerStamp"),
    ("season", steps(200), steps(201), "levels levels.200.level"),
    ("season", steps(1), steps(0), "levels"),
    ("season", level(level=1), level(level=201), f"levels.0.level{' levels' * 199}"),
    ("season", level(required_xp=0), level(required_xp=-1), "levels.0.requiredXp"),
    ("season", level(required_xp=BILLION), level(required_xp=BILLION + 1), "levels.0.requiredXp"),
    ("season", level(level=1), level(level=0), "levels.0.level"),
    ("season", level(reward=COFFEE), level(reward=changed(COFFEE, amount=0)), "levels.0.reward.amount"),
]


@pytest.mark.parametrize(("what", "last", "beyond", "where"), CASES)
def test_the_last_passes_and_what_is_beyond_is_told(what: str, last: Change, beyond: Change, where: str) -> None:
    faults_of, draft = OF[what]
    assert faults_of(changed(draft, **last)).issues == []
    assert paths(faults_of(changed(draft, **beyond))) == where.split()


def paths(faults: Faults) -> list[str]:
    return [".".join(issue.path) for issue in faults.issues]


def test_every_missing_slot_and_level_is_told() -> None:
    twice = changed(ROULETTE, segments=(ROULETTE.segments[0],) * 6)
    assert [issue.message for issue in roulette.faults_of(twice).issues if issue.path == ("segments",)] == [
        f"Slot {slot} is missing." for slot in range(1, 6)
    ]
    gaps = changed(SEASON, levels=tuple(LevelDraft(number, number, POINTS, True) for number in (2, 5, 200)))
    missing = [issue.message for issue in season_faults(gaps).issues]
    assert missing == [f"Level {number} is missing." for number in range(1, 200) if number not in (2, 5)]


def test_levels_rise_whatever_their_order() -> None:
    def of(*xp: int) -> list[str]:
        levels = [LevelDraft(number, required, POINTS, True) for number, required in enumerate(xp, start=1)]
        return paths(season_faults(changed(SEASON, levels=(*levels[1:], levels[0]))))

    twice = [LevelDraft(number, 100, POINTS, True) for number in (1, 1, 2)]
    assert [(".".join(issue.path), issue.message) for issue in season_faults(changed(SEASON, levels=twice)).issues] == [
        ("levels.1.level", "Level 1 is there twice."),
        ("levels.2.requiredXp", "Must be more than level 1's 100."),
    ]
    assert of(0, 1, 2) == []
    assert of(1, 1, 2) == ["levels.0.requiredXp"]
    assert of(0, 2, 1) == ["levels.1.requiredXp"]


# A season that is changed

BEFORE = rules.season([(100, True), (200, True)], start_date=YESTERDAY, end_date=TOMORROW)


@pytest.mark.parametrize(
    ("first", "last", "moved_to", "told"),
    [
        (TOMORROW, LAST, TODAY, []),  # has not begun
        (TODAY, LAST, TOMORROW, ["startDate"]),  # begins today
        (TODAY, LAST, YESTERDAY, ["startDate"]),
        (TODAY, LAST, TODAY, []),
        (YESTERDAY, TODAY, YESTERDAY, []),  # ends today
        (dt.date(2026, 2, 1), YESTERDAY, dt.date(2026, 2, 1), ["name"]),  # ended yesterday
    ],
)
def test_what_may_be_changed_of_a_season(first: dt.date, last: dt.date, moved_to: dt.date, told: list[str]) -> None:
    before = msgspec.structs.replace(BEFORE, name=SEASON.name, start_date=first, end_date=last)
    assert paths(validation.change_faults(before, changed(SEASON, start_date=moved_to), TODAY)) == told
    renamed = paths(validation.change_faults(before, changed(SEASON, start_date=moved_to, name="autumn"), TODAY))
    assert renamed == (["name", *told] if first <= TODAY <= last else told)


def test_an_alarm_ends_for_a_reason() -> None:
    assert paths(validation.alarm_faults(None)) == ["reason"]
    assert paths(validation.alarm_faults("explained")) == []


@pytest.mark.parametrize(("first", "is_begun"), [(YESTERDAY, True), (TODAY, True), (TOMORROW, False)])
def test_what_is_to_come_alone_may_go(first: dt.date, is_begun: bool) -> None:
    season = msgspec.structs.replace(BEFORE, start_date=first)
    for is_entered in (True, False):
        told = [issue.message for issue in validation.removal_faults(season, TODAY, is_entered=is_entered).issues]
        entered = ["Players are in this season: it stays."] if is_entered else []
        assert told == ([f"This season began on {first}: it stays."] if is_begun else entered)
    assert paths(validation.removed_day_faults(first, TODAY)) == (["date"] if is_begun else [])


@pytest.mark.parametrize(
    ("xp", "harder", "reached", "told"),
    [
        ([100, 200], [], 2, []),
        ([99, 199], [], 2, []),
        ([101, 200], [1], 0, []),
        ([101, 200], [1], 1, ["levels.0.requiredXp"]),
        ([100, 201], [2], 1, []),
        ([100, 201], [2], 2, ["levels.1.requiredXp"]),
        ([100], [2], 1, []),
        ([100], [2], 2, ["levels"]),
        ([100, BILLION], [2], 2, ["levels.1.requiredXp"]),
    ],
)
def test_what_takes_a_level_from_who_has_it(xp: list[int], harder: list[int], reached: int, told: list[str]) -> None:
    levels = tuple(LevelDraft(number, required, POINTS, True) for number, required in enumerate(xp, start=1))
    season = changed(SEASON, levels=levels)
    assert validation.harder_levels(BEFORE, season) == harder
    assert paths(validation.reached_faults(BEFORE, season, reached)) == told


def test_the_highest_xp_is_a_level_that_can_be_made_harder_only_by_going() -> None:
    before = rules.season([(BILLION, True)])
    kept = changed(SEASON, levels=(LevelDraft(1, BILLION, POINTS, True),))
    assert validation.harder_levels(before, kept) == []
    assert validation.harder_levels(before, changed(kept, levels=())) == [1]


@pytest.mark.parametrize(
    ("first", "last", "field"),
    [
        (dt.date(2026, 3, 1), dt.date(2026, 3, 31), "startDate"),
        (dt.date(2026, 2, 28), dt.date(2026, 3, 31), "startDate"),
        (dt.date(2026, 3, 2), dt.date(2026, 3, 31), "endDate"),
    ],
)
def test_an_overlap_is_told_at_the_end_that_shares_a_day(first: dt.date, last: dt.date, field: str) -> None:
    faults = Faults()
    validation.overlap(SEASON, msgspec.structs.replace(BEFORE, start_date=first, end_date=last), faults)
    assert paths(faults) == [field]
