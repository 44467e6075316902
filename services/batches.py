"""Batches: the commands of several players, loaded, decided and stored together, or one alone.

However often a command is decided, it draws the same, because its draw is a function of the day's seed and of which
play of the player it is: otherwise whoever draws what is locked would draw again, and what is locked would come up less
often than its odds say.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg

from models import OPEN_SEED, FeatureType
from services.answers import Answer
from services.database import Connection, milliseconds
from services.errors import HaruError
from services.ids import Ids
from services.load import load
from services.memory import Memory
from services.rules.play import Action, decide
from services.rules.state import Effects, State
from services.seeds import Seeds
from services.store import lock, store, store_with_coupons
from services.watch import NOBODY, Watch

ATTEMPTS = 6

RACES = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)
"""What is decided anew as often as it takes."""

CLASHES = (asyncpg.UniqueViolationError, asyncpg.CheckViolationError)
"""What is decided anew a few times: a prize that ran out meanwhile. What clashes again and again is broken data."""

SET_TIMEOUTS = "SELECT set_config('lock_timeout', $1, true), set_config('statement_timeout', $1, true)"
"""Who waits for a row that others wait for waits twice, each time with a new lock_timeout: this bounds both."""


@dataclass(slots=True)
class Member:
    """A command on its way through a lane, when it was given, and the future that its caller awaits."""

    action: Action[Any]
    now: dt.datetime
    date: dt.date
    future: asyncio.Future[Answer]
    contends: bool = False
    """Whether, as last decided, it needs what players share: the lottery's stocks or a pool of coupon codes."""
    caller: Any = None
    """What whoever watches wants to know of the caller."""

    def settle(self, outcome: Answer | Exception) -> None:
        """Tell the caller, if it is still there."""
        if self.future.done():
            return
        if isinstance(outcome, Exception):
            self.future.set_exception(outcome)
        else:
            self.future.set_result(outcome)


class Batches:
    """How a lane serves a batch. `stock_changed` is called when a prize's stock has been taken from."""

    def __init__(
        self, memory: Memory, seeds: Seeds, ids: Ids, stock_changed: Callable[[], None], watch: Watch = NOBODY
    ) -> None:
        self._memory = memory
        self._days = memory.days
        self._seeds = seeds
        self._ids = ids
        self._stock_changed = stock_changed
        self._watch = watch

    async def optimistic(self, connection: Connection, batch: Sequence[Member]) -> list[Answer | Exception]:
        """Load, decide and store, in two statements where no coupon is won; what each member is to be told.

        A lone command of a player who is remembered is tried without the first.

        Raises: what `RACES` and `CLASHES` name; then nothing is stored, and nobody may be told anything.
        """
        if len(batch) == 1 and (outcomes := await self._remembering(connection, batch)):
            return outcomes
        state = await load(connection, self._days, batch[0].date, [member.action for member in batch])
        effects, outcomes = await self._decide(batch, state, Effects(self._ids))
        await self._store(connection, batch, effects)
        self._memory.keep(state)
        return outcomes

    async def _remembering(self, connection: Connection, batch: Sequence[Member]) -> list[Answer | Exception]:
        """Decide a lone command on what is remembered, and store it; nothing is told where that cannot be, or fails."""
        state = self._memory.recall(batch[0].date, batch[0].action)
        if state is None:
            return []
        effects, outcomes = await self._decide(batch, state, Effects(self._ids, state.day.revision))
        if effects.is_empty:  # what is not stored is not checked
            return []
        try:
            await self._store(connection, batch, effects)
        except (*RACES, *CLASHES):
            self._memory.forget(batch[0].action.user_id)
            return []
        self._memory.keep(state)
        return outcomes

    async def _store(self, connection: Connection, batch: Sequence[Member], effects: Effects) -> None:
        """Write what was decided. Raises: as `optimistic`."""
        with self._closing(batch):
            if effects.coupons:
                async with connection.transaction():
                    await lock(connection, effects.players, stocks_of=self._day(batch) if effects.numbered else None)
                    await store_with_coupons(connection, effects)
            elif not effects.is_empty:
                await store(connection, effects)
        self._tell(effects)

    async def locked(
        self, connection: Connection, batch: Sequence[Member], *, lock_seconds: float | None = None
    ) -> list[Answer | Exception]:
        """Lock what the batch contends for, then load, decide and store, in one transaction; as `optimistic`.

        `lock_seconds`: how long to wait for the locks, where it is not the connection's own time.
        """
        with self._closing(batch):
            async with connection.transaction():
                if lock_seconds is not None:
                    await connection.execute(SET_TIMEOUTS, milliseconds(max(lock_seconds, 0.01)))
                numbers = any(member.action.game is FeatureType.LOTTERY for member in batch)
                players = (member.action.user_id for member in batch)
                await lock(connection, players, stocks_of=self._day(batch) if numbers else None)
                state = await load(connection, self._days, batch[0].date, [member.action for member in batch])
                effects, outcomes = await self._decide(batch, state, Effects(self._ids))
                if not effects.is_empty:
                    await store_with_coupons(connection, effects)
        self._tell(effects)
        self._memory.keep(state)
        return outcomes

    def _tell(self, effects: Effects) -> None:
        """Tell whom it concerns what was stored."""
        self._watch.stored(effects.rows)
        if effects.drawn:
            self._stock_changed()

    @contextmanager
    def _closing(self, batch: Sequence[Member]) -> Iterator[None]:
        """Forget the day's seed where a store is refused for its sake: it is read anew, and nothing drawn from it."""
        try:
            yield
        except asyncpg.SerializationError as refused:
            if refused.constraint_name == OPEN_SEED:
                self._seeds.forget(batch[0].date)
            raise

    def _day(self, batch: Sequence[Member]) -> tuple[dt.datetime, dt.datetime]:
        """The first instant of the batch's business date, and the first after it."""
        date = batch[0].date
        return self._days.calendar.starts_at(date), self._days.calendar.ends_at(date)

    async def _decide(
        self, batch: Sequence[Member], state: State, effects: Effects
    ) -> tuple[Effects, list[Answer | Exception]]:
        """Decide each member in the order of arrival."""
        if any(member.action.game for member in batch):
            state.seed = await self._seeds.of(batch[0].date)
        outcomes: list[Answer | Exception] = []
        for member in batch:
            before = effects.contended
            try:
                outcomes.append(decide(member.action, member.now, state, effects))
            except HaruError as refusal:
                outcomes.append(refusal)
            member.contends = effects.contended > before
        return effects, outcomes
