"""What a chance game is, in one descriptor: how it is played, how it is published, and where both are kept."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Struct

from models import Base, FeatureType, RewardCause
from services.answers import Draw, Reward, Texts
from services.errors import DomainError, Warned
from services.rules.cautions import Chance
from services.rules.draws import Source
from services.rules.odds import Item
from services.rules.validation import Faults
from services.rules.windows import in_force


class Rules(Struct, frozen=True):
    """A revision of a game. Its fields are the columns of the game's configuration table, and its parts."""

    id: int
    name: str
    revision: int
    published_at: dt.datetime
    effective_from: dt.datetime
    effective_until: dt.datetime | None
    hash: str
    cost: Texts
    notice_hours: int
    emergency_reason: str | None

    @property
    def daily_max(self) -> int:
        """Plays a day; 0 is unlimited."""
        raise NotImplementedError

    @property
    def is_valid(self) -> bool:
        """Whether the revision can be played."""
        raise NotImplementedError

    @property
    def coupon_types(self) -> set[str]:
        """The coupons that it may give."""
        raise NotImplementedError

    def items(self, stocks: Mapping[int, int] | None = None) -> Sequence[Item]:
        """All that a play may give, in the order in which it is drawn.

        Before anything is sold out; with `stocks`, among what can be drawn while so many are left of each.
        """
        raise NotImplementedError

    @property
    def stock_ids(self) -> frozenset[int]:
        """The stocks that it is drawn from."""
        return frozenset()

    @property
    def is_sold_out(self) -> bool:
        """Whether nothing was left to draw when this was read."""
        return False

    def stocks(self) -> dict[int, int]:
        """What was left of each stock when this was read, by its id."""
        return {}


RulesT = TypeVar("RulesT", bound=Rules)
DraftT = TypeVar("DraftT", bound=Struct)


Outcome = dict[str, int | list[int]]
"""What a draw came to, as transcripts tell it."""


@dataclass(slots=True)
class Drawn:
    """A draw: what to show, what it is worth, the log's own columns, and the stock that it takes of, if any.

    `drawn_from`: the table that it was drawn from, as it stood; `rolls`: the integers that were drawn.
    """

    facts: Draw
    reward: Reward
    columns: dict[str, Any]
    drawn_from: Sequence[int]
    rolls: Sequence[int]
    takes: int | None = None


NOTHING_LEFT: Mapping[int, int] = {}


def _nothing_more(_index: int, _part: Any) -> dict[str, Any]:
    """A part's row is its draft, and no more."""
    return {}


@dataclass(frozen=True)
class Parts:
    """The rows that a revision is made of, one of which a play draws.

    `field`: where rules and drafts hold them; `order`: the column that they are ordered by; `log_column`: the log's
    column that points at what was drawn; `more(index, draft)`: what a row has beyond its draft; `rows`: the query that
    they are read by, where rules have more than the table's columns; `is_stocked`: whether some are finite.
    """

    field: str
    table: type[Base]
    rules: type[Struct]
    order: str
    log_column: str
    more: Callable[[int, Any], dict[str, Any]] = _nothing_more
    rows: Any = None
    is_stocked: bool = False


def _no_cautions(_before: Any, _draft: Any) -> list[Warned]:
    """There is no stock."""
    return []


@dataclass(frozen=True, kw_only=True)
class Game(Generic[RulesT, DraftT]):
    """A chance game.

    `cause`: why it grants. `config`, `parts`, `withdrawal` and `log`: the tables of its revisions
    (`models.games.Revision`), of what these are made of, of those that were withdrawn, and of its plays
    (`models.games.PlayLog`). `rules_type`: a revision as it is played; `invalid`:
    the refusal when it is broken. `draft`: a revision as operators submit it; `faults(draft)`: all that is wrong with
    it. `drawn`: what a play shows. Its fields are columns of the part that was drawn, or else of the log, where a tuple
    is kept as `<field>_1`, `<field>_2`, ...

    `limit`: the field of both that is the daily limit. `chances(revision)`: all that a play of it may give, of a draft
    as of a revision. `stock_cautions(before, draft)`: what to think twice about in the stock that a draft states.

    `draw(rules, stocks, source)` is a pure function. It may raise a DomainError before anything is applied. Whoever
    checks a draw repeats it: it draws an integer below each of `bounds(drawn_from)`, and what they mean is
    `outcome(drawn_from, rolls)`. `operation`: the root field that plays it, which a draw's message names;
    `fixed_table`: what a game without parts is drawn from.
    """

    feature: FeatureType
    operation: str
    cause: RewardCause
    config: Any
    withdrawal: Any
    log: type[Base]
    rules_type: type[RulesT]
    draft: type[DraftT]
    faults: Callable[[DraftT], Faults]
    invalid: type[DomainError]
    drawn: type[Draw]
    draw: Callable[[RulesT, Mapping[int, int], Source], Drawn]
    bounds: Callable[[Sequence[int]], Sequence[int]]
    outcome: Callable[[Sequence[int], Sequence[int]], Outcome]
    limit: str
    chances: Callable[[Any], Sequence[Chance]]
    stock_cautions: Callable[[Any, Any], list[Warned]] = _no_cautions
    parts: Parts | None = None
    fixed_table: Sequence[int] = ()

    @property
    def is_numbered(self) -> bool:
        """Whether a date's draws are numbered, because what one took another no longer finds."""
        return self.parts is not None and self.parts.is_stocked

    def table(self, said: Mapping[str, Any]) -> list[int]:
        """What a revision is drawn from before anything is sold out, out of what it says (`services.rules.hashes`)."""
        if self.parts is None:
            return list(self.fixed_table)
        return [part["weight"] if part.get("is_active", True) else 0 for part in said[self.parts.field]]

    def revisions(self, content: bytes) -> tuple[RulesT, ...]:
        """A day's revisions out of their JSON."""
        revisions: tuple[RulesT, ...] = _parse(content, self.rules_type)
        return revisions

    def rules(self, content: bytes, instant: dt.datetime, stocks: Mapping[int, int] = NOTHING_LEFT) -> RulesT:
        """The revision that is played at an instant, out of the day's; `stocks`: what is left of each.

        Raises: the game's INVALID_*_CONFIG when there is none, or it is broken.
        """
        rules = in_force(self.revisions(content), instant)
        if rules is None or not rules.is_valid or _overdrawn(rules, stocks):
            raise self.invalid
        return rules

    def stock_ids(self, content: bytes) -> Sequence[int]:
        """The stocks of the day's revisions, each once, out of their JSON."""
        return _stock_ids(content, self.rules_type)


@lru_cache(maxsize=32)
def _parse(content: bytes, rules_type: type[Rules]) -> Any:
    """A day's revisions change rarely and are used with every batch: parse the same text once."""
    return msgspec.json.decode(content, type=tuple[rules_type, ...] | None) or ()  # type: ignore[valid-type]


@lru_cache(maxsize=32)
def _stock_ids(content: bytes, rules_type: type[Rules]) -> Sequence[int]:
    return list({stock for rules in _parse(content, rules_type) for stock in rules.stock_ids})


def _overdrawn(rules: Rules, stocks: Mapping[int, int]) -> bool:
    """Whether less than nothing is left of something, which a constraint forbids."""
    return any(left < 0 and stock in rules.stock_ids for stock, left in stocks.items())
