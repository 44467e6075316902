"""The `haru` command."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from functools import partial
from typing import Any

import click
import uvicorn

from models import Role
from resolvers.root import external_id
from resolvers.schema import sdl
from schema.context import AccessToken
from server import database as migrations
from server.app import create_app, wall_clock
from server.auth import Tokens
from server.cli_common import actor, database_of, in_transaction, settings_or_exit, url_of
from server.cli_coupons import coupons
from server.cli_operate import schedule
from server.connections import HttpConnection, WebSocketConnection
from server.demo import demo_tokens, load_demo
from server.settings import Settings
from server.subscriptions import SubscriptionLimits
from server.verification import CannotVerifyError, verify
from services.errors import BadRequest
from services.idempotency import BEGINNING, prune
from services.tokens import admit

EXPOSED = (
    "WARNING: whoever reaches {}:{} can be an administrator here, where tokens are handed out;"
    " set HARU_ENV=stage or production, with a HARU_SECRET of your own."
)


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
    """haru: the backend of daily live events.

    Without DATABASE_URL every command uses an embedded PostgreSQL, whose data is in HARU_STATE_DIR (default: .haru in
    the project); it runs as long as a command uses it. Settings are environment variables: see docs/deploy.md.

    \b
    haru serve                              run the API; local: with demo data and tokens to try it
    haru db upgrade && haru db verify       before a deployment
    haru token --external-id alice          a player's token
    haru schedule check --days 14           what is wrong with the days ahead
    haru coupons import FILE --type COFFEE  more codes for a pool, first for the grants that wait
    haru db prune                           old idempotency keys, daily
    """  # noqa: D301 (\b is click's mark of a paragraph to leave as it is)


main.add_command(schedule)
main.add_command(coupons)


@main.command()
def serve() -> None:
    """Run the API: HOST, PORT (8000) and WORKERS (1) say where and in how many processes.

    In the local environment this also upgrades the database, adds demo data (HARU_DEMO_TODAY=DICE makes today the day
    of the dice) and prints tokens. Elsewhere the database must be upgraded before: `haru db upgrade`.
    """
    # uvicorn raises the signal again once it has stopped; as SystemExit it still lets the database stop behind it.
    signal.signal(signal.SIGTERM, _exit)
    asked = settings_or_exit()
    _check_address(asked)
    with database_of(asked) as settings:
        if settings.is_local:
            migrations.upgrade(url_of(settings))
            asyncio.run(in_transaction(settings, lambda tx: load_demo(tx, settings.demo_today)))
            _print_welcome(settings)
        _run_server(settings)


def _check_address(settings: Settings) -> None:
    """Tell at once, before anything is changed or printed, that the address is not to be had."""
    try:
        family, *_, address = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0]
        socket.create_server(address[:2], family=family).close()
    except OSError as taken:
        where = f"{settings.host}, port {settings.port}"
        why = taken.strerror if isinstance(taken, socket.gaierror) else os.strerror(taken.errno or 0)
        raise click.ClickException(f"{where}: {why}. HOST and PORT name another.") from None


def _exit(*_: object) -> None:
    raise SystemExit(0)


def _run_server(settings: Settings) -> None:
    """Serve until told to stop; worker processes read the same settings out of the environment."""
    os.environ["DATABASE_URL"] = url_of(settings)  # noqa: TID251 (for the workers)
    options: dict[str, Any] = {
        "host": settings.host,
        "port": settings.port,
        "http": HttpConnection,
        "ws": WebSocketConnection,
        "log_level": settings.log_level,
        "access_log": False,
        "server_header": False,
        "timeout_keep_alive": HttpConnection.head_seconds,
        "timeout_graceful_shutdown": 15,
        "ws_max_size": SubscriptionLimits.message_bytes,
        "ws_per_message_deflate": False,  # messages are small, and every compressor keeps its window
    }
    if settings.workers == 1:
        uvicorn.run(create_app(settings), **options)
    else:
        uvicorn.run("server.app:application", factory=True, workers=settings.workers, **options)


def _print_welcome(settings: Settings) -> None:
    host = "127.0.0.1" if settings.host in {"0.0.0.0", "::"} else settings.host  # noqa: S104 (only to print it)
    address = f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"
    click.echo(f"\n  Play      {address}/\n  API       {address}/graphql\n  GraphiQL  {address}/graphiql\n")
    for one in demo_tokens(_tokens(settings).issue):
        click.echo(f"  {one['label']} ({one['role']}):\n  {one['token']}\n")
    sys.stdout.flush()
    if settings.is_exposed:
        click.echo(EXPOSED.format(settings.host, settings.port), err=True)


@main.group()
def db() -> None:
    """Upgrade, verify or fill the database."""


@db.command("upgrade")
def db_upgrade() -> None:
    """Bring the database to the expected revision. Deployments that do so at the same time take turns."""
    with database_of(settings_or_exit()) as settings:
        migrations.upgrade(url_of(settings))
        click.echo(f"alembic_version: {migrations.EXPECTED_REVISION}")


@db.command("verify")
def db_verify() -> None:
    """Tell whether the database is as the migrations make it; exit 1 if it is not.

    Prints its alembic_version and the expected one, and everything that is missing, differs or is extra: tables,
    columns, constraints, indexes, triggers, rules and functions. A constraint that is not validated and a trigger that
    is switched off differ. An extra index that is not unique, or an extra function, is named, but is no fault.

    The migrations run in a scratch schema and are rolled back, so nothing changes and nobody waits. The role needs
    CREATE on the database, as its owner has.
    """
    with database_of(settings_or_exit()) as settings:
        try:
            verified = asyncio.run(verify(url_of(settings)))
        except CannotVerifyError as failed:
            raise click.ClickException(str(failed)) from None
    click.echo(f"alembic_version: {verified.revision or 'none'}\nexpected:        {migrations.EXPECTED_REVISION}")
    for finding in verified.findings:
        click.echo(str(finding), err=True)
    for difference in verified.models:
        click.echo(f"the models differ from the migrations: {difference}", err=True)
    if not verified.is_expected:
        raise SystemExit(1)


@db.command("demo")
def db_demo() -> None:
    """Add the demo data (local environment only). What is there stays; HARU_DEMO_TODAY=DICE sets today's feature."""
    with database_of(settings_or_exit()) as settings:
        if not settings.is_local:
            raise click.ClickException("Demo data is for the local environment.")
        asyncio.run(in_transaction(settings, lambda tx: load_demo(tx, settings.demo_today)))
        click.echo("The demo data is there.")


