"""Bringing a database to the expected revision, and checking that it is there."""

from __future__ import annotations

from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.pool import NullPool

from alembic import command
from models import Base
from server.settings import PROJECT
from services.database import create_engine


def alembic_config(url: str | None = None) -> Config:
    """Alembic's configuration, for the database at `url`."""
    config = Config(str(Path(PROJECT) / "alembic.ini"))
    config.attributes["url"] = url
    return config


def _head() -> str:
    head = ScriptDirectory.from_config(alembic_config()).get_current_head()
    if head is None:
        raise RuntimeError("there are no migrations beside this installation")
    return head


EXPECTED_REVISION = _head()


def upgrade(url: str) -> None:
    """Bring the database to the expected revision; several deployments at once take turns."""
    command.upgrade(alembic_config(url), "head")


def downgrade(url: str) -> None:
    """Remove every table of haru's, with all data."""
    command.downgrade(alembic_config(url), "base")


def _inspect(connection: Connection) -> tuple[str | None, list[str]]:
    context = MigrationContext.configure(connection, opts={"compare_server_default": True})
    return context.get_current_revision(), [repr(difference) for difference in compare_metadata(context, Base.metadata)]


async def inspect(url: str) -> tuple[str | None, list[str]]:
    """The database's revision, and every difference of its tables from the models."""
    engine = create_engine(url, pool={"poolclass": NullPool})
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(_inspect)
    finally:
        await engine.dispose()
