"""No answer depends on the order in which rows happen to be stored: each list is in the order that it promises."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from itertools import product
from typing import Any

import pytest
from graphql import GraphQLField, GraphQLNamedType, get_named_type, is_abstract_type, is_leaf_type
from sqlalchemy import make_url
from sqlalchemy.pool import NullPool

from models import Base, Role
from services.audits.check import Snapshot
from services.audits.registry import CHECKS
from services.audits.run import look
from services.database import create_engine
from tests.audits.story import Story, tell
from tests.conftest import run_sql
from tests.documents import core, roots
from tests.roles import EMPTY
from tests.world import running

UNSORTED = ("indexscan", "indexonlyscan", "bitmapscan", "mergejoin")
"""What brings rows into an order that nobody asked for."""


async def store(url: str, order: str) -> None:
    """Store the rows of all tables in the order of their keys, `ASC` or `DESC`; whatever reads them finds them so."""
    name = make_url(url).database
    await run_sql(url, *(f"ALTER DATABASE {name} SET enable_{way} = off" for way in UNSORTED))
    for table in Base.metadata.sorted_tables:
        key = ", ".join(f'"{column.name}" {order}' for column in table.primary_key)
        made = f'CREATE INDEX stored ON "{table.name}" ({key})'
        await run_sql(url, made, f'CLUSTER "{table.name}" USING stored', "DROP INDEX stored")


async def keep_order(url: str) -> None:
    """Let the planner do as it likes again."""
    await run_sql(url, *(f"ALTER DATABASE {make_url(url).database} RESET enable_{way}" for way in UNSORTED))


PAGE = "a page"

ARGUMENTS: dict[str, list[Any]] = {
    "by": [{"externalId": "alice"}],
    "date": ["2026-03-02", "2025-06-02"],
    "featureType": ["DICE", "ROULETTE", "LOTTERY"],
    "first": [25],
    "from": ["2026-03-01"],
    "search": [None, "b"],
    "to": ["2026-03-06"],
}


def whole(field: GraphQLField, *around: str) -> str:
    """All that is below a field, but for what is around it again, and for pages in a page."""
    kind = get_named_type(field.type)
    if is_leaf_type(kind):
        return ""
    common = parts_of(kind, *around)
    own = (
        f"... on {one.name} {{ {' '.join(part.values())} }}"
        for one in (core.get_possible_types(kind) if is_abstract_type(kind) else ())
        if (part := {name: of for name, of in parts_of(one, *around).items() if name not in common})
    )
    return " ".join(["{ __typename", *common.values(), *own, "}"])


def parts_of(kind: GraphQLNamedType, *around: str) -> dict[str, str]:
    """Each field of a type, with all that is below it."""
    parts = {}
    for name, field in getattr(kind, "fields", {}).items():
        of_type, is_page = get_named_type(field.type).name, "first" in field.args
        if of_type not in {*around, "Node"} and name not in {"status", "edges"} and not (is_page and PAGE in around):
            page = "(first: 25)" if is_page else ""
            parts[name] = f"{name}{page} {whole(field, *around, of_type, *[PAGE] * is_page)}"
    return parts


def documents() -> Iterator[tuple[str, dict[str, Any]]]:
    """Queries that ask for all that there is to see, with their variables."""
    for _, name, field in roots("query"):
        if name in {"node", "nodes"}:
            continue
        given = {one: argument for one, argument in field.args.items() if one in ARGUMENTS}
        declared = ", ".join(f"${one}: {argument.type}" for one, argument in given.items())
        passed = ", ".join(f"{one}: ${one}" for one in given)
        head, call = (f"({declared})", f"({passed})") if given else ("", "")
        kind, page = get_named_type(field.type), [PAGE] * ("first" in given)
        # All of a player at once is more than a document may ask for.
        parts = (
            (f"{{ {part} }}" for part in parts_of(kind).values()) if kind.name == "Player" else [whole(field, *page)]
        )
        for part, values in product(parts, product(*(ARGUMENTS[one] for one in given))):
            yield f"query All{head} {{ {name}{call} {part} }}", dict(zip(given, values, strict=True))


async def everything(story: Story) -> dict[str, Any]:
    """What a player and the staff are told of the story."""
    async with running(story.url, demo=False) as world:
        world.clock.now = story.now
        clients = [await world.player("alice"), await world.player("ada", Role.ADMIN)]
        return {
            f"{who} {document} {variables}": await client.execute(document, **variables)
            for document, variables in documents()
            for who, client in enumerate(clients)
        }


@pytest.fixture(scope="module")
async def story(database_url: str) -> AsyncIterator[Story]:
    """Three days in which everything happened."""
    await run_sql(database_url, EMPTY)
    told = await tell(database_url)
    await everything(told)  # who sees a day's feature for the first time has done something
    yield told
    await keep_order(database_url)


INSTANTS = ("createdAt", "playedAt", "publishedAt")


def lists_in(answer: Any) -> Iterator[list[Any]]:
    """Every list in an answer."""
    if isinstance(answer, list):
        yield answer
    for part in answer.values() if isinstance(answer, dict) else answer if isinstance(answer, list) else ():
        yield from lists_in(part)


async def test_answers_are_the_same_however_rows_are_stored(story: Story) -> None:
    await store(story.url, "ASC")
    told = await everything(story)
    codes = {error["extensions"]["code"] for answer in told.values() for error in answer.get("errors", ())}
    assert codes == {"FORBIDDEN"}
    await store(story.url, "DESC")
    assert await everything(story) == told


async def test_what_happened_is_told_newest_first(story: Story) -> None:
    await store(story.url, "ASC")
    told = 0
    for rows in lists_in(list((await everything(story)).values())):
        for instant in INSTANTS:
            if times := [row[instant] for row in rows if isinstance(row, dict) and instant in row]:
                told += 1
                assert times == sorted(times, reverse=True)
    assert told > 10


async def test_what_is_stored_in_another_order_is_no_corruption(story: Story) -> None:
    engine = create_engine(story.url, pool={"poolclass": NullPool})
    for order in ("DESC", "ASC"):
        await store(story.url, order)
        async with engine.connect() as connection:
            looked = await look([Snapshot(connection, story.calendar, story.now)], CHECKS)
        assert [finding for one in looked for finding in one.findings] == []
    await engine.dispose()
