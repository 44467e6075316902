"""How the database tells that what somebody knows is no longer so: names and versions that triggers move.

What a business date's facts are made of has a name (`FactRevision`), which is another after every transaction that
changed any of it. It is given at the very end, so nobody waits for a publication but another that commits at the same
moment; a random one, so that no two histories of a database share it. Draws leave it alone: what is left of a stock is
no such fact.

A player's state has a version, in the player's row. Every update of that row moves it, and so does every row of the
state that is written, changed or taken away, by whomever. It moves by a step of chance, so that it never means two
things, not even after a failover that lost the last commits. The storing statement moves the versions itself, and says
so in a setting of its transaction, so that its rows need not.
"""

from __future__ import annotations

from collections.abc import Mapping

NAME_FACTS = """
CREATE FUNCTION haru_name_facts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO fact_revision AS f (facts, revision) VALUES ('day', gen_random_uuid())
    ON CONFLICT (facts) DO UPDATE SET revision = excluded.revision
    WHERE f.xmin <> pg_current_xact_id()::xid; -- once a transaction, however many rows it changed
    RETURN NULL;
END
$$
"""

FACTS: Mapping[str, str] = {
    "feature_config": "UPDATE",
    "feature_schedule": "UPDATE",
    "dice_config": "UPDATE",
    "dice_withdrawal": "UPDATE",
    "roulette_config": "UPDATE",
    "roulette_segment": "UPDATE",
    "roulette_withdrawal": "UPDATE",
    "lottery_config": "UPDATE",
    "lottery_prize": "UPDATE",
    "lottery_stock": "UPDATE OF initial",
    "lottery_withdrawal": "UPDATE",
    "season_pass_config": "UPDATE",
    "season_pass_level": "UPDATE",
}
"""What days are made of, and which updates of it count."""

MOVE_VERSION = """
CREATE FUNCTION haru_move_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.version := OLD.version + 1 + floor(random() * 4294967296)::bigint;
    RETURN NEW;
END
$$
"""

MOVE_PLAYER = """
CREATE FUNCTION haru_move_player() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        UPDATE "user" SET version = version;
    ELSE
        UPDATE "user" SET version = version WHERE id IN (OLD.user_id, NEW.user_id);
    END IF;
    RETURN NULL;
END
$$
"""

STATE = (
    "dice_log",
    "roulette_log",
    "lottery_log",
    "reward_balance",
    "season_pass_progress",
    "season_pass_stamp_log",
    "season_pass_reward_log",
)
"""What a player's state is read from, beside the player's own row."""

CONFLICT = """
CREATE FUNCTION haru_conflict_unless(unchanged boolean, day uuid) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF unchanged IS NOT TRUE OR day IS NOT NULL AND NOT EXISTS (
        SELECT FROM fact_revision f WHERE f.facts = 'day' AND f.revision = day
    ) THEN
        RAISE EXCEPTION 'the state that was decided on has changed' USING ERRCODE = 'serialization_failure';
    END IF;
    PERFORM set_config('haru.versions_moved', 'yes', true);
    RETURN true;
END
$$
"""
"""The guard of the storing statement, called once its players are locked: whether they, and the day, are as known."""

CREATE_CHANGES = (
    CONFLICT,
    MOVE_VERSION,
    MOVE_PLAYER,
    NAME_FACTS,
    'CREATE TRIGGER user_version BEFORE UPDATE ON "user" FOR EACH ROW WHEN (NEW.version = OLD.version)'
    " EXECUTE FUNCTION haru_move_version()",
    *(
        f"CREATE TRIGGER {table}_version AFTER INSERT OR UPDATE OR DELETE ON {table} FOR EACH ROW"
        " WHEN (current_setting('haru.versions_moved', true) IS DISTINCT FROM 'yes')"
        " EXECUTE FUNCTION haru_move_player()"
        for table in STATE
    ),
    *(
        f"CREATE TRIGGER {table}_version_truncated AFTER TRUNCATE ON {table}"
        " FOR EACH STATEMENT EXECUTE FUNCTION haru_move_player()"
        for table in STATE
    ),
    *(
        f"CREATE CONSTRAINT TRIGGER {table}_facts AFTER INSERT OR {update} OR DELETE ON {table}"
        " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION haru_name_facts()"
        for table, update in FACTS.items()
    ),
    *(
        f"CREATE TRIGGER {table}_facts_truncated AFTER TRUNCATE ON {table}"
        " FOR EACH STATEMENT EXECUTE FUNCTION haru_name_facts()"
        for table in FACTS
    ),
)
"""The statements that make it; the tables are there."""

DROP_CHANGES = (
    "DROP FUNCTION haru_name_facts()",
    "DROP FUNCTION haru_move_player()",
    "DROP FUNCTION haru_move_version()",
    "DROP FUNCTION haru_conflict_unless(boolean, uuid)",
)
"""The statements that take away what outlives the tables."""
