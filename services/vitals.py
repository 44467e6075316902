"""What operators watch of the event itself: what is left, what waits, and what is wrong with the days ahead."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from models import FeatureType
from services.alarms import open_alarms
from services.calendar import Calendar
from services.coupons import Pool, pools
from services.database import Database
from services.odds_watch import judge
from services.published import played_within
from services.rules.lottery import LOTTERY
from services.rules.registry import GAMES
from services.schedule_issues import issues_between

DAYS_AHEAD = 14
"""How many days are looked at, beginning with today."""


@dataclass(frozen=True)
class Stock:
    """How many there are of a prize of today's lottery."""

    stock_id: int
    left: int
    initial: int


SEEDS_FOR = 2
"""Days that must have a seed: today and tomorrow. More are made ahead, as long as all is well."""

REVEALED_AFTER = dt.timedelta(hours=1)
"""After its day's end a seed is revealed within minutes."""

PROOFS = """
SELECT
    (SELECT count(*) FROM generate_series($1::date, $1::date + $2::int - 1, interval '1 day') AS d(date)
     WHERE NOT EXISTS (SELECT FROM draw_seed s WHERE s.date = d.date::date)),
    (SELECT count(*) FROM draw_seed s WHERE s.date < $3::date AND s.revealed_at IS NULL),
    (SELECT coalesce(extract(epoch FROM $4::timestamptz - min(l.created_at)), 0)::float8 FROM reward_ledger l
     WHERE l.created_at > (SELECT coalesce(max(s.sealed_at), '-infinity') FROM ledger_seal s)),
    (SELECT coalesce(extract(epoch FROM $4::timestamptz - min(w.counted_until)), 0)::float8 FROM draw_watch w)
"""


@dataclass(frozen=True)
class Proofs:
    """What lets others check the event: seeds that are missing or not revealed, what is not sealed or counted yet."""

    seeds_missing: int
    seeds_overdue: int
    unsealed_seconds: float
    """The age of the oldest line of the ledger that came after the last seal."""

    uncounted_seconds: float
    """How long ago the time ended of which all draws are counted."""


@dataclass(frozen=True)
class Odds:
    """The evidence against the published odds, and which games have an alarm that is not over."""

    evidence: float
    alarms: Mapping[FeatureType, bool]


@dataclass(frozen=True)
class Vitals:
    """The event as it stands. `faults`: how many there are of each day, by how many days it is ahead."""

    stocks: Sequence[Stock]
    pools: Sequence[Pool]
    faults: Mapping[int, int]
    proofs: Proofs
    odds: Odds


async def read_vitals(database: Database, calendar: Calendar, now: dt.datetime) -> Vitals:
    """Look at the event, as it stands at `now`. Raises: Unavailable."""
    today = calendar.business_date(now)
    ahead = await issues_between(database, calendar, today, today + dt.timedelta(days=DAYS_AHEAD - 1), now=now)
    faults = Counter((issue.date - today).days for issue in ahead)
    return Vitals(
        await _stocks(database, calendar, today),
        await pools(database),
        {day: faults[day] for day in range(DAYS_AHEAD)},
        await _proofs(database, calendar, now),
        await _odds(database),
    )


async def _proofs(database: Database, calendar: Calendar, now: dt.datetime) -> Proofs:
    today, revealed = calendar.business_date(now), calendar.business_date(now - REVEALED_AFTER)
    async with database.read() as connection:
        row: Any = (await connection.exec_driver_sql(PROOFS, (today, SEEDS_FOR, revealed, now))).one()
    return Proofs(row[0], row[1], max(row[2], 0.0), max(row[3], 0.0))


async def _odds(database: Database) -> Odds:
    async with database.snapshot() as connection:
        doubted = await open_alarms(connection)
        return Odds((await judge(connection)).evidence, {feature: feature in doubted for feature in GAMES})


async def _stocks(database: Database, calendar: Calendar, today: dt.date) -> list[Stock]:
    """The stocks that may be drawn from today, each once."""
    async with database.snapshot() as connection:
        revisions = await played_within(connection, LOTTERY, calendar.starts_at(today), calendar.ends_at(today))
    found = {
        prize.stock_id: Stock(prize.stock_id, prize.stock, prize.initial_stock)
        for rules in revisions
        for prize in rules.prizes
        if prize.stock_id is not None and prize.stock is not None and prize.initial_stock is not None
    }
    return list(found.values())
