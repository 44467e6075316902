"""Today's feature."""

from __future__ import annotations

import datetime as dt

import strawberry

from models import FeatureType
from schema.described import described
from schema.languages import In, Wording
from services.rules.day import Day, Feature


@described
@strawberry.type
class TodayFeature:
    """What is on today."""

    date: dt.date = strawberry.field(description="Today in the event's time zone.")
    feature_type: FeatureType = strawberry.field(description="What is on.")
    page_path: str = strawberry.field(description="Where its page is in the client.")
    server_time: dt.datetime = strawberry.field(description="Now, by the server's clock.")
    ends_at: dt.datetime = strawberry.field(description="The next midnight in the event's time zone.")
    wording: strawberry.Private[Wording]

    @described
    @strawberry.field
    def title(self, language: In = strawberry.UNSET) -> str:
        """What to call it."""
        return self.wording.told(language)

    @classmethod
    def of(cls, day: Day, feature: Feature, now: dt.datetime) -> TodayFeature:
        """Convert."""
        return cls(
            date=day.date,
            feature_type=feature.feature_type,
            wording=Wording(feature.title, feature.titles),
            page_path=feature.page_path,
            server_time=now,
            ends_at=day.ends_at,
        )
