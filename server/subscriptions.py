"""The connections of one process that stay open: how many there may be, and when they are over.

What a connection may do is bounded everywhere: connections in all and per player, operations per connection, the time
that a client may take to introduce itself or to take what is sent. Nothing is queued for a client: the next answer is
only asked for when the last one was taken, and by then it is the newest. When its token expires, or the server stops,
a connection is ended in such a way that the client connects again, with a new token or to another process.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from typing import Any, Generic, TypeVar

from services.errors import RateLimited, Unavailable

Principal = TypeVar("Principal")
Result = TypeVar("Result")


@dataclass(frozen=True)
class SubscriptionLimits:
    """What connections that stay open may do."""

    connections: int = 5_000
    """Of one process, in all."""

    connections_per_player: int = 20
    """Of one player to one process; an event stream is one, and so is a WebSocket with all of its operations."""

    operations_per_connection: int = 20
    message_bytes: int = 64 * 1024
    init_seconds: float = 10.0
    """How long a WebSocket may take to say who it is."""

    send_seconds: float = 20.0
    """How long a client may take to take an answer."""

    keep_alive_seconds: float = 12.0
    """How often an event stream shows that it lives, to the proxies on its way."""

    longest_nap_seconds: float = 30.0
    """How often a token's expiry is looked at: clocks are set now and then."""


class Over(Enum):
    """Why a connection is ended from here."""

    EXPIRED = "The token has expired."
    STOPPING = "The server stops."


class Subscriptions(Generic[Principal]):
    """Counts and ends the connections of one process.

    player: whom a connection counts for. expires_at, now: seconds since 1970.
    """

    def __init__(
        self,
        *,
        player: Callable[[Principal], Hashable],
        expires_at: Callable[[Principal], float],
        now: Callable[[], float],
        limits: SubscriptionLimits | None = None,
    ) -> None:
        self.limits = limits or SubscriptionLimits()
        self._player = player
        self._expires_at = expires_at
        self._now = now
        self._open = 0
        self._by_player: Counter[Hashable] = Counter()
        self._stopping = asyncio.Event()
        self._unfinished: set[asyncio.Future[Any]] = set()

    @contextmanager
    def connection(self) -> Iterator[None]:
        """Count a connection while it is open. Raises: Unavailable when there are too many, or the server stops."""
        if self._stopping.is_set() or self._open >= self.limits.connections:
            raise Unavailable
        self._open += 1
        try:
            yield
        finally:
            self._open -= 1

    @contextmanager
    def connection_of(self, principal: Principal | None) -> Iterator[None]:
        """Count a connection for its player, too. Raises: RateLimited when the player has too many."""
        if principal is None:
            yield
            return
        player = self._player(principal)
        if self._by_player[player] >= self.limits.connections_per_player:
            raise RateLimited("Too many connections are open for this player.")
        self._by_player[player] += 1
        try:
            yield
        finally:
            self._by_player[player] -= 1
            if not self._by_player[player]:
                del self._by_player[player]

    def is_expired(self, principal: Principal | None) -> bool:
        """Whether the token that `principal` came with is no longer valid."""
        return principal is not None and self._now() >= self._expires_at(principal)

    async def over(self, principal: Principal | None) -> Over:
        """Wait until the connection of `principal` has to end."""
        while not self._stopping.is_set():
            left = self._seconds_left(principal)
            if left <= 0:
                return Over.EXPIRED
            try:
                async with asyncio.timeout(min(left, self.limits.longest_nap_seconds)):
                    await self._stopping.wait()
            except TimeoutError:
                continue
        return Over.STOPPING

    def _seconds_left(self, principal: Principal | None) -> float:
        return self.limits.longest_nap_seconds if principal is None else self._expires_at(principal) - self._now()

    async def to_the_end(self, work: Awaitable[Result]) -> Result:
        """Await what is not to be stopped halfway, though the connection that asked for it may be gone by then."""
        task = asyncio.ensure_future(work)
        self._unfinished.add(task)
        task.add_done_callback(self._unfinished.discard)
        return await asyncio.shield(task)

    def stop(self) -> None:
        """End all connections, and admit no more."""
        self._stopping.set()

    async def finish(self) -> None:
        """Stop, and wait for what is not to be stopped halfway."""
        self.stop()
        await asyncio.gather(*self._unfinished, return_exceptions=True)
