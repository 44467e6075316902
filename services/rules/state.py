"""What a batch is decided on, and what deciding it leaves to be stored. No database in here."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from models import LEDGER_START, Base, EventName, FeatureType, RewardType, UserEvent
from services.answers import Answer, Granted, encode
from services.ids import Ids
from services.rules.day import Day
from services.rules.draws import DaySeed


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
    """A player as a batch finds and leaves it. `used`: plays of the day by game; `claimed`: levels and when.

    `ledger_lines` and `ledger_hash` are the head of the chain: a line moves the number when it is decided, and the hash
    when it is stored.
    """

    id: UUID
    version: int
    is_blocked: bool
    ledger_lines: int = 0
    ledger_hash: bytes = LEDGER_START
    balances: dict[RewardType, int] = field(default_factory=dict)
    used: dict[FeatureType, int] = field(default_factory=dict)
    progress: Progress | None = None
    stamped: bool = False
    claimed: dict[int, dt.datetime] = field(default_factory=dict)
    earlier: dict[str, Earlier] = field(default_factory=dict)

    def copy(self) -> PlayerState:
        """The same player, to be changed by itself."""
        return replace(
            self,
            balances=dict(self.balances),
            used=dict(self.used),
            progress=replace(self.progress) if self.progress else None,
            claimed=dict(self.claimed),
            earlier=dict(self.earlier),
        )


@dataclass(slots=True)
class State:
    """The day, the players by id, what is left of each stock of the day's lottery, and what draws come from.

    `seed` is none where nothing can be drawn.
    """

    day: Day
    players: dict[UUID, PlayerState]
    stocks: dict[int, int] = field(default_factory=dict)
    seed: DaySeed | None = None


@dataclass(slots=True)
class CouponGrant:
    """A ledger line that is to be given a coupon, and the answer that shows the code."""

    line: dict[str, Any]
    granted: Granted

    @property
    def coupon_type(self) -> str:
        """The pool that the coupon comes from."""
        coupon_type: str = self.line["coupon_type"]
        return coupon_type


class Effects:
    """What is to be written, in the order in which it was decided.

    `rows`: new rows by table; `balances`, `progress`: players whose these changed; `drawn`: stocks by how many
    were taken; `coupons`: grants that still need a code. `seed`: what was drawn from; `numbered`: how many draws are to
    be numbered, and `stocks`: what was left of each stock when the first of them was decided. `remembered_day`: the
    name that the day's facts must still have when this is stored, where it was not decided on what was just loaded.
    """

    def __init__(self, ids: Ids, remembered_day: UUID | None = None) -> None:
        self.remembered_day = remembered_day
        self.rows: defaultdict[type[Base], list[dict[str, Any]]] = defaultdict(list)
        self.players: dict[UUID, PlayerState] = {}
        self.balances: dict[tuple[UUID, RewardType], int] = {}
        self.progress: dict[UUID, tuple[PlayerState, int, dt.datetime]] = {}
        self.drawn: Counter[int] = Counter()
        self.seed: DaySeed | None = None
        self.numbered = 0
        self.stocks: dict[int, int] = {}
        self.coupons: list[CouponGrant] = []
        self.answers: list[tuple[UUID, str, str, Answer, dt.datetime]] = []
        self._ids = ids

    def new_id(self, now: dt.datetime) -> UUID:
        """A new row's identifier."""
        return self._ids.new(now)

    def version_after(self, player: PlayerState) -> int:
        """The version of a player's state once this is stored."""
        return player.version + self._ids.step()

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

    def number(self, stocks: dict[int, int]) -> int:
        """The number of the next draw that is numbered, within what is stored together; `stocks`: what is left now."""
        if not self.numbered:
            self.stocks = dict(stocks)
        self.numbered += 1
        return self.numbered

    def keep_answer(self, player: PlayerState, key: str, request: str, answer: Answer, now: dt.datetime) -> None:
        """Keep the first answer to `key`, for every later request with it."""
        player.earlier[key] = Earlier(request, answer)
        self.players[player.id] = player
        self.answers.append((player.id, key, request, answer, now))

    @property
    def contended(self) -> int:
        """How often something is needed that players share: the lottery's stocks, or a pool of coupon codes.

        A draw needs the stocks whatever was drawn: if only who wins waited for them, prizes would come up too seldom.
        """
        return self.numbered + len(self.coupons)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is to be written."""
        return not self.players

    def coupon_types(self) -> Iterable[str]:
        """The coupon types that need codes, sorted: the order in which their pools are locked."""
        return sorted({coupon.coupon_type for coupon in self.coupons})
