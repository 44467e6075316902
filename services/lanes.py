"""Lanes: what players do is loaded, decided and stored in batches.

Each process has a few lanes, each with a connection of its own. The commands that arrive while a lane's batch is under
way are its next batch; a lone command is a batch of one and waits for nobody. A player always goes to the same lane of
a process, so that within it nobody contends for a player's rows.

A batch is tried as two statements first (load, store), a lone command of who is remembered as the second alone; when
somebody changed a player in between, it is decided anew under locks. When somebody holds a lock for long, those who
need it go on alone, each on a pooled connection, and their neighbours without them. When it fails all the same, because
one of its members is poisoned, all members go on alone. So the lane and its next batches go on too, and half of the
pool stays free for others, whoever waits.

Lock order: players by id, the lottery's stocks by id, coupon types by name.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from collections import deque
from collections.abc import Callable
from random import Random
from typing import cast

from services.alone import LANE_LOCK_SECONDS, Alone
from services.batches import ATTEMPTS, CLASHES, RACES, Batches, Member
from services.calendar import Calendar, Clock
from services.database import Database
from services.errors import LockNotAcquired
from services.ids import Ids
from services.memory import Memory
from services.outages import BLOCKED, TROUBLED, UNREACHABLE, because
from services.own_session import OwnSession
from services.request_errors import Unavailable
from services.rules.play import Action, AnswerT
from services.seeds import Seeds
from services.store import UNLOCKED_PLAYERS
from services.watch import BatchKind

logger = logging.getLogger("haru.lanes")

BATCH_SIZE = 64
QUEUE_SIZE = 5_000
"""Commands that may wait in one lane; more are refused as UNAVAILABLE at once."""


class Lanes:
    """All lanes of one process. Use as an async context manager; leaving it finishes what was accepted."""

    def __init__(
        self,
        database: Database,
        memory: Memory,
        clock: Clock,
        seeds: Seeds,
        rng: Random,
        *,
        lanes: int,
        stock_changed: Callable[[], None],
    ) -> None:
        self._clock = clock
        room = asyncio.Semaphore(database.pool_size // 2)
        serving = [Batches(memory, seeds, Ids(rng), stock_changed, database.watch) for _ in range(lanes)]
        self._lanes = [Lane(database, memory.days.calendar, batches, room) for batches in serving]

    @property
    def waiting(self) -> int:
        """How many commands wait for a batch."""
        return sum(lane.waiting for lane in self._lanes)

    async def submit(self, action: Action[AnswerT]) -> AnswerT:
        """Do what the player commands, once, as of now and today's business date.

        Raises: what `decide` raises, LockNotAcquired, Unavailable.
        """
        lane: Lane = self._lanes[action.user_id.int % len(self._lanes)]  # ids are random
        return await lane.submit(action, self._clock())

    async def __aenter__(self) -> Lanes:
        for lane in self._lanes:
            lane.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.gather(*(lane.stop() for lane in self._lanes))


class Lane:
    """One lane: a queue, and a task that takes batches from it."""

    def __init__(self, database: Database, calendar: Calendar, batches: Batches, room: asyncio.Semaphore) -> None:
        self._database = database
        self._watch = database.watch
        self._calendar = calendar
        self._batches = batches
        self._alone = Alone(database, batches, room)
        self._queue: deque[Member] = deque()
        self._arrived = asyncio.Event()
        self._stopping = False
        self._task: asyncio.Task[None] | None = None
        self._session = OwnSession(database, lock_timeout_seconds=LANE_LOCK_SECONDS)

    @property
    def waiting(self) -> int:
        """How many commands wait for a batch."""
        return len(self._queue)

    def start(self) -> None:
        """Begin to take batches."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Finish what was accepted, then give the connection back."""
        self._stopping = True
        self._arrived.set()
        assert self._task is not None
        await self._task
        await self._alone.finish()
        self._session.give_up()

    async def submit(self, action: Action[AnswerT], now: dt.datetime) -> AnswerT:
        """Queue a command of `now` and await its answer. A caller that goes away does not stop the command."""
        if self._stopping or len(self._queue) >= QUEUE_SIZE:
            raise Unavailable
        date, answer = self._calendar.business_date(now), asyncio.get_running_loop().create_future()
        member = Member(action, now, date, answer, caller=self._watch.caller())
        self._queue.append(member)
        self._arrived.set()
        return cast("AnswerT", await member.future)

    async def _run(self) -> None:
        while self._queue or not self._stopping:
            if not self._queue:
                self._arrived.clear()
                await self._arrived.wait()
                continue
            batch = self._next_batch()
            try:
                with self._watch.batch(BatchKind.PLAYS, [member.caller for member in batch]):
                    await self._together(batch)
            except Exception as bug:
                logger.exception("a batch of %d failed", len(batch))
                self._session.give_up()
                for member in batch:
                    member.settle(bug)

    def _next_batch(self) -> list[Member]:
        """The longest run of waiting commands of one business date, at most BATCH_SIZE."""
        batch = [self._queue.popleft()]
        while self._queue and len(batch) < BATCH_SIZE and self._queue[0].date == batch[0].date:
            batch.append(self._queue.popleft())
        return batch

    async def _together(self, batch: list[Member], *, may_part: bool = True) -> None:
        """Serve a batch on the lane's own connection; when that fails, alone those whom it fails for."""
        try:
            await self._attempt_all(batch)
        except Exception as failure:
            if not isinstance(failure, (*TROUBLED, *RACES)):
                logger.exception("a batch of %d failed; its members go on alone", len(batch))
            is_blocked = isinstance(failure, BLOCKED)
            neighbours = await self._neighbours(batch) if is_blocked and may_part else []
            served = set(map(id, neighbours))
            for member in batch:
                if id(member) not in served:
                    refusal = LockNotAcquired() if is_blocked else Unavailable()
                    self._alone.go(member, because(refusal, failure))
            self._watch.parted(len(batch) - len(neighbours))
            if neighbours:
                await self._together(neighbours, may_part=False)

    async def _neighbours(self, batch: list[Member]) -> list[Member]:
        """Those of a blocked batch who need nothing that is held: of the players, or else of what players share."""
        try:
            connection = await self._session.get()
            rows = await connection.fetch(UNLOCKED_PLAYERS, [member.action.user_id for member in batch])
        except TROUBLED:
            return []
        unlocked = {row["id"] for row in rows}
        neighbours = [member for member in batch if member.action.user_id in unlocked]
        if len(neighbours) < len(batch):
            return neighbours
        return [member for member in batch if not member.contends]

    async def _attempt_all(self, batch: list[Member]) -> None:
        """Try until the batch is stored, at first in two statements, then under locks."""
        serve, attempt = self._batches.optimistic, 0
        while True:
            attempt += 1
            connection = await self._session.get()
            try:
                async with asyncio.timeout(6.0):
                    outcomes = await serve(connection, batch)
            except (*RACES, *CLASHES):
                if attempt == ATTEMPTS:
                    raise
                self._watch.retried()
                serve = self._batches.locked
            except BLOCKED:
                raise
            except UNREACHABLE:
                self._session.give_up()
                raise
            else:
                for member, outcome in zip(batch, outcomes, strict=True):
                    member.settle(outcome)
                return
