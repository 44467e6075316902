"""`haru transcript`: a day's draws, as anybody can check them."""

from __future__ import annotations

import asyncio
import datetime as dt
import sys

import click
import msgspec
from sqlalchemy.pool import NullPool

from server.cli.common import DATE, database_of, settings_or_exit, url_of
from services.database import create_engine
from services.transcripts import transcript


@click.command("transcript")
@click.option("--date", "day", type=DATE, required=True, help="The business date: one that is closed.")
@click.option("--staff", is_flag=True, help="With players' ids and messages; without, it can be published.")
def print_transcript(day: dt.date, staff: bool) -> None:
    """Print all draws of a day, as JSON lines that `haru verify draws` and anybody else can check.

    The day, the revisions that were played, the finite stocks with what changed them, then each draw, the lottery's by
    number. docs/verify.md explains each line.
    """
    with database_of(settings_or_exit()) as settings:
        asyncio.run(_print(url_of(settings), day, staff=staff))


async def _print(url: str, date: dt.date, *, staff: bool) -> None:
    encode = msgspec.json.Encoder().encode
    async with create_engine(url, pool={"poolclass": NullPool}).connect() as connection:
        await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        async for line in transcript(connection, date, for_staff=staff):
            sys.stdout.buffer.write(encode(line) + b"\n")
    sys.stdout.flush()
