"""Runs migrations: one deployment at a time, and never waiting long for a lock that the running service holds.

The database's address comes from `config.attributes["url"]` (the haru command) or `-x url=...` (the alembic command).
"""

from __future__ import annotations

import asyncio

from sqlalchemy import Connection, text
from sqlalchemy.pool import NullPool

from alembic import context
from models import Base
from services.database import create_engine

MIGRATION_LOCK = 0x68617275
"""The key of the advisory lock that whoever migrates holds ("haru" in ASCII)."""


def run_migrations(connection: Connection) -> None:
    """Migrate in one transaction: all of it, or none."""
    context.configure(connection=connection, target_metadata=Base.metadata, compare_server_default=True)
    with context.begin_transaction():
        connection.execute(text("SET LOCAL lock_timeout = '10s'"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
        # A table lock that does not come soon would queue every request behind it: give up, and try in a quieter moment.
        connection.execute(text("SET LOCAL lock_timeout = '2s'"))
        context.run_migrations()


async def run_online(url: str) -> None:
    """Connect and migrate."""
    engine = create_engine(url, pool={"poolclass": NullPool})
    try:
        async with engine.connect() as connection:
            await connection.run_sync(run_migrations)
            await connection.commit()
    finally:
        await engine.dispose()


def database_url() -> str:
    """The address to migrate.

    Raises: RuntimeError when neither the caller nor `-x url=` names one.
    """
    url = context.config.attributes.get("url") or context.get_x_argument(as_dictionary=True).get("url")
    if not url:
        raise RuntimeError(
            "Run `haru db upgrade`, or name the database: alembic -x url=postgresql+asyncpg://... upgrade head"
        )
    return str(url)


if context.is_offline_mode():
    context.configure(dialect_name="postgresql", target_metadata=Base.metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    asyncio.run(run_online(database_url()))
