"""The application's role: what it may do, as SQL, and what it may do too much or too little.

The owner has the tables, changes and verifies them (`HARU_OWNER_URL`); the application (`DATABASE_URL`) owns nothing,
and does to each table what `models.rights` says.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, text
from sqlalchemy.pool import NullPool

from models.rights import DEFINERS, RIGHTS
from server.migrations.definitions import Finding, Thing
from services.address import parse_address
from services.connector import Connector
from services.database import create_engine
from services.outages import reachable

MIGRATION_LOCK = 0x68617275
"""The key of the advisory lock that whoever changes tables or rights holds ("haru" in ASCII)."""

REVISION_TABLE = "alembic_version"

PUBLIC = "PUBLIC"

POWERFUL = ("pg_write_all_data", "pg_maintain", "pg_write_server_files", "pg_execute_server_program")
"""PostgreSQL's own roles whose members need no grant."""

HELD = """
WITH here AS (SELECT quote_ident(:schema)::regnamespace AS oid), acls AS (
    SELECT r.relname::text AS object, '' AS part, r.relowner AS owner, r.relacl AS acl
    FROM pg_class r, here WHERE r.relnamespace = here.oid AND r.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
    UNION ALL
    SELECT r.relname, format(' (%s)', a.attname), r.relowner, a.attacl
    FROM pg_class r JOIN pg_attribute a ON a.attrelid = r.oid AND NOT a.attisdropped, here
    WHERE r.relnamespace = here.oid
    UNION ALL
    SELECT p.oid::regprocedure::text, '', p.proowner, coalesce(p.proacl, acldefault('f', p.proowner))
    FROM pg_proc p, here WHERE p.pronamespace = here.oid AND p.prosecdef
    UNION ALL
    SELECT 'schema ' || n.nspname, '', n.nspowner, n.nspacl FROM pg_namespace n, here WHERE n.oid = here.oid
    UNION ALL
    SELECT 'database ' || datname, '', datdba, datacl FROM pg_database WHERE datname = current_database()
    UNION ALL
    SELECT 'what ' || pg_get_userbyid(d.defaclrole) || ' will make', '', d.defaclrole, d.defaclacl
    FROM pg_default_acl d, here WHERE d.defaclnamespace IN (0, here.oid) AND d.defaclobjtype IN ('r', 'S')
)
SELECT DISTINCT acls.object, x.privilege_type || acls.part AS "right", x.is_grantable,
    CASE WHEN x.grantee <> 0 THEN pg_get_userbyid(x.grantee) END AS grantee
FROM acls, here, aclexplode(acls.acl) x
WHERE x.grantee <> acls.owner AND NOT (x.privilege_type IN ('USAGE', 'CONNECT', 'TEMPORARY') AND acls.object ~ ' ')
    AND NOT (acls.object ~ '^(schema|database) ' AND x.grantee IN (
        SELECT r.relowner FROM pg_class r WHERE r.relnamespace = here.oid AND r.relname = 'alembic_version'))
"""
"""Every right that somebody holds by a grant. What everybody may do in a new database is left out, and so is what the
tables' owner needs where schema or database are not its own."""

POWERS = """
WITH role AS (SELECT * FROM pg_roles WHERE rolname = :role),
owned AS (
    SELECT relowner AS owner, relname::text AS object FROM pg_class
    WHERE relnamespace = quote_ident(:schema)::regnamespace AND relkind IN ('r', 'p', 'v', 'm')
    UNION ALL
    SELECT proowner, proname FROM pg_proc WHERE pronamespace = quote_ident(:schema)::regnamespace AND prosecdef
    UNION ALL
    SELECT nspowner, 'the schema' FROM pg_namespace WHERE oid = quote_ident(:schema)::regnamespace
    UNION ALL
    SELECT datdba, 'the database' FROM pg_database WHERE datname = current_database()
)
SELECT 'SUPERUSER' FROM role WHERE rolsuper
UNION ALL
SELECT 'CREATEROLE' FROM role WHERE rolcreaterole
UNION ALL
SELECT 'owner of ' || owned.object FROM role JOIN owned ON owned.owner = role.oid
UNION ALL
SELECT 'member of ' || other.rolname FROM role JOIN pg_roles other
    ON other.oid <> role.oid AND NOT role.rolsuper AND pg_has_role(role.oid, other.oid, 'MEMBER')
WHERE other.rolsuper OR other.rolcreaterole OR other.rolname = ANY (:powerful)
    OR other.oid IN (SELECT owned.owner FROM owned)
UNION ALL
SELECT 'SET session_replication_role' FROM role
WHERE NOT rolsuper AND has_parameter_privilege(role.oid, 'session_replication_role', 'SET')
"""
"""What stands above any grant."""


