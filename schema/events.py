"""The event log."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated

import strawberry

from models import EventName, FeatureType
from schema.context import Info
from schema.scalars import JSON
from services.events import EventFilter, EventRow

if TYPE_CHECKING:
    from schema.players import Player

EVENT_NAMES = ", ".join(EventName)


@strawberry.type(description="Something that happened to a player, for operators to read.")
class UserEvent:
    """Something that happened to a player."""

    id: strawberry.ID = strawberry.field(description="The event's id.")
    feature_type: FeatureType = strawberry.field(
        description="What it belongs to; SEASON_PASS for what belongs to no game, as a grant by hand."
    )
    event_name: str = strawberry.field(description=f"What happened: {EVENT_NAMES}.")
    meta: JSON | None = strawberry.field(description="What there is to know about it, as an object.")
    created_at: dt.datetime = strawberry.field(description="When.")
    player_id: strawberry.Private[int]

    @strawberry.field(description="To whom.")
    async def player(self, info: Info) -> Annotated[Player, strawberry.lazy("schema.players")]:
        """To whom."""
        from schema.players import Player  # noqa: PLC0415 (a player has events, and an event its player)

        found = await info.context.loaders.players.load(self.player_id)
        assert found is not None  # the log's foreign key
        return Player.of(found)

    @classmethod
    def of(cls, row: EventRow) -> UserEvent:
        """Convert."""
        return cls(
            id=strawberry.ID(str(row.id)),
            feature_type=row.feature_type,
            event_name=row.event_name,
            meta=JSON(row.meta),
            created_at=row.created_at,
            player_id=row.user_id,
        )


def event_key(row: EventRow) -> tuple[object, ...]:
    """What lists of events are ordered by."""
    return (row.created_at, row.id)


@strawberry.input(description="Which events are wanted: all that fit every condition given.")
class UserEventFilter:
    """Which events are wanted."""

    player_id: strawberry.ID | None = strawberry.field(default=strawberry.UNSET, description="Of this player alone.")
    feature_type: FeatureType | None = strawberry.field(default=strawberry.UNSET, description="Of this feature alone.")
    event_name: str | None = strawberry.field(default=strawberry.UNSET, description=f"One of {EVENT_NAMES}.")
    from_: dt.datetime | None = strawberry.field(
        default=strawberry.UNSET, name="from", description="From this instant on."
    )
    to: dt.datetime | None = strawberry.field(default=strawberry.UNSET, description="Before this instant.")

    def to_filter(self) -> EventFilter:
        """Convert; the id of no player finds nothing."""
        return EventFilter(
            player_id=None if self.player_id in {None, strawberry.UNSET} else player_number(str(self.player_id)),
            feature_type=self.feature_type or None,
            event_name=None if self.event_name is strawberry.UNSET else self.event_name,
            since=self.from_ or None,
            until=self.to or None,
        )


NOBODY = 0
"""No player has this id."""


def player_number(text: str) -> int:
    """A player's id out of the API's; a malformed one is nobody's, like every other that does not exist."""
    known = text.isascii() and text.isdigit() and len(text) <= 18 and not text.startswith("0")
    return int(text) if known else NOBODY
