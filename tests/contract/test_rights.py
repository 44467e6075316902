"""Who may do what to each table: as the application's role PostgreSQL refuses it, and as the owner a trigger does."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from typing import Any, TypeAlias
from uuid import UUID

import asyncpg
import pytest

from models import Base, CouponCode
from models.rights import DEFINERS, RIGHTS, Rights
from services.rules.draws import commitment_of
from tests.games import another_session
from tests.ledgers import write_lines
from tests.roles import as_application
from tests.world import NOON, forge

Session: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

ALICE = UUID(int=1)

REWRITES = {
    "UPDATE": 'UPDATE "{table}" SET "{column}" = "{column}"',
    "DELETE": 'DELETE FROM "{table}"',
    "TRUNCATE": 'TRUNCATE "{table}" CASCADE',
}

OWNERS = {
    "DISABLE TRIGGER": 'ALTER TABLE "{table}" DISABLE TRIGGER ALL',
    "DROP": 'DROP TABLE "{table}" CASCADE',
    "ADD COLUMN": 'ALTER TABLE "{table}" ADD COLUMN luck int',
    "OWNER": 'ALTER TABLE "{table}" OWNER TO CURRENT_USER',
    "TRIGGER": 'CREATE TRIGGER luck BEFORE INSERT ON "{table}" EXECUTE FUNCTION haru_append_only()',
    "RULE": 'CREATE RULE luck AS ON INSERT TO "{table}" DO INSTEAD NOTHING',
}
"""What is the owner's alone."""

EVERY = [pytest.param(table, rights, id=table.__tablename__) for table, rights in RIGHTS.items()]
APPEND_ONLY = [
    pytest.param(table, rights, id=table.__tablename__) for table, rights in RIGHTS.items() if rights.refused
]


@pytest.fixture
async def application(database_url: str) -> AsyncIterator[Session]:
    """A session of the application's role."""
    async with another_session(as_application(database_url)) as session:
        yield session


@pytest.fixture
async def owner(empty_database: str) -> AsyncIterator[Session]:
    """A session of the owner's."""
    async with another_session(empty_database) as session:
        yield session


def test_every_table_is_declared() -> None:
    declared = {table.__tablename__ for table in RIGHTS}
    missing = Base.metadata.tables.keys() - declared
    assert not missing, f"models/rights.py does not say what may be done to {', '.join(sorted(missing))}"
    assert declared == Base.metadata.tables.keys()


@pytest.mark.parametrize(("table", "rights"), EVERY)
def test_what_is_declared_is_of_the_table(table: type[Base], rights: Rights) -> None:
    columns = {column.name for column in table.__table__.columns}
    keys = {column.name for column in table.__table__.primary_key}
    assert set(rights.changed) <= columns - keys
    assert not (set(rights.update) & set(rights.once))
    assert rights.pruned_by is None or any(function.startswith(f"{rights.pruned_by}(") for function in DEFINERS)


@pytest.mark.parametrize(("table", "rights"), APPEND_ONLY)
async def test_the_application_cannot_rewrite_the_past(application: Session, table: type[Base], rights: Rights) -> None:
    kept = next(column.name for column in table.__table__.columns if column.name not in rights.changed)
    for statement in REWRITES.values():
        with pytest.raises(
            asyncpg.InsufficientPrivilegeError, match=f"permission denied for table {table.__tablename__}"
        ):
            await application.execute(statement.format(table=table.__tablename__, column=kept))


@pytest.mark.parametrize(("table", "rights"), EVERY)
async def test_the_application_is_not_the_owner(application: Session, table: type[Base], rights: Rights) -> None:
    for statement in OWNERS.values():
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await application.execute(statement.format(table=table.__tablename__))
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await application.execute(REWRITES["TRUNCATE"].format(table=table.__tablename__))


