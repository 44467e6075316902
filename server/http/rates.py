"""Rates: how many requests one player, and one address, may send; an IPv6 address counts as its network.

Each has a bucket that refills steadily and holds a few seconds' worth (the generic cell rate algorithm: one number a
bucket). Buckets are per process, so the true limit is up to `workers` times as high; they bound what one sender can
cost, they are no quota. Documents that are new cost a thousand times what others do, so each player has a bucket of
seconds for them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from ipaddress import AddressValueError, IPv6Address

from starlette.types import Scope

from schema.context import Principal
from services.recent import RecentlyUsed
from services.request_errors import RateLimited

BURST_SECONDS = 4.0
DOCUMENTS_SHARE = 0.1
"""How much of a core one player's new documents may take."""

KEPT_BUCKETS = 50_000


def sender(scope: Scope) -> str | None:
    """Whom a connection is counted for: its IPv4 address or its IPv6 network; None where the server knows neither."""
    client = scope.get("client")
    return network(client[0]) if client else None


@lru_cache(maxsize=4096)
def network(address: str) -> str:
    """The /64 of an IPv6 address: one customer has at least as many. Anything else is itself."""
    if ":" not in address:
        return address
    try:
        parsed = IPv6Address(address)
    except AddressValueError:
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return f"{IPv6Address(int(parsed) >> 64 << 64)}/64"


class TooManyRequests(RateLimited):
    """Too many requests; try again later."""

    def __init__(self, retry_after_seconds: float) -> None:
        """Carry the seconds after which the next request is admitted."""
        super().__init__()
        self.retry_after_seconds = retry_after_seconds


class Rates:
    """Admits or refuses requests. `per_player` and `per_address` are requests a second; 0 is unlimited.

    `cpu` is what this thread has used so far, in seconds.
    """

    def __init__(
        self,
        *,
        per_player: float,
        per_address: float,
        monotonic: Callable[[], float],
        cpu: Callable[[], float] = time.thread_time,
    ) -> None:
        self._per_player = per_player
        self._per_address = per_address
        self._monotonic = monotonic
        self._cpu = cpu
        self._full_at: RecentlyUsed[Hashable, float] = RecentlyUsed(KEPT_BUCKETS)

    def admit(self, scope: Scope, principal: Principal | None) -> None:
        """Count a request.

        Raises: TooManyRequests when its address or its player has sent too many.
        """
        address = sender(scope) if self._per_address else None
        if address is not None:
            self._take(("address", address), self._per_address)
        if self._per_player and principal is not None:
            self._take(("player", principal.player_id), self._per_player)

    @contextmanager
    def meter(self, principal: Principal | None) -> Iterator[None]:
        """Charge the CPU that is spent within to the player's bucket of new documents.

        Raises: TooManyRequests, when the documents before have cost too much.
        """
        if not self._per_player or principal is None:
            yield
            return
        bucket = ("documents", principal.player_id)
        self._refuse_when_full(bucket)
        start = self._cpu()
        try:
            yield
        finally:
            self._charge(bucket, (self._cpu() - start) / DOCUMENTS_SHARE)

    def _take(self, bucket: Hashable, rate: float) -> None:
        self._refuse_when_full(bucket)
        self._charge(bucket, 1 / rate)

    def _refuse_when_full(self, bucket: Hashable) -> None:
        left = (self._full_at.get(bucket) or 0.0) - self._monotonic() - BURST_SECONDS
        if left > 0:
            raise TooManyRequests(left)

    def _charge(self, bucket: Hashable, seconds: float) -> None:
        now = self._monotonic()
        self._full_at.put(bucket, max(self._full_at.get(bucket) or now, now) + seconds)
