"""Whether a database holds all that the migrations make, rule by rule.

What is expected is written nowhere but in the migrations. They run once more, in a scratch schema of the very database
and in a transaction that is rolled back; then both schemas are compared as this server prints them. So a rule counts as
it holds, not as it is called: one that is not validated, switched off or replaced differs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.pool import NullPool

from models import Base
from server.migrations.definitions import Finding, Thing, definitions, write_checks_again
from server.migrations.roles import rights_differing
from server.migrations.upgrade import EXPECTED_REVISION, alembic_config
from server.postgres.durability import WEAK_SETTINGS, WeakSetting
from services.database import create_engine
from services.outages import reachable

SCRATCH = "haru_verify"


class CannotVerifyError(RuntimeError):
    """The role may not make the scratch schema; the message says what it needs."""

    def __init__(self) -> None:
        super().__init__(
            "To verify, haru makes its tables in a scratch schema and takes them back. The role needs CREATE on the"
            " database for that: it has to be its owner, or GRANT CREATE ON DATABASE."
        )


@dataclass(frozen=True)
class Verified:
    """The database's revision, all findings, and where this installation's models and migrations do not agree."""

    revision: str | None
    findings: list[Finding]
    models: list[str]

    @property
    def is_expected(self) -> bool:
        """Whether haru may run on this database."""
        faults = [finding for finding in self.findings if finding.is_fault]
        return self.revision == EXPECTED_REVISION and not faults and not self.models


async def verify(url: str, *, role: str | None = None) -> Verified:
    """Compare a database with the migrations, and these with the models. Changes nothing; takes about a second.

    `url` is the owner's address; `role` the application's role, where it is another one.

    Raises: Unavailable, CannotVerifyError.
    """
    with reachable():
        async with create_engine(url, pool={"poolclass": NullPool}).connect() as connection:
            return await connection.run_sync(_verify, role)


def _verify(connection: Connection, role: str | None) -> Verified:
    """Verify, in a transaction that the caller rolls back."""
    if not connection.scalar(text("SELECT has_database_privilege(current_database(), 'CREATE')")):
        raise CannotVerifyError
    options = {"target_metadata": Base.metadata, "compare_server_default": True}
    context = MigrationContext.configure(connection, opts=options)
    revision = context.get_current_revision()
    schema = connection.scalar(text("SELECT current_schema()"))
    found = definitions(connection, schema)
    beside = [*rights_differing(connection, schema, role), *_weak_settings(connection, role)]
    connection.execute(text(f"CREATE SCHEMA {SCRATCH}"))
    connection.execute(text(f"SET LOCAL search_path = {SCRATCH}"))
    with Operations.context(context):
        for script in reversed([*ScriptDirectory.from_config(alembic_config()).walk_revisions()]):
            script.module.upgrade()
    models = [repr(difference) for difference in compare_metadata(context, Base.metadata)]
    expected = definitions(connection, SCRATCH)
    write_checks_again(connection, SCRATCH)
    differing = _compare(expected, definitions(connection, SCRATCH), found)
    return Verified(revision, [*differing, *beside], models)


def _weak_settings(connection: Connection, role: str | None) -> Iterator[Finding]:
    for row in connection.exec_driver_sql(WEAK_SETTINGS, ([role] if role else [],)):
        weak = WeakSetting(*row)
        yield Finding(Thing("setting", None, weak.setting), weak.expected, weak.found)


def _compare(
    expected: Mapping[Thing, str], restored: Mapping[Thing, str], found: Mapping[Thing, str]
) -> Iterator[Finding]:
    """Whatever is neither as it is made nor as it is restored; of a table that is missing or extra, the table alone."""
    tables = {thing.table for thing in expected} ^ {thing.table for thing in found}
    for thing in sorted(expected.keys() | found.keys(), key=str):
        is_part = thing.kind != "table" and thing.table in tables
        if not is_part and found.get(thing) not in {expected.get(thing), restored.get(thing)}:
            yield Finding(thing, expected.get(thing), found.get(thing))
