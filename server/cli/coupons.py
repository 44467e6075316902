"""`haru coupons`: filling the pools of codes, and what is in them."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TypeVar

import click

from server.cli.common import actor, connected, database_of, in_transaction, settings_or_exit, url_of
from server.cli.telling import json_option, looking, print_json, watched, working
from server.settings import Settings
from services.coupon_files import CodeFile, read_codes
from services.coupons import Imported, import_codes, pools, rehearse
from services.database import Database
from services.errors import ValidationFailed
from services.rules.texts import nfc

ResultT = TypeVar("ResultT")

SHOWN = 5
"""Codes that a dry run shows."""


@click.group()
def coupons() -> None:
    """Fill the pools of coupon codes, and look at them."""


@coupons.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--type",
    "coupon_type",
    required=True,
    callback=lambda _context, _option, given: nfc(given),
    help="The couponType of the rewards that these codes are for.",
)
@click.option("--dry-run", is_flag=True, help="Check everything and show the first codes; import nothing.")
@click.option(
    "--header/--no-header", default=None, help="Whether the first row names columns; without it, that must show."
)
def import_(file: Path, coupon_type: str, dry_run: bool, header: bool | None) -> None:
    """Import the codes of FILE: one a line, or a column of a CSV: the one that its header calls code, or the first.

    UTF-8, UTF-16 or CP949, as spreadsheets save; empty rows are left out. All or nothing: what is no code or does not
    look like one (1.23457E+17), is twice in the file or in a pool already, of whatever type, is an error with its line
    number, exit 1. Grants that wait for a code of this type get theirs first come, first served.
    """
    with database_of(settings_or_exit()) as settings, _faults_told():
        found = read_codes(file.read_bytes(), header=header)
        if dry_run:
            rehearsal = partial(rehearse, coupon_type=coupon_type, codes=found.codes)
            _show(found, asyncio.run(_on_database(settings, rehearsal)))
            return
        with _progress(len(found.codes)) as progress:
            command = partial(
                import_codes,
                actor=actor("coupons import"),
                action="coupons import",
                coupon_type=coupon_type,
                codes=found.codes,
                progress=progress,
            )
            imported: Imported = asyncio.run(in_transaction(settings, command))
    click.echo(f"imported: {imported.codes}\nserved:   {imported.served}")


@coupons.command("list")
@json_option
def list_(*, as_json: bool) -> None:
    """Print the codes of each type that are left and given, and who waits for one; exit 2 if it could not look."""
    with looking(), database_of(settings_or_exit()) as settings, working("looking at the pools"):
        found = asyncio.run(_on_database(settings, pools))
    if as_json:
        print_json([asdict(pool) for pool in found])
        return
    if not found:
        click.echo("There are no coupons.")
        return
    lines = [("type", "left", "given", "waiting"), *((p.coupon_type, p.left, p.given, p.waiting) for p in found)]
    width = max(len(str(line[0])) for line in lines)
    for coupon_type, *counts in lines:
        click.echo(f"{coupon_type:<{width}}" + "".join(f" {count:>9}" for count in counts))


async def _on_database(settings: Settings, read: Callable[[Database], Awaitable[ResultT]]) -> ResultT:
    async with connected(url_of(settings)) as database:
        return await read(database)


def _show(found: CodeFile, would_be: Imported) -> None:
    """Tell what an import of the file would do."""
    click.echo(f"would import: {would_be.codes}\nwould serve:  {would_be.served}")
    if found.header is not None:
        click.echo(f"header:       {', '.join(found.header)}")
    for code in found.codes[:SHOWN]:
        click.echo(f"line {code.line}: {code.text}")
    click.echo("Nothing was imported: this was a dry run.")


@contextmanager
def _faults_told() -> Iterator[None]:
    """Print every fault, each with its place, and end the command."""
    try:
        yield
    except ValidationFailed as faulty:
        for issue in faulty.issues:
            click.echo(f"{_place(issue.path)}: {issue.message}", err=True)
        if faulty.more:
            click.echo(f"There are more; these are the first {len(faulty.issues)}.", err=True)
        raise click.ClickException("Nothing was imported.") from None


@contextmanager
def _progress(codes: int) -> Iterator[Callable[[int], None]]:
    """Show how many codes are imported, where a terminal looks on."""
    hidden = not watched()
    with click.progressbar(length=codes, label="importing", show_pos=True, file=sys.stderr, hidden=hidden) as bar:
        yield lambda done: bar.update(done - bar.pos)


def _place(path: Sequence[str]) -> str:
    """Where a fault is: a line of the file, the whole file, or an option."""
    match path:
        case ["lines", line]:
            return f"line {line}"
        case ["lines"]:
            return "the file"
        case _:
            return f"--{path[0]}"
