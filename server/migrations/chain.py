"""What the database itself checks of the ledger's chain: a line that does not follow the one before is refused.

A transition table holds what one statement has added, so that a batch is checked by one query, which finds the line
before each, and the last before it that moved the same balance, by the primary key. Whoever may insert, but not switch
a trigger off, can so only add what is true of the lines that are there. The line's text is that of `services.ledger`.
"""

from __future__ import annotations

HASH_FUNCTION = """
CREATE FUNCTION haru_ledger_hash(previous bytea, user_id uuid, line_no bigint, created_at timestamptz, cause text,
    cause_id uuid, reward_type text, amount bigint, balance_after bigint, coupon_id bigint, coupon_type text)
    RETURNS bytea LANGUAGE sql STABLE AS $$
SELECT sha256(previous || convert_to(
    'haru line 1' || E'\\n' || user_id || E'\\n' || line_no || E'\\n'
        || to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24\\:MI\\:SS.US"Z"') || E'\\n'
        || cause || E'\\n' || cause_id || E'\\n' || reward_type || E'\\n' || amount || E'\\n'
        || coalesce(balance_after::text, '') || E'\\n' || coalesce(coupon_id::text, '') || E'\\n'
        || coalesce(coupon_type, ''), 'UTF8'))
$$
"""

CHAIN_FUNCTION = """
CREATE FUNCTION haru_ledger_follows() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE wrong record;
BEGIN
    SELECT n.user_id, n.line_no INTO wrong
    FROM added n LEFT JOIN LATERAL (
        SELECT l.hash FROM reward_ledger l WHERE l.user_id = n.user_id AND l.line_no = n.line_no - 1 LIMIT 1
    ) p ON true
    WHERE (p.hash IS NULL AND n.line_no > 1)
        OR n.hash <> haru_ledger_hash(coalesce(p.hash, decode(repeat('00', 32), 'hex')), n.user_id, n.line_no,
            n.created_at, n.cause, n.cause_id, n.reward_type, n.amount, n.balance_after, n.coupon_id, n.coupon_type)
        OR n.balance_after <> n.amount + coalesce((
            SELECT b.balance_after FROM reward_ledger b
            WHERE b.user_id = n.user_id AND b.line_no < n.line_no AND b.reward_type = n.reward_type
            ORDER BY b.line_no DESC LIMIT 1), 0)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'line % of player % does not follow the line before', wrong.line_no, wrong.user_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'reward_ledger_follows', TABLE = 'reward_ledger';
    END IF;
    RETURN NULL;
END
$$
"""

CHAIN_SETTINGS = (
    """
DO $do$ BEGIN
    EXECUTE format('ALTER FUNCTION haru_ledger_follows() SET search_path = %I, pg_temp', current_schema());
END $do$
""",
    "ALTER FUNCTION haru_ledger_follows() SET enable_seqscan = off",
)
"""It finds haru's own ledger, none that a session has put before it; by key, also in one that was just now empty."""

CHAIN_TRIGGER = """
CREATE TRIGGER reward_ledger_follows AFTER INSERT ON reward_ledger REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION haru_ledger_follows()
"""

CREATE_CHAIN = (HASH_FUNCTION, CHAIN_FUNCTION, *CHAIN_SETTINGS, CHAIN_TRIGGER)
"""The statements that make it; the tables are there."""

DROP_CHAIN = (
    "DROP FUNCTION haru_ledger_follows()",
    "DROP FUNCTION haru_ledger_hash(bytea, uuid, bigint, timestamptz, text, uuid, text, bigint, bigint, bigint, text)",
)
"""The statements that take away what outlives the table."""
