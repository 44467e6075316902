"""The scalars of the API. How clients map them is in docs/clients.md."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any, NewType

import strawberry
from graphql import FloatValueNode, IntValueNode, ValueNode
from strawberry.types.scalar import ScalarDefinition

from models import MAX_SAFE_INTEGER
from schema.upload import UPLOAD, Upload

BigInt = NewType("BigInt", int)
JSON = NewType("JSON", object)


# fromisoformat takes much more of ISO 8601 than this, as weeks, and more with every Python.
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_WHOLE = re.compile(r"(-?[0-9]{1,16})(?:\.0+)?", re.ASCII)
NO_BIG_INT = "A BigInt is a whole number within ±(2^53 - 1)."
_HOUR_AND_MINUTE = r"([01]\d|2[0-3]):[0-5]\d"
_INSTANT = re.compile(rf"{_DATE.pattern}[Tt]{_HOUR_AND_MINUTE}:[0-5]\d(\.\d+)?([Zz]|[+-]{_HOUR_AND_MINUTE})", re.ASCII)


def _date(value: object) -> dt.date:
    message = "A Date is a day of the calendar, written YYYY-MM-DD."
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        raise ValueError(message)
    try:
        return dt.date.fromisoformat(value)
    except ValueError:
        raise ValueError(message) from None


def _instant(value: object) -> dt.datetime:
    message = "A DateTime is written as RFC 3339 with its offset, as 2026-01-31T09:00:00+09:00."
    if not isinstance(value, str) or not _INSTANT.fullmatch(value):
        raise ValueError(message)
    try:
        return dt.datetime.fromisoformat(value.upper()).astimezone(dt.UTC)
    except OverflowError:
        raise ValueError("A DateTime is of the years 1 to 9999, in UTC too.") from None
    except ValueError:
        raise ValueError(message) from None


def _big_int(value: object) -> int:
    if isinstance(value, float) and value.is_integer():  # 9100.0, as some languages write a whole number
        value = int(value)
    if type(value) is not int or abs(value) > MAX_SAFE_INTEGER:
        raise ValueError(NO_BIG_INT)
    return value


def _big_int_literal(node: ValueNode, _variables: object = None) -> int:
    written = _WHOLE.fullmatch(node.value) if isinstance(node, IntValueNode | FloatValueNode) else None
    return _big_int(int(written[1]) if written else None)


def _print_instant(value: dt.datetime) -> str:
    return value.isoformat(timespec="milliseconds")


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
        description="An instant, written as RFC 3339 with its offset; answers have milliseconds: "
        "2026-01-31T00:00:00.000+00:00.",
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
        parse_literal=_big_int_literal,
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
