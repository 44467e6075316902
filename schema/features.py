"""Today's feature."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

import strawberry

from models import FeatureType
from schema.errors import Problem
from services.rules.day import Day, Feature


@strawberry.type(description="What is on today.")
class TodayFeature:
    """What is on today."""

    date: dt.date = strawberry.field(description="Today in the event's time zone.")
    feature_type: FeatureType = strawberry.field(description="What is on.")
    title: str = strawberry.field(description="What to call it.")
    page_path: str = strawberry.field(description="Where its page is in the client.")
    server_time: dt.datetime = strawberry.field(description="Now, by the server's clock.")
    ends_at: dt.datetime = strawberry.field(description="The next midnight in the event's time zone.")

    @classmethod
    def of(cls, day: Day, feature: Feature, now: dt.datetime) -> TodayFeature:
        """Convert."""
        return cls(
            date=day.date,
            feature_type=feature.feature_type,
            title=feature.title,
            page_path=feature.page_path,
            server_time=now,
            ends_at=day.ends_at,
        )


TodayFeatureResult = Annotated[
    TodayFeature | Problem,
    strawberry.union(
        "TodayFeatureResult", description="Today's feature. Codes: NO_FEATURE_TODAY, INVALID_FEATURE_SCHEDULE."
    ),
]
