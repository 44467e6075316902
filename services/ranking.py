"""Rankings: one snapshot a day, published whole, replaced whole, read whole.

`ranking_revision` keeps every publication and every removal of a date, numbered without gaps; `ranking_daily` holds the
rows of the newest. Who changes a date's ranking takes that date's turn (`revisions.take_turn`) before looking at it.

Which revision an operator expects is what a reader sees: the snapshot's revision, or none where nothing is published,
be it that nothing ever was or that the last was deleted. Numbers go on after a removal and never name two contents.
Content that is published already is not published again, whatever was expected: a publication can be retried safely.

A reader gets everything that the request asks for, the revision, the caller's row and every page of entries, from one
database snapshot: with rows read later, a publication in between would mix two revisions.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
from sqlalchemy import delete, func, insert, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from models import FeatureType, Player, RankingDaily, RankingRevision
from services import audit, signals
from services.audit import Actor
from services.changes import Change, Outcome
from services.database import Database
from services.errors import RankingNotFound
from services.paging import Page, page_of
from services.reads import Reads
from services.request_errors import Unauthenticated
from services.revisions import check_revision, take_turn
from services.rules.ranking import RankingContent
from services.transaction import Transaction

BATCH_ROWS = 5_000
"""Rows a COPY: few enough that other requests are served in between."""

COPIED = ("date", "rank", "revision", "display_name", "score", "external_id")


class PageRequest(NamedTuple):
    """A page of entries: `first` of them, those behind `after_rank` where it is given."""

    first: int
    after_rank: int | None


@dataclass(frozen=True)
class Entry:
    """A row as the caller sees it."""

    rank: int
    display_name: str
    score: int
    is_me: bool


@dataclass(frozen=True)
class Snapshot:
    """A published ranking, whole: all of it is of one revision. `mine`: the caller's row."""

    date: dt.date
    revision: int
    published_at: dt.datetime
    total_entries: int
    mine: Entry | None
    pages: Mapping[PageRequest, Page[Entry]]


class Reader(NamedTuple):
    """Who reads, and the pages that are asked for."""

    player_id: UUID
    pages: Collection[PageRequest]


async def read(database: Database, reads: Reads, date: dt.date, today: dt.date, reader: Reader) -> Snapshot:
    """The ranking of `date` as it is published.

    Raises: RankingNotFound (a future date), NoFeatureToday (today's, on the day of another feature), RankingNotFound
    (nothing published), Unauthenticated (no such player).
    """
    if date > today:
        raise RankingNotFound("A ranking can be read from its day on.")
    if date == today:
        await _check_today(reads, today)
    async with database.snapshot() as connection:
        revision = await _newest(connection, date)
        if revision is None or revision.is_deleted:
            raise RankingNotFound
        return await _snapshot(connection, revision, reader)


async def publish(
    tx: Transaction,
    *,
    actor: Actor,
    action: str,
    date: dt.date,
    content: RankingContent,
    expected_revision: int | None,
    reader: Reader,
) -> Outcome[Snapshot]:
    """Replace the ranking of `date` by `content`, and answer it as `reader` sees it.

    Raises: RevisionConflict, unless the very content is published already.
    """
    await take_turn(tx, _target(date))
    newest = await _newest(tx.connection, date)
    current = None if newest is None or newest.is_deleted else newest
    changes: list[Change] = []
    if current is None or current.content_hash != content.digest:
        check_revision(current.revision if current else None, expected_revision)
        replacing = _revision_after(tx, newest, date, content)
        await _replace(tx, replacing, content)
        changes = await audit.record(
            tx, actor=actor, action=action, target=_target(date), before=_audited(current), after=_audited(replacing)
        )
        current = replacing
    return Outcome(await _snapshot(tx.connection, current, reader), changes)


async def remove(tx: Transaction, *, actor: Actor, action: str, date: dt.date, expected_revision: int) -> Outcome[int]:
    """Remove the ranking of `date`, but not its history; how many entries it had.

    Raises: RankingNotFound, RevisionConflict.
    """
    await take_turn(tx, _target(date))
    newest = await _newest(tx.connection, date)
    if newest is None or newest.is_deleted:
        raise RankingNotFound
    check_revision(newest.revision, expected_revision)
    await _replace(tx, _revision_after(tx, newest, date, None), None)
    target, before = _target(date), _audited(newest)
    changes = await audit.record(tx, actor=actor, action=action, target=target, before=before, after=None)
    return Outcome(newest.total_entries, changes)


