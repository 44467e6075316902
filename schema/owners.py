"""Whose something is: the player of what belongs to one."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from schema.context import Info

if TYPE_CHECKING:
    from schema.players import Player


async def player_with(info: Info, key: UUID) -> Player:
    """The player of a row that belongs to one."""
    from schema.players import Player  # noqa: PLC0415 (a player has plays and events, and these their player)

    found = await info.context.loaders.players.load(key)
    assert found is not None  # the row's foreign key
    return Player.of(found)
