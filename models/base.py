"""The declarative base, the constraint names, and the columns that recur.

Every constraint has a name, because a lost race is told from a bug by the name of what it violated.
"""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Date, DateTime, Enum, Identity, MetaData, SmallInteger, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, mapped_column

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

LAST_DATE = dt.date(2999, 12, 31)
"""The last day that can be scheduled."""


class Base(DeclarativeBase):
    """The base of all tables."""

    metadata = MetaData(naming_convention=NAMING_CONVENTION)
    type_annotation_map = {  # noqa: RUF012 (SQLAlchemy reads this class attribute)
        int: BigInteger,
        str: Text,
        dt.datetime: DateTime(timezone=True),
        dt.date: Date,
        UUID: Uuid,
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


def text_length(column: str, high: int, low: int = 1) -> CheckConstraint:
    """A text of `low` to `high` characters, as the constraint `ck_<table>_<column>_length`."""
    return CheckConstraint(f"char_length({column}) BETWEEN {low} AND {high}", name=f"{column}_length")
