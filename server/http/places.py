"""The connections of one process that stay open: how many there may be, and when they are over.

What a connection may do is bounded everywhere: connections in all and per player, operations per connection, the time
that a client may take to introduce itself or to take what is sent. Strangers, who have not introduced themselves yet,
have places of their own: however many come, they take none from those who play. Nothing is queued for a client: the
next answer is only asked for when the last one was taken, and by then it is the newest. When its token expires or was
revoked, or the server stops, a connection is ended in such a way that the client connects again, with a new token or
to another process.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Hashable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeVar

from schema.context import Principal
from services.request_errors import RateLimited, Unavailable

ResultT = TypeVar("ResultT")


@dataclass(frozen=True)
class PlaceLimits:
    """What connections that stay open may do."""

    connections: int = 5_000
    """Of one process, of all who have introduced themselves."""

    connections_per_player: int = 20
    """Of one player to one process; an event stream is one, and so is a WebSocket with all of its operations."""

    strangers: int = 1_000
    """WebSockets of one process that have not said yet who they are; a client does so at once."""

    strangers_per_address: int = 200
    """A crowd behind one address that connects again together waits for one round trip, and comes in turns."""

    operations_per_connection: int = 20
    message_bytes: int = 64 * 1024
    init_seconds: float = 10.0
    """How long a WebSocket may take to say who it is."""

    send_seconds: float = 20.0
    """How long a client may take to take an answer."""

    farewell_seconds: float = 1.0
    """How long a client may take to take the end."""

    keep_alive_seconds: float = 12.0
    """How often an event stream shows that it lives, to the proxies on its way."""

    longest_nap_seconds: float = 30.0
    """How often a token's expiry is looked at: clocks are set now and then."""


GOING_AWAY = 1001
"""The WebSocket close code of a server that stops (RFC 6455, 7.4.1): clients connect again."""


class Over(Enum):
    """Why a connection is ended from here."""

    EXPIRED = "The token has expired."
    REVOKED = "The token was revoked."
    STOPPING = "The server stops."


class Places:
    """Counts and ends the connections of one process.

    `now` is in seconds since 1970; `holds` tells whether a token was not revoked.
    """

    def __init__(
        self,
        *,
        now: Callable[[], float],
        holds: Callable[[Principal], bool] = lambda _principal: True,
        limits: PlaceLimits | None = None,
    ) -> None:
        self.limits = limits or PlaceLimits()
        self._now = now
        self._holds = holds
        self._open = 0
        self._by_player: Counter[Hashable] = Counter()
        self._strangers = 0
        self._strangers_by_address: Counter[Hashable] = Counter()
        self._is_stopping = False
        self._woken = asyncio.Event()
        self._unfinished: set[asyncio.Future[Any]] = set()

    @property
    def open(self) -> int:
        """Connections of those who have introduced themselves."""
        return self._open

    @contextmanager
    def stranger(self, address: Hashable) -> Iterator[None]:
        """Count a connection for its address (None: for nobody's) until it has introduced itself.

        Raises: Unavailable when there is no place for it now or later, RateLimited when its address has too many.
        """
        self._refuse_when_full()
        if self._strangers >= self.limits.strangers:
            raise Unavailable
        too_many = "Too many connections of this address have not introduced themselves."
        self._strangers += 1
        try:
            with _one_of(self._strangers_by_address, address, self.limits.strangers_per_address, too_many):
                yield
        finally:
            self._strangers -= 1

    @contextmanager
    def connection(self, principal: Principal | None) -> Iterator[None]:
        """Count a connection, and that of its player, while it is open.

        Raises: Unavailable when there are too many or the server stops, RateLimited when the player has too many.
        """
        self._refuse_when_full()
        player = None if principal is None else principal.player_id
        too_many = "Too many connections are open for this player."
        self._open += 1
        try:
            with _one_of(self._by_player, player, self.limits.connections_per_player, too_many):
                yield
        finally:
            self._open -= 1

    def _refuse_when_full(self) -> None:
        if self._is_stopping or self._open >= self.limits.connections:
            raise Unavailable

    def is_expired(self, principal: Principal | None) -> bool:
        """Whether the token that `principal` came with is no longer valid."""
        return principal is not None and (self._now() >= principal.expires_at or not self._holds(principal))

    async def over(self, principal: Principal | None) -> Over:
        """Wait until the connection of `principal` has to end."""
        while not self._is_stopping:
            if principal is not None and not self._holds(principal):
                return Over.REVOKED
            left = self._seconds_left(principal)
            if left <= 0:
                return Over.EXPIRED
            with suppress(TimeoutError):
                async with asyncio.timeout(min(left, self.limits.longest_nap_seconds)):
                    await self._woken.wait()
        return Over.STOPPING

    def _seconds_left(self, principal: Principal | None) -> float:
        return self.limits.longest_nap_seconds if principal is None else principal.expires_at - self._now()

    async def to_the_end(self, work: Awaitable[ResultT]) -> ResultT:
        """Await what is not to be stopped halfway, though the connection that asked for it may be gone by then."""
        task = asyncio.ensure_future(work)
        self._unfinished.add(task)
        task.add_done_callback(self._unfinished.discard)
        return await asyncio.shield(task)

    def stop(self) -> None:
        """End all connections, and admit no more."""
        self._is_stopping = True
        self.look()

    def look(self) -> None:
        """Have every connection look whether it is over: the tokens that hold have changed."""
        self._woken.set()
        self._woken = asyncio.Event()

    async def finish(self) -> None:
        """Stop, and wait for what is not to be stopped halfway."""
        self.stop()
        await asyncio.gather(*self._unfinished, return_exceptions=True)


@contextmanager
def _one_of(counter: Counter[Hashable], key: Hashable, at_most: int, too_many: str) -> Iterator[None]:
    """Count one more for `key`, unless that is None. Raises: RateLimited where there are `at_most` already."""
    if key is None:
        yield
        return
    if counter[key] >= at_most:
        raise RateLimited(too_many)
    counter[key] += 1
    try:
        yield
    finally:
        counter[key] -= 1
        if not counter[key]:
            del counter[key]
