"""Relay connections with keyset cursors (https://relay.dev/graphql/connections.htm)."""

from __future__ import annotations

import datetime as dt
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from typing import Annotated, Generic, TypeVar, overload

import msgspec
import orjson
import strawberry

from models import EXTERNAL_ID_LENGTH
from schema.described import described
from services.paging import LAST_ROW, Page
from services.request_errors import BadRequest
from services.rules.texts import broken_rule

NodeT = TypeVar("NodeT")
RowT = TypeVar("RowT")
PartT = TypeVar("PartT")
OtherT = TypeVar("OtherT")

MAX_PAGE = 100
NO_CURSOR = "after is not a cursor of this list."

_texts = msgspec.json.Decoder(list[str]).decode

First = Annotated[int, strawberry.argument(description=f"How many at most: 1 to {MAX_PAGE}.")]
After = Annotated[str | None, strawberry.argument(description="Continue after this cursor.")]


@described
@strawberry.type
class PageInfo:
    """Where a page lies in its list."""

    has_next_page: bool = strawberry.field(description="Whether there is more after `endCursor`.")
    has_previous_page: bool = strawberry.field(description="Whether there is something before `startCursor`.")
    start_cursor: str | None = strawberry.field(description="The first edge's cursor; null on an empty page.")
    end_cursor: str | None = strawberry.field(description="The last edge's cursor: `after` for the next page.")


@described
@strawberry.type
class Edge(Generic[NodeT]):
    """A node and where it stands in the list."""

    cursor: str = strawberry.field(description="Where the node stands: `after` for what follows it. Opaque.")
    node: NodeT = strawberry.field(description="The node.")


@described
@strawberry.type
class Connection(Generic[NodeT]):
    """A page of a list."""

    nodes: list[NodeT] = strawberry.field(description="The nodes, without their cursors.")
    edges: list[Edge[NodeT]] = strawberry.field(description="The nodes with their cursors.")
    page_info: PageInfo = strawberry.field(description="Where this page lies in the list.")


def connection_of(
    page: Page[RowT], key: Callable[[RowT], Sequence[object]], convert: Callable[[RowT], NodeT]
) -> Connection[NodeT]:
    """A page as a connection; `key` is what the list is ordered by."""
    edges = [Edge(cursor=encode_cursor(key(row)), node=convert(row)) for row in page.rows]
    info = PageInfo(
        has_next_page=page.has_next,
        has_previous_page=page.has_previous,
        start_cursor=edges[0].cursor if edges else None,
        end_cursor=edges[-1].cursor if edges else None,
    )
    return Connection(nodes=[edge.node for edge in edges], edges=edges, page_info=info)


def page_size(first: int) -> int:
    """`first`, checked. Raises: BadRequest outside of 1 to 100."""
    if not 1 <= first <= MAX_PAGE:
        raise BadRequest(f"first must be 1 to {MAX_PAGE}.")
    return first


def instant(text: str) -> dt.datetime:
    """A cursor's instant. Raises: ValueError."""
    value = dt.datetime.fromisoformat(text)
    if value.tzinfo is not dt.UTC:
        raise ValueError("a cursor's instants are in UTC")
    return value


def row_number(text: str) -> int:
    """A cursor's number of a row. Raises: ValueError."""
    value = int(text)
    if not 0 <= value <= LAST_ROW:
        raise ValueError("no row has this number")
    return value


def external_id(text: str) -> str:
    """A cursor's external id. Raises: ValueError, for what is none of ours and PostgreSQL may not even take."""
    if broken_rule(text, EXTERNAL_ID_LENGTH):
        raise ValueError("no player has this external id")
    return text


def encode_cursor(key: Sequence[object]) -> str:
    """A row's key as an opaque text."""
    return urlsafe_b64encode(orjson.dumps([str(part) for part in key])).decode().rstrip("=")


@overload
def decode_cursor(cursor: str | None, first: Callable[[str], PartT], /) -> tuple[PartT] | None: ...


@overload
def decode_cursor(
    cursor: str | None, first: Callable[[str], PartT], second: Callable[[str], OtherT], /
) -> tuple[PartT, OtherT] | None: ...


def decode_cursor(cursor: str | None, *parts: Callable[[str], object]) -> tuple[object, ...] | None:
    """The key in a cursor, each part read by its own function; none where there is no cursor.

    Raises: BadRequest when the cursor is not one of this list's.
    """
    if cursor is None or cursor is strawberry.UNSET:
        return None
    try:
        texts = _texts(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        key = tuple(part(text) for part, text in zip(parts, texts, strict=True))
    except ValueError as bad:
        raise BadRequest(NO_CURSOR) from bad
    # The parts are read generously: what is not written as it would be here was written by somebody else.
    if encode_cursor(key) != cursor:
        raise BadRequest(NO_CURSOR)
    return key
