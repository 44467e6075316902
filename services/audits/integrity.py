"""The rules that the database keeps, looked at row by row: a superuser can set them aside, and put them back after."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Table
from sqlalchemy.dialects import postgresql

from models import Base
from services.audits.check import query

_dialect = postgresql.dialect()  # type: ignore[no-untyped-call]


def _row(table: Table) -> str:
    """As `row_of`, of a row that is called by its table's name."""
    pairs = ", ".join(f"""'{column.name}', "{table.name}".{column.name}""" for column in table.primary_key)
    return f"CAST('{table.name}' AS text) AS table, jsonb_build_object({pairs}) AS key"


def _broken(table: Table) -> str:
    """Rows of a table that one of its checks would refuse."""
    checks = sorted((c for c in table.constraints if isinstance(c, CheckConstraint)), key=lambda c: str(c.name))
    kept = {
        str(check.name): str(check.sqltext.compile(dialect=_dialect, compile_kwargs={"literal_binds": True}))
        for check in checks
    }
    cases = " ".join(f"WHEN NOT ({rule}) THEN 'breaks {name}'" for name, rule in kept.items())
    return f"""SELECT {_row(table)}, CASE {cases} END AS fault FROM "{table.name}"
    WHERE NOT ({" AND ".join(f"({rule})" for rule in kept.values())})"""


@query
def rules() -> str:
    """Every row keeps the rules of its table, whether or not they were in force when it was written."""
    tables = [
        table
        for table in Base.metadata.sorted_tables
        if any(isinstance(constraint, CheckConstraint) for constraint in table.constraints)
    ]
    return "\nUNION ALL\n".join(_broken(table) for table in tables)


def _orphans(table: Table, key: ForeignKeyConstraint) -> str:
    """Rows of a table that point at nothing."""
    there = key.referred_table
    pairs = [(element.parent.name, element.column.name) for element in key.elements]
    joined = " AND ".join(f'r.{column} = "{table.name}".{own}' for own, column in pairs)
    points = " AND ".join(f'"{table.name}".{own} IS NOT NULL' for own, _ in pairs)
    return f"""SELECT {_row(table)}, 'points at nothing: {key.name}' AS fault FROM "{table.name}"
    WHERE {points} AND NOT EXISTS (SELECT FROM "{there.name}" r WHERE {joined})"""


@query
def references() -> str:
    """What a row points at is there."""
    return "\nUNION ALL\n".join(
        _orphans(table, key)
        for table in Base.metadata.sorted_tables
        for key in sorted(table.foreign_key_constraints, key=lambda key: str(key.name))
    )
