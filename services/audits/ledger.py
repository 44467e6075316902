"""The ledger: its lines, their causes, and the balances that they add up to."""

from __future__ import annotations

from models import LEDGER_START, AuditEntry, Base, Player, RewardBalance, RewardCause, RewardEntry, SeasonReward
from services.audits.check import of_games, query, row_of


def given(row: str, amount: str) -> str:
    """What a row gave, as people read it."""
    return f"concat({row}.reward_type, ' ', {row}.{amount}, ' of ' || {row}.coupon_type, ' at ', {row}.created_at)"


@query
def numbers() -> str:
    """A player's lines are numbered 1, 2, 3 and so on, without a gap."""
    return f"""
    SELECT {row_of(RewardEntry, "l")}, format('follows line %s of its player', l.before) AS fault
    FROM (SELECT user_id, line_no, created_at, lag(line_no, 1, 0::bigint) OVER (PARTITION BY user_id ORDER BY line_no)
          AS before FROM reward_ledger) l
    WHERE l.line_no <> l.before + 1 AND l.created_at >= :since"""


START = f"decode('{LEDGER_START.hex()}', 'hex')"
"""What stands before the first line's hash."""

CANONICAL = """concat_ws(E'\\n', 'haru line 1', user_id, line_no,
    to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), cause, cause_id, reward_type, amount,
    coalesce(balance_after::text, ''), coalesce(coupon_id::text, ''), coalesce(coupon_type, ''))"""
"""A line as it is hashed. The database has a function of it, which this does not trust."""


@query
def hashes() -> str:
    """A line's hash is that of the line and of the hash of the line before."""
    return f"""
    SELECT {row_of(RewardEntry, "l")}, format('has the hash %s; it is %s', encode(l.hash, 'hex'), encode(l.due, 'hex'))
        AS fault
    FROM (SELECT user_id, line_no, created_at, hash, sha256(lag(hash, 1, {START})
              OVER (PARTITION BY user_id ORDER BY line_no) || convert_to({CANONICAL}, 'UTF8')) AS due
          FROM reward_ledger) l
    WHERE l.hash <> l.due AND l.created_at >= :since"""


@query
def heads() -> str:
    """An account knows how many lines it has, and the hash of the last."""
    return f"""
    SELECT {row_of(Player, "u")}, format('counts %s lines, the last with hash %s; the ledger has %s, and %s',
        u.ledger_lines, encode(u.ledger_hash, 'hex'), coalesce(l.line_no, 0), encode(coalesce(l.hash, {START}), 'hex'))
        AS fault
    FROM "user" u LEFT JOIN (
        SELECT DISTINCT ON (user_id) user_id, line_no, hash FROM reward_ledger ORDER BY user_id, line_no DESC
    ) l ON l.user_id = u.id
    WHERE (u.ledger_lines, u.ledger_hash) IS DISTINCT FROM (coalesce(l.line_no, 0), coalesce(l.hash, {START}))"""


@query
def sums() -> str:
    """The balance after a line is the balance before it and the line's amount."""
    return f"""
    SELECT {row_of(RewardEntry, "l")},
        format('says that the balance is %s: it was %s before, and %s came', balance_after, before, amount) AS fault
    FROM (SELECT user_id, line_no, amount, balance_after, created_at,
              lag(balance_after, 1, 0::bigint) OVER (PARTITION BY user_id, reward_type ORDER BY line_no) AS before
          FROM reward_ledger WHERE reward_type IN ('POINT', 'TOKEN')) l
    WHERE l.balance_after IS DISTINCT FROM l.before + l.amount AND l.created_at >= :since"""


@query
def balances() -> str:
    """A player's balance is the sum of the player's lines, as the last of them says."""
    return f"""
    SELECT {row_of(RewardBalance, "r")}, format('is %s; by the last line it is %s', r.amount, r.due) AS fault
    FROM (SELECT user_id, reward_type, b.amount, l.balance_after AS due
          FROM reward_balance b FULL JOIN (
              SELECT DISTINCT ON (user_id, reward_type) user_id, reward_type, balance_after FROM reward_ledger
              WHERE reward_type IN ('POINT', 'TOKEN') ORDER BY user_id, reward_type, line_no DESC
          ) l USING (user_id, reward_type)) r
    WHERE r.amount IS DISTINCT FROM r.due"""


