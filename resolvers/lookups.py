"""What staff look up: players, their events, and what staff changed."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import strawberry

from resolvers.root import root
from schema.connections import (
    After,
    Connection,
    First,
    connection_of,
    decode_cursor,
    instant,
    page_size,
    printable,
    row_number,
)
from schema.context import Info
from schema.events import UserEvent, UserEventFilter, event_key
from schema.lookups import AuditEntry
from schema.players import Player
from services import lookups
from services.events import EventFilter, find_events
from services.players import newest_players, search_players

Search = Annotated[
    str | None,
    strawberry.argument(description="What the external id begins with, to the letter; they then come in its order."),
]
Wanted = Annotated[UserEventFilter | None, strawberry.argument(description="Which of them; without it: all.")]


@root("Players, newest first.")
async def players(
    info: Info, search: Search = strawberry.UNSET, first: First = 20, after: After = strawberry.UNSET
) -> Connection[Player]:
    """Players."""
    database, size = info.context.app.database, page_size(first)
    if search:
        last = decode_cursor(after, printable)
        found = await search_players(database, search, first=size, after=last[0] if last else None)
        return connection_of(found, lambda row: [row.external_id], Player.of)
    page = await newest_players(database, first=size, after=decode_cursor(after, instant, row_number))
    return connection_of(page, lambda row: [row.created_at, row.id], Player.of)


@root("What happened to players, newest first.")
async def user_events(
    info: Info,
    filter: Wanted = strawberry.UNSET,  # noqa: A002 (the contract's name)
    first: First = 20,
    after: After = strawberry.UNSET,
) -> Connection[UserEvent]:
    """What happened to players."""
    wanted, key = filter.to_filter() if filter else EventFilter(), decode_cursor(after, instant, UUID)
    page = await find_events(info.context.app.database, wanted, first=page_size(first), after=key)
    return connection_of(page, event_key, UserEvent.of)


@root("What staff changed, newest first.")
async def audit_log(info: Info, first: First = 20, after: After = strawberry.UNSET) -> Connection[AuditEntry]:
    """What staff changed."""
    key = decode_cursor(after, instant, row_number)
    page = await lookups.audit_log(info.context.app.database, first=page_size(first), after=key)
    return connection_of(page, lambda row: [row.created_at, row.id], AuditEntry.of)
