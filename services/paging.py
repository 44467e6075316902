"""Keyset pages: a list goes on after a row's key, never after a count, so that every page costs what the first does."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID

RowT = TypeVar("RowT")

LATEST = (dt.datetime.max.replace(tzinfo=dt.UTC), UUID(int=2**128 - 1))
"""A key of (instant, id) that comes after every row's: where a list, newest first, begins."""

FIRST_ID = UUID(int=0)
LAST_ROW = 2**63 - 1


@dataclass(frozen=True)
class Page(Generic[RowT]):
    """Some rows of a list, and whether there are more on either side."""

    rows: Sequence[RowT]
    has_next: bool
    has_previous: bool


class PageOf(NamedTuple):
    """The page that is wanted of one player's list: `first` rows behind the key `after`, or from the beginning."""

    player_id: UUID
    first: int
    after: tuple[Any, ...] | None = None


def page_of(rows: Sequence[RowT], first: int, *, has_previous: bool) -> Page[RowT]:
    """The page of a query that asked for one row more than `first`."""
    return Page(rows[:first], len(rows) > first, has_previous)


def pages_of(wanted: Sequence[PageOf], rows: Iterable[tuple[int, RowT]]) -> list[Page[RowT]]:
    """The pages of one query for all of `wanted`; with each row comes whose it is, counted from 1."""
    found: list[list[RowT]] = [[] for _ in wanted]
    for number, row in rows:
        found[number - 1].append(row)
    return [
        page_of(one, want.first, has_previous=want.after is not None) for want, one in zip(wanted, found, strict=True)
    ]
