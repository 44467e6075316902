"""How a day and a player are read, for every status, the caller's account and every subscription of one process.

Reads of the same moment ride together, as plays do: one statement for the day and for all players who look. The lists
that somebody wants beside (the ledger, the plays, the events) ride with it, in one transaction that sees one snapshot.
So whatever an answer's fields tell of its player agrees. Nothing is believed: what an operator changed is seen by
whoever asks next.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from enum import StrEnum
from functools import partial
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

from services import events, history
from services.database import Connection, Database
from services.feature_views import FeatureViews
from services.load import look
from services.memory import Memory
from services.own_session import OwnSession
from services.paging import Page, PageOf
from services.players import PlayerRow
from services.request_errors import Unauthenticated
from services.rules.state import PlayerState, State
from services.together import Together
from services.watch import BatchKind


class ListName(StrEnum):
    """A player's lists."""

    REWARDS = "rewards"
    PLAYS = "plays"
    EVENTS = "events"


ListPage: TypeAlias = tuple[ListName, PageOf]
"""A page that is wanted of a player's list."""


class Wanted(NamedTuple):
    """What somebody looks at: a day, and perhaps a player."""

    date: dt.date
    user_id: UUID | None = None


class Seen(NamedTuple):
    """What was read in one snapshot."""

    state: State
    accounts: Mapping[UUID, PlayerRow]
    pages: Mapping[ListPage, Page[Any]]

    def player(self, player_id: UUID) -> PlayerState:
        """One of the players. Raises: Unauthenticated when there is no such player."""
        player = self.state.players.get(player_id)
        if player is None:
            raise Unauthenticated
        return player


class Reads:
    """The reader of one process: it has one connection at a time, however many look."""

    def __init__(self, database: Database, memory: Memory, views: FeatureViews) -> None:
        self._session = OwnSession(database)
        self._memory = memory
        self._views = views
        self._viewed: dict[Wanted, Callable[[State], None]] = {}
        """What begins a view, of whoever waits for the next read to see what is on."""
        self._days = days = memory.days
        self._seen = Together(self._read, kind=BatchKind.READS, watch=database.watch)
        self._pages: defaultdict[Wanted, set[ListPage]] = defaultdict(set)
        """What is wanted beside, by whoever waits for the next read."""
        self._lists: Mapping[ListName, Callable[[Connection, Sequence[PageOf]], Awaitable[list[Page[Any]]]]] = {
            ListName.REWARDS: history.ledgers,
            ListName.PLAYS: partial(history.plays, calendar=days.calendar),
            ListName.EVENTS: events.events_of_players,
        }

    async def day(self, now: dt.datetime) -> State:
        """The day that it is at `now`, without players. Raises: Unavailable."""
        return await self.day_of(self._days.calendar.business_date(now))

    async def day_of(self, date: dt.date) -> State:
        """A day, without players. Raises: Unavailable."""
        return (await self._seen(Wanted(date))).state

    async def seen_by(self, player_id: UUID, now: dt.datetime) -> State:
        """The day that it is at `now`, as a player sees it, whose view of what is on has been recorded.

        Raises: Unavailable.
        """
        date = self._days.calendar.business_date(now)
        if self._views.is_recorded(player_id, date):
            return await self.day_of(date)
        wanted = Wanted(date, player_id)
        self._viewed[wanted] = partial(self._views.begin, player_id, now)
        state = (await self._seen(wanted)).state
        await self._views.recorded(player_id, date)
        return state

    async def player(self, player_id: UUID, now: dt.datetime, pages: Collection[ListPage] = ()) -> Seen:
        """The day that it is at `now` and a player, if there is one, with pages of the player's lists.

        Raises: Unavailable.
        """
        wanted = Wanted(self._days.calendar.business_date(now), player_id)
        if pages:
            self._pages[wanted].update(pages)
        return await self._seen(wanted)

    async def stop(self) -> None:
        """Give up what is under way."""
        await self._seen.stop()
        await self._views.stop()
        self._session.give_up()

    async def _read(self, wanted: Sequence[Wanted]) -> Mapping[Wanted, Seen]:
        """What is wanted, one statement after the other; of more than one, all see the same snapshot."""
        players: defaultdict[dt.date, list[UUID]] = defaultdict(list)
        asked: defaultdict[ListName, list[PageOf]] = defaultdict(list)
        viewed = [(want.date, begin) for want in wanted if (begin := self._viewed.pop(want, None)) is not None]
        for want in wanted:
            players[want.date] += [want.user_id] if want.user_id is not None else []
            for name, page in self._pages.pop(want, ()):
                asked[name].append(page)
        async with self._snapshot(is_one=len(players) + len(asked) == 1) as connection:
            seen = {date: await self._look(connection, date, ids) for date, ids in players.items()}
            pages: dict[ListPage, Page[Any]] = {}
            for name, page_of in asked.items():
                found = await self._lists[name](connection, page_of)
                pages |= {(name, page): rows for page, rows in zip(page_of, found, strict=True)}
        for date, begin in viewed:  # it is on its way while whoever looks goes on
            begin(seen[date][0])
        return {want: Seen(*seen[want.date], pages) for want in wanted}

    @asynccontextmanager
    async def _snapshot(self, *, is_one: bool) -> AsyncIterator[Connection]:
        """A connection for one statement, or for several that see the same."""
        async with self._session.used() as connection:
            if is_one:
                yield connection
            else:
                async with connection.transaction(isolation="repeatable_read", readonly=True):
                    yield connection

    async def _look(
        self, connection: Connection, date: dt.date, ids: Sequence[UUID]
    ) -> tuple[State, Mapping[UUID, PlayerRow]]:
        state, accounts = await look(connection, self._days, date, ids or [None])
        self._memory.keep(state)  # who looks plays next
        return state, {player_id: PlayerRow(*account) for player_id, account in accounts.items()}
