"""Loaders: what the nodes of one answer ask for is read together, so that no list costs a statement a row.

They are made for one operation, inside the running loop. A batch opens its own short read, runs one statement, and
answers in the order of its keys. They serve answers only: no command awaits one.

What was read together with the caller (`Reads.player`) is put into them before anybody asks.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import cached_property, partial
from typing import Any, TypeVar
from uuid import UUID

from aiodataloader import DataLoader

from models import BALANCE_TYPES, RewardType
from services import events, history, players, proofs
from services.answers import Played
from services.calendar import Calendar
from services.database import Connection, Database
from services.events import EventRow
from services.history import LedgerLine
from services.paging import Page, PageOf
from services.players import PlayerRow
from services.proofs import Proof
from services.reads import ListName, Seen

KeyT = TypeVar("KeyT")
ValueT = TypeVar("ValueT")


class Loaders:
    """The loaders of one operation, each made when it is first asked: most operations need one or none."""

    def __init__(self, database: Database, calendar: Calendar) -> None:
        self._database = database
        self._calendar = calendar

    @cached_property
    def players(self) -> DataLoader[UUID, PlayerRow | None]:
        """Players by id."""
        return self._made(players.players_by_id)

    @cached_property
    def balances(self) -> DataLoader[UUID, dict[RewardType, int]]:
        """Balances by player."""
        return self._made(players.balances)

    @cached_property
    def ledgers(self) -> DataLoader[PageOf, Page[LedgerLine]]:
        """Pages of players' ledgers."""
        return self._made(history.ledgers)

    @cached_property
    def plays(self) -> DataLoader[PageOf, Page[Played]]:
        """Pages of players' plays."""
        return self._made(partial(history.plays, calendar=self._calendar))

    @cached_property
    def plays_by_id(self) -> DataLoader[tuple[UUID, UUID], Played | None]:
        """Plays by player and id."""
        return self._made(partial(history.plays_by_id, calendar=self._calendar))

    @cached_property
    def proofs(self) -> DataLoader[tuple[UUID, UUID], Proof | None]:
        """Proofs of draws by player and play."""
        return self._made(proofs.proofs)

    @cached_property
    def lines(self) -> DataLoader[tuple[UUID, int], LedgerLine | None]:
        """Lines of ledgers by player and number."""
        return self._made(history.lines_by_number)

    @cached_property
    def events_by_id(self) -> DataLoader[tuple[UUID, UUID], EventRow | None]:
        """Events by player and id."""
        return self._made(events.events_by_id)

    @cached_property
    def events(self) -> DataLoader[PageOf, Page[EventRow]]:
        """Pages of players' events."""
        return self._made(events.events_of_players)

    def _made(self, read: Callable[[Connection, Sequence[KeyT]], Awaitable[list[ValueT]]]) -> DataLoader[KeyT, ValueT]:
        return DataLoader(partial(_read, self._database, read))

    def prime(self, player_id: UUID, seen: Seen) -> None:
        """Answer what is asked of a player's balances and lists with what was read together.

        Raises: Unauthenticated when there is no such player.
        """
        held = seen.player(player_id).balances
        self.balances.prime(player_id, {kind: held.get(kind, 0) for kind in BALANCE_TYPES})
        for (name, wanted), page in seen.pages.items():
            if wanted.player_id == player_id:
                self._of(name).prime(wanted, page)

    def _of(self, name: ListName) -> DataLoader[PageOf, Any]:
        """The loader of a list."""
        match name:
            case ListName.REWARDS:
                return self.ledgers
            case ListName.PLAYS:
                return self.plays
            case ListName.EVENTS:
                return self.events


async def _read(
    database: Database,
    read: Callable[[Connection, Sequence[KeyT]], Awaitable[list[ValueT]]],
    keys: Sequence[KeyT],
) -> list[ValueT]:
    async with database.hot() as connection:
        return await read(connection, keys)
