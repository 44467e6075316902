"""`python -m benchmarks.play`: plays a second, latencies and CPU a play, beside the same writes as one statement."""

from __future__ import annotations

import asyncio
import os
import platform
from pathlib import Path
from random import Random

import click

from benchmarks import documents, report
from benchmarks.measure import Figures, Requests, requested, single_statement
from benchmarks.pgbench import pgbench
from benchmarks.report import Line
from benchmarks.stage import PLAYERS, Served, Stage, server, stage

PLAYS = [("DICE", connections) for connections in (1, 8, 32, 128)] + [("ROULETTE", 32), ("LOTTERY", 32)]
HOT_PRIZE = [("LOTTERY", connections) for connections in (8, 32, 128)]
ONE_PRIZE = """
ALTER TABLE lottery_prize DISABLE TRIGGER USER;
UPDATE lottery_prize SET is_active = position = 0, weight = 1, reward_type = 'POINT', reward_amount = 10,
    coupon_type = NULL;
ALTER TABLE lottery_prize ENABLE TRIGGER USER
"""


@click.command()
@click.option("--rounds", default=2, show_default=True, help="How often both sides take turns, for each line.")
@click.option("--seconds", default=5.0, show_default=True, help="How long each turn is measured.")
@click.option("--workers", default=2, show_default=True, help="Processes of the server.")
@click.option("--quick", is_flag=True, help="One short round of each line: to see that it works.")
@click.option("--dice-only", is_flag=True, help="Only the four lines of playDice.")
def main(rounds: int, seconds: float, workers: int, quick: bool, dice_only: bool) -> None:
    """Measure plays beside pgbench, on a database and a server of the benchmark's own."""
    if not Path("/proc/self/stat").exists():
        raise click.ClickException("CPU times are read from /proc: the benchmarks need Linux.")
    pgbench()
    if quick:
        rounds, seconds = 1, 1.5
    asyncio.run(Bench(rounds, seconds, Random(20241206)).run(workers, dice_only=dice_only))


class Bench:
    """A run: its rounds, and the lines that it has measured."""

    def __init__(self, rounds: int, seconds: float, rng: Random) -> None:
        self.rounds, self.seconds, self.rng = rounds, seconds, rng
        self.lines: list[Line] = []

    async def run(self, workers: int, *, dice_only: bool) -> None:
        """Set everything up, measure every line, print."""
        click.echo(f"Setting up {PLAYERS:,} players ...", err=True)
        async with stage(workers) as place, server(place) as served:
            for game, connections in PLAYS[:4] if dice_only else PLAYS:
                await self.plays(place, served, game, connections)
            if not dice_only:
                await place.sql.execute(ONE_PRIZE)
                for game, connections in HOT_PRIZE:
                    await self.plays(place, served, game, connections, work="one hot prize")
                await self.first_screen(place, served)
            version = await place.sql.fetchval("SHOW server_version")
        self.print(
            f"WORKERS={workers}, PostgreSQL {version}, {os.cpu_count()} CPUs, Python {platform.python_version()}"
        )

    async def plays(self, place: Stage, served: Served, game: str, connections: int, work: str | None = None) -> None:
        """One line of plays: both sides in turn, each going first as often as the other."""
        await place.turn_the_day(game)
        line = Line(work or documents.FIELDS[game], connections, pgbench=Figures())
        self.lines.append(line)
        click.echo(f"{line.work} at {connections} {'connection' if connections == 1 else 'connections'} ...", err=True)
        requests = Requests(place, documents.play(game), self.rng)
        answer = documents.ANSWERS[game]
        # A first taste, unmeasured: plans, caches, and texts for pgbench to write.
        await requested(place, served, requests, answer, connections=connections, seconds=0.1, into=Figures())
        for number in range(self.rounds):
            turns = ["haru", "pgbench"] if number % 2 == 0 else ["pgbench", "haru"]
            for turn in turns:
                if turn == "haru":
                    await requested(
                        place, served, requests, answer, connections=connections, seconds=self.seconds, into=line.haru
                    )
                else:
                    assert line.pgbench is not None
                    await single_statement(
                        place, served, game, connections=connections, seconds=self.seconds, into=line.pgbench
                    )

    async def first_screen(self, place: Stage, served: Served) -> None:
        """The line of the day's first screen: a read, with nothing beside it."""
        await place.turn_the_day("DICE")
        line = Line("first screen", 32)
        self.lines.append(line)
        requests = Requests(place, documents.FIRST_SCREEN, self.rng, is_play=False)
        for _ in range(self.rounds):
            await requested(
                place,
                served,
                requests,
                documents.FIRST_SCREEN_ANSWER,
                connections=line.connections,
                seconds=self.seconds,
                into=line.haru,
            )

    def print(self, setting: str) -> None:
        """Print what was measured."""
        asked = sum(len(line.haru.latencies) for line in self.lines)
        client_cpu = sum(line.haru.client_cpu for line in self.lines) / asked * 1e6
        click.echo(f"\n{setting}; {self.rounds} rounds of {self.seconds:g} s a side; haru / pgbench\n")
        click.echo(report.table(self.lines))
        click.echo(f"\nThe load generator itself used {client_cpu:,.0f} us a request, which is in no column.\n")
        click.echo(self._rows_written())
        click.echo(f"\nTargets:\n{report.targets(self.lines)}")

    def _rows_written(self) -> str:
        line = next(line for line in self.lines if line.connections == 32)
        assert line.pgbench is not None
        return report.rows_written({"haru": line.haru, "pgbench": line.pgbench})


if __name__ == "__main__":
    main()
