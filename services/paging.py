"""Keyset pages: a list goes on after a row's key, never after a count, so that every page costs what the first does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Row = TypeVar("Row")


@dataclass(frozen=True)
class Page(Generic[Row]):
    """Some rows of a list, and whether there are more on either side."""

    rows: Sequence[Row]
    has_next: bool
    has_previous: bool


def page_of(rows: Sequence[Row], first: int, *, has_previous: bool) -> Page[Row]:
    """The page of a query that asked for one row more than `first`."""
    return Page(rows[:first], len(rows) > first, has_previous)
