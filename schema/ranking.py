"""Rankings: what a day's snapshot looks like, and how it is published."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress

import strawberry
from strawberry.types.nodes import SelectedField, Selection

from models import EXTERNAL_ID_LENGTH, MAX_AMOUNT, NAME_LENGTH
from schema.connections import After, Connection, First, connection_of, decode_cursor, page_size
from schema.context import Info
from schema.described import described
from schema.inputs import TextInput
from schema.nodes import Kind, Node, node_id
from schema.scalars import BigInt
from schema.staff import StaffInput, StaffPayload
from schema.upload import Upload
from services import ranking
from services.paging import Page
from services.ranking import PageRequest
from services.request_errors import BadRequest
from services.rules.ranking import RankingContent, RankingRows
from services.rules.texts import rule

DEFAULT_ENTRIES = 10


@described
@strawberry.type
class MyRanking:
    """The caller's own row."""

    rank: int = strawberry.field(description="The rank, from 1.")
    score: BigInt = strawberry.field(description="The score.")
    display_name: str = strawberry.field(description="The name that everybody sees.")


@described
@strawberry.type
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


@described
@strawberry.type
class RankingSnapshot(Node):
    """A day's ranking. All that one answer tells of it belongs to one revision."""

    date: dt.date = strawberry.field(description="The day.")
    revision: int = strawberry.field(
        description="Which publication of the day this is. A revision that differs between two pages tells that the "
        "ranking was replaced meanwhile."
    )
    published_at: dt.datetime = strawberry.field(description="When it was published.")
    total_entries: int = strawberry.field(description="How many rows there are.")
    me: MyRanking | None = strawberry.field(description="The caller's own row; null: not in this snapshot.")
    pages: strawberry.Private[Mapping[PageRequest, Page[ranking.Entry]]]

    @described
    @strawberry.field
    def entries(self, first: First = DEFAULT_ENTRIES, after: After = strawberry.UNSET) -> Connection[RankingEntry]:
        """The rows, by rank."""
        # They were read with everything else: see `wanted_pages`.
        return connection_of(self.pages[page_request(first, after)], lambda row: [row.rank], RankingEntry.of)

    @classmethod
    def of(cls, snapshot: ranking.Snapshot) -> RankingSnapshot:
        """Convert."""
        mine = snapshot.mine
        return cls(
            id=node_id(Kind.RANKING_SNAPSHOT, snapshot.date, snapshot.revision),
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
            with suppress(BadRequest):
                yield page_request(DEFAULT_ENTRIES if first is None else int(first), after)
        yield from _requests(selection.selections)


def _rank(text: str) -> int:
    rank = int(text)
    if not 1 <= rank <= MAX_AMOUNT:
        raise ValueError(text)
    return rank


EXPECTED_REVISION = (
    "The revision that is replaced; null: none is published, because none was yet or it was deleted. Content that is "
    "published already is answered as it is, whatever is expected."
)


@described
@strawberry.input
class UploadRankingInput(StaffInput):
    """Publish a day's ranking from a file. It replaces the former one whole."""

    date: dt.date = strawberry.field(description="The day: past, today or to come.")
    file: Upload = strawberry.field(
        description="CSV with the header rank,display_name,score,external_id; external_id may be empty. UTF-8, UTF-16 "
        "with its mark, or Korean (CP949) where that is certain; commas, semicolons or tabs; rows and columns without "
        "content are left out. At most 10 MiB and 200,000 rows."
    )
    expected_revision: int | None = strawberry.field(default=strawberry.UNSET, description=EXPECTED_REVISION)


@described
@strawberry.input
class RankingRowInput(TextInput):
    """A row of a ranking."""

    rank: int = strawberry.field(description="The rank, from 1; no two rows share one. Gaps are allowed.")
    display_name: str = strawberry.field(description=f"The name that everybody sees: {rule(NAME_LENGTH)}.")
    score: BigInt = strawberry.field(description="The score.")
    external_id: str | None = strawberry.field(
        default=strawberry.UNSET,
        description=f"Whose row it is: the player's external id, {rule(EXTERNAL_ID_LENGTH)}. No two rows share one.",
    )


@described
@strawberry.input
class PublishRankingInput(StaffInput):
    """Publish a day's ranking. It replaces the former one whole."""

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


@described
@strawberry.type
class DeletedRanking:
    """A day's ranking that is published no more."""

    date: dt.date = strawberry.field(description="The day.")
    deleted_entries: int = strawberry.field(description="How many rows it had.")


@described
@strawberry.input
class DeleteRankingInput(StaffInput):
    """Remove a day's ranking."""

    date: dt.date = strawberry.field(description="The day.")
    expected_revision: int = strawberry.field(
        description="The revision that is published, as you saw it. REVISION_CONFLICT when it is another."
    )


@described
@strawberry.type
class PublishRankingPayload(StaffPayload):
    """A day's ranking, as it was published."""

    snapshot: RankingSnapshot | None = strawberry.field(
        description="The ranking as it is published now; null in a dry run."
    )


@described
@strawberry.type
class DeleteRankingPayload(StaffPayload):
    """A day's ranking, as it was removed."""

    deleted: DeletedRanking | None = strawberry.field(description="What is published no more; null in a dry run.")