@db.command("prune")
def db_prune() -> None:
    """Delete idempotency keys that are older than 30 days, and print how many: for a daily job.

    A key is promised for 30 days; a request that comes again with an older one is a new request. Deletes in chunks of
    5,000, each in a transaction of its own, so that nobody waits; it can be stopped and run again at any time.
    """
    with database_of(settings_or_exit()) as settings:
        deleted = asyncio.run(_prune(settings))
    click.echo(f"deleted: {deleted}")


async def _prune(settings: Settings) -> int:
    deleted, until = 0, BEGINNING
    while (pruned := await in_transaction(settings, partial(prune, since=until))).keys:
        deleted, until = deleted + pruned.keys, pruned.until
    return deleted


def _external_id(_context: click.Context, _option: click.Parameter, given: str) -> str:
    """What the API takes as an external id, too."""
    try:
        return external_id(given)
    except BadRequest as bad:
        raise click.BadParameter(bad.message) from None


@main.command()
@click.option(
    "--external-id",
    required=True,
    callback=_external_id,
    help="The player's id in your system; created on first sight.",
)
@click.option("--role", type=click.Choice([role.value for role in Role]), default=Role.PLAYER.value, show_default=True)
def token(external_id: str, role: str) -> None:
    """Print an access token. The audit log tells who had it printed."""
    with database_of(settings_or_exit()) as settings:
        command = partial(admit, actor=actor("token"), external_id=external_id, role=Role(role))
        player = asyncio.run(in_transaction(settings, command))
        issued: AccessToken = _tokens(settings).issue(player.id, Role(role))
        click.echo(issued.text)


@main.command("schema")
def print_schema() -> None:
    """Print the GraphQL schema."""
    click.echo(sdl(), nl=False)