# Reading


async def _check_today(reads: Reads, today: dt.date) -> None:
    day = (await reads.day_of(today)).day
    if day.feature().feature_type is not FeatureType.RANKING:
        raise day.no_feature()


class _Revision(NamedTuple):
    date: dt.date
    revision: int
    total_entries: int
    content_hash: str
    is_deleted: bool
    published_at: dt.datetime


async def _newest(connection: AsyncConnection, date: dt.date) -> _Revision | None:
    """The date's last publication or removal."""
    columns = [getattr(RankingRevision, name) for name in _Revision._fields]
    query = select(*columns).where(RankingRevision.date == date).order_by(RankingRevision.revision.desc()).limit(1)
    row = (await connection.execute(query)).one_or_none()
    return _Revision(*row) if row else None


async def _snapshot(connection: AsyncConnection, revision: _Revision, reader: Reader) -> Snapshot:
    """What `reader` asks of the newest revision. Raises: Unauthenticated when there is no such player."""
    me = await connection.scalar(select(Player.external_id).where(Player.id == reader.player_id))
    if me is None:
        raise Unauthenticated
    rows = select(
        RankingDaily.rank,
        RankingDaily.display_name,
        RankingDaily.score,
        func.coalesce(RankingDaily.external_id == me, False),
    ).where(RankingDaily.date == revision.date)
    mine = (await connection.execute(rows.where(RankingDaily.external_id == me))).one_or_none()
    pages = {}
    for page in set(reader.pages):
        query = rows.where(RankingDaily.rank > (page.after_rank or 0)).order_by(RankingDaily.rank).limit(page.first + 1)
        entries = [Entry(*row) for row in await connection.execute(query)]
        pages[page] = page_of(entries, page.first, has_previous=page.after_rank is not None)
    return Snapshot(
        revision.date,
        revision.revision,
        revision.published_at,
        revision.total_entries,
        Entry(*mine) if mine else None,
        pages,
    )


# Changing


def _revision_after(
    tx: Transaction, newest: _Revision | None, date: dt.date, content: RankingContent | None
) -> _Revision:
    """The next revision of a date: a publication of `content`, or a removal."""
    number = newest.revision + 1 if newest else 1
    if content is None:
        return _Revision(date, number, 0, "", is_deleted=True, published_at=tx.now)
    return _Revision(date, number, len(content.rows), content.digest, is_deleted=False, published_at=tx.now)


async def _replace(tx: Transaction, revision: _Revision, content: RankingContent | None) -> None:
    """Note `revision`, remove the date's rows, copy those of `content` in, where there is any, and tell subscribers."""
    await signals.announce(tx, signals.ranking(revision.date))
    await tx.connection.execute(insert(RankingRevision).values(revision._asdict()))
    await tx.connection.execute(delete(RankingDaily).where(RankingDaily.date == revision.date))
    if content is None:
        return
    driver: Any = (await tx.connection.get_raw_connection()).driver_connection
    records = ((revision.date, row[0], revision.revision, *row[1:]) for row in content.rows)
    try:
        while batch := list(islice(records, BATCH_ROWS)):
            await driver.copy_records_to_table(RankingDaily.__tablename__, records=batch, columns=COPIED)
    except asyncpg.PostgresError as failure:
        # The toolkit did not see this statement: say it in its words, which the Transactor understands.
        raise DBAPIError("COPY ranking_daily", None, failure) from failure


def _target(date: dt.date) -> str:
    return f"{RankingDaily.__tablename__} {date}"


def _audited(revision: _Revision | None) -> dict[str, Any] | None:
    """A publication as the audit log tells it: the digest stands for the rows."""
    if revision is None:
        return None
    return {
        "revision": revision.revision,
        "totalEntries": revision.total_entries,
        "contentHash": revision.content_hash,
    }
