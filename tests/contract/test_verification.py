"""What `haru db verify` finds: every rule that is gone, weaker or replaced, and nothing in a database that is whole."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import MetaData, make_url

from models.base import NAMING_CONVENTION
from server import verification
from server.cli import main
from server.database import EXPECTED_REVISION, upgrade
from server.definitions import CHECKS_AGAIN
from server.verification import Verified, verify
from tests.conftest import run_sql
from tests.contract.test_database import CONSTRAINTS, fetch, scratch

CHANGED = {
    "missing: constraint lottery_prize.ck_lottery_prize_stock": """
        ALTER TABLE lottery_prize DROP CONSTRAINT ck_lottery_prize_stock""",
    "missing: constraint season_pass_config.ex_season_pass_config_overlap": """
        ALTER TABLE season_pass_config DROP CONSTRAINT ex_season_pass_config_overlap""",
    "missing: constraint coupon_code.uq_coupon_code_user_id_line_no": """
        ALTER TABLE coupon_code DROP CONSTRAINT uq_coupon_code_user_id_line_no""",
    "differs: constraint dice_log.ck_dice_log_daily_limit": """
        ALTER TABLE dice_log DROP CONSTRAINT ck_dice_log_daily_limit,
            ADD CONSTRAINT ck_dice_log_daily_limit CHECK (play_no >= 1)""",
    "differs: constraint reward_balance.ck_reward_balance_amount": """
        ALTER TABLE reward_balance DROP CONSTRAINT ck_reward_balance_amount,
            ADD CONSTRAINT ck_reward_balance_amount CHECK (amount BETWEEN 0 AND 9007199254740991) NOT VALID""",
    "extra: constraint dice_log.luck": "ALTER TABLE dice_log ADD CONSTRAINT luck CHECK (outcome <> 'WIN')",
    "missing: trigger reward_ledger.reward_ledger_append_only": """
        DROP TRIGGER reward_ledger_append_only ON reward_ledger""",
    "differs: trigger audit_log.audit_log_append_only": """
        ALTER TABLE audit_log DISABLE TRIGGER audit_log_append_only""",
    "extra: trigger dice_log.stray": """
        CREATE TRIGGER stray BEFORE UPDATE ON dice_log FOR EACH STATEMENT EXECUTE FUNCTION haru_append_only()""",
    "differs: function haru_conflict_unless(unchanged boolean)": """
        CREATE OR REPLACE FUNCTION haru_conflict_unless(unchanged boolean) RETURNS boolean
            LANGUAGE sql AS 'SELECT true'""",
    "extra: rule user_event_log.forget": "CREATE RULE forget AS ON INSERT TO user_event_log DO INSTEAD NOTHING",
    "missing: unique index lottery_config.uq_lottery_config_active": "DROP INDEX uq_lottery_config_active",
    "missing: index coupon_code.ix_coupon_code_free": "DROP INDEX ix_coupon_code_free",
    "extra: unique index dice_log.once": "CREATE UNIQUE INDEX once ON dice_log (user_id)",
    "missing: column season_pass_reward_log.stamp_id": "ALTER TABLE season_pass_reward_log DROP COLUMN stamp_id",
    "differs: column roulette_log.segment_id": "ALTER TABLE roulette_log ALTER segment_id DROP NOT NULL",
    "differs: column feature_config.is_enabled": "ALTER TABLE feature_config ALTER is_enabled SET DEFAULT false",
    "differs: table roulette_log": "ALTER TABLE roulette_log SET UNLOGGED",
    "missing: table coupon_waiting": "DROP TABLE coupon_waiting",
    "extra: table stray": "CREATE TABLE stray (id int PRIMARY KEY)",
}
"""What is said of a database, and what somebody did to it past the migrations."""

SCHEMAS = "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_'"


@pytest.fixture
def url(server_url: str) -> Iterator[str]:
    """A database of its own, upgraded."""
    with scratch(server_url, "verified") as url:
        upgrade(url)
        yield url


def run(url: str, *statements: str) -> Verified:
    """What verify says after these statements."""
    asyncio.run(run_sql(url, *statements))
    return asyncio.run(verify(url))


def command(url: str, monkeypatch: pytest.MonkeyPatch) -> Result:
    """`haru db verify`."""
    monkeypatch.setenv("DATABASE_URL", url)
    return CliRunner().invoke(main, ["db", "verify"])


def test_whatever_was_changed_is_found(url: str) -> None:
    verified = run(url, *CHANGED.values())
    assert sorted(finding.headline for finding in verified.findings) == sorted(CHANGED)
    assert all(finding.is_fault for finding in verified.findings)
    assert not verified.is_expected


def test_what_is_found_is_told_with_both_definitions(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    weaker = "ALTER TABLE lottery_prize DROP CONSTRAINT ck_lottery_prize_stock"
    asyncio.run(run_sql(url, f"{weaker}, ADD CONSTRAINT ck_lottery_prize_stock CHECK (stock >= -9) NOT VALID"))
    told = command(url, monkeypatch)
    assert told.exit_code == 1
    assert told.stderr == (
        "differs: constraint lottery_prize.ck_lottery_prize_stock\n"
        "    expected: CHECK ((stock >= 0))\n"
        "    found: CHECK ((stock >= '-9'::integer)) NOT VALID\n"
    )


def test_an_index_or_a_function_beside_haru_s_is_named_but_no_fault(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    helper = "CREATE FUNCTION plays() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM dice_log'"
    asyncio.run(run_sql(url, "CREATE INDEX by_outcome ON dice_log (outcome)", helper))
    told = command(url, monkeypatch)
    assert told.exit_code == 0
    assert "extra: index dice_log.by_outcome\n" in told.stderr
    assert "extra: function plays()\n" in told.stderr


def test_a_restored_backup_is_whole(url: str) -> None:
    """Restoring writes a check as it was printed, and PostgreSQL prints some of these differently the next time."""
    checks = fetch(url, CHECKS_AGAIN.replace(":schema", "'public'"))
    printed = fetch(url, CONSTRAINTS)
    assert run(url, *(statement for (statement,) in checks)) == Verified(EXPECTED_REVISION, [], [])
    assert fetch(url, CONSTRAINTS) != printed


def test_to_verify_changes_nothing_and_may_be_done_twice_at_once(url: str) -> None:
    async def twice() -> list[Verified]:
        return [*await asyncio.gather(verify(url), verify(url))]

    before = fetch(url, SCHEMAS), fetch(url, "SELECT oid FROM pg_class ORDER BY 1")
    assert asyncio.run(twice()) == [Verified(EXPECTED_REVISION, [], [])] * 2
    assert (fetch(url, SCHEMAS), fetch(url, "SELECT oid FROM pg_class ORDER BY 1")) == before


def test_a_database_without_tables(server_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with scratch(server_url, "bare") as url:
        told = command(url, monkeypatch)
    assert told.exit_code == 1
    assert told.stdout.startswith("alembic_version: none\n")
    assert "missing: table reward_ledger\n" in told.stderr


def test_models_that_are_not_what_the_migrations_make(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verification, "Base", SimpleNamespace(metadata=MetaData(naming_convention=NAMING_CONVENTION)))
    told = command(url, monkeypatch)
    assert told.exit_code == 1
    assert "the models differ from the migrations: ('remove_table', Table('reward_ledger'" in told.stderr


def test_a_role_that_may_not_verify_is_told_what_it_needs(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if fetch(url, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") == [(True,)]:
        pytest.skip("a superuser may do everything")
    asyncio.run(run_sql(url, f"REVOKE CREATE ON DATABASE {make_url(url).database} FROM CURRENT_USER"))
    told = command(url, monkeypatch)
    assert told.exit_code == 1
    assert "GRANT CREATE ON DATABASE" in told.output
