"""`haru coupons`: filling the pools, and who waits for that."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import click

from server.cli_common import actor, database_of, in_transaction, settings_or_exit, url_of
from server.settings import Settings
from services.coupons import Imported, Waiting, import_codes, read_codes, waiting_grants
from services.database import Database
from services.errors import ValidationFailed


@click.group()
def coupons() -> None:
    """Fill the pools of coupon codes."""


@coupons.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--type", "coupon_type", required=True, help="The couponType of the rewards that these codes are for.")
def import_(file: Path, coupon_type: str) -> None:
    """Import the codes of FILE: one a line, or the first column of a CSV, without a header; UTF-8.

    All or nothing: a code that is empty, too long (128 characters), twice in the file or already in the pool is an
    error with its line number, exit 1. Grants that wait for a code of this type get theirs first come, first served.
    """
    with database_of(settings_or_exit()) as settings:
        try:
            codes = read_codes(file.read_bytes())
            command = partial(import_codes, actor=actor("coupons import"), coupon_type=coupon_type, codes=codes)
            imported: Imported = asyncio.run(in_transaction(settings, command))
        except ValidationFailed as faulty:
            for issue in faulty.issues:
                click.echo(f"{_place(issue.path)}: {issue.message}", err=True)
            raise click.ClickException("Nothing was imported.") from None
    click.echo(f"imported: {imported.codes}\nserved:   {imported.served}")


@coupons.command("waiting")
def waiting() -> None:
    """Print how many grants wait for a code, a line for each type."""
    with database_of(settings_or_exit()) as settings:
        found = asyncio.run(_waiting(settings))
    for one in found:
        click.echo(f"{one.coupon_type}: {one.grants}")
    if not found:
        click.echo("No grant waits for a code.")


async def _waiting(settings: Settings) -> list[Waiting]:
    database = Database(url_of(settings), pool_size=2)
    try:
        return await waiting_grants(database)
    finally:
        await database.close()


def _place(path: Sequence[str]) -> str:
    """Where a fault is: a line of the file, the whole file, or an option."""
    match path:
        case ["lines", line]:
            return f"line {line}"
        case ["lines"]:
            return "the file"
        case _:
            return f"--{path[0]}"
