"""Whether a token holds: second by second, role by role."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

import pytest

from models import Role
from schema.context import Principal
from services.rules.standing import account_of, holds, next_second

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