THERE = """
SELECT relname::text FROM pg_class WHERE relnamespace = quote_ident(:schema)::regnamespace
UNION ALL
SELECT oid::regprocedure::text FROM pg_proc WHERE pronamespace = quote_ident(:schema)::regnamespace
"""
"""What rights can be of."""


def quoted(name: str) -> str:
    """A name as SQL has it."""
    return '"' + name.replace('"', '""') + '"'


def grants(role: str, schema: str) -> Iterator[str]:
    """The statements that give a role what the application does, and take all else from it and from everybody."""
    to, every = quoted(role), ", ".join([REVISION_TABLE, *(quoted(table.__tablename__) for table in RIGHTS)])
    yield f"SET LOCAL search_path = {quoted(schema)}"
    yield f"REVOKE CREATE ON SCHEMA {quoted(schema)} FROM PUBLIC, {to}"
    yield f"GRANT USAGE ON SCHEMA {quoted(schema)} TO {to}"
    yield f"REVOKE ALL ON TABLE {every} FROM PUBLIC, {to}"
    yield f"REVOKE ALL ON SEQUENCE {', '.join(_sequences())} FROM PUBLIC, {to}"
    yield f"GRANT SELECT ON {REVISION_TABLE} TO {to}"
    for table, rights in RIGHTS.items():
        changes = [f"UPDATE ({', '.join(map(quoted, rights.changed))})"] if rights.changed else []
        given = ["SELECT", "INSERT", *changes, *(["DELETE"] if rights.delete else [])]
        yield f"GRANT {', '.join(given)} ON {quoted(table.__tablename__)} TO {to}"
    yield f"REVOKE ALL ON FUNCTION {', '.join(DEFINERS)} FROM PUBLIC"
    yield f"GRANT EXECUTE ON FUNCTION {', '.join(DEFINERS)} TO {to}"


def _sequences() -> Iterator[str]:
    """What numbers rows: whoever only adds them needs no right on it."""
    for table in RIGHTS:
        for column in table.__table__.columns:
            if column.identity is not None:
                yield quoted(f"{table.__tablename__}_{column.name}_seq")


async def make_grants(url: str, role: str) -> None:
    """Make the grants, as the owner, whose address `url` is; all or none. Raises: Unavailable."""
    with reachable():
        async with create_engine(url, pool={"poolclass": NullPool}).begin() as connection:
            await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")
            schema = await connection.scalar(text("SELECT current_schema()"))
            for statement in grants(role, schema):
                await connection.exec_driver_sql(statement)


async def role_at(url: str) -> str:
    """The role that an address comes to have, whatever stands between. Raises: Unavailable."""
    with reachable():
        connection = await Connector(parse_address(url))({})
        try:
            role: str = await connection.fetchval("SELECT current_user")
        finally:
            connection.terminate()
    return role


def rights_differing(connection: Connection, schema: str, role: str | None) -> Iterator[Finding]:
    """What the application's role may not do of what it should, and whatever it or anybody else may do beyond.

    Others may read. `role`: none where the application is the owner, who may do everything.
    """
    expected = set(_expected()) if role is not None else set()
    tables = connection.scalars(text(THERE), {"schema": schema}).all()
    for target, right, is_grantable, grantee in connection.execute(text(HELD), {"schema": schema}):
        if grantee == role is not None and (target, right) in expected:
            expected.discard((target, right))
            if not is_grantable:
                continue
        elif grantee not in {role, None} and right == "SELECT":
            continue
        to = PUBLIC if grantee is None else quoted(grantee)
        option = " WITH GRANT OPTION" if is_grantable else ""
        yield Finding(Thing("right", target, f"{right} of {grantee or PUBLIC}"), None, f"GRANT {right} TO {to}{option}")
    for target, right in sorted(expected):
        if target in tables:
            yield Finding(Thing("right", target, f"{right} of {role}"), f"GRANT {right} TO {quoted(str(role))}", None)
    for (power,) in connection.execute(text(POWERS), {"schema": schema, "role": role, "powerful": list(POWERFUL)}):
        yield Finding(Thing("role", role, power), None, power)


def _expected() -> Iterator[tuple[str, str]]:
    """The application's rights, as `HELD` tells them."""
    yield REVISION_TABLE, "SELECT"
    for table, rights in RIGHTS.items():
        for right in ("SELECT", "INSERT", *(["DELETE"] if rights.delete else [])):
            yield table.__tablename__, right
        for column in rights.changed:
            yield table.__tablename__, f"UPDATE ({column})"
    for function in DEFINERS:
        yield function.replace(", ", ","), "EXECUTE"
