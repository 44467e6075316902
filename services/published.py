"""What is published of the games: immutable revisions, each with its window, and those that were withdrawn."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic

from sqlalchemy import ColumnElement, DateTime, ScalarSelect, Select, and_, func, literal, literal_column, or_, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased

from services.database import Database
from services.paging import Page, page_of
from services.rules.game import Game, Parts, RulesT
from services.rules.windows import in_force

BEGINNING: ColumnElement[dt.datetime] = literal_column("'-infinity'::timestamptz")
_dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
MOMENT = dt.timedelta(microseconds=1)
"""The shortest time that there is between two instants."""


@dataclass(frozen=True)
class Published(Generic[RulesT]):
    """A revision, and how it stands: whether it is the one that is played now, and whether it was withdrawn."""

    rules: RulesT
    is_active: bool
    is_withdrawn: bool

    @classmethod
    def played(cls, rules: RulesT) -> Published[RulesT]:
        """The revision that is played now."""
        return cls(rules, is_active=True, is_withdrawn=False)


def may_be_played(game: Game[Any, Any], starts_at: Any, ends_at: Any) -> ColumnElement[bool]:
    """Whether a revision may be in force at some instant of [starts_at, ends_at): a condition on the game's table.

    It is not withdrawn, its window touches the time, and none that began later, but before it, is there all along. So a
    few are found, however many were ever published; which of them is played when is `in_force`'s to say.
    """
    table, other = game.config, aliased(game.config, name="other")
    all_along = select(func.max(other.effective_from)).where(
        other.effective_from <= starts_at,
        or_(other.effective_until.is_(None), other.effective_until >= ends_at),
        _withdrawn(game, "other").is_(None),
    )
    return and_(
        table.effective_from < ends_at,
        or_(table.effective_until.is_(None), table.effective_until > starts_at),
        table.effective_from >= func.coalesce(all_along.scalar_subquery(), BEGINNING),
        is_not_withdrawn(game),
    )


def is_not_withdrawn(game: Game[Any, Any]) -> ColumnElement[bool]:
    """Whether a revision may be played at all: a condition on the game's table."""
    return _withdrawn(game, game.config.__tablename__).is_(None)


def _withdrawn(game: Game[Any, Any], table: str) -> ScalarSelect[int]:
    """The withdrawal of the revision in the row of `table`, or none."""
    key = game.withdrawal.config_id
    return select(key).where(key == literal_column(f"{table}.id")).scalar_subquery()


def may_be_played_in(game: Game[Any, Any], starts_at: str, ends_at: str) -> str:
    """`may_be_played` in SQL, for a statement with parameters of these names, such as $1."""
    begins, ends = (literal_column(f"{name}::timestamptz", DateTime(timezone=True)) for name in (starts_at, ends_at))
    return str(may_be_played(game, begins, ends).compile(dialect=_dialect))


def query_of(parts: Parts) -> Select[Any]:
    """The rows that a game's revisions are made of."""
    query: Select[Any] = select(parts.table.__table__) if parts.rows is None else parts.rows
    return query


def rows_of(parts: Parts) -> str:
    """The rows that a game's revisions are made of, in SQL, to be read from."""
    return f"({query_of(parts).compile(dialect=_dialect)})"


async def revisions(
    database: Database, game: Game[RulesT, Any], *, now: dt.datetime, first: int, before_revision: int | None = None
) -> Page[Published[RulesT]]:
    """A game's revisions, newest first, those older than `before_revision` where it is given, as they stand now."""
    older = () if before_revision is None else (game.config.revision < before_revision,)
    async with database.snapshot() as connection:
        found = await published(connection, game, *older, now=now, first=first + 1)
    return page_of(found, first, has_previous=before_revision is not None)


async def revision_with(
    database: Database, game: Game[RulesT, Any], revision_id: int, *, now: dt.datetime
) -> Published[RulesT] | None:
    """The revision with this id as it stands now, or none."""
    async with database.snapshot() as connection:
        found = await published(connection, game, game.config.id == revision_id, now=now)
    return found[0] if found else None


async def revision_of_part(
    database: Database, game: Game[RulesT, Any], part_id: int, *, now: dt.datetime
) -> Published[RulesT] | None:
    """The revision that the part with this id, a segment or a prize, belongs to, or none."""
    assert game.parts is not None
    part = game.parts.table.__table__
    owner = select(part.c.config_id).where(part.c.id == part_id).scalar_subquery()
    async with database.snapshot() as connection:
        found = await published(connection, game, game.config.id == owner, now=now)
    return found[0] if found else None


async def published(
    connection: AsyncConnection,
    game: Game[RulesT, Any],
    *conditions: ColumnElement[bool],
    now: dt.datetime,
    first: int | None = None,
) -> list[Published[RulesT]]:
    """Revisions as they stand at an instant, newest first."""
    rules = await read(connection, game, *conditions, first=first)
    table = game.config.__table__
    candidates = select(table).where(may_be_played(game, literal(now), literal(now + MOMENT)))
    played = in_force((await connection.execute(candidates)).all(), now)
    ids = [one.id for one in rules]
    query = select(game.withdrawal.config_id).where(game.withdrawal.config_id.in_(ids))
    withdrawn = set(await connection.scalars(query))
    return [Published(one, played is not None and one.id == played.id, one.id in withdrawn) for one in rules]


async def in_force_at(connection: AsyncConnection, game: Game[RulesT, Any], instant: dt.datetime) -> RulesT | None:
    """The revision that is played at an instant, valid or not."""
    return in_force(await played_within(connection, game, instant, instant + MOMENT), instant)


async def played_within(
    connection: AsyncConnection, game: Game[RulesT, Any], starts_at: dt.datetime, ends_at: dt.datetime
) -> list[RulesT]:
    """The revisions that may be played at some instant of [starts_at, ends_at), newest first."""
    return await read(connection, game, may_be_played(game, literal(starts_at), literal(ends_at)))


async def read(
    connection: AsyncConnection, game: Game[RulesT, Any], *conditions: ColumnElement[bool], first: int | None = None
) -> list[RulesT]:
    """Revisions with their parts, newest first: one statement each, however many there are."""
    query = select(game.config).where(*conditions).order_by(game.config.revision.desc()).limit(first)
    heads = (await connection.execute(query)).mappings().all()
    if game.parts is None:
        return [_struct(game.rules_type, head) for head in heads]
    parts = await _parts(connection, game.parts, [head["id"] for head in heads])
    return [_struct(game.rules_type, {**head, game.parts.field: tuple(parts[head["id"]])}) for head in heads]


async def _parts(connection: AsyncConnection, parts: Parts, ids: Sequence[int]) -> dict[int, list[Any]]:
    part = query_of(parts).subquery("part")
    query = select(part).where(part.c.config_id.in_(ids)).order_by(part.c.config_id, part.c[parts.order])
    found: defaultdict[int, list[Any]] = defaultdict(list)
    for row in (await connection.execute(query)).mappings():
        found[row["config_id"]].append(_struct(parts.rules, row))
    return found


def _struct(type_: Any, row: Any) -> Any:
    """A row as the rules know it."""
    return type_(**{name: row[name] for name in type_.__struct_fields__})
