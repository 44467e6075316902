"""What the database itself refuses and does: triggers on what is append-only, and what runs with its owner's rights.

Both come from `models.rights`. Triggers hold whoever has the right; a superuser can switch them off, which
`haru db verify` tells.
"""

from __future__ import annotations

from collections.abc import Iterator

from models.base import Base
from models.rights import DEFINERS, RIGHTS, Rights

APPEND_ONLY_FUNCTION = """
CREATE FUNCTION haru_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END
$$
"""

PRUNE_KEYS_FUNCTION = """
CREATE FUNCTION haru_prune_keys(since timestamptz, before timestamptz, most bigint)
    RETURNS TABLE (keys bigint, until timestamptz) LANGUAGE sql SECURITY DEFINER AS $$
WITH gone AS (
    DELETE FROM idempotency_key WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM idempotency_key
        WHERE created_at >= since AND created_at < least(before, now() - interval '30 days')
        ORDER BY created_at LIMIT least(most, 5000)
    )) RETURNING created_at
)
SELECT count(*), max(created_at) FROM gone
$$
"""
"""Deletes the oldest keys between two instants, whatever it is asked: none that is younger than 30 days by the
database's own clock, and 5,000 at most."""

FIX_SEARCH_PATHS = """
DO $do$ DECLARE function regprocedure; BEGIN
    FOR function IN SELECT oid FROM pg_proc
        WHERE pronamespace = current_schema()::regnamespace AND starts_with(proname, 'haru_')
            AND (prosecdef OR prorettype = 'trigger'::regtype)
    LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', function, current_schema());
    END LOOP;
END $do$
"""
"""Whatever refuses, or runs with its owner's rights, finds haru's own tables, not a temporary one of that name."""


def create_guards() -> Iterator[str]:
    """The statements that make them all; the tables are there, and all other functions."""
    yield APPEND_ONLY_FUNCTION
    yield PRUNE_KEYS_FUNCTION
    yield FIX_SEARCH_PATHS
    yield f"REVOKE ALL ON FUNCTION {', '.join(DEFINERS)} FROM PUBLIC"
    for table, rights in RIGHTS.items():
        yield from _triggers(table, rights)


def drop_guards() -> Iterator[str]:
    """The statements that take away what outlives the tables."""
    yield "DROP FUNCTION haru_append_only()"
    for function in DEFINERS:
        yield f"DROP FUNCTION {function}"


def _triggers(table: type[Base], rights: Rights) -> Iterator[str]:
    name = table.__tablename__
    if rights.refused:
        yield (
            f'CREATE TRIGGER {name}_append_only BEFORE {" OR ".join(rights.refused)} ON "{name}"'
            " FOR EACH STATEMENT EXECUTE FUNCTION haru_append_only()"
        )
    if rights.once:
        yield (
            f'CREATE TRIGGER {name}_once BEFORE UPDATE ON "{name}" FOR EACH ROW'
            f" WHEN ({_is_changed_again(table, rights)}) EXECUTE FUNCTION haru_append_only()"
        )


def _is_changed_again(table: type[Base], rights: Rights) -> str:
    """Whether a row changes elsewhere than where it is filled in, or what is there is filled in again."""
    fixed = [column.name for column in table.__table__.columns if column.name not in rights.once]
    changed = [f'OLD."{name}" IS DISTINCT FROM NEW."{name}"' for name in fixed]
    again = [f'OLD."{name}" IS NOT NULL AND OLD."{name}" IS DISTINCT FROM NEW."{name}"' for name in rights.once]
    return " OR ".join([*changed, *again])
