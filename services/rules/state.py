"""What a batch is decided on, and what deciding it leaves to be stored. No database in here."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from models import Base, EventName, FeatureType, RewardType, UserEvent
from services.answers import Answer, Granted, encode
from services.ids import Ids
from services.rules.day import Day


@dataclass(slots=True)
class Progress:
    """A player's way through the season."""

    id: UUID
    current_xp: int = 0
    current_level: int = 0
    total_stamps: int = 0
    last_stamp_date: dt.date | None = None


@dataclass(slots=True)
class Earlier:
    """The first answer to a key: kept as JSON, or still the object when it was decided in this very batch."""

    request: str
    answer: Answer | str


@dataclass(slots=True)
class PlayerState:
    """A player as a batch finds and leaves it. `used`: plays of the day by game; `claimed`: levels and when."""

    id: int
    version: int
    is_blocked: bool
    ledger_lines: int = 0
    balances: dict[RewardType, int] = field(default_factory=dict)
    used: dict[FeatureType, int] = field(default_factory=dict)
    progress: Progress | None = None
    stamped: bool = False
    claimed: dict[int, dt.datetime] = field(default_factory=dict)
    earlier: dict[str, Earlier] = field(default_factory=dict)


@dataclass(slots=True)
class State:
    """The day, the players by id, and what is left of the day's lottery prizes (absent: unlimited)."""

    day: Day
    players: dict[int, PlayerState]
    stocks: dict[int, int] = field(default_factory=dict)


@dataclass(slots=True)
class CouponGrant:
    """A ledger line that is to be given a code, and the answer that shows it."""

    user_id: int
    line_no: int
    coupon_type: str
    granted: Granted
    now: dt.datetime


class Effects:
    """What is to be written, in the order in which it was decided.

    `rows`: new rows by table; `balances`, `progress`: players whose these changed; `drawn`: finite prizes by how many
    were drawn; `coupons`: grants that still need a code.
    """

    def __init__(self, ids: Ids) -> None:
        self.rows: defaultdict[type[Base], list[dict[str, Any]]] = defaultdict(list)
        self.players: dict[int, PlayerState] = {}
        self.balances: dict[tuple[int, RewardType], int] = {}
        self.progress: dict[int, tuple[PlayerState, int, dt.datetime]] = {}
        self.drawn: Counter[int] = Counter()
        self.coupons: list[CouponGrant] = []
        self.answers: list[tuple[int, str, str, Answer, dt.datetime]] = []
        self._ids = ids

    def new_id(self, now: dt.datetime) -> UUID:
        """A new row's identifier."""
        return self._ids.new(now)

    def insert(self, table: type[Base], **row: Any) -> None:
        """Write a new row."""
        self.rows[table].append(row)

    def event(
        self,
        player: PlayerState,
        name: EventName,
        feature: FeatureType,
        *,
        date: dt.date,
        now: dt.datetime,
        meta: dict[str, Any],
    ) -> None:
        """Tell operators that something happened to `player`: the one way into the event log for what players do."""
        self.insert(
            UserEvent,
            user_id=player.id,
            id=self.new_id(now),
            feature_type=feature,
            event_name=name,
            business_date=date,
            meta_json=encode(meta).decode(),
            created_at=now,
        )

    def keep_answer(self, player: PlayerState, key: str, request: str, answer: Answer, now: dt.datetime) -> None:
        """Keep the first answer to `key`, for every later request with it."""
        player.earlier[key] = Earlier(request, answer)
        self.players[player.id] = player
        self.answers.append((player.id, key, request, answer, now))

    @property
    def contended(self) -> int:
        """How often something is taken that players share: a prize's stock, or a pool of coupon codes."""
        return self.drawn.total() + len(self.coupons)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is to be written."""
        return not self.players

    def coupon_types(self) -> Iterable[str]:
        """The coupon types that need codes, sorted: the order in which their pools are locked."""
        return sorted({coupon.coupon_type for coupon in self.coupons})
