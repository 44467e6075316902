"""`haru seal`: sealing the ledger, and keeping copies of its seals."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import click

from server.cli.common import connected, database_of, settings_or_exit, url_of
from server.cli.telling import json_option, print_json
from server.clock import wall_clock
from services.database import Database
from services.seal_copies import CopyError, lacking, read_copies
from services.seals import NOTHING, Seal, seal


@click.command("seal")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A file to keep seals in; those it lacks are added.",
)
@json_option
def seal_ledger(out: Path | None, *, as_json: bool) -> None:
    """Seal what was added to the ledger since its last seal, and tell how far it is sealed.

    The server does so once a minute. --out FILE adds the seals that FILE lacks, each a line of JSON: keep it, or a copy
    of it, where whoever owns the database cannot write. It is checked first: where its seals are not the database's,
    nothing is written, exit 1. `haru audit --seals FILE` compares it with the whole ledger.

    With --json: an object with seal (number, chains, lines and hash; null where nothing was added) and added, how many
    seals FILE lacked; null without --out.
    """
    with database_of(settings_or_exit()) as settings:
        try:
            made, added = asyncio.run(_seal(url_of(settings), out))
        except CopyError as other:
            raise click.ClickException(f"{out}: {other}. Nothing was written to it.") from None
    if as_json:
        told = made and {"number": made.number, "chains": made.leaves, "lines": made.lines, "hash": made.hash.hex()}
        print_json({"seal": told, "added": added})
        return
    if made is None:
        click.echo("Nothing was added since the last seal.")
    else:
        click.echo(f"seal {made.number}: {made.leaves} chains, {made.lines} lines in all, {made.hash.hex()}")
    if out is not None:
        click.echo(f"added to {out}: {added}")


async def _seal(url: str, out: Path | None) -> tuple[Seal | None, int | None]:
    """Seal what there is to seal, and keep it; the seal, and how many were kept. Raises: CopyError."""
    async with connected(url) as database:
        return await seal(database, wall_clock), None if out is None else await _keep(database, out)


async def _keep(database: Database, out: Path) -> int:
    """Add the seals that a file lacks; how many. Raises: CopyError."""
    added, last = 0, NOTHING
    with out.open("a+", encoding="utf-8", newline="\n") as file:
        file.seek(0)
        for last in read_copies(file):  # noqa: B007 (the last is meant)
            pass
        async for line in lacking(database, last):
            file.write(line + "\n")
            added += 1
        file.flush()
        os.fsync(file.fileno())
    return added
