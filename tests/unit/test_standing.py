"""Whether a token holds: second by second, role by role."""

from __future__ import annotations

import asyncio
import datetime as dt
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from models import Role
from schema.context import Principal
from services import standing
from services.request_errors import Unauthenticated, Unavailable
from services.rules.standing import account_of, holds, next_second
from services.standing import ACCOUNTS, KEPT, Standing
from tests.jumping import run

SECOND = dt.datetime(2026, 3, 2, 3, 0, tzinfo=dt.UTC)
AT = SECOND.timestamp()
PLAYER = UUID(int=1)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize(("issued_at", "held"), [(AT - 1, False), (AT, True), (AT + 1, True)])
def test_a_token_holds_that_was_issued_since(role: Role, issued_at: float, *, held: bool) -> None:
    assert holds(account_of(False, SECOND), Principal(PLAYER, role, issued_at=issued_at)) is held
    assert holds(account_of(False, None), Principal(PLAYER, role, issued_at=issued_at))


@pytest.mark.parametrize("role", Role)
def test_of_the_blocked_players_alone_keep_theirs(role: Role) -> None:
    assert holds(account_of(True, None), Principal(PLAYER, role, issued_at=AT)) is (role is Role.PLAYER)
    assert not holds(account_of(True, SECOND), Principal(PLAYER, role, issued_at=AT - 1))


@pytest.mark.parametrize("microsecond", [0, 1, 999_999])
def test_a_revocation_takes_the_whole_of_its_second(microsecond: int) -> None:
    assert next_second(SECOND.replace(microsecond=microsecond)) == SECOND + dt.timedelta(seconds=1)


STAFF = [UUID(int=number) for number in range(2, 5)]


class Process:
    """What one process knows, its database, and when that was read and of which staff; no time passes by itself."""

    def __init__(self) -> None:
        self.rows: dict[UUID, tuple[bool, dt.datetime | None]] = {}
        self.reads: list[tuple[float, list[UUID]]] = []
        self.hangs = False
        self.is_closed = False
        self.sessions: list[str] = []
        self.changes = 0
        self.signals = SimpleNamespace(tokens_changed=asyncio.Event())
        database: Any = SimpleNamespace(connect_hot=self._connect)
        self.known = Standing(database, self.signals, lambda: SECOND)  # type: ignore[arg-type]
        self.known.when_changed = self._changed

    def _changed(self) -> None:
        self.changes += 1

    async def _connect(self, **_: Any) -> Any:
        self.sessions.append("open")
        self.is_closed = False
        return SimpleNamespace(fetch=self._fetch, is_closed=lambda: self.is_closed, terminate=self._terminate)

    def _terminate(self) -> None:
        self.sessions[-1] = "terminated"

    async def _fetch(self, statement: str, since: dt.datetime, staff: list[UUID]) -> list[Any]:
        assert (statement, since) == (ACCOUNTS, SECOND - KEPT)
        self.reads.append((round(asyncio.get_running_loop().time(), 3), sorted(staff)))
        if self.hangs:
            await asyncio.Event().wait()
        return [{"id": one, 1: is_blocked, 2: since} for one, (is_blocked, since) in self.rows.items()]

    async def holds(self, player: UUID, role: Role = Role.OPERATOR) -> bool:
        try:
            await self.known.check(Principal(player, role, issued_at=AT))
        except Unauthenticated:
            return False
        return True


def test_staff_are_looked_up_where_what_is_known_of_them_is_older_than_a_second() -> None:
    async def serve() -> None:
        process = Process()
        await asyncio.sleep(5)
        assert await process.holds(PLAYER, Role.PLAYER)
        assert process.reads == []
        process.rows = {STAFF[1]: (True, None), STAFF[2]: (False, SECOND + dt.timedelta(seconds=1))}
        assert [await process.holds(one) for one in STAFF] == [True, False, False]
        assert process.reads == [(5.0, STAFF[:1]), (5.0, STAFF[:2]), (5.0, STAFF)]
        await asyncio.sleep(1)
        assert [await process.holds(one) for one in STAFF] == [True, False, False]
        assert len(process.reads) == 3
        await asyncio.sleep(0.1)
        process.rows = {PLAYER: (False, SECOND + dt.timedelta(seconds=1))}
        assert [await process.holds(one) for one in STAFF] == [True, True, True]
        assert process.reads[3:] == [(6.1, STAFF)]
        assert not await process.holds(PLAYER, Role.PLAYER)
        assert (process.changes, process.sessions) == (2, ["open"])

    run(serve())


def test_all_is_read_twice_a_second_and_at_once_when_it_may_have_changed() -> None:
    async def serve() -> None:
        process = Process()
        async with process.known:
            await asyncio.sleep(1.2)
            process.signals.tokens_changed.set()
            await asyncio.sleep(0.7)
            assert [at for at, _ in process.reads] == [0.0, 0.5, 1.0, 1.2, 1.7]
            process.is_closed = True
            await asyncio.sleep(0.4)
            assert (process.sessions, process.changes) == (["open", "open"], 0)
        assert process.sessions == ["open", "terminated"]
        assert len(asyncio.all_tasks()) == 1

    run(serve())


def test_who_cannot_be_looked_up_in_time_is_not_served_and_nothing_goes_on_after_the_end() -> None:
    async def serve() -> None:
        process = Process()
        process.hangs = True
        with pytest.raises(Unavailable):
            await process.holds(STAFF[0])
        assert asyncio.get_running_loop().time() == standing.PATIENCE_SECONDS
        assert process.sessions == ["terminated"]
        async with process.known:
            waiting = asyncio.create_task(process.holds(STAFF[1]))
            await asyncio.sleep(0.1)
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert process.sessions == ["terminated", "terminated"]
        assert len(asyncio.all_tasks()) == 1

    run(serve())
