"""The season pass: stamps, their XP, the levels that they reach, and each player's progress.

What a season and a feature gave is taken from what they were at the time. Stamps are put in order by the XP after them;
those of 0 XP, which change nothing, by their instant.
"""

from __future__ import annotations

from models import SeasonProgress, SeasonStamp
from services.audits.check import MARGIN, of_games, query, row_of
from services.audits.versions import FEATURES, SEASONS, TIMES_OF_DAYS

IN_ORDER = "PARTITION BY user_id, season_id ORDER BY xp_after, (xp_earned = 0), created_at"


@query
def sums() -> str:
    """The XP and the level before a stamp are those after the stamp before it, and its XP came to that."""
    return f"""
    SELECT {row_of(SeasonStamp, "s")}, format('earned %s, from %s XP and level %s, and says that it came to %s from'
        ' level %s', xp_earned, xp_before, level, xp_after, level_before) AS fault
    FROM (SELECT user_id, id, created_at, xp_earned, xp_after, level_before, lag(xp_after, 1, 0::bigint) OVER o
              AS xp_before, lag(level_after, 1, 0::bigint) OVER o AS level
          FROM season_pass_stamp_log WINDOW o AS ({IN_ORDER})) s
    WHERE (s.xp_after <> s.xp_before + s.xp_earned OR s.level_before <> s.level)
        AND s.created_at >= :since"""


@query
def earned() -> str:
    """A stamp earned what its season gives, and what its feature added, at the time."""
    return f"""
    WITH seen AS (
        SELECT DISTINCT season_id, source_feature, xp_earned FROM season_pass_stamp_log WHERE created_at >= :since
    ), seasons AS MATERIALIZED ({SEASONS}), features AS MATERIALIZED ({FEATURES}), right_at AS MATERIALIZED (
        SELECT seen.*, range_agg(s.times * coalesce(f.times, tstzrange(NULL, NULL))) AS times
        FROM seen JOIN seasons s ON s.id = seen.season_id LEFT JOIN features f ON f.feature_type = seen.source_feature
        WHERE seen.xp_earned = s.base_xp_per_stamp + coalesce(f.stamp_xp_bonus, 0)
        GROUP BY 1, 2, 3
    )
    SELECT {row_of(SeasonStamp, "s")}, format('earned %s XP by %s at %s, which gave something else then', s.xp_earned,
        s.source_feature, s.created_at) AS fault
    FROM season_pass_stamp_log s LEFT JOIN right_at r USING (season_id, source_feature, xp_earned)
    WHERE (r.times @> s.created_at) IS NOT TRUE AND s.created_at >= :since"""


@query
def levels() -> str:
    """The level after a stamp is the highest whose XP were reached, by the levels of the time."""
    return f"""
    WITH seen AS (
        SELECT DISTINCT season_id, xp_after, level_after FROM season_pass_stamp_log WHERE created_at >= :since
    ), seasons AS MATERIALIZED ({SEASONS}), right_at AS MATERIALIZED (
        SELECT seen.*, range_agg(s.times) AS times FROM seen JOIN seasons s ON s.id = seen.season_id
        WHERE seen.level_after = (
            SELECT coalesce(max((l ->> 'level')::bigint), 0) FROM jsonb_array_elements(s.levels) l
            WHERE (l ->> 'requiredXp')::bigint <= seen.xp_after)
        GROUP BY 1, 2, 3
    )
    SELECT {row_of(SeasonStamp, "s")}, format('says level %s with %s XP at %s', s.level_after, s.xp_after, s.created_at)
        AS fault
    FROM season_pass_stamp_log s LEFT JOIN right_at r USING (season_id, xp_after, level_after)
    WHERE (r.times @> s.created_at) IS NOT TRUE AND s.created_at >= :since"""


@query
def days() -> str:
    """A day is stamped within its season, by a play of that moment, or by itself for the season pass or the feature."""
    plays = of_games(
        lambda game: (
            f"""SELECT '{game.feature}' AS feature_type, user_id, id, business_date, created_at
        FROM {game.log.__tablename__} WHERE created_at >= :since"""
        )
    )
    return f"""
    SELECT {row_of(SeasonStamp, "s")}, CASE
        WHEN s.date NOT BETWEEN c.start_date AND c.end_date THEN format('%s is not within the season', s.date)
        WHEN s.play_id IS NOT NULL THEN format('no play %s of %s was at that moment', s.play_id, s.source_feature)
        ELSE format('%s was not the feature of %s', s.source_feature, s.date) END AS fault
    FROM season_pass_stamp_log s JOIN season_pass_config c ON c.id = s.season_id
    LEFT JOIN ({plays}) p ON p.user_id = s.user_id AND p.id = s.play_id AND p.feature_type = s.source_feature
        AND p.business_date = s.date AND p.created_at = s.created_at
    LEFT JOIN ({TIMES_OF_DAYS}) d ON d.date = s.date AND d.feature_type = s.source_feature
    WHERE s.created_at >= :since AND (s.date NOT BETWEEN c.start_date AND c.end_date
        OR s.play_id IS NOT NULL AND p.id IS NULL
        OR s.play_id IS NULL AND s.source_feature <> 'SEASON_PASS'
            AND (d.times @> s.created_at) IS NOT TRUE)"""


@query
def missing() -> str:
    """Who played while a season was on has a stamp of that day."""
    return of_games(
        lambda game: (
            f"""
        SELECT {row_of(game.log, "g")}, format('was played while a season was on, but %s has no stamp',
            g.business_date) AS fault
        FROM {game.log.__tablename__} g JOIN season_pass_config c
            ON g.business_date BETWEEN c.start_date AND c.end_date AND g.created_at >= c.published_at + {MARGIN}
        WHERE g.created_at >= :since AND g.play_no = 1 AND NOT EXISTS (
            SELECT FROM season_pass_stamp_log s
            WHERE s.user_id = g.user_id AND s.season_id = c.id AND s.date = g.business_date)"""
        )
    )


@query
def progress() -> str:
    """How far a player came is what the stamps add up to."""
    return f"""
    SELECT {row_of(SeasonProgress, "p")}, format('is %s XP, level %s, %s stamps, the last on %s; the stamps say %s, %s,'
        ' %s, %s', p.current_xp, p.current_level, p.total_stamps, p.last_stamp_date, s.xp, s.level, s.stamps, s.last)
        AS fault
    FROM season_pass_progress p LEFT JOIN (
        SELECT user_id, season_id, max(xp_after) FILTER (WHERE newest = 1) AS xp,
            max(level_after) FILTER (WHERE newest = 1) AS level, count(*) AS stamps, max(date) AS last
        FROM (SELECT *, row_number() OVER (PARTITION BY user_id, season_id
                  ORDER BY xp_after DESC, (xp_earned = 0) DESC, created_at DESC) AS newest
              FROM season_pass_stamp_log) t
        GROUP BY user_id, season_id
    ) s ON s.user_id = p.user_id AND s.season_id = p.season_id
    WHERE (p.current_xp, p.current_level, p.total_stamps, p.last_stamp_date)
        IS DISTINCT FROM (s.xp, s.level, s.stamps, s.last)"""
