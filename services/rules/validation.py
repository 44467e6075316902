"""Checking what operators submit: pure functions that find every fault, not the first.

A fault's path is relative to the mutation's input and written in the API's names: `["segments", "3", "weight"]`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from itertools import pairwise

from models import (
    COUPON_TYPE_LENGTH,
    LAST_DATE,
    MAX_AMOUNT,
    MAX_LEVELS,
    MAX_SEASON_DAYS,
    MAX_STAMP_XP,
    NAME_LENGTH,
    PATH_LENGTH,
    Language,
    RewardType,
)
from services.answers import Reward
from services.errors import ValidationFailed, ValidationIssue
from services.rules.day import SeasonRules
from services.rules.drafts import DayDraft, FeatureDraft, LevelDraft, SeasonDraft, Translations
from services.rules.texts import broken_rule


class Faults:
    """The faults found so far, in the order of the input."""

    def __init__(self) -> None:
        self.issues: list[ValidationIssue] = []

    def add(self, message: str, *path: str) -> None:
        """Note a fault at `path`."""
        self.issues.append(ValidationIssue(path, message))

    def refuse(self) -> None:
        """Refuse the input if it has any fault. Raises: ValidationFailed."""
        if self.issues:
            raise ValidationFailed(self.issues)

    def text(self, value: str, high: int, *path: str) -> None:
        """Check a text in NFC for people to read: 1 to `high` printable characters, with no space at either end."""
        if broken := broken_rule(value, high):
            self.add(f"Must be {broken}.", *path)

    def translations(self, value: Translations, high: int, *path: str) -> None:
        """Check a text in other words: each as `text` does, each language once."""
        seen = set[Language]()
        for index, one in enumerate(value.given):
            if one.language in seen:
                self.add(f"{one.language} is there twice.", *path, str(index), "language")
            seen.add(one.language)
            self.text(one.text, high, *path, str(index), "text")

    def whole(self, value: int, low: int, high: int, *path: str) -> None:
        """Check a whole number: `low` to `high`."""
        if not low <= value <= high:
            self.add(f"Must be {low} to {high}.", *path)

    def reward(self, reward: Reward, *path: str, low: int = 0) -> None:
        """Check a reward: 1 coupon of a type, no amount of nothing, else `low` or more; only coupons have a type."""
        if reward.type is RewardType.COUPON and reward.amount != 1:
            self.add("A coupon's amount is 1.", *path, "amount")
        elif reward.type is RewardType.NONE and reward.amount != 0:
            self.add("The amount of NONE is 0.", *path, "amount")
        else:
            self.whole(reward.amount, low, MAX_AMOUNT, *path, "amount")
        if reward.type is not RewardType.COUPON:
            if reward.coupon_type is not None:
                self.add(f"{reward.type} has no coupon type.", *path, "couponType")
        elif reward.coupon_type is None:
            self.add("A coupon needs its type.", *path, "couponType")
        else:
            self.text(reward.coupon_type, COUPON_TYPE_LENGTH, *path, "couponType")

    def weights(self, weights: Sequence[int], *path: str) -> None:
        """Check the weights of what can be drawn: some chance, and a sum within bounds."""
        if not any(weights):
            self.add("Nothing can be drawn: the weights sum to 0.", *path)
        elif sum(weights) > MAX_AMOUNT:
            self.add(f"The weights must sum to at most {MAX_AMOUNT}.", *path)


def day_faults(day: DayDraft, today: dt.date) -> Faults:
    """What is wrong with a day of the schedule."""
    faults = Faults()
    if day.date < today:
        faults.add(f"Is in the past: today is {today}.", "date")
    if day.date > LAST_DATE:
        faults.add(f"Must be {LAST_DATE} or before.", "date")
    return faults


def removed_day_faults(date: dt.date, today: dt.date) -> Faults:
    """Why a day may not be taken off the schedule: only what is to come may."""
    faults = Faults()
    if date <= today:
        faults.add(f"Is not in the future: today is {today}. Switch it off instead (isActive).", "date")
    return faults


def feature_faults(feature: FeatureDraft) -> Faults:
    """What is wrong with a feature's configuration."""
    faults = Faults()
    faults.text(feature.title, NAME_LENGTH, "title")
    faults.translations(feature.titles, NAME_LENGTH, "titles")
    faults.text(feature.page_path, PATH_LENGTH, "pagePath")
    if feature.page_path and (not feature.page_path.startswith("/") or feature.page_path.startswith("//")):
        faults.add("Must be a path within the client: it starts with one slash.", "pagePath")
    faults.whole(feature.stamp_xp_bonus, 0, MAX_STAMP_XP, "stampXpBonus")
    return faults


