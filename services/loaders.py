"""Loaders: what the nodes of one answer ask for is read together, so that no list costs a statement a row.

They are made for one operation, inside the running loop. A batch opens its own short read, runs one statement, and
answers in the order of its keys. They serve answers only: no command awaits one.
"""

from __future__ import annotations

from functools import partial

from aiodataloader import DataLoader

from models import RewardType
from services import events, history, players
from services.answers import Played
from services.calendar import Calendar
from services.database import Database
from services.events import EventRow
from services.history import LedgerLine
from services.paging import Page, PageOf
from services.players import PlayerRow


class Loaders:
    """The loaders of one operation."""

    def __init__(self, database: Database, calendar: Calendar) -> None:
        self.players: DataLoader[int, PlayerRow | None] = DataLoader(partial(players.players_by_id, database))
        self.balances: DataLoader[int, dict[RewardType, int]] = DataLoader(partial(players.balances, database))
        self.ledgers: DataLoader[PageOf, Page[LedgerLine]] = DataLoader(partial(history.ledgers, database))
        self.plays: DataLoader[PageOf, Page[Played]] = DataLoader(partial(history.plays, database, calendar))
        self.events: DataLoader[PageOf, Page[EventRow]] = DataLoader(partial(events.events_of_players, database))
