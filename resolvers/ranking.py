"""Reading and publishing rankings."""

from __future__ import annotations

import asyncio
import datetime as dt
from functools import partial
from typing import Annotated

import strawberry

from resolvers.root import root
from resolvers.staff import as_staff
from schema.context import Info
from schema.inputs import given
from schema.ranking import (
    DeletedRanking,
    DeleteRankingResult,
    PublishRankingInput,
    PublishRankingResult,
    RankingSnapshot,
    RankingSnapshotResult,
    UploadRankingInput,
    wanted_pages,
)
from services import ranking
from services.ranking_csv import read_csv
from services.rules.ranking import RankingContent

Day = Annotated[dt.date, strawberry.argument(description="The day.")]
DayOrToday = Annotated[dt.date | None, strawberry.argument(description="The day; without one: today.")]


def _reader(info: Info) -> ranking.Reader:
    return ranking.Reader(info.context.me.player_id, wanted_pages(info))


async def _publish(
    info: Info, action: str, date: dt.date, content: RankingContent, expected_revision: int | None
) -> RankingSnapshot:
    publish = partial(
        ranking.publish,
        action=action,
        date=date,
        content=content,
        expected_revision=given(expected_revision),
        reader=_reader(info),
    )
    return RankingSnapshot.of(await as_staff(info, publish))


@root("A day's ranking. Today's can be read on a day of the ranking, a past day's always.")
async def ranking_snapshot(info: Info, date: DayOrToday = strawberry.UNSET) -> RankingSnapshotResult:
    """A day's ranking."""
    app, today = info.context.app, info.context.today()
    return RankingSnapshot.of(await ranking.read(app.database, app.calendar, date or today, today, _reader(info)))


@root("Publish a day's ranking from a CSV file, whole or not at all.")
async def upload_ranking(info: Info, input: UploadRankingInput) -> PublishRankingResult:  # noqa: A002
    """Publish a day's ranking from a file."""
    content = await asyncio.to_thread(read_csv, input.file.file)
    return await _publish(info, "uploadRanking", input.date, content, input.expected_revision)


@root("Publish a day's ranking, whole or not at all.")
async def publish_ranking(info: Info, input: PublishRankingInput) -> PublishRankingResult:  # noqa: A002
    """Publish a day's ranking."""
    return await _publish(info, "publishRanking", input.date, input.content(), input.expected_revision)


@root("Remove a day's ranking. The next one that is published continues its revision numbers.")
async def delete_ranking(info: Info, date: Day) -> DeleteRankingResult:
    """Remove a day's ranking."""
    deleted = await as_staff(info, partial(ranking.remove, date=date))
    return DeletedRanking(date=date, deleted_entries=deleted)
