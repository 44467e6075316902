"""What operators submit: a configuration that is not published yet, as it was written, valid or not."""

from __future__ import annotations

import datetime as dt
from typing import Any

from msgspec import Struct

from models import FeatureType, Language
from services.answers import Reward, Texts


class Translation(Struct, frozen=True):
    """A text in a language."""

    language: Language
    text: str


class Translations(Struct, frozen=True):
    """A title or label in other words, as it was submitted: that a language is there twice is a fault."""

    given: tuple[Translation, ...] = ()

    def by_language(self) -> Texts:
        """The texts as they are kept."""
        return {one.language: one.text for one in self.given}


class DayDraft(Struct, frozen=True):
    """A day of the schedule."""

    date: dt.date
    feature_type: FeatureType
    is_active: bool


class FeatureDraft(Struct, frozen=True):
    """How a feature is presented, whether it is on at all, and the XP that it adds to a stamp."""

    feature_type: FeatureType
    title: str
    page_path: str
    is_enabled: bool
    stamp_xp_bonus: int
    titles: Translations = Translations()


class LevelDraft(Struct, frozen=True):
    """A level of a season."""

    level: int
    required_xp: int
    reward: Reward
    auto_claim: bool


class SeasonDraft(Struct, frozen=True):
    """A season, known by its name; both dates are included."""

    name: str
    start_date: dt.date
    end_date: dt.date
    base_xp_per_stamp: int
    levels: tuple[LevelDraft, ...]


def columns_of(draft: Struct) -> dict[str, Any]:
    """A draft as the columns of its row, without the rows that it is made of.

    A reward is three columns, after the name of its field: `win_reward` is `win_reward_type`, `win_reward_amount` and
    `win_coupon_type`.
    """
    columns: dict[str, Any] = {}
    for name in draft.__struct_fields__:
        match getattr(draft, name):
            case Reward() as reward:
                prefix = name.removesuffix("reward")
                columns[f"{prefix}reward_type"] = reward.type
                columns[f"{prefix}reward_amount"] = reward.amount
                columns[f"{prefix}coupon_type"] = reward.coupon_type
            case Translations() as translations:
                columns[name] = translations.by_language()
            case tuple():
                pass
            case value:
                columns[name] = value
    return columns
