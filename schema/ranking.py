"""Rankings: what a day's snapshot looks like, and how it is published."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated

import strawberry
from strawberry.types.nodes import SelectedField, Selection

from models import MAX_AMOUNT
from schema.connections import After, Connection, First, connection_of, decode_cursor, page_size
from schema.context import Info
from schema.errors import Problem, ValidationFailed
from schema.scalars import BigInt
from schema.upload import Upload
from services import ranking
from services.errors import BadRequest
from services.paging import Page
from services.ranking import PageRequest
from services.rules.ranking import RankingContent, RankingRows

DEFAULT_ENTRIES = 10


@strawberry.type(description="The caller's own row.")
class MyRanking:
    """The caller's own row."""

    rank: int = strawberry.field(description="The rank, from 1.")
    score: BigInt = strawberry.field(description="The score.")
    display_name: str = strawberry.field(description="The name that everybody sees.")


@strawberry.type(description="A row of a ranking.")
class RankingEntry:
    """A row of a ranking."""

    rank: int = strawberry.field(description="The rank, from 1; no two rows share one.")
    display_name: str = strawberry.field(description="The name that everybody sees.")
    score: BigInt = strawberry.field(description="The score.")
    is_me: bool = strawberry.field(description="Whether this is the caller's own row.")

    @classmethod
    def of(cls, entry: ranking.Entry) -> RankingEntry:
        """Convert."""
        return cls(rank=entry.rank, display_name=entry.display_name, score=BigInt(entry.score), is_me=entry.is_me)


@strawberry.type(description="A day's ranking. All that one answer tells of it belongs to one revision.")
class RankingSnapshot:
    """A day's ranking."""

    date: dt.date = strawberry.field(description="The day.")
    revision: int = strawberry.field(
        description="Which publication of the day this is. A revision that differs between two pages tells that the "
        "ranking was replaced meanwhile."
    )
    published_at: dt.datetime = strawberry.field(description="When it was published.")
    total_entries: int = strawberry.field(description="How many rows there are.")
    me: MyRanking | None = strawberry.field(description="The caller's own row; null: not in this snapshot.")
    pages: strawberry.Private[Mapping[PageRequest, Page[ranking.Entry]]]

    @strawberry.field(description="The rows, by rank.")
    def entries(self, first: First = DEFAULT_ENTRIES, after: After = strawberry.UNSET) -> Connection[RankingEntry]:
        """The rows; they were read with everything else, see `wanted_pages`."""
        return connection_of(self.pages[page_request(first, after)], lambda row: [row.rank], RankingEntry.of)

    @classmethod
    def of(cls, snapshot: ranking.Snapshot) -> RankingSnapshot:
        """Convert."""
        mine = snapshot.mine
        return cls(
            date=snapshot.date,
            revision=snapshot.revision,
            published_at=snapshot.published_at,
            total_entries=snapshot.total_entries,
            me=MyRanking(rank=mine.rank, score=BigInt(mine.score), display_name=mine.display_name) if mine else None,
            pages=snapshot.pages,
        )


def page_request(first: int, after: str | None) -> PageRequest:
    """The page that these arguments ask for. Raises: BadRequest."""
    cursor = decode_cursor(after, _rank)
    return PageRequest(page_size(first), cursor[0] if cursor else None)


def wanted_pages(info: Info) -> set[PageRequest]:
    """The pages of every `entries` below the field that is resolved, so that they can be read with it.

    Some may be skipped by a directive and are read for nothing; faulty arguments are left to `entries` to refuse.
    """
    return set(_requests(info.selected_fields))


def _requests(selections: Iterable[Selection]) -> Iterator[PageRequest]:
    for selection in selections:
        if isinstance(selection, SelectedField) and selection.name == "entries":
            first, after = selection.arguments.get("first"), selection.arguments.get("after")
            try:
                yield page_request(DEFAULT_ENTRIES if first is None else int(first), after)
            except BadRequest:
                continue
        yield from _requests(selection.selections)


def _rank(text: str) -> int:
    rank = int(text)
    if not 1 <= rank <= MAX_AMOUNT:
        raise ValueError(text)
    return rank


RankingSnapshotResult = Annotated[
    RankingSnapshot | Problem,
    strawberry.union(
        "RankingSnapshotResult", description="A day's ranking. Codes: NO_FEATURE_TODAY, RANKING_NOT_FOUND."
    ),
]

EXPECTED_REVISION = (
    "The revision that is replaced; null: none is published, because none was yet or it was deleted. Content that is "
    "published already is answered as it is, whatever is expected."
)


@strawberry.input(description="Publish a day's ranking from a file. It replaces the former one whole.")
class UploadRankingInput:
    """Publish a day's ranking from a file."""

    date: dt.date = strawberry.field(description="The day: past, today or to come.")
    file: Upload = strawberry.field(
        description="CSV in UTF-8 with the header rank,display_name,score,external_id; external_id may be empty. "
        "At most 10 MiB and 200,000 rows."
    )
    expected_revision: int | None = strawberry.field(default=strawberry.UNSET, description=EXPECTED_REVISION)


@strawberry.input(description="A row of a ranking.")
class RankingRowInput:
    """A row of a ranking."""

    rank: int = strawberry.field(description="The rank, from 1; no two rows share one. Gaps are allowed.")
    display_name: str = strawberry.field(description="The name that everybody sees: 1 to 100 characters.")
    score: BigInt = strawberry.field(description="The score.")
    external_id: str | None = strawberry.field(
        default=strawberry.UNSET, description="Whose row it is: the player's external id. No two rows share one."
    )


@strawberry.input(description="Publish a day's ranking. It replaces the former one whole.")
class PublishRankingInput:
    """Publish a day's ranking."""

    date: dt.date = strawberry.field(description="The day: past, today or to come.")
    rows: list[RankingRowInput] = strawberry.field(
        description="All rows, in any order, at least one. For more than a request of 64 KiB holds, upload a file."
    )
    expected_revision: int | None = strawberry.field(default=strawberry.UNSET, description=EXPECTED_REVISION)

    def content(self) -> RankingContent:
        """The rows, checked. Raises: ValidationFailed."""
        rows = RankingRows(("rank", "displayName", "score", "externalId"), "row")
        for index, row in enumerate(self.rows):
            rows.add(index, row.rank, row.display_name, row.score, row.external_id or None)
        return rows.content()


PublishRankingResult = Annotated[
    RankingSnapshot | ValidationFailed | Problem,
    strawberry.union(
        "PublishRankingResult",
        description="The ranking as it is published now. Codes: VALIDATION_FAILED, INVALID_RANKING_UPLOAD, "
        "REVISION_CONFLICT, LOCK_NOT_ACQUIRED.",
    ),
]


@strawberry.type(description="A day's ranking that is published no more.")
class DeletedRanking:
    """A day's ranking that is published no more."""

    date: dt.date = strawberry.field(description="The day.")
    deleted_entries: int = strawberry.field(description="How many rows it had.")


DeleteRankingResult = Annotated[
    DeletedRanking | Problem,
    strawberry.union(
        "DeleteRankingResult", description="What was removed. Codes: RANKING_NOT_FOUND, LOCK_NOT_ACQUIRED."
    ),
]
