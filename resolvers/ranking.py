"""Reading and publishing rankings."""

from __future__ import annotations

import asyncio
import datetime as dt
from functools import partial
from typing import Annotated

import strawberry

from resolvers.root import root
from resolvers.staff import tried
from schema.context import Info
from schema.inputs import given
from schema.ranking import (
    DeletedRanking,
    DeleteRankingInput,
    DeleteRankingPayload,
    PublishRankingInput,
    PublishRankingPayload,
    RankingSnapshot,
    UploadRankingInput,
    wanted_pages,
)
from services import ranking
from services.ranking_csv import read_csv
from services.rules.ranking import RankingContent

DayOrToday = Annotated[dt.date | None, strawberry.argument(description="The day; without one: today.")]


def _reader(info: Info) -> ranking.Reader:
    return ranking.Reader(info.context.me.player_id, wanted_pages(info))


async def _publish(
    info: Info,
    input: UploadRankingInput | PublishRankingInput,  # noqa: A002 (the contract's name)
    content: RankingContent,
) -> PublishRankingPayload:
    publish = partial(
        ranking.publish,
        date=input.date,
        content=content,
        expected_revision=given(input.expected_revision),
        reader=_reader(info),
    )
    outcome = await tried(info, input, publish)
    return PublishRankingPayload.of(outcome, input.mode, snapshot=RankingSnapshot.of)


def _deleted(date: dt.date, entries: int) -> DeletedRanking:
    return DeletedRanking(date=date, deleted_entries=entries)


@root
async def ranking_snapshot(info: Info, date: DayOrToday = strawberry.UNSET) -> RankingSnapshot:
    """A day's ranking. Today's can be read on a day of the ranking, a past day's always."""
    app, today = info.context.app, info.context.today()
    return RankingSnapshot.of(await ranking.read(app.database, app.reads, date or today, today, _reader(info)))


@root
async def upload_ranking(info: Info, input: UploadRankingInput) -> PublishRankingPayload:  # noqa: A002
    """Publish a day's ranking from a CSV file, whole or not at all."""
    content = await asyncio.to_thread(read_csv, input.file.file)
    return await _publish(info, input, content)


@root
async def publish_ranking(info: Info, input: PublishRankingInput) -> PublishRankingPayload:  # noqa: A002
    """Publish a day's ranking, whole or not at all."""
    return await _publish(info, input, input.content())


@root
async def delete_ranking(info: Info, input: DeleteRankingInput) -> DeleteRankingPayload:  # noqa: A002
    """Remove a day's ranking. The next one that is published continues its revision numbers."""
    command = partial(ranking.remove, date=input.date, expected_revision=input.expected_revision)
    outcome = await tried(info, input, command)
    return DeleteRankingPayload.of(outcome, input.mode, deleted=partial(_deleted, input.date))
