"""Plays: when they happened, how many there were, by which revision, and what they were worth."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from models import LAST_DATE, Base, DiceOutcome, SeasonStamp, UserEvent
from services.audits.check import MARGIN, Finding, Snapshot, check, of_games, query, row_of
from services.audits.versions import TIMES_OF_DAYS
from services.rules.game import Game
from services.rules.registry import GAMES

DATED: tuple[tuple[type[Base], str], ...] = (
    *((game.log, "business_date") for game in GAMES.values()),
    (SeasonStamp, "date"),
    (UserEvent, "business_date"),
)
FIRST_DATE = "2000-01-01"


@check
async def dates(snapshot: Snapshot) -> AsyncIterator[Finding]:
    """A play, a stamp and an event are of the day that holds their instant, in the event's time zone."""
    for table, column in DATED:
        name = table.__tablename__
        seen = f"""SELECT DISTINCT {column} AS date FROM {name}
            WHERE created_at >= :since AND {column} BETWEEN '{FIRST_DATE}' AND '{LAST_DATE}'"""
        days = [row.date async for row in snapshot.rows(seen)]
        starts = [snapshot.calendar.starts_at(day) for day in days]
        ends = [snapshot.calendar.ends_at(day) for day in days]
        misdated = f"""
        SELECT {row_of(table, "t")}, format('happened at %s, which is not on %s', t.created_at, t.{column}) AS fault
        FROM {name} t LEFT JOIN unnest(CAST(:days AS date[]), CAST(:starts AS timestamptz[]),
            CAST(:ends AS timestamptz[])) AS d(date, starts_at, ends_at) ON d.date = t.{column}
        WHERE t.created_at >= :since
            AND (t.created_at >= d.starts_at AND t.created_at < d.ends_at) IS NOT TRUE"""
        async for finding in snapshot.findings(misdated, days=days, starts=starts, ends=ends):
            yield finding


@query
def numbers() -> str:
    """A player's plays of a game and a day are numbered 1, 2, 3 and so on, without a gap."""
    return of_games(
        lambda game: (
            f"""
        SELECT {row_of(game.log, "g")}, format('is play %s of %s, and follows play %s', play_no, business_date, before)
            AS fault
        FROM (SELECT user_id, id, business_date, play_no, created_at, lag(play_no, 1, 0::bigint)
                  OVER (PARTITION BY user_id, business_date ORDER BY play_no) AS before
              FROM {game.log.__tablename__}) g
        WHERE g.play_no <> g.before + 1 AND g.created_at >= :since"""
        )
    )


@query
def limits() -> str:
    """A play counts against the daily limit of its revision."""
    return of_games(
        lambda game: (
            f"""
        SELECT {row_of(game.log, "g")}, format('counts against %s a day; its revision has %s', g.daily_max,
            c.{game.limit}) AS fault
        FROM {game.log.__tablename__} g JOIN {game.config.__tablename__} c ON c.id = g.config_id
        WHERE g.daily_max <> c.{game.limit} AND g.created_at >= :since"""
        )
    )


@query
def days() -> str:
    """A game was played when it was the feature of its day, and switched on."""
    return of_games(
        lambda game: (
            f"""
        SELECT {row_of(game.log, "g")}, format('was played at %s, when %s was no day of {game.feature}', g.created_at,
            g.business_date) AS fault
        FROM {game.log.__tablename__} g LEFT JOIN ({TIMES_OF_DAYS}) d
            ON d.date = g.business_date AND d.feature_type = '{game.feature}'
        WHERE (d.times @> g.created_at) IS NOT TRUE AND g.created_at >= :since"""
        )
    )


def _times_of_revisions(game: Game[Any, Any]) -> str:
    """When each revision of a game was to be played: its window, without the times of those that stand above it."""
    config, withdrawal = game.config.__tablename__, game.withdrawal.__tablename__
    return f"""
    SELECT c.id, tstzmultirange(tstzrange(c.effective_from,
            greatest(c.effective_from, coalesce(least(c.effective_until, w.withdrawn_at + {MARGIN}), 'infinity'))))
        - coalesce((
            SELECT range_agg(tstzrange(greatest(o.effective_from, o.published_at + {MARGIN}), o.effective_until))
            FROM {config} o
            WHERE (o.effective_from, o.revision) > (c.effective_from, c.revision)
                AND (o.effective_until IS NULL OR o.effective_until > o.published_at + {MARGIN})
                AND NOT EXISTS (SELECT FROM {withdrawal} x WHERE x.config_id = o.id)
        ), '{{}}') AS times
    FROM {config} c LEFT JOIN {withdrawal} w ON w.config_id = c.id"""


@query
def revisions() -> str:
    """A play is by the revision that was in force at its instant."""
    return of_games(
        lambda game: (
            f"""
        SELECT {row_of(game.log, "g")}, format('was played at %s by the revision with id %s, which was not in force',
            g.created_at, g.config_id) AS fault
        FROM {game.log.__tablename__} g JOIN ({_times_of_revisions(game)}) r ON r.id = g.config_id
        WHERE NOT r.times @> g.created_at AND g.created_at >= :since"""
        )
    )


def _outcome(game: Game[Any, Any]) -> tuple[str, str]:
    """The join of a log `g` with what its revision says of what was drawn, as `r`, and whether that can be drawn."""
    if game.parts is None:
        sums = "sign(g.user_dice_1 + g.user_dice_2 - g.dealer_dice_1 - g.dealer_dice_2)"
        by_outcome = {
            column: " ".join(f"WHEN '{outcome}' THEN c.{outcome.lower()}_{column}" for outcome in DiceOutcome)
            for column in ("reward_type", "reward_amount", "coupon_type")
        }
        values = ", ".join(f"CASE g.outcome {cases} END AS {column}" for column, cases in by_outcome.items())
        joined = f"JOIN {game.config.__tablename__} c ON c.id = g.config_id CROSS JOIN LATERAL (SELECT {values}) r"
        return joined, f"g.outcome = CASE {sums} WHEN 1 THEN 'WIN' WHEN 0 THEN 'DRAW' ELSE 'LOSE' END"
    part = game.parts.table
    drawable = "r.weight > 0" + (" AND r.is_active" if "is_active" in part.__table__.c else "")
    joined = f"JOIN {part.__tablename__} r ON r.config_id = g.config_id AND r.id = g.{game.parts.log_column}"
    return joined, drawable


def _unexplained(game: Game[Any, Any]) -> str:
    joined, drawable = _outcome(game)
    return f"""
    SELECT {row_of(game.log, "g")}, CASE WHEN NOT ({drawable}) THEN 'its revision draws no such thing'
        ELSE format('gave %s %s %s; its revision says %s %s %s', g.reward_type, g.reward_amount, g.coupon_type,
            r.reward_type, r.reward_amount, r.coupon_type) END AS fault
    FROM {game.log.__tablename__} g {joined}
    WHERE g.created_at >= :since AND (NOT ({drawable}) OR (g.reward_type, g.reward_amount, g.coupon_type)
        IS DISTINCT FROM (r.reward_type, r.reward_amount, r.coupon_type))"""


@query
def outcomes() -> str:
    """What was drawn could be drawn, and gave what its revision says."""
    return of_games(_unexplained)
