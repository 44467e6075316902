"""`haru transcript` and `haru verify`: a day's draws as anybody can check them, and the check."""

from __future__ import annotations

import asyncio
import datetime as dt
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import click
import msgspec
from sqlalchemy.pool import NullPool

from server.cli.common import database_of, settings_or_exit, url_of
from services.database import create_engine
from services.rules.proofs import ProofText, check
from services.rules.transcripts import Line, Transcript
from services.transcripts import transcript

DATE = click.DateTime(formats=["%Y-%m-%d"])


@click.command("transcript")
@click.option("--date", "day", type=DATE, required=True, help="The business date: one that is closed.")
@click.option("--staff", is_flag=True, help="With players' ids and messages; without, it can be published.")
def print_transcript(day: dt.datetime, staff: bool) -> None:
    """Print all draws of a day, as JSON lines that `haru verify draws` and anybody else can check.

    The day, the revisions that were played, the finite stocks with what changed them, then each draw, the lottery's by
    number. docs/verify.md explains each line.
    """
    with database_of(settings_or_exit()) as settings:
        asyncio.run(_print(url_of(settings), day.date(), staff=staff))


async def _print(url: str, date: dt.date, *, staff: bool) -> None:
    encode = msgspec.json.Encoder().encode
    engine = create_engine(url, pool={"poolclass": NullPool})
    try:
        async with engine.connect() as connection:
            await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            async for line in transcript(connection, date, for_staff=staff):
                sys.stdout.buffer.write(encode(line) + b"\n")
        sys.stdout.flush()
    finally:
        await engine.dispose()


@click.group()
def verify() -> None:
    """Check what haru told, without a database or settings (draws), and what it drew (odds)."""


@verify.command("draws")
@click.argument("file", type=click.File("rb"))
def verify_draws(file: BinaryIO) -> None:
    """Check FILE, a play's `proof` as the API answers it, or a transcript: - reads it from the standard input.

    Tells each fault by its name, with its line in a transcript. Exit 0: every draw had to be so; 1: it had not; 2: FILE
    is neither.
    """
    lines = iter(file)
    first = next(lines, b"")
    try:
        if b'"type"' in first and first.rstrip().endswith(b"}"):
            draws, faults = _transcript(_chain(first, lines))
        else:
            draws, faults = 1, check(msgspec.json.decode(first + b"".join(lines), type=ProofText))
    except (msgspec.DecodeError, UnicodeDecodeError) as unreadable:
        click.echo(f"{Path(file.name).name} is neither a proof nor a transcript: {unreadable}", err=True)
        raise SystemExit(2) from None
    for fault in faults:
        click.echo(fault, err=True)
    click.echo(f"draws: {draws}, " + (f"faults: {len(faults)}" if faults else "all as they had to be"))
    if faults:
        raise SystemExit(1)


def _chain(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _transcript(lines: Iterator[bytes]) -> tuple[int, list[str]]:
    decode, checked = msgspec.json.Decoder(Line).decode, Transcript()
    for line in lines:
        if line.strip():
            checked.read(decode(line))
    return checked.draws, checked.finish()
