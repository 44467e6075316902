"""Which pages are asked for below a player or a ranking: all of them, so that they are read with it, at one moment."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

import pytest
import strawberry
from strawberry.schema.config import StrawberryConfig

from schema import players, ranking
from schema.connections import encode_cursor
from schema.players import Player
from schema.ranking import RankingSnapshot
from schema.scalars import SCALARS
from services.paging import PageOf
from services.ranking import PageRequest
from services.reads import ListName

WHO = UUID(int=7)
AT, ID = dt.datetime(2026, 3, 2, 3, tzinfo=dt.UTC), UUID(int=8)
FOUND: list[Any] = []


@strawberry.type
class Query:
    """What is asked for is noted, and nothing answered."""

    @strawberry.field
    def me(self, info: strawberry.Info[Any, Any]) -> Player | None:
        FOUND.append(players.wanted_pages(info, WHO))
        return None

    @strawberry.field
    def ranking(self, info: strawberry.Info[Any, Any]) -> RankingSnapshot | None:
        FOUND.append(ranking.wanted_pages(info))
        return None


schema = strawberry.Schema(query=Query, config=StrawberryConfig(scalar_map=SCALARS))


def of(name: ListName, first: int = 20, after: Any = None) -> Any:
    return name, PageOf(WHO, first, after)


NODES = "{ nodes { __typename } }"
PLAYS, REWARDS, EVENTS = ListName.PLAYS, ListName.REWARDS, ListName.EVENTS
OF_A_PLAYER: list[tuple[str, set[Any]]] = [
    ("{ me { id balances { amount } } }", set()),
    ("{ me { ...f ... { id } } } fragment f on Player { externalId }", set()),
    (f"{{ me {{ id plays {NODES} isBlocked }} }}", {of(PLAYS)}),
    (
        f"{{ me {{ ...f id ...g }} }} fragment f on Player {{ id }} fragment g on Player {{ ...h }} "
        f"fragment h on Player {{ events {NODES} }}",
        {of(EVENTS)},
    ),
    (f"{{ me {{ id ... {{ id ... on Player {{ rewards {NODES} }} }} }} }}", {of(REWARDS)}),
    (f"{{ me {{ id }} me {{ plays(first: 3) {NODES} }} }}", {of(PLAYS, 3)}),
    (
        f"{{ me {{ plays(first: 1) {NODES} more: plays(first: 100) {NODES} rewards(first: $missing) {NODES} }} }}",
        {of(PLAYS, 1), of(PLAYS, 100), of(REWARDS)},
    ),
    (
        f"{{ me {{ plays(after: $play) {NODES} events(first: 2, after: $play) {NODES} "
        f"rewards(after: $row) {NODES} }} }}",
        {of(PLAYS, after=(AT, ID)), of(EVENTS, 2, (AT, ID)), of(REWARDS, after=(5,))},
    ),
    (
        f"{{ me {{ a: plays(first: 0) {NODES} b: plays(first: 101) {NODES} c: plays(after: $row) {NODES} "
        f"d: rewards(after: $play) {NODES} e: rewards(first: 7) {NODES} }} }}",
        {of(REWARDS, 7)},
    ),
    (f"{{ me {{ plays {{ nodes {{ player {{ events {NODES} }} }} }} }} }}", {of(PLAYS)}),
]
OF_A_RANKING: list[tuple[str, set[Any]]] = [
    ("{ ranking { id date } }", set()),
    (f"{{ ranking {{ id entries {NODES} date }} }}", {PageRequest(10, None)}),
    (
        f"{{ ranking {{ ... on RankingSnapshot {{ entries(first: 100) {NODES} ...f }} }} }} "
        f"fragment f on RankingSnapshot {{ more: entries(first: 1, after: $row) {NODES} }}",
        {PageRequest(100, None), PageRequest(1, 5)},
    ),
    (
        f"{{ ranking {{ a: entries(first: 0) {NODES} b: entries(after: $play) {NODES} "
        f"c: entries(first: 7) {NODES} }} }}",
        {PageRequest(7, None)},
    ),
]
TYPES = {"missing": "Int", "play": "String", "row": "String"}


@pytest.mark.parametrize(("document", "pages"), OF_A_PLAYER + OF_A_RANKING)
def test_pages_are_found_wherever_they_are_asked_for(document: str, pages: set[Any]) -> None:
    cursors = {"play": encode_cursor([AT, ID]), "row": encode_cursor([5])}
    used = ", ".join(f"${name}: {type_}" for name, type_ in TYPES.items() if f"${name}" in document)
    head = f"query ({used}) " if used else ""
    result = schema.execute_sync(head + document, variable_values=cursors)
    assert result.errors is None
    assert FOUND.pop() == pages
