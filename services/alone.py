"""Those whom their batch failed for: each goes on alone, on a pooled connection, and the lane without them."""

from __future__ import annotations

import asyncio

from services.answers import Answer
from services.batches import ATTEMPTS, CLASHES, RACES, Batches, Member
from services.database import Database
from services.errors import HaruError, LockNotAcquired
from services.outages import BLOCKED, because
from services.request_errors import Unavailable

LANE_LOCK_SECONDS = 0.3
"""How long a whole lane waits for a lock before its members go on alone, each to its own full wait."""

RETRY_SECONDS = 0.01

SHORTEST_TRY_SECONDS = 0.1
"""A try that has less time would end as one that waited for a lock, whatever it was that the tries before it met."""


class Alone:
    """The members of a lane that go alone. `room`: how many may hold one of the pool's connections at a time."""

    def __init__(self, database: Database, batches: Batches, room: asyncio.Semaphore) -> None:
        self._database = database
        self._batches = batches
        self._room = room
        self._tasks: set[asyncio.Task[None]] = set()

    def go(self, member: Member, outcome: HaruError) -> None:
        """Serve a member by itself, from now on; `outcome` is what to tell it where there is no room for it in time."""
        task = asyncio.create_task(self._serve(member, outcome))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def finish(self) -> None:
        """Wait until everybody has been told."""
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _serve(self, member: Member, outcome: Answer | Exception) -> None:
        """Serve one member under locks, within the time that a caller may wait for a lock."""
        clock, lost = asyncio.get_running_loop().time, 0
        deadline = clock() + self._database.lock_wait_seconds - LANE_LOCK_SECONDS
        try:
            async with asyncio.timeout_at(deadline + 1.0):
                while isinstance(outcome, HaruError) and outcome.retryable and await self._has_room_by(deadline):
                    try:
                        outcome = await self._try(member, deadline - clock())
                    except (*RACES, *CLASHES) as failure:
                        lost += 1
                        if lost >= ATTEMPTS and isinstance(failure, CLASHES):
                            raise
                        outcome = LockNotAcquired()
                        await asyncio.sleep(RETRY_SECONDS * lost)
                    finally:
                        self._room.release()
        except TimeoutError as late:
            outcome = because(Unavailable(), late)
        except Exception as bug:  # noqa: BLE001 (whatever it is, the caller is told)
            outcome = bug
        member.settle(outcome)

    async def _has_room_by(self, deadline: float) -> bool:
        """Wait for one of the pool's connections that are for those who go alone; whether there was one in time."""
        if asyncio.get_running_loop().time() > deadline - SHORTEST_TRY_SECONDS:
            return False
        try:
            async with asyncio.timeout_at(deadline):
                return await self._room.acquire()
        except TimeoutError:
            return False

    async def _try(self, member: Member, seconds_left: float) -> Answer | Exception:
        """One try of `_serve`: the member's answer or refusal, or a retryable one of ours."""
        try:
            async with self._database.hot() as connection:
                try:
                    return (await self._batches.locked(connection, [member], lock_seconds=seconds_left))[0]
                except BLOCKED:
                    return LockNotAcquired()
        except Unavailable as refusal:
            await asyncio.sleep(0.05)
            return refusal
