"""Whether a token still holds: not if its account's tokens were revoked since, nor if it is of blocked staff."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from models import Role

LONGEST_TOKEN_SECONDS = 24 * 3600
"""How long a token is good at most."""


class Bearer(Protocol):
    """Whom a valid token names, as what, and since when."""

    @property
    def player_id(self) -> UUID:
        """The account."""

    @property
    def role(self) -> Role:
        """What the token lets its bearer do."""

    @property
    def issued_at(self) -> float:
        """The second at which the token was issued, since 1970."""


@dataclass(frozen=True, slots=True)
class Account:
    """What an account's tokens are held against."""

    is_blocked: bool
    valid_from: float
    """Tokens issued before this second, since 1970, were revoked."""


def holds(account: Account, bearer: Bearer) -> bool:
    """Whether a token of this account holds. Players who are blocked keep theirs: they are told so when they play."""
    is_barred = account.is_blocked and bearer.role is not Role.PLAYER
    return bearer.issued_at >= account.valid_from and not is_barred


def account_of(is_blocked: bool, valid_from: dt.datetime | None) -> Account:
    """The account of a row."""
    return Account(is_blocked, -math.inf if valid_from is None else valid_from.timestamp())


def next_second(now: dt.datetime) -> dt.datetime:
    """The first second whose tokens are all issued later than `now`: tokens tell theirs in whole seconds."""
    return now.replace(microsecond=0) + dt.timedelta(seconds=1)