@pytest.mark.parametrize(("table", "rights"), EVERY)
async def test_the_application_changes_only_what_may_change(
    application: Session, table: type[Base], rights: Rights
) -> None:
    """Tried with plans, which need the same rights and do nothing."""
    for column in table.__table__.columns:
        statement = "EXPLAIN " + REWRITES["UPDATE"].format(table=table.__tablename__, column=column.name)
        if column.name in rights.changed:
            await application.execute(statement)
        else:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await application.execute(statement)
    if rights.delete:
        await application.execute("EXPLAIN " + REWRITES["DELETE"].format(table=table.__tablename__))


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE stray (id int)",
        "CREATE FUNCTION stray() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE SCHEMA stray",
        "DROP FUNCTION haru_append_only() CASCADE",
        "SET session_replication_role = replica",
        "DROP TABLE alembic_version",
        "UPDATE alembic_version SET version_num = '0'",
        "ALTER FUNCTION haru_conflict_unless(boolean, uuid) SECURITY DEFINER",
        "SELECT nextval('coupon_code_id_seq')",
    ],
)
async def test_the_application_makes_nothing_of_its_own(application: Session, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await application.execute(statement)


@pytest.mark.parametrize(("table", "rights"), APPEND_ONLY)
async def test_a_trigger_holds_the_owner_back(owner: Session, table: type[Base], rights: Rights) -> None:
    column = next(iter(table.__table__.columns)).name
    for refused in rights.refused:
        with pytest.raises(asyncpg.RestrictViolationError, match=" is append-only"):
            await owner.execute(REWRITES[refused].format(table=table.__tablename__, column=column))


async def test_what_is_filled_in_once_stays_as_it_is(owner: Session) -> None:
    assert RIGHTS[CouponCode].once
    await owner.execute("INSERT INTO coupon_code (coupon_type, code, imported_at) VALUES ('TEA', 'T-1', now())")
    await owner.execute("INSERT INTO \"user\" (id, external_id, created_at) VALUES ($1, 'alice', now())", ALICE)
    given = {"reward_type": "COUPON", "amount": 1, "coupon_type": "TEA", "cause": "ADMIN_GRANT", "created_at": NOON}
    await write_lines(owner, [{**given, "user_id": ALICE, "cause_id": UUID(int=number)} for number in (1, 2)])
    await owner.execute("UPDATE coupon_code SET user_id = $1, line_no = 1, given_at = now()", ALICE)
    for change in ("user_id = NULL, line_no = NULL, given_at = NULL", "line_no = 2", "code = 'T-2'"):
        with pytest.raises(asyncpg.RestrictViolationError, match="coupon_code is append-only"):
            await owner.execute(f"UPDATE coupon_code SET {change}")
    await owner.execute("UPDATE coupon_code SET line_no = line_no")  # which changes nothing
    await forge(owner, 'TRUNCATE "user" CASCADE')


async def test_a_seed_is_revealed_once_and_nothing_else_of_it_changes(owner: Session) -> None:
    seed, now = bytes(32), dt.datetime.now(dt.UTC)
    dates = [dt.date(2026, 3, day) for day in (2, 3, 4)]
    for date in dates:
        made = "INSERT INTO draw_seed (date, commitment, committed_at) VALUES ($1, $2, $3)"
        await owner.execute(made, date, commitment_of(date, seed), NOON)
    reveal = "UPDATE draw_seed SET seed = $1, revealed_at = $2 WHERE date = $3"
    await owner.execute(reveal, seed, now, dates[1])

    async def refused(change: str, *given: Any) -> None:
        with pytest.raises(asyncpg.RestrictViolationError, match=r"is append-only|is revealed once"):
            await owner.execute(change, *given)

    for date in dates[:2]:
        await refused("DELETE FROM draw_seed WHERE date = $1", date)
        for change in ("date = date + 9", "commitment = repeat('0', 64)", "committed_at = committed_at + '1s'"):
            await refused(f"UPDATE draw_seed SET {change} WHERE date = $1", date)
    await refused(reveal, seed, now + dt.timedelta(seconds=1), dates[1])
    await refused(reveal, None, None, dates[1])
    await refused(reveal, None, None, dates[0])
    await refused(reveal.replace(" WHERE", ", committed_at = $2 WHERE"), seed, now, dates[0])
    stored = await owner.fetch("SELECT date, seed, revealed_at, committed_at FROM draw_seed ORDER BY date")
    assert [tuple(row) for row in stored] == [
        (dates[0], None, None, NOON),
        (dates[1], seed, now, NOON),
        (dates[2], None, None, NOON),
    ]
    await forge(owner, "TRUNCATE draw_seed CASCADE")


PRUNE = "SELECT keys FROM haru_prune_keys('-infinity', 'infinity', $1)"


async def test_no_young_key_can_be_pruned_and_never_many(owner: Session, application: Session) -> None:
    await owner.execute("INSERT INTO \"user\" (id, external_id, created_at) VALUES ($1, 'alice', now())", ALICE)
    await owner.execute(
        "INSERT INTO idempotency_key (user_id, key, request, answer, created_at)"
        " SELECT $1::uuid, n::text, 'play', '{}'::json, now() - n * interval '1 second' - interval '29 days'"
        " FROM generate_series(1, 3) n UNION ALL"
        " SELECT $1::uuid, n::text, 'play', '{}'::json, now() - n * interval '1 second' - interval '30 days'"
        " FROM generate_series(4, 5010) n",
        ALICE,
    )
    await application.execute("CREATE TEMP TABLE idempotency_key (created_at timestamptz)")  # nobody looks here
    assert [await application.fetchval(PRUNE, 10**9) for _ in range(3)] == [5000, 7, 0]
    assert await owner.fetchval("SELECT count(*) FROM idempotency_key") == 3


async def test_the_oldest_keys_are_pruned_from_one_instant_to_before_another(owner: Session) -> None:
    await owner.execute("INSERT INTO \"user\" (id, external_id, created_at) VALUES ($1, 'alice', now())", ALICE)
    first, second, third = (dt.datetime(2020, 1, day, tzinfo=dt.UTC) for day in (1, 2, 3))
    for number, created_at in enumerate((third, second, first)):
        await owner.execute(
            "INSERT INTO idempotency_key (user_id, key, request, answer, created_at)"
            " VALUES ($1, $2::int::text, 'play', '{}', $3)",
            *(ALICE, number, created_at),
        )
    prune = "SELECT keys, until FROM haru_prune_keys($1, $2, $3)"
    for since, before, most, pruned in (
        (first, third, 1, (1, first)),
        (first, second, 9, (0, None)),
        (second, third, 9, (1, second)),
        (third, third + dt.timedelta(days=1), 9, (1, third)),
    ):
        assert tuple(await owner.fetchrow(prune, since, before, most) or ()) == pruned


async def test_what_refuses_or_runs_as_the_owner_finds_haru_s_own_tables(owner: Session) -> None:
    found = await owner.fetch(
        "SELECT oid::regprocedure::text, proconfig, prosecdef FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
        " AND (prosecdef OR prorettype = 'trigger'::regtype) AND proname ^@ 'haru_'"
    )
    assert {name for name, _, is_definer in found if is_definer} == {name.replace(", ", ",") for name in DEFINERS}
    for name, config, _ in found:
        assert "search_path=public, pg_temp" in (config or ()), f"{name} is made after create_guards()"
    fixed = await owner.fetch("SELECT oid::regprocedure::text FROM pg_proc WHERE proconfig::text ~ 'search_path'")
    assert {name for (name,) in fixed} == {name for name, *_ in found}, "what has no need of it is only slower by it"
