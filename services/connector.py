"""Opening a session: at the right one of several hosts, set as haru needs it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from math import inf
from typing import Any

import asyncpg

from services.address import Address
from services.outages import kind_of
from services.sessions import setting_statement

CONNECT_TIMEOUT_SECONDS = 2.0
"""For one attempt at one host, unless the address says otherwise (`connect_timeout`)."""

NAME = {"application_name": "haru"}

NEXT_HOST = (
    OSError,
    asyncpg.CannotConnectNowError,
    asyncpg.PostgresConnectionError,
    asyncpg.TargetServerAttributeNotMatched,
)
"""What another host may do better; a login that is refused is refused everywhere."""


class Connector:
    """Opens sessions at an address.

    Hosts are tried in their order, from the one on that was right the last time: a host that swallows all that it is
    sent costs its time-out once.
    """

    def __init__(
        self,
        address: Address,
        *,
        longest_seconds: float = inf,
        opened: Callable[[asyncpg.Connection[asyncpg.Record]], None] = lambda _session: None,
    ) -> None:
        """Wait for `longest_seconds` at most, whatever the address says; tell of every session that is `opened`."""
        self.timeout_seconds = min(address.connect_timeout_seconds or CONNECT_TIMEOUT_SECONDS, longest_seconds)
        self._settings = address.settings
        self._opened = opened
        self._places = deque(address.only(number) for number in range(max(len(address.places), 1)))

    async def __call__(
        self, settings: Mapping[str, str], _dsn: None = None, **options: Any
    ) -> asyncpg.Connection[asyncpg.Record]:
        """Open a session that is set to `settings`, and to what the address says; `options`: of asyncpg's.

        Raises: what `asyncpg.connect` raises, from the last host; a note tells where.
        """
        connection = await self._connect(options)
        try:
            if wanted := {**self._settings, **settings}:
                await connection.execute(setting_statement(wanted), timeout=self.timeout_seconds)
        except BaseException:
            connection.terminate()
            raise
        self._opened(connection)
        return connection

    async def _connect(self, options: Mapping[str, Any]) -> asyncpg.Connection[asyncpg.Record]:
        left, failed = list(self._places), list[str]()
        while True:
            place = left.pop(0)
            try:
                return await self._connect_to(place, options)
            except Exception as failure:
                if not left or not isinstance(failure, NEXT_HOST):
                    failure.add_note("; ".join([*failed, str(place)]))
                    raise
                failed.append(f"{place}: {kind_of(failure)}")

    async def _connect_to(self, place: Address, options: Mapping[str, Any]) -> asyncpg.Connection[asyncpg.Record]:
        arguments = {**place.arguments, "timeout": self.timeout_seconds, **options}
        arguments["server_settings"] = {**NAME, **arguments["server_settings"]}
        try:
            connection: asyncpg.Connection[asyncpg.Record] = await asyncpg.connect(**arguments)
        except BaseException:  # the caller may have had enough of it, too
            if self._places[0] is place:  # nobody else has met the same
                self._places.rotate(-1)
            raise
        return connection
