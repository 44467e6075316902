"""The scalars of the API. How clients map them is in docs/clients.md."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, NewType

import strawberry
from strawberry.types.scalar import ScalarDefinition

from models import MAX_SAFE_INTEGER
from schema.upload import UPLOAD, Upload

BigInt = NewType("BigInt", int)
JSON = NewType("JSON", object)


def _date(value: object) -> dt.date:
    if not isinstance(value, str) or len(value) != 10:  # the only form: fromisoformat would take 20261123 as well
        raise ValueError("A Date is written YYYY-MM-DD.")
    try:
        return dt.date.fromisoformat(value)
    except ValueError:
        raise ValueError("A Date is a day of the calendar, written YYYY-MM-DD.") from None


def _instant(value: object) -> dt.datetime:
    message = "A DateTime is written as RFC 3339 with its offset, as 2026-01-31T09:00:00+09:00."
    if not isinstance(value, str) or len(value) < 20 or value[10] not in "Tt":
        raise ValueError(message)
    try:
        instant = dt.datetime.fromisoformat(value)
    except ValueError:
        raise ValueError(message) from None
    if instant.tzinfo is None:
        raise ValueError(message)
    return instant.astimezone(dt.UTC)


def _big_int(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > MAX_SAFE_INTEGER:
        raise ValueError("A BigInt is a whole number within ±(2^53 - 1).")
    return value


def _print_instant(value: dt.datetime) -> str:
    return value.isoformat()


def _as_is(value: Any) -> Any:
    return value


SCALARS: Mapping[object, ScalarDefinition] = {
    dt.date: strawberry.scalar(
        name="Date",
        description="A calendar date in the event's time zone, written YYYY-MM-DD.",
        specified_by_url="https://scalars.graphql.org/andimarek/local-date",
        serialize=dt.date.isoformat,
        parse_value=_date,
    ),
    dt.datetime: strawberry.scalar(
        name="DateTime",
        description="An instant, written as RFC 3339 with its offset: 2026-01-31T00:00:00+00:00.",
        specified_by_url="https://scalars.graphql.org/andimarek/date-time",
        serialize=_print_instant,
        parse_value=_instant,
    ),
    BigInt: strawberry.scalar(
        name="BigInt",
        description="A whole number within ±(2^53 - 1), as a JSON number: safe in JavaScript.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc7493#section-2.2",
        serialize=_as_is,
        parse_value=_big_int,
    ),
    JSON: strawberry.scalar(
        name="JSON",
        description="Any JSON value.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc8259",
        serialize=_as_is,
        parse_value=_as_is,
    ),
    Upload: UPLOAD,
}
