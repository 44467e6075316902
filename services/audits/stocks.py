"""Stocks of the lottery: the counter against the log here; the log against the ledger, line by line, in `ledger`."""

from __future__ import annotations

from collections.abc import AsyncIterator

from models import LotteryAdjustment, LotteryStock
from services.audits.check import Finding, Snapshot, check, query, row_of


@query
def counters() -> str:
    """As many are gone of a stock as were drawn of it."""
    return f"""
    SELECT {row_of(LotteryStock, "s")}, format('%s of %s are left, so %s are gone; %s were drawn', s."left", s.initial,
        s.initial - s."left", coalesce(d.drawn, 0)) AS fault
    FROM lottery_stock s LEFT JOIN (
        SELECT p.stock_id, count(*) AS drawn FROM lottery_log l JOIN lottery_prize p ON p.id = l.prize_id
        WHERE p.stock_id IS NOT NULL GROUP BY p.stock_id
    ) d ON d.stock_id = s.id
    WHERE s.initial - s."left" <> coalesce(d.drawn, 0)"""


@query
def amounts() -> str:
    """There ever were as many of a stock as the audit log says were laid in and adjusted."""
    return f"""
    WITH stated AS (
        SELECT DISTINCT ON (stock_id) (p ->> 'stockId')::bigint AS stock_id, (p ->> 'initialStock')::bigint AS initial
        FROM audit_log a CROSS JOIN LATERAL jsonb_array_elements(a.after -> 'prizes') p
        WHERE starts_with(a.target, 'lottery_config revision ') AND jsonb_typeof(a.after -> 'prizes') = 'array'
            AND p ->> 'stockId' IS NOT NULL
        ORDER BY stock_id, a.id
    ), adjusted AS (
        SELECT split_part(a.target, ' ', 2)::bigint AS stock_id,
            sum((a.after ->> 'initialStock')::bigint - (a.before ->> 'initialStock')::bigint) AS by
        FROM audit_log a WHERE starts_with(a.target, 'lottery_stock ') GROUP BY 1
    )
    SELECT {row_of(LotteryStock, "s")}, format('there were %s; %s were laid in, and adjusted by %s', s.initial,
        stated.initial, coalesce(adjusted.by, 0)) AS fault
    FROM lottery_stock s JOIN stated ON stated.stock_id = s.id LEFT JOIN adjusted ON adjusted.stock_id = s.id
    WHERE s.initial <> stated.initial + coalesce(adjusted.by, 0)"""


BY_STAFF = """
WITH told AS (
    SELECT id, split_part(target, ' ', 2)::bigint AS stock_id, created_at,
        (after ->> 'initialStock')::bigint - (before ->> 'initialStock')::bigint AS by,
        row_number() OVER (PARTITION BY target, created_at ORDER BY id) AS place
    FROM audit_log WHERE starts_with(target, 'lottery_stock ')
), noted AS (
    SELECT *, row_number() OVER (PARTITION BY stock_id, created_at ORDER BY id) AS place
    FROM lottery_adjustment WHERE taken_on IS NULL
)
SELECT CASE WHEN n.id IS NULL THEN 'audit_log' ELSE 'lottery_adjustment' END AS table, coalesce(n.id, t.id) AS id,
    n.by AS noted, t.by AS told, n.date, created_at
FROM told t FULL JOIN noted n USING (stock_id, created_at, place) WHERE created_at >= :since
"""

OF_DRAWS = f"""
SELECT {row_of(LotteryAdjustment, "a")}, format('came after draw %s of a day that has %s', a.after_no,
    coalesce(d.draws, 0)) AS fault
FROM lottery_adjustment a LEFT JOIN lottery_day d ON d.date = a.date
WHERE a.after_no > coalesce(d.draws, 0) AND a.created_at >= :since
UNION ALL
SELECT {row_of(LotteryAdjustment, "t")}, format('with it %s were taken on %s a moment late; %s were drawn then',
    t.taken, t.taken_on, g.drawn)
FROM (
    SELECT stock_id, taken_on, max(id) AS id, -sum(by) AS taken, max(created_at) AS created_at
    FROM lottery_adjustment WHERE taken_on IS NOT NULL GROUP BY stock_id, taken_on
) t CROSS JOIN LATERAL (
    SELECT count(*) AS drawn FROM lottery_log l JOIN lottery_prize p ON p.id = l.prize_id
    WHERE l.business_date = t.taken_on AND p.stock_id = t.stock_id
) g
WHERE t.taken > g.drawn AND t.created_at >= :since"""


@check
async def adjustments(snapshot: Snapshot) -> AsyncIterator[Finding]:
    """What changed a stock beside a day's draws is what the audit log says, on its day, or what late draws took."""
    async for row in snapshot.rows(BY_STAFF):
        fault = None
        if row.noted != row.told:
            fault = f"changed the stock by {row.noted or 0}; the audit log says {row.told or 0}"
        elif row.date != snapshot.calendar.business_date(row.created_at):
            fault = f"happened at {row.created_at}, which is not on {row.date}"
        if fault is not None:
            yield Finding(row.table, {"id": row.id}, fault)
    async for finding in snapshot.findings(OF_DRAWS):
        yield finding
