"""What staff may change, as it was over time: told by the table for now, and by the audit log for before.

An entry says what something was until then, and the newest says nothing about now: that is the row itself. What was
changed a moment ago may have been unseen by somebody, and seen by somebody else whose clock is behind: `times` overlap
by a margin.
"""

from __future__ import annotations

from services.audits.check import MARGIN

_DAYS_NOW = """
    SELECT 'feature_schedule ' || date AS target,
        jsonb_build_object('date', date, 'featureType', feature_type, 'isActive', is_active) AS content
    FROM feature_schedule"""

_FEATURES_NOW = """
    SELECT 'feature_config ' || feature_type AS target, jsonb_build_object('featureType', feature_type,
        'isEnabled', is_enabled, 'stampXpBonus', stamp_xp_bonus) AS content
    FROM feature_config"""

_SEASONS_NOW = """
    SELECT 'season_pass_config ' || s.id AS target, jsonb_build_object('id', s.id, 'startDate', s.start_date,
        'endDate', s.end_date, 'baseXpPerStamp', s.base_xp_per_stamp, 'levels', (
            SELECT coalesce(jsonb_agg(jsonb_build_object('level', l.level, 'requiredXp', l.required_xp,
                'autoClaim', l.auto_claim, 'rewardType', l.reward_type, 'rewardAmount', l.reward_amount,
                'couponType', l.coupon_type)), '[]')
            FROM season_pass_level l WHERE l.season_id = s.id)) AS content
    FROM season_pass_config s"""


def _versions(table: str, now: str) -> str:
    """Every content that the rows of a table had, with its `times`; `now`: the query of what they have now."""
    return f"""
    SELECT v.content, tstzrange(v.since - {MARGIN},
        CASE WHEN v.until IS NOT NULL THEN greatest(v.until, v.since) + {MARGIN} END) AS times
    FROM (
        SELECT a.before AS content, lag(a.created_at) OVER (PARTITION BY a.target ORDER BY a.id) AS since,
            a.created_at AS until
        FROM audit_log a WHERE starts_with(a.target, '{table} ')
        UNION ALL
        SELECT n.content, (SELECT max(a.created_at) FROM audit_log a WHERE a.target = n.target), NULL
        FROM ({now}) n
    ) v
    WHERE v.content IS NOT NULL"""


DAYS = f"""
    SELECT (content ->> 'date')::date AS date, content ->> 'featureType' AS feature_type,
        (content ->> 'isActive')::boolean AS is_active, times
    FROM ({_versions("feature_schedule", _DAYS_NOW)}) v"""
"""What each day's feature was, and whether the day was on."""

FEATURES = f"""
    SELECT content ->> 'featureType' AS feature_type, (content ->> 'isEnabled')::boolean AS is_enabled,
        (content ->> 'stampXpBonus')::bigint AS stamp_xp_bonus, times
    FROM ({_versions("feature_config", _FEATURES_NOW)}) v"""
"""Whether each feature was on, and what it added to a stamp."""

SEASONS = f"""
    SELECT (content ->> 'id')::bigint AS id, (content ->> 'startDate')::date AS start_date,
        (content ->> 'endDate')::date AS end_date, (content ->> 'baseXpPerStamp')::bigint AS base_xp_per_stamp,
        content -> 'levels' AS levels, times
    FROM ({_versions("season_pass_config", _SEASONS_NOW)}) v"""
"""What each season was, with its levels as the audit log writes them."""

TIMES_OF_DAYS = f"""
    SELECT d.date, d.feature_type, range_agg(d.times * f.times) AS times
    FROM ({DAYS}) d JOIN ({FEATURES}) f ON f.feature_type = d.feature_type
    WHERE d.is_active AND f.is_enabled GROUP BY d.date, d.feature_type"""
"""When each day was the day of a feature that was on."""
