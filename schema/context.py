"""What every resolver can reach: who asks, and the application's parts."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

import strawberry

from models import Role
from services.calendar import Calendar, Clock
from services.database import Database
from services.errors import Forbidden, Unauthenticated
from services.events import FeatureViews
from services.lanes import Lanes
from services.live import Live
from services.loaders import Loaders
from services.signals import Signals
from services.transaction import Transactor


@dataclass(frozen=True, slots=True)
class Principal:
    """Whom a valid token names."""

    player_id: int
    role: Role
    expires_at: float = field(default=math.inf, compare=False)
    """The instant from which on the token is no longer valid, in seconds since 1970."""


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A signed token and the instant at which it expires."""

    text: str
    expires_at: dt.datetime


@dataclass(frozen=True)
class App:
    """The parts of the running application. None of them holds anything that belongs to one request."""

    database: Database
    calendar: Calendar
    clock: Clock
    lanes: Lanes
    transact: Transactor
    issue_token: Callable[[int, Role], AccessToken]
    signals: Signals
    live: Live
    views: FeatureViews


@dataclass(frozen=True)
class Context:
    """One operation: the application, who asks (None: nobody signed in), and the request's id."""

    app: App
    principal: Principal | None
    request_id: str

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