def alarm_faults(reason: str | None) -> Faults:
    """What is wrong with ending an alarm: nobody says why."""
    faults = Faults()
    if reason is None:
        faults.add("What was drawn did not fit the published odds: say why it may go on.", "reason")
    return faults


def season_faults(season: SeasonDraft, today: dt.date) -> Faults:
    """What is wrong with a season by itself."""
    faults = Faults()
    faults.text(season.name, NAME_LENGTH, "name")
    if season.end_date < season.start_date:
        faults.add("Is before startDate.", "endDate")
    elif (season.end_date - season.start_date).days >= MAX_SEASON_DAYS:
        faults.add(f"A season has at most {MAX_SEASON_DAYS} days.", "endDate")
    if season.end_date < today:
        faults.add(f"Is in the past: today is {today}.", "endDate")
    if season.end_date > LAST_DATE:
        faults.add(f"Must be {LAST_DATE} or before.", "endDate")
    faults.whole(season.base_xp_per_stamp, 0, MAX_STAMP_XP, "baseXpPerStamp")
    _levels(season.levels, faults)
    return faults


def _levels(levels: Sequence[LevelDraft], faults: Faults) -> None:
    """Levels are 1..n without gaps, in any order; each needs more XP than the one below."""
    if not 1 <= len(levels) <= MAX_LEVELS:
        faults.add(f"Must be 1 to {MAX_LEVELS} levels, not {len(levels)}.", "levels")
    numbers = set[int]()
    for index, level in enumerate(levels):
        path = ("levels", str(index))
        faults.whole(level.level, 1, MAX_LEVELS, *path, "level")
        if level.level in numbers:
            faults.add(f"Level {level.level} is there twice.", *path, "level")
        numbers.add(level.level)
        faults.whole(level.required_xp, 0, MAX_AMOUNT, *path, "requiredXp")
        faults.reward(level.reward, *path, "reward")
    for number in range(1, min(max(numbers, default=1), MAX_LEVELS)):
        if number not in numbers:
            faults.add(f"Level {number} is missing.", "levels")
    rising = sorted(enumerate(levels), key=lambda entry: entry[1].level)
    for (_, low), (index, high) in pairwise(rising):
        if low.level < high.level and low.required_xp >= high.required_xp:
            message = f"Must be more than level {low.level}'s {low.required_xp}."
            faults.add(message, "levels", str(index), "requiredXp")


def overlap(season: SeasonDraft, other: SeasonRules, faults: Faults) -> None:
    """Note that another season shares a day with this one."""
    field = "startDate" if other.start_date <= season.start_date else "endDate"
    faults.add(f'Overlaps the season "{other.name}", {other.start_date} to {other.end_date}.', field)


def change_faults(before: SeasonRules, season: SeasonDraft, today: dt.date) -> Faults:
    """What may not be changed of a season: anything once it has ended, its name and start once it has begun."""
    faults = Faults()
    if before.end_date < today:
        faults.add(f"This season ended on {before.end_date} and stays as it was: a new one needs its own name.", "name")
    elif before.start_date <= today:
        if season.name != before.name:
            faults.add(f'The season has begun: its name stays "{before.name}".', "name")
        if season.start_date != before.start_date:
            faults.add(f"The season has begun: its start stays {before.start_date}.", "startDate")
    return faults


def removal_faults(season: SeasonRules, today: dt.date, *, is_entered: bool) -> Faults:
    """Why a season may not be removed: it has begun, or somebody is in it all the same."""
    faults = Faults()
    if season.start_date <= today:
        faults.add(f"This season began on {season.start_date}: it stays.", "seasonId")
    elif is_entered:
        faults.add("Players are in this season: it stays.", "seasonId")
    return faults


def harder_levels(before: SeasonRules, season: SeasonDraft) -> list[int]:
    """The levels that would need more XP than now, or be gone: what nobody may have reached."""
    after = {level.level: level.required_xp for level in season.levels}
    return [
        level.level for level in before.levels if level.level not in after or after[level.level] > level.required_xp
    ]


def reached_faults(before: SeasonRules, season: SeasonDraft, reached: int) -> Faults:
    """What would take a level from a player who has it, the highest that anybody has being `reached`."""
    faults = Faults()
    indexes = {level.level: index for index, level in enumerate(season.levels)}
    required = {level.level: level.required_xp for level in before.levels}
    for number in harder_levels(before, season):
        if number > reached:
            continue
        if number in indexes:
            message = f"Players have reached level {number} with {required[number]} XP: it may need less, but not more."
            faults.add(message, "levels", str(indexes[number]), "requiredXp")
        else:
            faults.add(f"Players have reached level {number}: it must stay.", "levels")
    return faults
