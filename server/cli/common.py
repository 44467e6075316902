"""What every command needs: settings that are whole, and a database."""

from __future__ import annotations

import asyncio
import datetime as dt
import getpass
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from random import SystemRandom  # noqa: TID251 (a command is a process of its own)
from typing import Any

import asyncpg
import click
from alembic.util import CommandError

from models import LAST_DATE
from server.clock import wall_clock
from server.logs import configure_logs
from server.migrations.roles import role_at
from server.postgres.embedded import EmbeddedPostgresError, as_its_owner, embedded_postgres
from server.postgres.suitability import UnsuitableDatabaseError, check_suitability
from server.settings import Settings, SettingsError, read_settings
from services.address import parse_address
from services.audit import Actor
from services.calendar import Calendar
from services.database import Database
from services.errors import HaruError
from services.outages import RAISED, cause_of, why
from services.request_errors import Unavailable
from services.transaction import Transactor

logger = logging.getLogger("haru.database")

RIGHTS = (
    "To upgrade, a role owns the database (ALTER DATABASE ... OWNER TO ...), or may create in its schema"
    " (GRANT USAGE, CREATE ON SCHEMA public TO ...), and owns the tables that are there. What the application may do,"
    " `haru db roles` grants. docs/deploy.md tells the rights of each command."
)
CONNECTIONS = 2
"""Of a command."""

FIRST_DATE = dt.date(2000, 1, 1)

FAILED: tuple[type[Exception], ...] = (asyncpg.PostgresError, *RAISED)
RIGHTLESS = (asyncpg.InsufficientPrivilegeError, asyncpg.InvalidSchemaNameError)


class Date(click.ParamType[dt.date]):
    """A business date, in the centuries that events are of: what is beyond has no midnight in every zone."""

    name = "date"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> dt.date:
        """The date that was written."""
        try:
            date = dt.datetime.strptime(value, "%Y-%m-%d").date()  # noqa: DTZ007 (a date is of no zone)
        except ValueError:
            self.fail(f"{value!r} is no date, as 2026-03-02.", param, ctx)
        if not FIRST_DATE <= date <= LAST_DATE:
            self.fail(f"{date} is not from {FIRST_DATE} to {LAST_DATE}.", param, ctx)
        return date


DATE = Date()


def settings_or_exit(*, serving: bool = False) -> Settings:
    """The settings; a message instead of a traceback where they are faulty. A server's log is for programs."""
    try:
        settings = read_settings()
    except SettingsError as invalid:
        raise click.ClickException(f"haru does not start with these settings:\n{invalid}") from None
    configure_logs(settings.log_level, as_json=serving and not settings.is_local)
    return settings


@contextmanager
def database_of(settings: Settings, *, for_real: bool = False, as_owner: bool = False) -> Iterator[Settings]:
    """The settings with a database: DATABASE_URL's, or the embedded one, which runs as long as somebody uses it.

    DATABASE_URL's, or HARU_OWNER_URL's for who acts as the owner, is checked first. A server that is for real
    (`for_real`) may be started before its database, which it tells. What goes wrong, or is refused by the domain,
    becomes a message.
    """
    try:
        if settings.database_url is None:
            with embedded_postgres(settings.state_dir) as url:
                yield settings.model_copy(update={"database_url": url, "owner_database_url": as_its_owner(url)})
        else:
            if as_owner and settings.owner_database_url is not None:
                _check("HARU_OWNER_URL", settings.owner_database_url, for_real=for_real)
            else:
                _check("DATABASE_URL", settings.database_url, for_real=for_real)
            yield settings
    except (EmbeddedPostgresError, UnsuitableDatabaseError, CommandError) as failed:
        raise click.ClickException(str(failed)) from None
    except FAILED as failed:
        raise click.ClickException(_told(failed)) from None
    except HaruError as failed:
        raise click.ClickException(_told(failed) if isinstance(failed, Unavailable) else failed.message) from None


def _check(name: str, url: str, *, for_real: bool) -> None:
    for parameter in parse_address(url).left_out:
        logger.warning("%s: left out %s", name, parameter)
    try:
        if warning := asyncio.run(check_suitability(url, for_real=for_real)):
            logger.warning(warning)
    except Unavailable as away:
        if not for_real:
            raise
        logger.error("the server starts without its database: %s", why(away))  # noqa: TRY400 (it is no bug)


def _told(failure: Exception) -> str:
    """Why a command cannot be done."""
    cause = cause_of(failure)
    return f"The database cannot be used: {why(failure)}" + (f"\n{RIGHTS}" if isinstance(cause, RIGHTLESS) else "")


def url_of(settings: Settings) -> str:
    """The database's URL, within `database_of`."""
    assert settings.database_url is not None
    return settings.database_url


def owner_url_of(settings: Settings) -> str:
    """The database's URL for its owner, within `database_of`."""
    assert settings.owner_url is not None
    return settings.owner_url


def application_role(settings: Settings) -> str | None:
    """The role that the application has, within `database_of`; none where it is the owner's, who may do everything."""
    roles = [asyncio.run(role_at(url)) for url in (url_of(settings), owner_url_of(settings))]
    return roles[0] if roles[0] != roles[1] else None


def named_role(settings: Settings) -> str:
    """The role that DATABASE_URL names, whether or not it can log in."""
    address = parse_address(settings.database_url) if settings.database_url else None
    name: str | None = (address.settings.get("role") or address.arguments["user"]) if address else None
    if name is None:
        raise click.UsageError("DATABASE_URL names no role: give --role.")
    return name


def actor(command: str) -> Actor:
    """Who acts in the audit log, having a shell beside the database: `alice (haru token)`, by the system's user."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        user = "cli"
    return Actor(f"{user} (haru {command})")


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Database]:
    """A database with the few connections that a command needs."""
    database = Database(url, pool_size=CONNECTIONS)
    try:
        yield database
    finally:
        await database.close()


async def in_transaction(settings: Settings, command: Any) -> Any:
    """Run one command against the database."""
    async with connected(url_of(settings)) as database:
        return await Transactor(database, Calendar(settings.zone), wall_clock, SystemRandom())(command)
