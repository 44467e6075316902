"""The rewards of a season's levels: given where they were reached, once, and none left out."""

from __future__ import annotations

from models import SeasonReward, SeasonStamp
from services.audits.check import MARGIN, query, row_of
from services.audits.versions import SEASONS


@query
def once() -> str:
    """A level of a season was given to a player once."""
    return f"""
    SELECT {row_of(SeasonReward, "r")}, format('gives level %s again', r.level) AS fault
    FROM (SELECT user_id, id, level, created_at, row_number() OVER (PARTITION BY user_id, season_id, level
              ORDER BY created_at, id) AS copy FROM season_pass_reward_log) r
    WHERE r.copy > 1 AND r.created_at >= :since"""


@query
def reached() -> str:
    """A level was given to who had reached it: with the stamp that says so, or claimed after one."""
    return f"""
    SELECT {row_of(SeasonReward, "r")}, CASE WHEN r.stamp_id IS NULL
        THEN format('level %s was claimed at %s, and not reached', r.level, r.created_at)
        ELSE format('level %s came with stamp %s, which did not reach it then', r.level, r.stamp_id) END AS fault
    FROM season_pass_reward_log r
    LEFT JOIN season_pass_stamp_log s ON s.user_id = r.user_id AND s.id = r.stamp_id AND s.season_id = r.season_id
        AND s.level_after >= r.level AND s.created_at = r.created_at
    LEFT JOIN (
        SELECT user_id, season_id, level_after, min(created_at) AS since FROM season_pass_stamp_log GROUP BY 1, 2, 3
    ) l ON r.stamp_id IS NULL AND l.user_id = r.user_id AND l.season_id = r.season_id AND l.level_after >= r.level
        AND l.since <= r.created_at + {MARGIN}
    WHERE s.id IS NULL AND l.user_id IS NULL AND r.created_at >= :since"""


@query
def worth() -> str:
    """A level gave what its season says, by the levels of the time."""
    return f"""
    WITH given AS MATERIALIZED (
        SELECT s.id AS season_id, (l ->> 'level')::bigint AS level, l ->> 'rewardType' AS reward_type,
            (l ->> 'rewardAmount')::bigint AS reward_amount, coalesce(l ->> 'couponType', '') AS coupon,
            range_agg(s.times) AS times
        FROM ({SEASONS}) s CROSS JOIN LATERAL jsonb_array_elements(s.levels) l GROUP BY 1, 2, 3, 4, 5
    )
    SELECT {row_of(SeasonReward, "r")}, format('level %s gave %s %s %s at %s; its season did not', r.level,
        r.reward_type, r.reward_amount, r.coupon_type, r.created_at) AS fault
    FROM season_pass_reward_log r LEFT JOIN given g ON g.season_id = r.season_id AND g.level = r.level
        AND g.reward_type = r.reward_type AND g.reward_amount = r.reward_amount
        AND g.coupon = coalesce(r.coupon_type, '')
    WHERE (g.times @> r.created_at) IS NOT TRUE AND r.created_at >= :since"""


@query
def given() -> str:
    """A stamp that reached a level which is given by itself left nothing of it to be given."""
    return f"""
    WITH automatic AS MATERIALIZED (
        SELECT s.id AS season_id, (l ->> 'level')::bigint AS level, range_agg(s.times) AS times
        FROM ({SEASONS}) s CROSS JOIN LATERAL jsonb_array_elements(s.levels) l
        WHERE (l ->> 'autoClaim')::boolean GROUP BY 1, 2
    ), optional AS MATERIALIZED (
        SELECT s.id AS season_id, (l ->> 'level')::bigint AS level, range_agg(s.times) AS times
        FROM ({SEASONS}) s CROSS JOIN LATERAL jsonb_array_elements(s.levels) l
        WHERE NOT (l ->> 'autoClaim')::boolean GROUP BY 1, 2
    )
    SELECT {row_of(SeasonStamp, "s")}, format('reached level %s, which is given by itself, and was not', a.level)
        AS fault
    FROM season_pass_stamp_log s JOIN automatic a ON a.season_id = s.season_id AND a.level > s.level_before
        AND a.level <= s.level_after AND a.times @> s.created_at
    LEFT JOIN optional o ON o.season_id = a.season_id AND o.level = a.level AND o.times @> s.created_at
    WHERE o.level IS NULL AND s.created_at >= :since AND NOT EXISTS (
        SELECT FROM season_pass_reward_log r
        WHERE r.user_id = s.user_id AND r.season_id = s.season_id AND r.level = a.level)"""
