"""What is in a schema, and how it is defined, as the server itself prints it; and where two of these differ."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import indent
from typing import NamedTuple

from sqlalchemy import Connection, text

DEFINITIONS = """
WITH tables AS (
    SELECT oid, relname, relpersistence, relrowsecurity FROM pg_class
    WHERE relnamespace = quote_ident(:schema)::regnamespace AND relkind IN ('r', 'p') AND relname <> 'alembic_version'
), things AS (
    SELECT 'table' AS kind, relname AS table, NULL::text AS name, concat_ws(' ',
        CASE relpersistence WHEN 'u' THEN 'UNLOGGED' END, CASE WHEN relrowsecurity THEN 'ROW LEVEL SECURITY' END
    ) AS definition
    FROM tables
    UNION ALL
    -- From PostgreSQL 18 on, a NOT NULL may be there without being validated.
    SELECT 'column', t.relname, a.attname, concat_ws(' ', format_type(a.atttypid, a.atttypmod),
        CASE WHEN a.attnotnull AND NOT EXISTS (
            SELECT FROM pg_constraint c WHERE c.conrelid = t.oid AND c.contype = 'n' AND NOT c.convalidated
                AND a.attnum = ANY (c.conkey)) THEN 'NOT NULL' END,
        'COLLATE ' || nullif(a.attcollation, y.typcollation)::regcollation, 'DEFAULT ' || pg_get_expr(d.adbin, t.oid),
        'IDENTITY ' || nullif(a.attidentity::text, ''), 'GENERATED ' || nullif(a.attgenerated::text, ''))
    FROM tables t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_type y ON y.oid = a.atttypid LEFT JOIN pg_attrdef d ON d.adrelid = t.oid AND d.adnum = a.attnum
    UNION ALL
    -- A foreign key holds by triggers of its own, which a superuser can switch off. A trigger that is a constraint,
    -- because it may wait for the commit, is listed among the triggers.
    SELECT 'constraint', t.relname, c.conname, concat_ws(' ', pg_get_constraintdef(c.oid), CASE WHEN EXISTS (
        SELECT FROM pg_trigger g WHERE g.tgconstraint = c.oid AND g.tgenabled IN ('D', 'R')) THEN 'SWITCHED OFF' END)
    FROM tables t JOIN pg_constraint c ON c.conrelid = t.oid AND c.contype NOT IN ('n', 't')
    UNION ALL
    SELECT CASE WHEN i.indisunique THEN 'unique index' ELSE 'index' END, t.relname, r.relname,
        concat_ws(' ', pg_get_indexdef(r.oid), CASE WHEN NOT i.indisvalid THEN 'INVALID' END)
    FROM tables t JOIN pg_index i ON i.indrelid = t.oid JOIN pg_class r ON r.oid = i.indexrelid
    WHERE NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = r.oid AND c.contype IN ('p', 'u', 'x'))
    UNION ALL
    SELECT 'trigger', t.relname, g.tgname, concat_ws(' ', pg_get_triggerdef(g.oid),
        CASE WHEN g.tgenabled IN ('D', 'R') THEN 'SWITCHED OFF' END)
    FROM tables t JOIN pg_trigger g ON g.tgrelid = t.oid AND NOT g.tgisinternal
    UNION ALL
    SELECT 'rule', t.relname, r.rulename, pg_get_ruledef(r.oid)
    FROM tables t JOIN pg_rewrite r ON r.ev_class = t.oid
    UNION ALL
    -- What an extension brought along is none of haru's.
    SELECT 'function', NULL, format('%s(%s)', p.proname, pg_get_function_identity_arguments(p.oid)),
        pg_get_functiondef(p.oid)
    FROM pg_proc p LEFT JOIN pg_depend e ON e.classid = 'pg_proc'::regclass AND e.objid = p.oid AND e.deptype = 'e'
    WHERE p.pronamespace = quote_ident(:schema)::regnamespace AND p.prokind IN ('f', 'p') AND e.objid IS NULL
)
SELECT kind, "table", name, replace(replace(definition, quote_ident(:schema) || '.', ''),
    'search_path TO ' || quote_literal(:schema), 'search_path TO this schema') AS definition
FROM things
"""

CHECKS_AGAIN = """
SELECT format('ALTER TABLE %I DROP CONSTRAINT %I, ADD CONSTRAINT %2$I %s', r.relname, c.conname,
    pg_get_constraintdef(c.oid))
FROM pg_constraint c JOIN pg_class r ON r.oid = c.conrelid
WHERE c.connamespace = quote_ident(:schema)::regnamespace AND c.contype = 'c'
"""


HARMLESS = {"index", "function"}
"""What may be there beside haru's own: it refuses and changes no row."""


class Thing(NamedTuple):
    """Something in a schema; a table has no name beside `table`, and a function no table."""

    kind: str
    table: str | None
    name: str | None

    def __str__(self) -> str:
        return f"{self.kind} {'.'.join(part for part in (self.table, self.name) if part is not None)}"


@dataclass(frozen=True)
class Finding:
    """Something that is missing, extra or different, with its definitions: both where it differs."""

    thing: Thing
    expected: str | None
    found: str | None

    @property
    def is_fault(self) -> bool:
        """Whether a rule may not hold, or another one does."""
        return self.expected is not None or self.thing.kind not in HARMLESS or "SECURITY DEFINER" in str(self.found)

    @property
    def headline(self) -> str:
        """What is wrong with what."""
        what = "missing" if self.found is None else "extra" if self.expected is None else "differs"
        return f"{what}: {self.thing}"

    def __str__(self) -> str:
        told = [("expected", self.expected), ("found", self.found)]
        lines = [indent(f"{label}: {definition.strip()}", "    ") for label, definition in told if definition]
        return "\n".join([self.headline, *lines])


def definitions(connection: Connection, schema: str) -> dict[Thing, str]:
    """All that is in a schema, which has to be in the search path; the definitions leave its name out."""
    rows = connection.execute(text(DEFINITIONS), {"schema": schema})
    return {Thing(row.kind, row.table, row.name): row.definition for row in rows}


def write_checks_again(connection: Connection, schema: str) -> None:
    """Write every check again as it is printed: a restored backup's are, and are printed differently from then on."""
    for statement in connection.scalars(text(CHECKS_AGAIN), {"schema": schema}).all():
        connection.exec_driver_sql(statement)
