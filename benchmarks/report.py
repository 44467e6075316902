"""The table, and what it says of the targets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from benchmarks.measure import TABLES, Figures

HEAD = (
    "work",
    "connections",
    "plays/s",
    "ratio",
    "p50 ms",
    "p99 ms",
    "server CPU us",
    "PostgreSQL CPU us",
    "ratio",
    "stamping",
)


@dataclass
class Line:
    """One line of the table: a kind of work at a number of connections, and pgbench beside it, where there is one."""

    work: str
    connections: int
    haru: Figures = field(default_factory=Figures)
    pgbench: Figures | None = None

    @property
    def cpu_ratio(self) -> float:
        """PostgreSQL's CPU a play: haru's over the single statement's."""
        assert self.pgbench is not None
        return self.haru.each(self.haru.postgres_cpu) / self.pgbench.each(self.pgbench.postgres_cpu)

    def cells(self) -> tuple[str, ...]:
        """The line as text; beside a slash is pgbench."""
        haru, other = self.haru, self.pgbench

        def both(one: str, beside: str) -> str:
            return f"{one} / {beside}" if other else one

        return (
            self.work,
            str(self.connections),
            both(f"{haru.rate:,.0f}", f"{other.rate:,.0f}" if other else ""),
            f"{haru.rate / other.rate:.2f}" if other else "",
            both(f"{haru.percentile(0.5):.1f}", f"{other.percentile(0.5):.1f}" if other else ""),
            both(f"{haru.percentile(0.99):.1f}", f"{other.percentile(0.99):.1f}" if other else ""),
            f"{haru.each(haru.server_cpu):,.0f}",
            both(f"{haru.each(haru.postgres_cpu):,.0f}", f"{other.each(other.postgres_cpu):,.0f}" if other else ""),
            f"{self.cpu_ratio:.2f}" if other else "",
            both(_stamping(haru), _stamping(other) if other else "") if haru.plays else "",
        )


def _stamping(figures: Figures) -> str:
    return f"{figures.rows['season_pass_stamp_log'] / figures.plays:.0%}"


def markdown(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A table whose columns line up."""
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    ruler = tuple("-" * width for width in widths)
    lines = ("| " + " | ".join(map(str.ljust, row, widths)) + " |" for row in (head, ruler, *rows))
    return "\n".join(lines)


def table(lines: list[Line]) -> str:
    """All lines."""
    return markdown(HEAD, [line.cells() for line in lines])


def rows_written(sides: Mapping[str, Figures]) -> str:
    """New rows a play by table: that all sides did the same work."""
    rows = [
        (name, *(f"{side.rows[name] / side.plays:.2f}" for side in sides.values()))
        for name in TABLES
        if any(side.rows[name] for side in sides.values())
    ]
    return markdown(("new rows a play", *sides), rows)


def targets(lines: list[Line]) -> str:
    """The targets for a play of dice, and whether this run met them."""
    dice = {line.connections: line for line in lines if line.work == "playDice"}
    found = []
    if 32 in dice:
        line = dice[32]
        server = line.haru.each(line.haru.server_cpu)
        found += [
            (f"PostgreSQL's CPU a play {line.cpu_ratio:.2f} of the single statement's", line.cpu_ratio <= 0.65, "0.65"),
            (f"server CPU {server:,.0f} us a play", server <= 1600, "1,600 us"),
        ]
    if 1 in dice and (other := dice[1].pgbench):
        slower = dice[1].haru.percentile(0.5) - other.percentile(0.5)
        found.append((f"p50 of a lone play {slower:.1f} ms behind the single statement's", slower <= 3, "3 ms"))
    return "\n".join(f"- {'met' if met else 'MISSED'}: {what} (at most {limit})" for what, met, limit in found)
