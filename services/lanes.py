"""Lanes: what players do is loaded, decided and stored in batches.

Each process has a few lanes, each with a connection of its own. The commands that arrive while a lane's batch is under
way are its next batch; a lone command is a batch of one and waits for nobody. A player always goes to the same lane of
a process, so that within it nobody contends for a player's rows.

A batch is tried as two statements first (load, store); when somebody changed a player in between, it is decided anew
under locks. When somebody holds a lock for long, those who need it go on alone, each on a pooled connection, and their
neighbours without them. When it fails all the same, because one of its members is poisoned, all members go on alone. So
the lane and its next batches go on too, and half of the pool stays free for reads, whoever waits.

However often a command is decided, its luck is the same: otherwise whoever draws what is locked would draw again, and
what is locked would come up less often than its odds say.

Lock order: players by id, the active lottery's prizes by id, coupon types by name.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, cast

import asyncpg

from models import FeatureType
from services.answers import Answer
from services.calendar import Calendar
from services.database import BLOCKED, UNREACHABLE, Connection, Database
from services.errors import HaruError, LockNotAcquired, Unavailable
from services.ids import Ids
from services.load import load
from services.rules.play import Action, AnswerT, decide
from services.rules.state import Effects
from services.store import UNLOCKED_PLAYERS, lock, store, store_with_coupons

logger = logging.getLogger("haru.lanes")

BATCH_SIZE = 64
ATTEMPTS = 6
QUEUE_SIZE = 5_000
"""Commands that may wait in one lane; more are refused as UNAVAILABLE at once."""

LANE_LOCK_SECONDS = 0.3
"""How long a whole lane waits for a lock before its members go on alone, each to its own full wait."""

RACES = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)
"""What is decided anew as often as it takes."""

CLASHES = (asyncpg.UniqueViolationError, asyncpg.CheckViolationError)
"""What is decided anew a few times: a prize that ran out meanwhile. What clashes again and again is broken data."""

RETRY_SECONDS = 0.01
LUCK_BITS = 128
SET_TIMEOUTS = "SELECT set_config('lock_timeout', $1, true), set_config('statement_timeout', $1, true)"
"""Who waits for a row that others wait for waits twice, each time with a new lock_timeout: this bounds both."""


@dataclass(slots=True)
class Member:
    """A command on its way through a lane, and the future that its caller awaits."""

    action: Action[Any]
    future: asyncio.Future[Answer]
    luck: int
    """The seed of its draws."""
    contends: bool = False
    """Whether, as last decided, it takes from what players share: a prize's stock or a pool of coupon codes."""

    def settle(self, outcome: Answer | Exception) -> None:
        """Tell the caller, if it is still there."""
        if self.future.done():
            return
        if isinstance(outcome, Exception):
            self.future.set_exception(outcome)
        else:
            self.future.set_result(outcome)


