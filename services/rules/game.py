"""What a chance game is to the play pipeline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import Any, Generic, Protocol, TypeVar

import msgspec

from models import Base, FeatureType, RewardCause
from services.answers import DiceRoll, Prize, Reward, Segment
from services.errors import DomainError


class Rules(Protocol):
    """A game's active revision."""

    @property
    def id(self) -> int:
        """The revision's row."""

    @property
    def daily_max(self) -> int:
        """Plays a day; 0 is unlimited."""

    @property
    def is_valid(self) -> bool:
        """Whether the revision can be played."""


RulesT = TypeVar("RulesT", bound=Rules)


@dataclass(slots=True)
class Drawn:
    """A draw: what to show, what it is worth, the log's own columns, and the finite prize that it takes, if any."""

    facts: DiceRoll | Segment | Prize
    reward: Reward
    columns: dict[str, Any]
    takes: int | None = None


@dataclass(frozen=True)
class Game(Generic[RulesT]):
    """A chance game: its feature, why it grants, its log table, its rules, their error, and its draw.

    `draw(rules, stocks, rng)` is a pure function. It may raise a DomainError before anything is applied.
    """

    feature: FeatureType
    cause: RewardCause
    log: type[Base]
    rules_type: type[RulesT]
    invalid: type[DomainError]
    draw: Callable[[RulesT, dict[int, int], Random], Drawn]

    def rules(self, content: bytes) -> RulesT:
        """The active revision out of its JSON.

        Raises: the game's INVALID_*_CONFIG when there is none, or it is broken.
        """
        rules: RulesT | None = _parse(content, self.rules_type)
        if rules is None or not rules.is_valid:
            raise self.invalid
        return rules


@lru_cache(maxsize=32)
def _parse(content: bytes, rules_type: type[Rules]) -> Any:
    """A revision changes rarely and is read with every batch: parse the same text once."""
    return msgspec.json.decode(content, type=rules_type | None)
