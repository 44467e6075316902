"""What every resolver can reach: who asks, and the application's parts."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol, TypeAlias
from uuid import UUID

import strawberry

from models import Role
from services.calendar import Calendar, Clock
from services.database import Database
from services.error_codes import ErrorCode
from services.lanes import Lanes
from services.live import Live
from services.loaders import Loaders
from services.reads import Reads
from services.request_errors import Forbidden, Unauthenticated
from services.seeds import Seeds
from services.signals import Signals
from services.standing import Standing
from services.transaction import Transactor


@dataclass(frozen=True, slots=True)
class Principal:
    """Whom a valid token names."""

    player_id: UUID
    role: Role
    expires_at: float = field(default=math.inf, compare=False)
    """The instant from which on the token is no longer valid, in seconds since 1970."""

    issued_at: float = field(default=math.inf, compare=False)
    """The second at which the token was issued, since 1970."""


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A signed token and the instant at which it expires."""

    text: str
    expires_at: dt.datetime


class IssueToken(Protocol):
    """Signs tokens."""

    def __call__(self, player_id: UUID, role: Role, valid_from: dt.datetime | None = None) -> AccessToken:
        """Sign a token for an account, whose tokens are valid from an instant on if they were revoked before."""


@dataclass(frozen=True)
class App:
    """The parts of the running application. None of them holds anything that belongs to one request."""

    database: Database
    calendar: Calendar
    clock: Clock
    lanes: Lanes
    transact: Transactor
    issue_token: IssueToken
    signals: Signals
    standing: Standing
    reads: Reads
    live: Live
    seeds: Seeds
    odds_notice_hours: int = 0
    """How long ahead changed odds have to be announced."""


class Request(Protocol):
    """What resolvers tell of the request that they serve."""

    def refuse(self, code: ErrorCode) -> None:
        """Note a refusal that is answered as data."""


@dataclass(frozen=True)
class Context:
    """One operation: the application, who asks (None: nobody signed in), and the request that it came with."""

    app: App
    principal: Principal | None
    request: Request

    @cached_property
    def loaders(self) -> Loaders:
        """This operation's loaders."""
        return Loaders(self.app.database, self.app.calendar)

    def today(self) -> dt.date:
        """The business date now."""
        return self.app.calendar.business_date(self.app.clock())

    @property
    def me(self) -> Principal:
        """Who asks. Raises: Unauthenticated without a token."""
        if self.principal is None:
            raise Unauthenticated
        return self.principal

    def authorise(self, roles: frozenset[Role]) -> Principal:
        """Who asks, if their role is one of `roles`.

        Raises: Unauthenticated, Forbidden.
        """
        if self.me.role not in roles:
            raise Forbidden
        return self.me


Info: TypeAlias = strawberry.Info[Context, Any]
