"""What one process remembers of players, so that a lone command of whoever was just seen is served without a load.

Nothing of it is believed. What is decided on a remembered player is told only if it is stored, and it is stored only if
the player's version and the name of the day's facts, which move with whatever anybody changes, are still what is
remembered: the storing statement checks that under the player's lock. So whoever is refused, or answered what was
answered before, is loaded, and so is whoever uses a key that is known to be used; that a key is used of which nothing
is known here, its constraint tells. On a day that draws from stocks nobody is remembered: what is left is everybody's.

Commands that come together are loaded together: their share of a load is small, and one of them that was remembered
wrongly would have all of them decided twice.
"""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from services.days import Days
from services.recent import RecentlyUsed
from services.rules.day import Day
from services.rules.play import Action
from services.rules.state import Earlier, PlayerState, State

REMEMBERED_PLAYERS = 10_000
"""About a kilobyte each."""

REMEMBERED_KEYS = 4
"""Of each player, the last: whoever asks again asks soon."""

_USED = Earlier("", "")


class Memory:
    """The players whom one process has seen, as they were then, all on the same facts of one day."""

    def __init__(self, days: Days) -> None:
        self.days = days
        self._day: Day | None = None
        self._players: RecentlyUsed[UUID, PlayerState] = RecentlyUsed(REMEMBERED_PLAYERS)

    def recall(self, date: dt.date, action: Action[Any]) -> State | None:
        """What a command may be decided on, or none where it has to be loaded."""
        day, seen = self.days.known(date), self._players.get(action.user_id)
        if day is None or day is not self._day or seen is None or action.key in seen.earlier:
            return None
        return State(day, {seen.id: seen.copy()})

    def keep(self, state: State) -> None:
        """Remember players as they are in the database, as far as is known. They may be read on, but not changed."""
        if state.stocks or state.day is not self.days.known(state.day.date):
            return
        if state.day is not self._day:
            self._day, self._players = state.day, RecentlyUsed(REMEMBERED_PLAYERS)
        for player in state.players.values():
            seen = self._players.get(player.id)
            if seen is None or seen.version < player.version:
                player.earlier = dict.fromkeys(list(player.earlier)[-REMEMBERED_KEYS:], _USED)
                self._players.put(player.id, player)

    def forget(self, player_id: UUID) -> None:
        """Remember nothing of a player who was not as remembered."""
        self._players.drop(player_id)
