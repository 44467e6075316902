"""What staff look up: players, their events, and what staff changed."""

from __future__ import annotations

from functools import partial
from typing import Annotated
from uuid import UUID

import strawberry

from resolvers.nodes import find
from resolvers.root import root
from resolvers.targets import node_of, target_of
from schema.audit import AuditEntry, AuditFilter
from schema.connections import (
    After,
    Connection,
    First,
    connection_of,
    decode_cursor,
    external_id,
    instant,
    page_size,
    row_number,
)
from schema.context import Info
from schema.coupons import CouponPool
from schema.events import UserEvent, UserEventFilter, event_key
from schema.inputs import given
from schema.owners import player_with
from schema.players import Player, PlayerBy
from schema.plays import GamePlay
from services import audit, coupons
from services.audit import EntryFilter
from services.events import EventFilter, find_events
from services.players import newest_players, player_called, player_with_coupon, search_players
from services.rules import texts

Search = Annotated[
    str | None,
    strawberry.argument(description="What the external id begins with, to the letter; they then come in its order."),
]
By = Annotated[PlayerBy, strawberry.argument(description="What the player is known by.")]
Entries = Annotated[AuditFilter | None, strawberry.argument(description="Which of them; without it: all.")]
NOTHING = ""
"""No entry has this target."""

Wanted = Annotated[UserEventFilter | None, strawberry.argument(description="Which of them; without it: all.")]


@root
async def players(
    info: Info, search: Search = strawberry.UNSET, first: First = 20, after: After = strawberry.UNSET
) -> Connection[Player]:
    """Players, newest first."""
    database, size = info.context.app.database, page_size(first)
    if search:
        last = decode_cursor(after, external_id)
        found = await search_players(database, texts.nfc(search), first=size, after=last[0] if last else None)
        return connection_of(found, lambda row: [row.external_id], Player.of)
    page = await newest_players(database, first=size, after=decode_cursor(after, instant, UUID))
    return connection_of(page, lambda row: [row.created_at, row.id], Player.of)


@root
async def player(info: Info, by: By) -> Player | None:
    """One player, by whatever a complaint names; null where there is none."""
    if given(by.id) is not None:
        found = await find(info, str(by.id))
        return found if isinstance(found, Player) else None
    if given(by.play_id) is not None:
        found = await find(info, str(by.play_id))
        return await player_with(info, found.player_key) if isinstance(found, GamePlay) else None
    database = info.context.app.database
    if (code := given(by.coupon_code)) is not None:
        row = await player_with_coupon(database, texts.coupon_code(code))
    else:
        row = await player_called(database, texts.external_id(given(by.external_id) or ""))
    return Player.of(row) if row else None


@root
async def user_events(
    info: Info,
    filter: Wanted = strawberry.UNSET,  # noqa: A002 (the contract's name)
    first: First = 20,
    after: After = strawberry.UNSET,
) -> Connection[UserEvent]:
    """What happened to players, newest first."""
    wanted, key = filter.to_filter() if filter else EventFilter(), decode_cursor(after, instant, UUID)
    page = await find_events(info.context.app.database, wanted, first=page_size(first), after=key)
    return connection_of(page, event_key, UserEvent.of)


@root
async def audit_log(
    info: Info,
    filter: Entries = strawberry.UNSET,  # noqa: A002
    first: First = 20,
    after: After = strawberry.UNSET,
) -> Connection[AuditEntry]:
    """What staff changed, newest first."""
    key, size = decode_cursor(after, instant, row_number), page_size(first)
    target_id = given(filter.target_id) if filter else None
    target = await target_of(info, target_id) if target_id is not None else None
    wanted = filter.to_filter(target or (NOTHING if target_id is not None else None)) if filter else EntryFilter()
    page = await audit.entries(info.context.app.database, wanted, first=size, after=key)
    return connection_of(page, lambda row: [row.created_at, row.id], partial(AuditEntry.of, find=node_of))


@root
async def coupon_pools(info: Info) -> list[CouponPool]:
    """The pools of coupon codes, by type: every one that has codes, or grants that wait."""
    return [CouponPool.of(pool) for pool in await coupons.pools(info.context.app.database)]
