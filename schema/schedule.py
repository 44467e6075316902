"""The schedule: what is on which day, what is wrong with the days ahead, and how features are presented."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

import strawberry

from models import LAST_DATE, MAX_STAMP_XP, FeatureType
from schema.errors import Problem, ValidationFailed
from schema.inputs import EXPECTED_REVISION, NAME, PUBLISH_CODES
from services import schedule
from services.errors import ErrorCode
from services.rules import schedule as rules
from services.rules.drafts import DayDraft, FeatureDraft
from services.rules.validation import PATH_LENGTH
from services.schedule import MAX_DAYS

From = Annotated[dt.date, strawberry.argument(name="from", description="The first day.")]
To = Annotated[
    dt.date,
    strawberry.argument(description=f"The last day, included: at most {MAX_DAYS} days in all, up to {LAST_DATE}."),
]


@strawberry.type(description="A day of the schedule.")
class ScheduledDay:
    """A day of the schedule."""

    date: dt.date = strawberry.field(description="The day, in the event's time zone.")
    feature_type: FeatureType = strawberry.field(description="What is on.")
    is_active: bool = strawberry.field(description="False: the day is switched off, and nothing is on.")
    revision: int = strawberry.field(description="Rises with every change; `expectedRevision` of the next one.")

    @classmethod
    def of(cls, day: schedule.ScheduledDay) -> ScheduledDay:
        """Convert."""
        return cls(date=day.date, feature_type=day.feature_type, is_active=day.is_active, revision=day.revision)


@strawberry.type(description="A fault of a day, which players will meet unless it is mended.")
class ScheduleIssue:
    """A fault of a day."""

    date: dt.date = strawberry.field(description="The day.")
    code: ErrorCode = strawberry.field(
        description="What players will meet: NO_FEATURE_TODAY (nothing scheduled, or switched off), "
        "INVALID_FEATURE_SCHEDULE (a game that was never published), INVALID_DICE_CONFIG, INVALID_ROULETTE_CONFIG, "
        "INVALID_LOTTERY_CONFIG (its active revision is broken), OUT_OF_STOCK (nothing is left to draw), "
        "NO_ACTIVE_SEASON, NO_ACTIVE_SEASON_CONFLICT, INVALID_SEASON_CONFIG, RANKING_NOT_FOUND (a past day of the "
        "ranking without one)."
    )
    message: str = strawberry.field(description="What to mend, in English.")

    @classmethod
    def of(cls, issue: rules.ScheduleIssue) -> ScheduleIssue:
        """Convert."""
        return cls(date=issue.date, code=issue.code, message=issue.message)


@strawberry.type(description="How a feature is presented, whether it is on at all, and the XP that it adds to a stamp.")
class FeatureConfig:
    """A feature's configuration."""

    feature_type: FeatureType = strawberry.field(description="Which feature.")
    title: str = strawberry.field(description="What to call it.")
    page_path: str = strawberry.field(description="Where its page is in the client.")
    is_enabled: bool = strawberry.field(description="False: nothing is on on any of its days.")
    stamp_xp_bonus: int = strawberry.field(description="XP that it adds to a stamp of which it is the source.")
    revision: int = strawberry.field(description="Rises with every change; `expectedRevision` of the next one.")

    @classmethod
    def of(cls, feature: schedule.FeatureRow) -> FeatureConfig:
        """Convert."""
        return cls(
            feature_type=feature.feature_type,
            title=feature.title,
            page_path=feature.page_path,
            is_enabled=feature.is_enabled,
            stamp_xp_bonus=feature.stamp_xp_bonus,
            revision=feature.revision,
        )


@strawberry.input(description="Put a feature on a day. Every server sees it with the next request.")
class UpsertFeatureScheduleInput:
    """Put a feature on a day."""

    date: dt.date = strawberry.field(description=f"The day: today or later, up to {LAST_DATE}.")
    feature_type: FeatureType = strawberry.field(description="What is on.")
    is_active: bool = strawberry.field(default=True, description="False switches the day off.")
    expected_revision: int | None = strawberry.field(default=strawberry.UNSET, description=EXPECTED_REVISION)

    def draft(self) -> DayDraft:
        """Convert."""
        return DayDraft(self.date, self.feature_type, self.is_active)


@strawberry.input(description="Configure a feature. Every server sees it with the next request.")
class UpsertFeatureConfigInput:
    """Configure a feature."""

    feature_type: FeatureType = strawberry.field(description="Which feature.")
    title: str = strawberry.field(description=f"What to call it: {NAME}")
    page_path: str = strawberry.field(
        description=f"Where its page is in the client, as /events/dice: 1 to {PATH_LENGTH} printable characters, "
        "beginning with one slash."
    )
    is_enabled: bool = strawberry.field(description="False switches it off, on all of its days.")
    stamp_xp_bonus: int = strawberry.field(
        default=0, description=f"XP that it adds to a stamp of which it is the source: 0 to {MAX_STAMP_XP}."
    )
    expected_revision: int | None = strawberry.field(default=strawberry.UNSET, description=EXPECTED_REVISION)

    def draft(self) -> FeatureDraft:
        """Convert."""
        return FeatureDraft(self.feature_type, self.title, self.page_path, self.is_enabled, self.stamp_xp_bonus)


UpsertFeatureScheduleResult = Annotated[
    ScheduledDay | ValidationFailed | Problem,
    strawberry.union("UpsertFeatureScheduleResult", description="The day as it is now. " + PUBLISH_CODES),
]
UpsertFeatureConfigResult = Annotated[
    FeatureConfig | ValidationFailed | Problem,
    strawberry.union("UpsertFeatureConfigResult", description="The feature as it is now. " + PUBLISH_CODES),
]
