"""What is known of the database and of the event when Prometheus asks, whatever the processes that serve count."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator

from prometheus_client.core import GaugeMetricFamily, Metric

from schema.nodes import Kind, node_id
from server.migrations.upgrade import EXPECTED_REVISION
from services.calendar import Calendar, Clock
from services.database import Database
from services.errors import HaruError
from services.health import Health, State
from services.outages import why
from services.vitals import Vitals, read_vitals

logger = logging.getLogger("haru.metrics")

VITALS_SECONDS = 20.0
"""How old the event's figures may be: they cost some statements."""

PATIENCE_SECONDS = 5.0

POOLS_SHOWN = 100
"""Coupon types that have a label of their own: those with the fewest codes left."""


class Facts:
    """Looks at the database on sessions of its own, one look at a time."""

    def __init__(self, database: Database, calendar: Calendar, clock: Clock, monotonic: Callable[[], float]) -> None:
        self._database = database
        self._health = Health(database)
        self._calendar = calendar
        self._clock = clock
        self._monotonic = monotonic
        self._turn = asyncio.Lock()
        self._state: State | None = None
        self._apart_seconds = 0.0
        self._vitals: Vitals | None = None
        self._stale_at = 0.0

    async def look(self) -> None:
        """Look, within some seconds; what cannot be read is left out of what `collect` tells."""
        async with self._turn:
            try:
                self._state = await self._health.look()
                self._apart_seconds = (self._clock() - self._state.now).total_seconds()
            except Exception as failure:  # noqa: BLE001 (whatever it is, the database is not there)
                self._state = None
                logger.debug("the database does not answer: %s", failure)
            if self._state is None or self._state.revision != EXPECTED_REVISION:
                self._vitals, self._stale_at = None, 0.0
            elif self._monotonic() >= self._stale_at:
                await self._read_vitals()

    async def _read_vitals(self) -> None:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                self._vitals = await read_vitals(self._database, self._calendar, self._clock())
        except (HaruError, TimeoutError) as failure:
            logger.warning("the event's figures could not be read: %s", why(failure))
            self._vitals = None
        except Exception:
            logger.exception("the event's figures could not be read")
            self._vitals = None
        self._stale_at = self._monotonic() + VITALS_SECONDS

    async def close(self) -> None:
        """Give the sessions back."""
        self._health.close()
        await self._database.close()

    # For Prometheus

    def collect(self) -> Iterator[Metric]:
        """What the last look saw."""
        state, vitals = self._state, self._vitals
        yield _gauge("database_up", "Whether the database answers within a second.", state is not None)
        if state is not None:
            yield _gauge("database_writable", "Whether the database can be written to.", state.is_writable)
            yield _gauge(
                "database_revision_expected",
                "Whether the database is at the revision that this haru expects.",
                state.revision == EXPECTED_REVISION,
            )
            yield _gauge("clock_difference_seconds", "This machine's clock minus the database's.", self._apart_seconds)
        yield _gauge("event_figures_up", "Whether the event's figures could be read.", vitals is not None)
        if vitals is not None:
            yield from _of_event(vitals)


def _of_event(vitals: Vitals) -> Iterator[Metric]:
    yield _labelled(
        "schedule_faults",
        "Faults of the schedule, by how many days the day is ahead; 0 is today.",
        "days_ahead",
        vitals.faults.items(),
    )
    yield _gauge("draw_seeds_missing", "Days, today and tomorrow, without a seed.", vitals.proofs.seeds_missing)
    yield _gauge("draw_seeds_overdue", "Days that are over, whose seed is not revealed.", vitals.proofs.seeds_overdue)
    told = "Age of the oldest line of the ledger that is not sealed."
    yield _gauge("ledger_unsealed_seconds", told, vitals.proofs.unsealed_seconds)
    told = "How long ago the time ended of which all draws are held against their odds."
    yield _gauge("draws_uncounted_seconds", told, vitals.proofs.uncounted_seconds)
    yield _gauge("draw_evidence", "The evidence against the published odds.", vitals.odds.evidence)
    told = "Whether what was drawn of a game did not fit its odds, and nobody has said yet that it may go on."
    yield _labelled("draw_alarms", told, "game", vitals.odds.alarms.items())
    stocks = {node_id(Kind.LOTTERY_STOCK, one.stock_id): one for one in vitals.stocks}
    pools = sorted(vitals.pools, key=lambda pool: pool.left)[:POOLS_SHOWN]
    told = "of the stock of each prize of today's lottery, by the stock's id."
    yield _labelled("stock_left", f"What is left {told}", "stock", [(key, one.left) for key, one in stocks.items()])
    yield _labelled("stock_initial", f"The whole {told}", "stock", [(key, one.initial) for key, one in stocks.items()])
    for name, told, values in (
        ("coupon_codes_left", "Coupon codes that are left, by type.", [pool.left for pool in pools]),
        ("coupon_codes_given", "Coupon codes that were given, by type.", [pool.given for pool in pools]),
        ("coupon_grants_waiting", "Grants that wait for a coupon code, by type.", [pool.waiting for pool in pools]),
    ):
        types = [pool.coupon_type for pool in pools]
        yield _labelled(name, told, "coupon_type", zip(types, values, strict=True))


def _gauge(name: str, told: str, value: float) -> Metric:
    return GaugeMetricFamily(f"haru_{name}", told, value=float(value))


def _labelled(name: str, told: str, label: str, values: Iterable[tuple[object, float]]) -> Metric:
    family = GaugeMetricFamily(f"haru_{name}", told, labels=[label])
    for key, value in values:
        family.add_metric([str(key)], float(value))
    return family
