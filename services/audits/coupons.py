"""Coupons: a code for each that was granted, once, or a place among those who wait."""

from __future__ import annotations

from models import CouponCode, CouponWaiting, RewardEntry
from services.audits.check import MARGIN, query, row_of


@query
def given() -> str:
    """Every coupon that was granted has one code, or waits for one."""
    return f"""
    SELECT {row_of(RewardEntry, "l")}, format('has %s codes, and waits %s times', coalesce(c.codes, 0),
        coalesce(w.places, 0)) AS fault
    FROM reward_ledger l
    LEFT JOIN (SELECT user_id, line_no, count(*) AS codes FROM coupon_code WHERE line_no IS NOT NULL GROUP BY 1, 2) c
        ON c.user_id = l.user_id AND c.line_no = l.line_no
    LEFT JOIN (SELECT user_id, line_no, count(*) AS places FROM coupon_waiting GROUP BY 1, 2) w
        ON w.user_id = l.user_id AND w.line_no = l.line_no
    WHERE l.reward_type = 'COUPON' AND l.cause <> 'COUPON_GIVEN' AND l.created_at >= :since
        AND coalesce(c.codes, 0) + coalesce(w.places, 0) <> 1"""


@query
def codes() -> str:
    """A code that was given went to a coupon of its type, and not before that was granted."""
    return f"""
    SELECT {row_of(CouponCode, "c")}, CASE WHEN l.reward_type IS DISTINCT FROM 'COUPON'
        THEN format('went to line %s, which is no coupon', c.line_no)
        ELSE format('is of %s and went at %s to line %s, a coupon of %s at %s', c.coupon_type, c.given_at, c.line_no,
            l.coupon_type, l.created_at) END AS fault
    FROM coupon_code c JOIN reward_ledger l ON l.user_id = c.user_id AND l.line_no = c.line_no
    WHERE c.given_at >= :since AND (l.reward_type <> 'COUPON' OR l.coupon_type <> c.coupon_type
        OR c.given_at < l.created_at - {MARGIN})"""


@query
def lines() -> str:
    """A code that was given is handed out by the line of its grant, or by a later one of the same cause."""
    return f"""
    SELECT {row_of(CouponCode, "c")}, 'was given, but the ledger does not hand it out so' AS fault
    FROM coupon_code c
    WHERE c.line_no IS NOT NULL AND c.given_at >= :since AND NOT EXISTS (
        SELECT FROM reward_ledger l JOIN reward_ledger g ON g.user_id = c.user_id AND g.line_no = c.line_no
        WHERE l.coupon_id = c.id AND l.user_id = c.user_id
            AND (l.line_no = g.line_no OR l.cause = 'COUPON_GIVEN' AND l.cause_id = g.cause_id))
    UNION ALL
    SELECT {row_of(RewardEntry, "l")}, format('hands out coupon %s, which was not given to its player', l.coupon_id)
        AS fault
    FROM reward_ledger l
    WHERE l.coupon_id IS NOT NULL AND l.created_at >= :since AND NOT EXISTS (
        SELECT FROM coupon_code c WHERE c.id = l.coupon_id AND c.user_id = l.user_id)"""


@query
def once() -> str:
    """A code is in the pools once."""
    return f"""
    SELECT {row_of(CouponCode, "c")}, 'has a code that another one has' AS fault
    FROM (SELECT id, row_number() OVER (PARTITION BY code ORDER BY id) AS copy FROM coupon_code) c
    WHERE c.copy > 1"""


@query
def waiting() -> str:
    """Who waits for a code waits for one of the coupon that was granted, and only while no code of it is left."""
    return f"""
    SELECT {row_of(CouponWaiting, "w")}, CASE WHEN l.coupon_type IS DISTINCT FROM w.coupon_type
        THEN format('waits for %s, but was granted %s', w.coupon_type, coalesce(l.coupon_type, 'no coupon'))
        ELSE format('waits, though codes of %s are left', w.coupon_type) END AS fault
    FROM coupon_waiting w JOIN reward_ledger l ON l.user_id = w.user_id AND l.line_no = w.line_no
    WHERE l.coupon_type IS DISTINCT FROM w.coupon_type
        OR EXISTS (SELECT FROM coupon_code c WHERE c.coupon_type = w.coupon_type AND c.line_no IS NULL)
    """
