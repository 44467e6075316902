"""What keeps draws true: SQL that the migration makes, and no table.

A seed's row changes once, to be revealed. Draws that are numbered get their number from one row a date, which whoever
stores them locks behind the stocks: so the order of the numbers is the order in which stocks were taken from. A draw
that belongs to a day that is over may still be stored a moment into the next; what it takes, the next day's draws find
gone, and so it is noted among that day's adjustments.
"""

from __future__ import annotations

REVEAL_FUNCTION = """
CREATE FUNCTION haru_reveal_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.revealed_at IS NULL AND NEW.revealed_at IS NOT NULL
        AND (NEW.date, NEW.commitment, NEW.committed_at) = (OLD.date, OLD.commitment, OLD.committed_at) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a seed is revealed once, and nothing else of it changes' USING ERRCODE = 'restrict_violation';
END
$$
"""

REVEAL_TRIGGER = """
CREATE TRIGGER draw_seed_reveal BEFORE UPDATE OR DELETE ON draw_seed
FOR EACH ROW EXECUTE FUNCTION haru_reveal_once()
"""

SEED_FUNCTION = """
CREATE FUNCTION haru_closed_unless(is_open boolean) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF is_open IS NOT TRUE THEN
        RAISE EXCEPTION 'the seed that was drawn from is revealed, or another'
            USING ERRCODE = 'serialization_failure', CONSTRAINT = 'draw_seed_open';
    END IF;
    RETURN true;
END
$$
"""

NUMBER_FUNCTION = """
CREATE FUNCTION haru_number_draws(drawn_on date, made bigint, stocks bigint[], taken bigint[]) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    last bigint;
BEGIN
    INSERT INTO lottery_day AS d (date, draws) VALUES (drawn_on, made)
        ON CONFLICT (date) DO UPDATE SET draws = d.draws + made RETURNING d.draws INTO last;
    INSERT INTO lottery_adjustment (stock_id, date, by, after_no, taken_on, created_at)
        SELECT t.stock_id, d.date, -t.pieces, d.draws, drawn_on, clock_timestamp()
        FROM lottery_day d CROSS JOIN unnest(stocks, taken) AS t(stock_id, pieces) WHERE d.date > drawn_on;
    RETURN last - made;
END
$$
"""
"""Its statements see what was committed while the stocks were waited for: each has a snapshot of its own."""

OPEN_SEED = "draw_seed_open"
"""What `haru_closed_unless` names as violated."""

CREATE = (REVEAL_FUNCTION, REVEAL_TRIGGER, SEED_FUNCTION, NUMBER_FUNCTION)
DROP = (
    "DROP FUNCTION haru_number_draws(date, bigint, bigint[], bigint[])",
    "DROP FUNCTION haru_closed_unless(boolean)",
    "DROP FUNCTION haru_reveal_once()",
)
"""After the tables, which take their triggers along."""