class Lanes:
    """All lanes of one process. Use as an async context manager; leaving it finishes what was accepted."""

    def __init__(
        self,
        database: Database,
        calendar: Calendar,
        rng: Random,
        *,
        lanes: int = 2,
        stock_changed: Callable[[], None] = lambda: None,
    ) -> None:
        room = asyncio.Semaphore(database.pool_size // 2)
        self._lanes = [Lane(database, calendar, rng, stock_changed, room) for _ in range(lanes)]

    async def submit(self, action: Action[AnswerT]) -> AnswerT:
        """Do what the player commands, once.

        Raises: what `decide` raises, LockNotAcquired, Unavailable.
        """
        # Ids are dense and clients often shard by parity: mix before taking the remainder (Fibonacci hashing).
        mixed = (action.user_id * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF) >> 32
        return await self._lanes[mixed % len(self._lanes)].submit(action)

    async def __aenter__(self) -> Lanes:
        for lane in self._lanes:
            lane.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.gather(*(lane.stop() for lane in self._lanes))


class Lane:
    """One lane: a queue, and a task that takes batches from it."""

    def __init__(
        self,
        database: Database,
        calendar: Calendar,
        rng: Random,
        stock_changed: Callable[[], None],
        room: asyncio.Semaphore,
    ) -> None:
        self._database = database
        self._room = room
        self._stock_changed = stock_changed
        self._calendar = calendar
        self._rng = rng
        self._ids = Ids(rng)
        self._queue: deque[Member] = deque()
        self._arrived = asyncio.Event()
        self._stopping = False
        self._task: asyncio.Task[None] | None = None
        self._alone: set[asyncio.Task[None]] = set()
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None

    def start(self) -> None:
        """Begin to take batches."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Finish what was accepted, then give the connection back."""
        self._stopping = True
        self._arrived.set()
        assert self._task is not None
        await self._task
        if self._alone:
            await asyncio.wait(self._alone)
        self._drop_connection()

    async def submit(self, action: Action[AnswerT]) -> AnswerT:
        """Queue a command and await its answer. A caller that goes away does not stop the command."""
        if self._stopping or len(self._queue) >= QUEUE_SIZE:
            raise Unavailable
        luck = self._rng.getrandbits(LUCK_BITS)
        member = Member(action, asyncio.get_running_loop().create_future(), luck)
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
                await self._together(batch)
            except Exception as bug:
                logger.exception("a batch of %d failed", len(batch))
                self._drop_connection()
                for member in batch:
                    member.settle(bug)

    def _next_batch(self) -> list[Member]:
        """The longest run of waiting commands of one business date, at most BATCH_SIZE."""
        batch = [self._queue.popleft()]
        while self._queue and len(batch) < BATCH_SIZE and self._queue[0].action.date == batch[0].action.date:
            batch.append(self._queue.popleft())
        return batch

    async def _together(self, batch: list[Member], *, may_part: bool = True) -> None:
        """Serve a batch on the lane's own connection; when that fails, alone those whom it fails for."""
        try:
            await self._attempt_all(batch)
        except Exception as failure:
            if not isinstance(failure, (*BLOCKED, *UNREACHABLE, *RACES)):
                logger.exception("a batch of %d failed; its members go on alone", len(batch))
            is_blocked = isinstance(failure, BLOCKED)
            neighbours = await self._neighbours(batch) if is_blocked and may_part else []
            served = set(map(id, neighbours))
            for member in batch:
                if id(member) not in served:
                    task = asyncio.create_task(
                        self._by_itself(member, LockNotAcquired() if is_blocked else Unavailable())
                    )
                    self._alone.add(task)
                    task.add_done_callback(self._alone.discard)
            if neighbours:
                await self._together(neighbours, may_part=False)

    async def _neighbours(self, batch: list[Member]) -> list[Member]:
        """Those of a blocked batch who need nothing that is held: of the players, or else of what players share."""
        try:
            connection = await self._own_connection()
            rows = await connection.fetch(UNLOCKED_PLAYERS, [member.action.user_id for member in batch])
        except (*BLOCKED, *UNREACHABLE):
            return []
        unlocked = {row["id"] for row in rows}
        neighbours = [member for member in batch if member.action.user_id in unlocked]
        if len(neighbours) < len(batch):
            return neighbours
        return [member for member in batch if not member.contends]

    async def _attempt_all(self, batch: list[Member]) -> None:
        """Try until the batch is stored, at first in two statements, then under locks."""
        attempt = 0
        while True:
            attempt += 1
            connection = await self._own_connection()
            try:
                async with asyncio.timeout(6.0):
                    await self._attempt(connection, batch, locked=attempt > 1)
            except (*RACES, *CLASHES):
                if attempt == ATTEMPTS:
                    raise
            except UNREACHABLE:
                self._drop_connection()
                raise
            else:
                return

    async def _own_connection(self) -> asyncpg.Connection[asyncpg.Record]:
        if self._connection is None or self._connection.is_closed():
            self._connection = await self._database.connect_hot(lock_timeout_seconds=LANE_LOCK_SECONDS)
        return self._connection

    def _drop_connection(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    async def _attempt(self, connection: Connection, batch: Sequence[Member], *, locked: bool) -> None:
        """Load, decide, store; then tell every member. Nobody is told what is not committed."""
        if locked:
            outcomes = await self._under_locks(connection, batch)
        else:
            effects, outcomes = await self._decide(connection, batch)
            if effects.coupons:
                async with connection.transaction():
                    await lock(connection, effects.players, prizes=bool(effects.drawn))
                    await store_with_coupons(connection, effects)
            elif not effects.is_empty:
                await store(connection, effects)
            if effects.drawn:
                self._stock_changed()
        for member, outcome in zip(batch, outcomes, strict=True):
            member.settle(outcome)

    async def _under_locks(
        self, connection: Connection, batch: Sequence[Member], *, lock_seconds: float | None = None
    ) -> list[Answer | Exception]:
        """Lock what the batch contends for, then load, decide and store, in one transaction."""
        async with connection.transaction():
            if lock_seconds is not None:
                await connection.execute(SET_TIMEOUTS, f"{max(int(lock_seconds * 1000), 10)}ms")
            prizes = any(member.contends and member.action.game is FeatureType.LOTTERY for member in batch)
            await lock(connection, (member.action.user_id for member in batch), prizes=prizes)
            effects, outcomes = await self._decide(connection, batch)
            if not effects.is_empty:
                await store_with_coupons(connection, effects)
        if effects.drawn:
            self._stock_changed()
        return outcomes

    async def _decide(
        self, connection: Connection, batch: Sequence[Member]
    ) -> tuple[Effects, list[Answer | Exception]]:
        """Load the batch's state and decide each member in the order of arrival, with its own luck."""
        actions = [member.action for member in batch]
        state = await load(connection, self._calendar, actions[0].date, actions)
        effects = Effects(self._ids)
        outcomes: list[Answer | Exception] = []
        for member in batch:
            before, luck = effects.contended, Random(member.luck)  # noqa: S311 (the seed is the one source's)
            try:
                outcomes.append(decide(member.action, state, luck, effects))
            except HaruError as refusal:
                outcomes.append(refusal)
            member.contends = effects.contended > before
        return effects, outcomes

    async def _by_itself(self, member: Member, outcome: Answer | Exception) -> None:
        """Serve one member under locks, on a pooled connection, within the time that a caller may wait for a lock.

        `outcome`: what to tell it where there is no room for it within that time.
        """
        clock, lost = asyncio.get_running_loop().time, 0
        deadline = clock() + self._database.lock_wait_seconds - LANE_LOCK_SECONDS
        try:
            async with asyncio.timeout_at(deadline + 1.0):
                while isinstance(outcome, HaruError) and outcome.retryable and await self._has_room_by(deadline):
                    try:
                        outcome = await self._once_by_itself(member, deadline - clock())
                    except (*RACES, *CLASHES) as failure:
                        lost += 1
                        if lost >= ATTEMPTS and isinstance(failure, CLASHES):
                            raise
                        outcome = LockNotAcquired()
                        await asyncio.sleep(RETRY_SECONDS * lost)
                    finally:
                        self._room.release()
        except TimeoutError:
            outcome = Unavailable()
        except Exception as bug:  # noqa: BLE001 (whatever it is, the caller is told)
            outcome = bug
        member.settle(outcome)

    async def _has_room_by(self, deadline: float) -> bool:
        """Wait for one of the pool's connections that are for those who go alone; whether there was one in time."""
        if asyncio.get_running_loop().time() >= deadline:
            return False
        try:
            async with asyncio.timeout_at(deadline):
                return await self._room.acquire()
        except TimeoutError:
            return False

    async def _once_by_itself(self, member: Member, seconds_left: float) -> Answer | Exception:
        """One try of `_by_itself`: the member's answer or refusal, or a retryable one of the lane's."""
        try:
            async with self._database.hot() as connection:
                try:
                    return (await self._under_locks(connection, [member], lock_seconds=seconds_left))[0]
                except BLOCKED:
                    return LockNotAcquired()
        except Unavailable as refusal:
            await asyncio.sleep(0.05)
            return refusal
