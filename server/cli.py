"""The `haru` command."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from random import SystemRandom  # noqa: TID251 (a command is a process of its own)
from typing import Any

import click
import uvicorn

from models import Role
from resolvers.schema import sdl
from schema.context import AccessToken
from server import database as migrations
from server.app import create_app, wall_clock
from server.auth import Tokens
from server.demo import demo_tokens, load_demo
from server.embedded_postgres import EmbeddedPostgresError, embedded_postgres
from server.settings import Settings, SettingsError, read_settings
from services.calendar import Calendar
from services.database import Database
from services.errors import HaruError
from services.players import sign_in
from services.transaction import Transactor


@contextmanager
def _database(settings: Settings) -> Iterator[Settings]:
    """The settings with a database: DATABASE_URL's, or the embedded one, which runs as long as somebody uses it."""
    if settings.database_url is not None:
        yield settings
        return
    try:
        with embedded_postgres(settings.state_dir) as url:
            yield settings.model_copy(update={"database_url": url})
    except EmbeddedPostgresError as failed:
        raise click.ClickException(str(failed)) from None


def _settings() -> Settings:
    try:
        return read_settings()
    except SettingsError as invalid:
        raise click.ClickException(f"haru does not start with these settings:\n{invalid}") from None


def _url(settings: Settings) -> str:
    assert settings.database_url is not None
    return settings.database_url


async def _in_transaction(settings: Settings, command: Any) -> Any:
    """Run one command against the database."""
    database = Database(_url(settings), pool_size=2)
    try:
        return await Transactor(database, Calendar(settings.zone), wall_clock, SystemRandom())(command)
    finally:
        await database.close()


def _tokens(settings: Settings) -> Tokens:
    return Tokens(
        settings.secrets,
        issuer=settings.token_issuer,
        audience=settings.token_audience,
        lifetime_seconds=settings.token_seconds,
        clock=wall_clock,
    )


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    r"""haru: the backend of daily live events.

    Without DATABASE_URL every command uses an embedded PostgreSQL, whose data is in HARU_STATE_DIR (default: .haru in
    the project); it runs as long as a command uses it. Settings are environment variables: see docs/deploy.md.

    \b
    haru serve                              run the API; local: with demo data and tokens to try it
    haru db upgrade && haru db verify       before a deployment
    haru token --external-id alice          a player's token
    """


@main.command()
def serve() -> None:
    """Run the API: HOST, PORT (8000) and WORKERS (1) say where and in how many processes.

    In the local environment this also upgrades the database, adds demo data (HARU_DEMO_TODAY=DICE makes today the day
    of the dice) and prints tokens. Elsewhere the database must be upgraded before: `haru db upgrade`.
    """
    # uvicorn raises the signal again once it has stopped; as SystemExit it still lets the database stop behind it.
    signal.signal(signal.SIGTERM, _exit)
    with _database(_settings()) as settings:
        if settings.is_local:
            migrations.upgrade(_url(settings))
            asyncio.run(_in_transaction(settings, lambda tx: load_demo(tx, settings.demo_today)))
            _print_welcome(settings)
        _run_server(settings)


def _exit(*_: object) -> None:
    raise SystemExit(0)


def _run_server(settings: Settings) -> None:
    """Serve until told to stop; worker processes read the same settings out of the environment."""
    os.environ["DATABASE_URL"] = _url(settings)  # noqa: TID251 (for the workers)
    options: dict[str, Any] = {
        "host": settings.host,
        "port": settings.port,
        "log_level": settings.log_level,
        "access_log": False,
        "server_header": False,
        "timeout_keep_alive": 10,
        "timeout_graceful_shutdown": 15,
        "h11_max_incomplete_event_size": 64 * 1024,
    }
    if settings.workers == 1:
        uvicorn.run(create_app(settings), **options)
    else:
        uvicorn.run("server.app:application", factory=True, workers=settings.workers, **options)


def _print_welcome(settings: Settings) -> None:
    host = "127.0.0.1" if settings.host in {"0.0.0.0", "::"} else settings.host  # noqa: S104 (only to print it)
    address = f"http://{host}:{settings.port}"
    click.echo(f"\n  API       {address}/graphql\n  GraphiQL  {address}/graphiql\n")
    for one in demo_tokens(_tokens(settings).issue):
        click.echo(f"  {one['label']} ({one['role']}):\n  {one['token']}\n")
    sys.stdout.flush()


@main.group()
def db() -> None:
    """Upgrade, verify or fill the database."""


@db.command("upgrade")
def db_upgrade() -> None:
    """Bring the database to the expected revision. Deployments that do so at the same time take turns."""
    with _database(_settings()) as settings:
        migrations.upgrade(_url(settings))
        click.echo(f"alembic_version: {migrations.EXPECTED_REVISION}")


@db.command("verify")
def db_verify() -> None:
    """Print the database's alembic_version and the expected one; exit 1 if they differ or the tables are not ours."""
    with _database(_settings()) as settings:
        revision, differences = asyncio.run(migrations.inspect(_url(settings)))
    click.echo(f"alembic_version: {revision or 'none'}\nexpected:        {migrations.EXPECTED_REVISION}")
    for difference in differences:
        click.echo(f"differs: {difference}", err=True)
    if differences or revision != migrations.EXPECTED_REVISION:
        raise SystemExit(1)


@db.command("demo")
def db_demo() -> None:
    """Add the demo data (local environment only). What is there stays; HARU_DEMO_TODAY=DICE sets today's feature."""
    with _database(_settings()) as settings:
        if not settings.is_local:
            raise click.ClickException("Demo data is for the local environment.")
        asyncio.run(_in_transaction(settings, lambda tx: load_demo(tx, settings.demo_today)))
        click.echo("The demo data is there.")


@main.command()
@click.option("--external-id", required=True, help="The player's id in your system; created on first sight.")
@click.option("--role", type=click.Choice([role.value for role in Role]), default=Role.PLAYER.value, show_default=True)
def token(external_id: str, role: str) -> None:
    """Print an access token."""
    with _database(_settings()) as settings:
        try:
            player = asyncio.run(_in_transaction(settings, lambda tx: sign_in(tx, external_id)))
        except HaruError as failed:
            raise click.ClickException(failed.message) from None
        issued: AccessToken = _tokens(settings).issue(player.id, Role(role))
        click.echo(issued.text)


@main.command("schema")
def print_schema() -> None:
    """Print the GraphQL schema."""
    click.echo(sdl(), nl=False)
