"""What every command needs: settings that are whole, and a database."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from random import SystemRandom  # noqa: TID251 (a command is a process of its own)
from typing import Any

import asyncpg
import click
from alembic.util import CommandError
from sqlalchemy.exc import DBAPIError

from server.app import wall_clock
from server.embedded_postgres import EmbeddedPostgresError, embedded_postgres
from server.settings import Settings, SettingsError, read_settings
from services.calendar import Calendar
from services.database import UNREACHABLE, Database
from services.errors import HaruError
from services.transaction import Transactor


def settings_or_exit() -> Settings:
    """The settings; a message instead of a traceback where they are faulty."""
    try:
        return read_settings()
    except SettingsError as invalid:
        raise click.ClickException(f"haru does not start with these settings:\n{invalid}") from None


@contextmanager
def database_of(settings: Settings) -> Iterator[Settings]:
    """The settings with a database: DATABASE_URL's, or the embedded one, which runs as long as somebody uses it.

    What goes wrong with it, or is refused by the domain, becomes a message.
    """
    try:
        with embedded_postgres(settings.state_dir) if settings.database_url is None else nullcontext(None) as url:
            yield settings.model_copy(update={"database_url": url or settings.database_url})
    except (EmbeddedPostgresError, CommandError) as failed:
        raise click.ClickException(str(failed)) from None
    except (asyncpg.PostgresError, DBAPIError) as failed:
        raise click.ClickException(f"The database refuses: {getattr(failed, 'orig', failed)}") from None
    except HaruError as failed:
        raise click.ClickException(failed.message) from None
    except UNREACHABLE as failed:
        raise click.ClickException(f"The database cannot be reached: {failed}") from None


def url_of(settings: Settings) -> str:
    """The database's URL, within `database_of`."""
    assert settings.database_url is not None
    return settings.database_url


def actor(command: str) -> str:
    """Who acts in the audit log, having a shell beside the database: `alice (haru token)`, by the system's user."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        user = "cli"
    return f"{user} (haru {command})"


async def in_transaction(settings: Settings, command: Any) -> Any:
    """Run one command against the database."""
    database = Database(url_of(settings), pool_size=2)
    try:
        return await Transactor(database, Calendar(settings.zone), wall_clock, SystemRandom())(command)
    finally:
        await database.close()
