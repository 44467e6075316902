"""`haru serve`: the server, in as many processes as asked for."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
import uvicorn

from server.app import create_app, settled
from server.auth import tokens_of
from server.cli.common import database_of, in_transaction, settings_or_exit, url_of
from server.cli.database import upgrade_with_rights
from server.clock import wall_clock
from server.demo import demo_tokens, load_demo
from server.http.places import PlaceLimits
from server.http.protocols import HttpConnection, WebSocketConnection
from server.observing.scratch import scratch
from server.settings import Settings
from server.workers import run_workers

EXPOSED = (
    "WARNING: whoever reaches {}:{} can be an administrator here, where tokens are handed out;"
    " set HARU_ENV=stage or production, with a HARU_SECRET of your own."
)


@click.command()
def serve() -> None:
    """Run the API: HOST, PORT (8000) and WORKERS (1) say where and in how many processes.

    In the local environment this also upgrades the database, adds demo data (HARU_DEMO_TODAY=DICE makes today the day
    of the dice) and prints tokens. Elsewhere the database must be upgraded before: `haru db upgrade`.
    """
    # uvicorn raises the signal again once it has stopped; as SystemExit it still lets the database stop behind it.
    signal.signal(signal.SIGTERM, _exit)
    asked = settings_or_exit(serving=True)
    _check_address(asked.host, asked.port, "HOST and PORT")
    if asked.metrics_port is not None:
        _check_address(asked.metrics_host, asked.metrics_port, "HARU_METRICS_HOST and HARU_METRICS_PORT")
        _check_temporary_files()
    with database_of(asked, for_real=not asked.is_local) as settings:
        if settings.is_local:
            upgrade_with_rights(settings)
            asyncio.run(in_transaction(settings, lambda tx: load_demo(tx, settings.demo_today)))
            _print_welcome(settings)
        with _metrics(settings):
            _run_server(settings)


def _check_address(host: str, port: int, names: str) -> None:
    """Tell at once, before anything is changed or printed, that the address is not to be had."""
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        socket.create_server(address[:2], family=family).close()
    except OSError as taken:
        why = taken.strerror if isinstance(taken, socket.gaierror) else os.strerror(taken.errno or 0)
        raise click.ClickException(f"{host}, port {port}: {why}. {names} name another.") from None


def _check_temporary_files() -> None:
    """Tell at once that there is nowhere to count into."""
    try:
        tempfile.gettempdir()
    except FileNotFoundError:
        raise click.ClickException(
            "HARU_METRICS_PORT needs a directory for temporary files that can be written to; TMPDIR names it."
        ) from None


@contextmanager
def _metrics(settings: Settings) -> Iterator[None]:
    """Have workers count, and serve what they count, where that is wanted."""
    if settings.metrics_port is None:
        yield
        return
    with scratch() as directory:
        # For the workers, and for their library, which looks once: when it is imported.
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(directory)  # noqa: TID251
        from server.observing.exposition import metrics_served  # noqa: PLC0415 (only where metrics are wanted)

        with metrics_served(settings, wall_clock, directory):
            yield


def _exit(*_: object) -> None:
    raise SystemExit(0)


def _run_server(settings: Settings) -> None:
    """Serve until told to stop; worker processes read the same settings out of the environment, but the owner's."""
    os.environ["DATABASE_URL"] = url_of(settings)  # noqa: TID251 (for the workers)
    os.environ.pop("HARU_OWNER_URL", None)  # noqa: TID251
    options: dict[str, Any] = {
        "host": settings.host,
        "port": settings.port,
        "http": HttpConnection,
        "ws": WebSocketConnection,
        "log_config": None,  # the process has one: `configure_logs`
        "access_log": False,
        "server_header": False,
        "timeout_keep_alive": HttpConnection.head_seconds,
        "timeout_graceful_shutdown": 15,
        "ws_max_size": PlaceLimits.message_bytes,
        "ws_per_message_deflate": False,  # messages are small, and every compressor keeps its window
    }
    if settings.workers == 1:
        uvicorn.run(settled(create_app(settings)), **options)
    else:
        run_workers("server.app:application", workers=settings.workers, **options)


def _print_welcome(settings: Settings) -> None:
    host = "127.0.0.1" if settings.host in {"0.0.0.0", "::"} else settings.host  # noqa: S104 (only to print it)
    address = f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"
    click.echo(f"\n  Play      {address}/\n  API       {address}/graphql\n  GraphiQL  {address}/graphiql\n")
    for one in demo_tokens(tokens_of(settings, wall_clock).issue):
        click.echo(f"  {one['label']} ({one['role']}):\n  {one['token']}\n")
    sys.stdout.flush()
    if settings.is_exposed:
        click.echo(EXPOSED.format(settings.host, settings.port), err=True)
