"""The event log."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import strawberry

from models import EventName, FeatureType
from schema.context import Info
from schema.described import described
from schema.inputs import TextInput
from schema.nodes import Kind, Node, node_id, player_of
from schema.owners import player_with
from schema.roots import READERS
from schema.scalars import JSON
from services.events import EventFilter, EventRow
from services.rules.registry import GAMES

if TYPE_CHECKING:
    from schema.players import Player


PARTS = {"segment": Kind.ROULETTE_SEGMENT, "prize": Kind.LOTTERY_PRIZE}
"""What was drawn, by the type that it is kept under."""


@described
@strawberry.type
class UserEvent(Node):
    """Something that happened to a player, for operators to read."""

    feature_type: FeatureType | None = strawberry.field(
        description="What it belongs to; null for what belongs to no feature, as a grant by hand."
    )
    event_name: EventName = strawberry.field(description="What happened.")
    created_at: dt.datetime = strawberry.field(description="When.")
    row: strawberry.Private[EventRow]

    @described
    @strawberry.field
    def meta(self, info: Info) -> JSON | None:
        """What there is to know about it, as an object.

        Players see what concerns them; staff see all of it, with what they wrote for one another (of a grant by hand:
        `actor` and `reason`).
        """
        meta = self.row.meta if info.context.me.role in READERS else self.row.public_meta
        return JSON(_with_ids(meta, self.row))

    @described
    @strawberry.field
    async def player(self, info: Info) -> Annotated[Player, strawberry.lazy("schema.players")]:
        """To whom."""
        return await player_with(info, self.row.user_id)

    @classmethod
    def of(cls, row: EventRow) -> UserEvent:
        """Convert."""
        return cls(
            id=node_id(Kind.USER_EVENT, row.user_id, row.id),
            feature_type=row.feature_type,
            event_name=row.event_name,
            created_at=row.created_at,
            row=row,
        )


def _with_ids(meta: dict[str, Any], row: EventRow) -> dict[str, Any]:
    """What an event tells, with the ids that the API knows things by."""
    shown = dict(meta)
    # A stamp's event is the season pass's; the game that stamped is its source.
    game = FeatureType(meta["source"]) if "source" in meta else row.feature_type
    if game is not None and meta.get("playId") is not None:
        shown["playId"] = node_id(Kind[GAMES[game].cause], row.user_id, UUID(meta["playId"]))
    if "causeId" in meta:
        shown["causeId"] = node_id(Kind.ADMIN_GRANT, row.user_id, UUID(meta["causeId"]))
    if game is not None and "revisionId" in meta:
        shown["revisionId"] = node_id(Kind[f"{game}_CONFIG"], meta["revisionId"])
    drawn = meta.get("drawn", {})
    if "id" in drawn:
        shown["drawn"] = drawn | {"id": node_id(PARTS[drawn["type"]], drawn["id"])}
    return shown


def event_key(row: EventRow) -> tuple[object, ...]:
    """What lists of events are ordered by."""
    return (row.created_at, row.id)


@described
@strawberry.input
class UserEventFilter(TextInput):
    """Which events are wanted: all that fit every condition given."""

    player_id: strawberry.ID | None = strawberry.field(default=strawberry.UNSET, description="Of this player alone.")
    feature_type: FeatureType | None = strawberry.field(default=strawberry.UNSET, description="Of this feature alone.")
    event_name: EventName | None = strawberry.field(default=strawberry.UNSET, description="Of this kind alone.")
    from_: dt.datetime | None = strawberry.field(
        default=strawberry.UNSET, name="from", description="From this instant on."
    )
    to: dt.datetime | None = strawberry.field(default=strawberry.UNSET, description="Before this instant.")

    def to_filter(self) -> EventFilter:
        """Convert; the id of no player finds nothing."""
        return EventFilter(
            player_id=None if self.player_id in {None, strawberry.UNSET} else player_of(str(self.player_id)),
            feature_type=self.feature_type or None,
            event_name=self.event_name or None,
            since=self.from_ or None,
            until=self.to or None,
        )
