"""What a run saw, as a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from tests.ha.alerts import Alert
from tests.ha.clients import EXPIRED, GOING_AWAY, Told

CUT_OFF = 1006
HEADINGS = ("fault", "lasted", "plays", "sent again", "had happened", "slowest", "sockets", "alerts")
WIDTHS = (38, 7, 6, 11, 13, 8, 22, 0)


@dataclass(frozen=True)
class Seen:
    """What was seen of one fault. `mended_after_seconds`: from its beginning."""

    name: str
    mended_after_seconds: float
    plays: int
    failed: Counter[str]
    replayed: int
    slowest_seconds: float
    closed: Mapping[int | str, int]
    sockets: Mapping[str, int]
    """How many each server has in the end."""
    alerts: tuple[Alert, ...]
    began: float
    faults: tuple[str, ...]
    """What was not as it had to be."""

    def row(self) -> str:
        """The line of the table, with a line more for each alert beyond the first."""
        told, cut = self.closed.get(GOING_AWAY, 0), self.closed.get(CUT_OFF, 0)
        sockets = ", ".join(f"{count} {what}" for count, what in ((told, "told"), (cut, "cut off")) if count)
        cells = (
            self.name,
            f"{self.mended_after_seconds:.0f} s",
            str(self.plays),
            str(self.failed.total()),
            str(self.replayed),
            f"{self.slowest_seconds:.1f} s",
            sockets or "-",
        )
        first, *others = [self._alert(alert) for alert in self.alerts] or ["-"]
        return "\n".join([line(*cells, first), *(line(*[""] * 7, other) for other in others)])

    def _alert(self, alert: Alert) -> str:
        fired, mended = alert.fired_at - self.began, self.began + self.mended_after_seconds
        ended = "does not end" if alert.ended_at is None else f"ended {alert.ended_at - mended:+.0f} s"
        return f"{alert} after {fired:.0f} s, {ended}"

    def reasons(self) -> str:
        """What came instead of answers, and where sockets went that were told to."""
        others = Counter({code: count for code, count in self.closed.items() if code not in {GOING_AWAY, EXPIRED}})
        told = [f"{count} {reason}" for reason, count in self.failed.most_common()]
        told += [f"{count} subscriptions ended by {code}" for code, count in others.most_common()]
        if self.closed.get(GOING_AWAY):
            told.append(f"sockets afterwards: {', '.join(f'{name} {count}' for name, count in self.sockets.items())}")
        return ", ".join(told)


def line(*cells: str) -> str:
    """A line of the table."""
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, WIDTHS, strict=True)).rstrip()


def totals(told: Told) -> str:
    """What clients were told in all."""
    return f"{len(told.plays)} plays acknowledged, {told.messages} messages to subscribers"
