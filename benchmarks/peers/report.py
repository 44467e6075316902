"""The tables: haru beside its peer, medians of the rounds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median

from benchmarks.burst import Burst
from benchmarks.measure import Figures
from benchmarks.report import markdown, rows_written

LINES = (
    "work",
    "connections",
    "answers/s",
    "ratio",
    "p50 ms",
    "p99 ms",
    "ratio",
    "server + PostgreSQL CPU us",
    "ratio",
)
BURSTS = ("first screens at once", "refused", "p50 ms", "p99 ms", "answers a connection p95 / p5", "memory MB")


@dataclass
class Line:
    """A kind of work at a number of connections: what each round saw of haru and, beside it, of the peer."""

    work: str
    connections: int
    haru: list[Figures] = field(default_factory=list)
    peer: list[Figures] = field(default_factory=list)

    def cells(self) -> tuple[str, ...]:
        """The line as text."""
        return (
            self.work,
            str(self.connections),
            self._both(lambda one: one.rate, ",.0f"),
            self._ratio(lambda one: one.rate),
            self._both(lambda one: one.percentile(0.5), ".1f"),
            self._both(lambda one: one.percentile(0.99), ".1f"),
            self._ratio(lambda one: one.percentile(0.99)),
            " / ".join(_cpu(side) for side in (self.haru, self.peer) if side),
            self._ratio(lambda one: one.each(one.server_cpu + one.postgres_cpu)),
        )

    def _both(self, of: Callable[[Figures], float], form: str) -> str:
        return " / ".join(format(median(map(of, side)), form) for side in (self.haru, self.peer) if side)

    def _ratio(self, of: Callable[[Figures], float]) -> str:
        """The median of the rounds' ratios, and the least and the greatest of them."""
        ratios = [of(haru) / of(peer) for haru, peer in zip(self.haru, self.peer, strict=False)]
        return f"**{median(ratios):.2f}** [{min(ratios):.2f}-{max(ratios):.2f}]" if ratios else ""


def _cpu(side: Sequence[Figures]) -> str:
    server, postgres = (median(one.each(cpu(one)) for one in side) for cpu in (_server_cpu, _postgres_cpu))
    return f"{server:,.0f} + {postgres:,.0f}"


def _server_cpu(figures: Figures) -> float:
    return figures.server_cpu


def _postgres_cpu(figures: Figures) -> float:
    return figures.postgres_cpu


@dataclass
class BurstLine:
    """A crowd of so many: what each round saw."""

    connections: int
    haru: list[Burst] = field(default_factory=list)
    peer: list[Burst] = field(default_factory=list)

    def cells(self) -> tuple[str, ...]:
        """The line as text."""
        return (
            f"{self.connections:,}",
            self._both(lambda one: one.refused / self.connections, ".0%"),
            self._both(lambda one: one.percentile(0.5), ",.0f"),
            self._both(lambda one: one.percentile(0.99), ",.0f"),
            self._both(lambda one: one.evenness(), ".1f"),
            self._both(lambda one: one.memory_bytes / 1e6, ",.0f"),
        )

    def _both(self, of: Callable[[Burst], float], form: str) -> str:
        return " / ".join(format(median(map(of, side)), form) for side in (self.haru, self.peer) if side)


def tables(lines: Sequence[Line], bursts: Sequence[BurstLine]) -> str:
    """What was measured."""
    found = []
    if lines:
        found.append(markdown(LINES, [line.cells() for line in lines]))
        found += [rows_written({"haru": one.haru[0], "peer": one.peer[0]}) for one in lines if _is_play_beside(one)][:1]
    if bursts:
        found.append(markdown(BURSTS, [line.cells() for line in bursts]))
    return "\n\n".join(found)


def _is_play_beside(line: Line) -> bool:
    return bool(line.peer and line.haru[0].plays)
