"""`python -m benchmarks.peers`: plays, first screens and crowds, beside a Node server on the same tables and rows."""

from __future__ import annotations

import asyncio
import os
import platform
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random
from typing import NamedTuple, TypeVar

import click

from benchmarks import documents
from benchmarks.burst import burst
from benchmarks.measure import Figures, Requests, requested
from benchmarks.peers.node import missing, node
from benchmarks.peers.report import BurstLine, Line, tables
from benchmarks.stage import PLAYERS, Served, Stage, server, stage

WORKS = ("play", "again", "screen", "burst")
CALLED = {"play": "playDice", "again": "playDice again", "screen": "first screen"}
SEEN = 64
"""Players of the lines called `again`: each has just been seen."""
EVERY_LINE = [f"{work}:{connections}" for work in ("play", "screen") for connections in (1, 8, 32, 128)]
EVERY_LINE += ["again:1", "burst:1000", "burst:2000"]


SeenT = TypeVar("SeenT")


class Work(NamedTuple):
    """A line that is asked for: a kind of work, and connections."""

    kind: str
    connections: int


class WorkType(click.ParamType[Work]):
    """`play:32`."""

    name = "work:connections"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> Work:
        """Read it."""
        kind, _, connections = value.partition(":")
        if kind not in WORKS or not connections.isdigit() or int(connections) < 1:
            self.fail(f"{value!r} is none of {', '.join(f'{work}:N' for work in WORKS)}", param, ctx)
        return Work(kind, int(connections))


@click.command()
@click.option("--line", "lines", multiple=True, type=WorkType(), default=EVERY_LINE, help="Only this line; repeatable.")
@click.option("--rounds", default=3, show_default=True, help="How often both sides take turns, for each line.")
@click.option("--seconds", default=4.0, show_default=True, help="How long each turn is measured.")
@click.option("--workers", default=2, show_default=True, help="Processes of each server.")
@click.option("--alone", is_flag=True, help="haru, and nothing beside it.")
@click.option(
    "--checkout",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Beside this checkout of haru with the same tables, instead of the Node server: what a change brings.",
)
def main(
    *, lines: Sequence[Work], rounds: int, seconds: float, workers: int, alone: bool, checkout: Path | None
) -> None:
    """Measure haru beside a peer, in turns, on a database of the benchmark's own."""
    if not Path("/proc/self/stat").exists():
        raise click.ClickException("CPU times are read from /proc: the benchmarks need Linux.")
    if not (alone or checkout) and (why := missing()):
        click.echo(f"The lines beside a Node server are left out: {why}.")
        return
    asyncio.run(Bench(rounds, seconds, Random(20241206)).run(lines, workers, checkout, alone=alone))


class Bench:
    """A run: its rounds, and what it has measured."""

    def __init__(self, rounds: int, seconds: float, rng: Random) -> None:
        self.rounds, self.seconds, self.rng = rounds, seconds, rng
        self.lines: list[Line] = []
        self.bursts: list[BurstLine] = []

    async def run(self, asked: Sequence[Work], workers: int, checkout: Path | None, *, alone: bool) -> None:
        """Set everything up, measure every line, print."""
        click.echo(f"Setting up {PLAYERS:,} players ...", err=True)
        async with AsyncExitStack() as stack:
            place = await stack.enter_async_context(stage(workers))
            sides = [await stack.enter_async_context(server(place))]
            await place.turn_the_day("DICE")
            await self._taste(place, sides, Work("play", 1))  # the peer writes texts as long as those of haru's plays
            if not alone:
                beside = node(place) if checkout is None else server(place, checkout)
                sides.append(await stack.enter_async_context(beside))
            for work in asked:
                await self._measure(place, sides, work)
            version = await place.sql.fetchval("SHOW server_version")
        called = f"{os.cpu_count()} CPUs, PostgreSQL {version}, Python {platform.python_version()}"
        order = "haru" if alone else f"haru / {'Node' if checkout is None else checkout}"
        click.echo(f"\nWORKERS={workers}, {called}; medians of {self.rounds} rounds of {self.seconds:g} s; {order}\n")
        click.echo(tables(self.lines, self.bursts))

    async def _measure(self, place: Stage, sides: Sequence[Served], work: Work) -> None:
        """One line: both sides in turn, each going first as often as the other."""
        click.echo(f"{work.kind} at {work.connections} ...", err=True)
        await place.turn_the_day("DICE")
        if work.kind == "burst":
            await self._measure_burst(place, sides, work.connections)
            return
        line = Line(CALLED[work.kind], work.connections)
        self.lines.append(line)
        await self._taste(place, sides, work)
        for served, seen in self._turns(sides, (line.haru, line.peer)):
            seen.append(await self._load(place, served, work, self.seconds))

    async def _measure_burst(self, place: Stage, sides: Sequence[Served], connections: int) -> None:
        line = BurstLine(connections)
        self.bursts.append(line)
        await self._taste(place, sides, Work("screen", 32))
        for served, seen in self._turns(sides, (line.haru, line.peer)):
            requests = self._requests(place, "screen")
            expected = documents.FIRST_SCREEN_ANSWER
            seen.append(
                await burst(served, requests, expected, connections=connections, seconds=max(self.seconds, 3.0))
            )

    def _turns(self, sides: Sequence[Served], seen: Sequence[list[SeenT]]) -> Iterator[tuple[Served, list[SeenT]]]:
        for number in range(self.rounds):
            pairs = list(zip(sides, seen, strict=False))
            yield from pairs if number % 2 == 0 else reversed(pairs)

    async def _taste(self, place: Stage, sides: Sequence[Served], work: Work) -> None:
        """A first taste, unmeasured: plans, caches and compilers."""
        for served in sides:
            await self._load(place, served, work, 0.3)

    async def _load(self, place: Stage, served: Served, work: Work, seconds: float) -> Figures:
        figures = Figures()
        await requested(
            place,
            served,
            self._requests(place, work.kind),
            documents.FIRST_SCREEN_ANSWER if work.kind == "screen" else documents.ANSWERS["DICE"],
            connections=work.connections,
            seconds=seconds,
            into=figures,
        )
        return figures

    def _requests(self, place: Stage, kind: str) -> Requests:
        if kind in {"screen", "burst"}:
            return Requests(place, documents.FIRST_SCREEN, self.rng, is_play=False)
        return Requests(place, documents.play("DICE"), self.rng, players=SEEN if kind == "again" else PLAYERS)


if __name__ == "__main__":
    main()
