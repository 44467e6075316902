"""The schedule: what is on which day, what is wrong with the days ahead, and how features are presented."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

import strawberry

from models import LAST_DATE, MAX_STAMP_XP, PATH_LENGTH, FeatureType
from schema.described import described
from schema.inputs import EXPECTED_REVISION, NAME, REASON, SEEN_REVISION
from schema.languages import TRANSLATED, In, LocalizedText, LocalizedTextInput, Wording, translations_of
from schema.nodes import Kind, Node, node_id
from schema.staff import StaffInput, StaffPayload
from services import schedule
from services.error_codes import ScheduleIssueCode
from services.rules import schedule as rules
from services.rules.drafts import DayDraft, FeatureDraft
from services.rules.texts import rule
from services.schedule import MAX_DAYS

From = Annotated[dt.date, strawberry.argument(name="from", description="The first day.")]
To = Annotated[
    dt.date,
    strawberry.argument(description=f"The last day, included: at most {MAX_DAYS} days in all, up to {LAST_DATE}."),
]


@described
@strawberry.type
class ScheduledDay(Node):
    """A day of the schedule."""

    date: dt.date = strawberry.field(description="The day, in the event's time zone.")
    feature_type: FeatureType = strawberry.field(description="What is on.")
    is_active: bool = strawberry.field(description="False: the day is switched off, and nothing is on.")
    revision: int = strawberry.field(description="Rises with every change; `expectedRevision` of the next one.")

    @classmethod
    def of(cls, day: schedule.ScheduledDay) -> ScheduledDay:
        """Convert."""
        return cls(
            id=node_id(Kind.SCHEDULED_DAY, day.date),
            date=day.date,
            feature_type=day.feature_type,
            is_active=day.is_active,
            revision=day.revision,
        )


@described
@strawberry.type
class ScheduleIssue:
    """A fault of a day, which players will meet unless it is mended."""

    date: dt.date = strawberry.field(description="The day.")
    code: ScheduleIssueCode = strawberry.field(description="What is wrong.")
    message: str = strawberry.field(description="What to mend, in English.")

    @classmethod
    def of(cls, issue: rules.ScheduleIssue) -> ScheduleIssue:
        """Convert."""
        return cls(date=issue.date, code=issue.code, message=issue.message)


@described
@strawberry.type
class FeatureConfig(Node):
    """How a feature is presented, whether it is on at all, and the XP that it adds to a stamp."""

    feature_type: FeatureType = strawberry.field(description="Which feature.")
    page_path: str = strawberry.field(description="Where its page is in the client.")
    is_enabled: bool = strawberry.field(description="False: nothing is on on any of its days.")
    stamp_xp_bonus: int = strawberry.field(description="XP that it adds to a stamp of which it is the source.")
    revision: int = strawberry.field(description="Rises with every change; `expectedRevision` of the next one.")
    titles: list[LocalizedText] = strawberry.field(description="What to call it in each language that is given.")
    wording: strawberry.Private[Wording]

    @described
    @strawberry.field
    def title(self, language: In = strawberry.UNSET) -> str:
        """What to call it."""
        return self.wording.told(language)

    @classmethod
    def of(cls, feature: schedule.FeatureRow) -> FeatureConfig:
        """Convert."""
        return cls(
            id=node_id(Kind.FEATURE_CONFIG, feature.feature_type),
            feature_type=feature.feature_type,
            titles=LocalizedText.all_of(feature.titles),
            wording=Wording(feature.title, feature.titles),
            page_path=feature.page_path,
            is_enabled=feature.is_enabled,
            stamp_xp_bonus=feature.stamp_xp_bonus,
            revision=feature.revision,
        )


@described
@strawberry.input
class UpsertFeatureScheduleInput(StaffInput):
    """Put a feature on a day. Every server sees it with the next request."""

    date: dt.date = strawberry.field(description=f"The day: today or later, up to {LAST_DATE}.")
    feature_type: FeatureType = strawberry.field(description="What is on.")
    is_active: bool = strawberry.field(default=True, description="False switches the day off.")
    expected_revision: int | None = strawberry.field(default=strawberry.UNSET, description=EXPECTED_REVISION)

    def draft(self) -> DayDraft:
        """Convert."""
        return DayDraft(self.date, self.feature_type, self.is_active)


@described
@strawberry.input
class UpsertFeatureConfigInput(StaffInput):
    """Configure a feature. Every server sees it with the next request."""

    feature_type: FeatureType = strawberry.field(description="Which feature.")
    title: str = strawberry.field(description=f"What to call it: {NAME}")
    titles: list[LocalizedTextInput] = strawberry.field(
        default_factory=list, description=f"What to call it {TRANSLATED}"
    )
    page_path: str = strawberry.field(
        description=f"Where its page is in the client, as /events/dice: {rule(PATH_LENGTH)}, beginning with one slash."
    )
    is_enabled: bool = strawberry.field(description="False switches it off, on all of its days.")
    stamp_xp_bonus: int = strawberry.field(
        default=0, description=f"XP that it adds to a stamp of which it is the source: 0 to {MAX_STAMP_XP}."
    )
    expected_revision: int | None = strawberry.field(default=strawberry.UNSET, description=EXPECTED_REVISION)
    reason: str | None = strawberry.field(
        default=strawberry.UNSET,
        description=f"{REASON} Needed where a feature is switched on again whose draws raised an alarm, by an ADMIN.",
    )

    def draft(self) -> FeatureDraft:
        """Convert."""
        titles = translations_of(self.titles)
        return FeatureDraft(self.feature_type, self.title, self.page_path, self.is_enabled, self.stamp_xp_bonus, titles)


@described
@strawberry.input
class RemoveScheduledDayInput(StaffInput):
    """Take a day of the future off the schedule."""

    date: dt.date = strawberry.field(description="The day: tomorrow or later.")
    expected_revision: int = strawberry.field(description=SEEN_REVISION)


@described
@strawberry.type
class UpsertFeatureSchedulePayload(StaffPayload):
    """A day of the schedule, as it was changed."""

    day: ScheduledDay | None = strawberry.field(description="The day as it is now; null in a dry run.")


@described
@strawberry.type
class UpsertFeatureConfigPayload(StaffPayload):
    """A feature, as it was configured."""

    feature: FeatureConfig | None = strawberry.field(description="The feature as it is now; null in a dry run.")