def _uncaused(log: type[Base], cause: RewardCause) -> str:
    """Lines that no row of a log explains, or that gave something else than it says."""
    table = log.__tablename__
    return f"""
    SELECT {row_of(RewardEntry, "l")},
        CASE WHEN g.id IS NULL THEN format('its cause, %s, is not in {table}', l.cause_id)
        ELSE format('gave %s; its cause in {table} says %s', {given("l", "amount")}, {given("g", "reward_amount")}) END
        AS fault
    FROM reward_ledger l LEFT JOIN {table} g ON g.user_id = l.user_id AND g.id = l.cause_id
    WHERE l.cause = '{cause}' AND l.created_at >= :since
        AND (g.id IS NULL OR (l.reward_type, l.amount, l.coupon_type, l.created_at)
             IS DISTINCT FROM (g.reward_type, g.reward_amount, g.coupon_type, g.created_at))"""


@query
def causes() -> str:
    """Every line has its cause, which gave just that: a play, a level, an admin's grant, or one that waited."""
    told = "concat(a.after #>> '{reward,type}', ' ', a.after #>> '{reward,amount}')"
    return f"""
    {of_games(lambda game: _uncaused(game.log, game.cause))}
    UNION ALL {_uncaused(SeasonReward, RewardCause.SEASON_LEVEL)}
    UNION ALL
    SELECT {row_of(RewardEntry, "l")}, CASE WHEN a.id IS NULL
        THEN format('its cause, %s, is not in audit_log', l.cause_id)
        ELSE format('gave %s as line %s; its cause in audit_log says %s as line %s', {given("l", "amount")}, l.line_no,
            {told}, a.after ->> 'lineNo') END AS fault
    FROM reward_ledger l LEFT JOIN audit_log a
        ON a.target = 'player ' || l.user_id AND a.after ->> 'causeId' = l.cause_id::text
    WHERE l.cause = 'ADMIN_GRANT' AND l.created_at >= :since
        AND (a.id IS NULL OR (l.line_no::text, l.reward_type, l.amount::text, l.coupon_type, l.created_at)
             IS DISTINCT FROM (a.after ->> 'lineNo', a.after #>> '{{reward,type}}', a.after #>> '{{reward,amount}}',
                               a.after #>> '{{reward,couponType}}', a.created_at))
    UNION ALL
    SELECT {row_of(RewardEntry, "l")}, 'hands out a coupon that nobody was granted before' AS fault
    FROM reward_ledger l
    WHERE l.cause = 'COUPON_GIVEN' AND l.created_at >= :since AND NOT EXISTS (
        SELECT FROM reward_ledger g WHERE g.user_id = l.user_id AND g.cause_id = l.cause_id AND g.line_no < l.line_no
            AND g.coupon_type = l.coupon_type AND g.amount = 1 AND g.coupon_id IS NULL)"""


def _ungranted(log: type[Base], cause: RewardCause) -> str:
    """Rows of a log that gave something, but have no line."""
    return f"""
    SELECT {row_of(log, "g")}, format('gave %s, but the ledger has no line of it', {given("g", "reward_amount")})
        AS fault
    FROM {log.__tablename__} g
    WHERE g.reward_type <> 'NONE' AND g.reward_amount > 0 AND g.created_at >= :since AND NOT EXISTS (
        SELECT FROM reward_ledger l WHERE l.user_id = g.user_id AND l.cause = '{cause}' AND l.cause_id = g.id)
    """


@query
def grants() -> str:
    """Every play, level and grant by an admin that gave something has its line."""
    return f"""
    {of_games(lambda game: _ungranted(game.log, game.cause))}
    UNION ALL {_ungranted(SeasonReward, RewardCause.SEASON_LEVEL)}
    UNION ALL
    SELECT {row_of(AuditEntry, "a")}, 'granted something, but the ledger has no line of it' AS fault
    FROM audit_log a
    WHERE a.after ? 'causeId' AND a.created_at >= :since AND NOT EXISTS (
        SELECT FROM reward_ledger l WHERE 'player ' || l.user_id = a.target AND l.cause = 'ADMIN_GRANT'
            AND l.cause_id::text = a.after ->> 'causeId')"""
