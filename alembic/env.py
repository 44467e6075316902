"""Runs migrations: one deployment at a time, and never waiting long for a lock that the running service holds.

The database is the one that `config.attributes["url"]` names (the haru command), or, for the alembic command, the one
that the haru command would take: HARU_OWNER_URL's or DATABASE_URL's, or, without these, in the local environment, the
embedded one.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import click
from alembic.util import CommandError
from sqlalchemy import Connection
from sqlalchemy.pool import NullPool

from alembic import context
from models import Base
from server.cli.common import database_of, owner_url_of, settings_or_exit
from server.migrations.roles import MIGRATION_LOCK
from services.database import create_engine


def run_migrations(**target: Any) -> None:
    """Migrate in one transaction: all of it, or none. `target`: a connection, or how to print statements instead."""
    context.configure(**target, target_metadata=Base.metadata, compare_server_default=True)
    with context.begin_transaction():
        context.execute("SET LOCAL lock_timeout = '10s'")
        context.execute(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")
        # A table lock that does not come soon would queue every request behind it: give up, and try in a quieter moment.
        context.execute("SET LOCAL lock_timeout = '2s'")
        context.run_migrations()


async def migrate(url: str) -> None:
    """Connect and migrate."""

    def run(connection: Connection) -> None:
        run_migrations(connection=connection)

    engine = create_engine(url, pool={"poolclass": NullPool})
    try:
        async with engine.connect() as connection:
            await connection.run_sync(run)
            await connection.commit()
    finally:
        await engine.dispose()


def migrate_from_a_terminal() -> None:
    """Migrate the database that the environment names; what goes wrong becomes a message of alembic's, not a traceback.

    Raises: CommandError.
    """
    logging.getLogger("alembic.runtime.migration").setLevel(logging.INFO)  # which revision is run
    try:
        with database_of(settings_or_exit(), as_owner=True) as settings:
            asyncio.run(migrate(owner_url_of(settings)))
    except click.ClickException as failed:
        raise CommandError(failed.message) from None


if context.is_offline_mode():
    run_migrations(dialect_name="postgresql+asyncpg", literal_binds=True)
elif given := context.config.attributes.get("url"):
    asyncio.run(migrate(given))
else:
    migrate_from_a_terminal()
