"""`haru verify`: whether a proof or a day's transcript is as it had to be, and whether what was drawn fits the odds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import click
import msgspec

from server.cli.conformance import verify_odds
from services.rules.proofs import ProofText, check
from services.rules.transcripts import Line, Transcript


@click.group()
def verify() -> None:
    """Check what haru told, without a database or settings (draws), and what it drew (odds)."""


verify.add_command(verify_odds)


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
