"""The declarative base, the constraint names, and the columns that recur.

Every constraint has a name, because a lost race is told from a bug by the name of what it violated.
"""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Date, DateTime, Enum, Identity, MetaData, SmallInteger, Text, Uuid
from sqlalchemy.dialects.postgresql import BYTEA, JSONB
from sqlalchemy.orm import DeclarativeBase, mapped_column

from models.enums import Language

NAMING_CONVENTION = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
}

MAX_SAFE_INTEGER = 2**53 - 1
"""The largest whole number that every JSON client holds exactly; balances and scores stay within it."""

MAX_AMOUNT = 1_000_000_000
"""The largest amount of one reward, weight, stock or XP."""

MAX_STAMP_XP = 100_000
"""The largest XP of a stamp, and the largest bonus of a feature: the longest season of both still fits 32 bits."""

NAME_LENGTH = 100
"""The longest name, title or label, of whatever has one. Lengths count code points, as char_length does."""

PATH_LENGTH = 200
"""The longest path of a page."""

EXTERNAL_ID_LENGTH = 128
"""The longest id of a player in the system that sent the player here."""

KEY_LENGTH = 128
"""The longest idempotency key."""

COUPON_TYPE_LENGTH = 64
"""The longest type of coupons."""

COUPON_CODE_LENGTH = 128
"""The longest code of a coupon."""

REASON_LENGTH = 500
"""The longest reason that staff give for what they do."""

LAST_DATE = dt.date(2999, 12, 31)
"""The last day that can be scheduled."""

END_OF_TIME = dt.datetime(3000, 1, 1, tzinfo=dt.UTC)
"""The instant by which every window of a configuration has begun, and ends if it ends at all."""


LEDGER_START = bytes(32)
"""What stands where the hash of the line before would, at a player's first line of the ledger."""


class Base(DeclarativeBase):
    """The base of all tables."""

    metadata = MetaData(naming_convention=NAMING_CONVENTION)
    type_annotation_map = {  # noqa: RUF012 (SQLAlchemy reads this class attribute)
        int: BigInteger,
        str: Text,
        dt.datetime: DateTime(timezone=True),
        dt.date: Date,
        UUID: Uuid,
        bytes: BYTEA,
        dict[str, Any]: JSONB,
    }


IntegerKey = Annotated[int, mapped_column(BigInteger, Identity(), primary_key=True)]
SmallInt = Annotated[int, mapped_column(SmallInteger)]


def text_enum(enum: type[StrEnum], name: str) -> Enum:
    """A text column that holds one of the values of `enum`, checked by the constraint `ck_<table>_<name>`."""
    return Enum(
        enum,
        name=name,
        native_enum=False,
        create_constraint=True,
        length=None,
        values_callable=lambda members: [member.value for member in members],
    )


def bounded(column: str, low: int, high: int) -> CheckConstraint:
    """`low <= column <= high`, as the constraint `ck_<table>_<column>`."""
    return CheckConstraint(f"{column} BETWEEN {low} AND {high}", name=column)


def sha256(column: str) -> CheckConstraint:
    """A SHA-256 of 32 bytes, as the constraint `ck_<table>_<column>_length`."""
    return CheckConstraint(f"octet_length({column}) = 32", name=f"{column}_length")


def text_length(column: str, high: int, low: int = 1) -> CheckConstraint:
    """A text of `low` to `high` characters, as the constraint `ck_<table>_<column>_length`."""
    return CheckConstraint(f"char_length({column}) BETWEEN {low} AND {high}", name=f"{column}_length")


def by_language(column: str, high: int) -> CheckConstraint:
    """An object with texts of 1 to `high` characters by their language, as the constraint `ck_<table>_<column>`."""
    known = ", ".join(f"'{language}', {column} -> '{language}'" for language in Language)
    texts = " AND ".join(
        f"jsonb_typeof({column} -> '{language}') = 'string'"
        f" AND char_length({column} ->> '{language}') BETWEEN 1 AND {high}"
        for language in Language
    )
    return CheckConstraint(f"{column} <@ jsonb_build_object({known}) AND {texts}", name=column)
