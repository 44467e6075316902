"""Alarms of draws: they are told by the audit log, too."""

from __future__ import annotations

from models import AuditEntry, DrawAlarm
from services.audits.check import query, row_of


@query
def told() -> str:
    """An alarm was raised as the audit log says, and is over exactly where an admin has said so there."""
    return f"""
    SELECT {row_of(DrawAlarm, "a")}, 'is not in the audit log as it was raised' AS fault
    FROM draw_alarm a WHERE NOT EXISTS (
        SELECT FROM audit_log e WHERE e.target = 'draw_alarm ' || a.id AND e.created_at = a.raised_at
            AND e.after ->> 'featureType' = a.feature_type AND (e.after ->> 'draws')::bigint = a.draws
            AND (e.after ->> 'evidence')::float8 = a.evidence)
    UNION ALL
    SELECT {row_of(DrawAlarm, "a")}, CASE WHEN a.closed_at IS NULL THEN 'is not over, though the audit log says so'
        ELSE 'is over, which the audit log does not say' END
    FROM draw_alarm a LEFT JOIN audit_log e
        ON e.target = 'feature_config ' || a.feature_type AND (e.after ->> 'closesAlarm')::bigint = a.id
    WHERE a.closed_at IS DISTINCT FROM e.created_at
    UNION ALL
    SELECT {row_of(AuditEntry, "e")}, 'raised ' || e.target || ', which is gone'
    FROM audit_log e WHERE starts_with(e.target, 'draw_alarm ')
        AND NOT EXISTS (SELECT FROM draw_alarm a WHERE e.target = 'draw_alarm ' || a.id)"""
