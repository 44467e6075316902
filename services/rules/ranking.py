"""What a ranking may hold: rows checked one by one, every fault noted at its place, and the content that comes of it.

A ranking's content is its rows, whatever their order: the same rows again have the same digest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

import msgspec

from models import EXTERNAL_ID_LENGTH, MAX_AMOUNT, MAX_RANKING_ROWS, MAX_SAFE_INTEGER, NAME_LENGTH
from services.errors import ValidationFailed, ValidationIssue
from services.rules.texts import broken_rule

MAX_ISSUES = 100


class RankingRow(NamedTuple):
    """A row of a day's ranking; `external_id`: the player whose row it is, where that is known."""

    rank: int
    display_name: str
    score: int
    external_id: str | None


@dataclass(frozen=True)
class RankingContent:
    """Checked rows, by rank, and the digest that tells one content from another."""

    rows: Sequence[RankingRow]
    digest: str


class RankingRows:
    """Takes the rows of a ranking in the order of the input and keeps them, with every fault up to MAX_ISSUES.

    `columns`: what the input calls rank, name, score and external id; `unit`: what it counts rows in, `line` or `row`.
    """

    def __init__(self, columns: tuple[str, str, str, str], unit: str) -> None:
        self.columns = columns
        self._unit = unit
        self._rows: list[RankingRow] = []
        self._issues: list[ValidationIssue] = []
        self._ranks: dict[int, int] = {}
        self._external_ids: dict[str, int] = {}

    def add(self, place: int, rank: int | None, display_name: str, score: int | None, external_id: str | None) -> None:
        """Take the row at `place`; a number that could not be read is None, an external id may be empty.

        Raises: ValidationFailed once there are more faults than are reported.
        """
        name_column, score_column = self.columns[1:3]
        self._check_rank(place, rank)
        if broken := broken_rule(display_name, NAME_LENGTH):
            self.fault(f"Must be {broken}.", place, name_column)
        if score is None or not -MAX_SAFE_INTEGER <= score <= MAX_SAFE_INTEGER:
            self.fault("Must be a whole number within ±(2^53 - 1).", place, score_column)
        if external_id:
            self._check_external_id(place, external_id)
        if not self._issues:
            self._rows.append(RankingRow(rank or 0, display_name, score or 0, external_id or None))

    def fault(self, message: str, place: int, *column: str) -> None:
        """Note a fault of the row at `place`. Raises: ValidationFailed at the first that is not reported any more."""
        if len(self._issues) == MAX_ISSUES:
            raise ValidationFailed(self._issues, more=True)
        self._issues.append(ValidationIssue(("rows", str(place), *column), message))

    def content(self) -> RankingContent:
        """The content, checked whole. Raises: ValidationFailed, also when there are no rows or too many."""
        if not self._issues and not 1 <= len(self._rows) <= MAX_RANKING_ROWS:
            self._issues.append(ValidationIssue(("rows",), f"Must be 1 to {MAX_RANKING_ROWS} rows."))
        if self._issues:
            raise ValidationFailed(self._issues)
        return content_of(self._rows)

    def _check_rank(self, place: int, rank: int | None) -> None:
        column = self.columns[0]
        if rank is None or not 1 <= rank <= MAX_AMOUNT:
            self.fault(f"Must be a whole number from 1 to {MAX_AMOUNT}.", place, column)
        elif (first := self._ranks.setdefault(rank, place)) != place:
            self.fault(f"Rank {rank} is in {self._unit} {first} already.", place, column)

    def _check_external_id(self, place: int, external_id: str) -> None:
        column = self.columns[3]
        if broken := broken_rule(external_id, EXTERNAL_ID_LENGTH):
            self.fault(f"Must be empty or {broken}.", place, column)
        elif (first := self._external_ids.setdefault(external_id, place)) != place:
            self.fault(f"This external id is in {self._unit} {first} already.", place, column)


def content_of(rows: Sequence[RankingRow]) -> RankingContent:
    """Checked rows as content."""
    by_rank = sorted(rows, key=lambda row: row.rank)
    digest = sha256()
    for row in by_rank:
        digest.update(msgspec.json.encode(row))
    return RankingContent(by_rank, digest.hexdigest())
