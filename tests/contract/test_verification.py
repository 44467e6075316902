"""What `haru db verify` finds: every rule that is gone, weaker or replaced, and nothing in a database that is whole."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import DefaultClause, MetaData, make_url

from models import Base
from models.base import NAMING_CONVENTION
from models.rights import DEFINERS, RIGHTS
from server.cli.main import main
from server.migrations import verification
from server.migrations.definitions import CHECKS_AGAIN
from server.migrations.roles import MIGRATION_LOCK, REVISION_TABLE, make_grants
from server.migrations.upgrade import EXPECTED_REVISION, upgrade
from server.migrations.verification import CannotVerifyError, Verified, verify
from server.postgres.suitability import ONE_ROLE
from tests.conftest import run_sql
from tests.contract.test_database import CONSTRAINTS, fetch, scratch
from tests.games import another_session
from tests.roles import as_application

INSTANT = "timestamp with time zone"

CHANGED = {
    "missing: constraint lottery_stock.ck_lottery_stock_left": """
        ALTER TABLE lottery_stock DROP CONSTRAINT ck_lottery_stock_left""",
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
    "differs: trigger reward_ledger.reward_ledger_follows": """
        ALTER TABLE reward_ledger DISABLE TRIGGER reward_ledger_follows""",
    "differs: function haru_ledger_follows()": """
        ALTER FUNCTION haru_ledger_follows() SET search_path = elsewhere, pg_temp""",
    "differs: trigger audit_log.audit_log_append_only": """
        ALTER TABLE audit_log DISABLE TRIGGER audit_log_append_only""",
    "extra: trigger dice_log.stray": """
        CREATE TRIGGER stray BEFORE UPDATE ON dice_log FOR EACH STATEMENT EXECUTE FUNCTION haru_append_only()""",
    "differs: function haru_conflict_unless(unchanged boolean, day uuid)": """
        CREATE OR REPLACE FUNCTION haru_conflict_unless(unchanged boolean, day uuid) RETURNS boolean
            LANGUAGE sql AS 'SELECT true'""",
    "extra: rule user_event_log.forget": "CREATE RULE forget AS ON INSERT TO user_event_log DO INSTEAD NOTHING",
    "missing: unique index user_event_log.uq_user_event_log_feature_view": "DROP INDEX uq_user_event_log_feature_view",
    "missing: index coupon_code.ix_coupon_code_free": "DROP INDEX ix_coupon_code_free",
    "extra: unique index dice_log.once": "CREATE UNIQUE INDEX once ON dice_log (user_id)",
    "missing: column season_pass_reward_log.stamp_id": "ALTER TABLE season_pass_reward_log DROP COLUMN stamp_id",
    "differs: column roulette_log.segment_id": "ALTER TABLE roulette_log ALTER segment_id DROP NOT NULL",
    "differs: column feature_config.is_enabled": "ALTER TABLE feature_config ALTER is_enabled SET DEFAULT false",
    "differs: table roulette_log": "ALTER TABLE roulette_log SET UNLOGGED",
    "missing: table coupon_waiting": "DROP TABLE coupon_waiting",
    "extra: table stray": "CREATE TABLE stray (id int PRIMARY KEY)",
    "missing: trigger coupon_code.coupon_code_once": "DROP TRIGGER coupon_code_once ON coupon_code",
    f"differs: function haru_prune_keys(since {INSTANT}, before {INSTANT}, most bigint)": """
        ALTER FUNCTION haru_prune_keys SET search_path = public""",
    "extra: function back_door()": """
        CREATE FUNCTION back_door() RETURNS void LANGUAGE sql SECURITY DEFINER AS 'DELETE FROM reward_balance';
        REVOKE ALL ON FUNCTION back_door FROM PUBLIC""",
    "extra: right back_door().EXECUTE of ROLE": "GRANT EXECUTE ON FUNCTION back_door TO ROLE",
    "extra: right reward_ledger.DELETE of ROLE": "GRANT DELETE ON reward_ledger TO ROLE",
    "extra: right dice_log.UPDATE (outcome) of ROLE": "GRANT UPDATE (outcome) ON dice_log TO ROLE",
    "extra: right lottery_log.SELECT of ROLE": "GRANT SELECT ON lottery_log TO ROLE WITH GRANT OPTION",
    "extra: right audit_log.SELECT of PUBLIC": "GRANT SELECT ON audit_log TO PUBLIC",
    "extra: right dice_log.INSERT of pg_monitor": "GRANT SELECT, INSERT ON dice_log TO pg_monitor",
    "extra: right coupon_code_id_seq.UPDATE of ROLE": "GRANT UPDATE ON SEQUENCE coupon_code_id_seq TO ROLE",
    "extra: right schema public.CREATE of ROLE": "GRANT CREATE ON SCHEMA public TO ROLE",
    "extra: right what OWNER will make.INSERT of ROLE": """
        ALTER DEFAULT PRIVILEGES GRANT INSERT ON TABLES TO ROLE""",
    "extra: right what OWNER will make.SELECT of ROLE": """
        ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO ROLE""",
    "missing: right reward_balance.UPDATE (amount) of ROLE": "REVOKE UPDATE (amount) ON reward_balance FROM ROLE",
    f"missing: right haru_prune_keys({INSTANT},{INSTANT},bigint).EXECUTE of ROLE": """
        REVOKE EXECUTE ON FUNCTION haru_prune_keys FROM ROLE""",
    f"extra: right haru_prune_keys({INSTANT},{INSTANT},bigint).EXECUTE of PUBLIC": """
        GRANT EXECUTE ON FUNCTION haru_prune_keys TO PUBLIC""",
}
"""What is said of a database, and what somebody did to it past the migrations. ROLE is the application's."""

NO_GRANTS = (
    "REVOKE ALL ON ALL TABLES IN SCHEMA public FROM ROLE; REVOKE ALL ON ALL FUNCTIONS IN SCHEMA public FROM ROLE"
)

SCHEMAS = "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_'"


@pytest.fixture
def url(server_url: str) -> Iterator[str]:
    """A database of its own, upgraded."""
    with scratch(server_url, "verified") as url:
        upgrade(url)
        asyncio.run(make_grants(url, role_of(url)))
        yield url


def role_of(url: str) -> str:
    """The application's role."""
    return str(make_url(as_application(url)).username)


def named(text: str, url: str) -> str:
    """The same with the roles' names."""
    return text.replace("ROLE", role_of(url)).replace("OWNER", str(make_url(url).username))


def run(url: str, *statements: str) -> Verified:
    """What verify says after these statements."""
    asyncio.run(run_sql(url, *(named(statement, url) for statement in statements)))
    return asyncio.run(verify(url, role=role_of(url)))


def command(url: str, monkeypatch: pytest.MonkeyPatch, *, application: str | None = None) -> Result:
    """`haru db verify`."""
    monkeypatch.setenv("DATABASE_URL", application or as_application(url))
    monkeypatch.setenv("HARU_OWNER_URL", url)
    return CliRunner().invoke(main, ["db", "verify"])


def test_whatever_was_changed_is_found(url: str) -> None:
    verified = run(url, *CHANGED.values())
    assert sorted(finding.headline for finding in verified.findings) == sorted(named(told, url) for told in CHANGED)
    assert all(finding.is_fault for finding in verified.findings)
    assert not verified.is_expected
    things = [str(finding.thing) for finding in verified.findings if finding.thing.kind != "right"]
    assert things == sorted(things)
    told = {finding.headline: finding for finding in verified.findings}
    for headline, expected, found in GRANTS:
        finding = told[named(headline, url)]
        assert (finding.expected, finding.found) == (expected and named(expected, url), found and named(found, url))


GRANTS = [
    ("extra: right lottery_log.SELECT of ROLE", None, 'GRANT SELECT TO "ROLE" WITH GRANT OPTION'),
    ("extra: right reward_ledger.DELETE of ROLE", None, 'GRANT DELETE TO "ROLE"'),
    ("extra: right audit_log.SELECT of PUBLIC", None, "GRANT SELECT TO PUBLIC"),
    ("missing: right reward_balance.UPDATE (amount) of ROLE", 'GRANT UPDATE (amount) TO "ROLE"', None),
]
"""Some of what is told of rights."""


def test_what_is_found_is_told_with_both_definitions(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    weaker = "ALTER TABLE lottery_stock DROP CONSTRAINT ck_lottery_stock_left"
    weak = f'{weaker}, ADD CONSTRAINT ck_lottery_stock_left CHECK ("left" >= -9) NOT VALID'
    asyncio.run(run_sql(url, weak))
    told = command(url, monkeypatch)
    assert told.exit_code == 1
    assert told.stderr == (
        "differs: constraint lottery_stock.ck_lottery_stock_left\n"
        '    expected: CHECK (("left" >= 0))\n'
        "    found: CHECK ((\"left\" >= '-9'::integer)) NOT VALID\n"
    )


def test_an_index_or_a_function_beside_haru_s_is_named_but_no_fault(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    helper = "CREATE FUNCTION plays() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM dice_log'"
    asyncio.run(run_sql(url, "CREATE INDEX by_outcome ON dice_log (outcome)", helper))
    told = command(url, monkeypatch)
    assert told.exit_code == 0
    assert "extra: index dice_log.by_outcome\n" in told.stderr
    assert "extra: function plays()\n" in told.stderr


def test_rights_to_what_will_be_made_elsewhere_are_no_concern(url: str) -> None:
    assert run(
        url,
        "CREATE SCHEMA beside",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA beside GRANT INSERT ON TABLES TO ROLE",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE ON TYPES TO ROLE",
    ) == Verified(EXPECTED_REVISION, [], [])


def test_a_restored_backup_is_whole(url: str) -> None:
    """Restoring writes a check as it was printed, and PostgreSQL prints some of these differently the next time."""
    checks = fetch(url, CHECKS_AGAIN.replace(":schema", "'public'"))
    printed = fetch(url, CONSTRAINTS)
    assert run(url, *(statement for (statement,) in checks)) == Verified(EXPECTED_REVISION, [], [])
    assert fetch(url, CONSTRAINTS) != printed


def test_to_verify_changes_nothing_and_may_be_done_twice_at_once(url: str) -> None:
    async def twice() -> list[Verified]:
        return [*await asyncio.gather(verify(url, role=role_of(url)), verify(url, role=role_of(url)))]

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
    other = MetaData(naming_convention=NAMING_CONVENTION)
    for table in Base.metadata.sorted_tables:
        table.to_metadata(other)
    other.tables["feature_config"].c.is_enabled.server_default = DefaultClause("false")
    monkeypatch.setattr(verification, "Base", SimpleNamespace(metadata=other))
    (difference,) = asyncio.run(verify(url, role=role_of(url))).models
    assert difference.startswith("[('modify_default', None, 'feature_config', 'is_enabled'")


def test_a_role_that_may_not_verify_is_told_what_it_needs(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if fetch(url, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") == [(True,)]:
        pytest.skip("a superuser may do everything")
    asyncio.run(run_sql(url, f"REVOKE CREATE ON DATABASE {make_url(url).database} FROM CURRENT_USER"))
    for told in command(url, monkeypatch), CliRunner().invoke(main, ["audit"]):
        assert told.exit_code == 2  # it could not look
        assert told.stderr == f"Error: {CannotVerifyError()}\n"
    assert "GRANT CREATE ON DATABASE" in told.stderr


def test_what_stands_above_every_right(url: str) -> None:
    def powers(role: str) -> set[str]:
        findings = [finding for finding in asyncio.run(verify(url, role=role)).findings if finding.is_fault]
        return {str(finding) for finding in findings}

    owner = str(make_url(url).username)
    head, found = f"extra: role {owner}.owner of ", powers(owner)
    owned = {power.partition("\n")[0].removeprefix(head) for power in found if power.startswith(head)}
    tables = {table.__tablename__ for table in RIGHTS} | {REVISION_TABLE}
    beyond = {"the schema", "the database"}  # whose they are depends on who made them
    assert owned - beyond == tables | {function.partition("(")[0] for function in DEFINERS}
    assert f"{head}reward_ledger\n    found: owner of reward_ledger" in found
    [(superuser,)] = fetch(url, "SELECT rolname FROM pg_roles WHERE rolsuper ORDER BY oid LIMIT 1")
    found = powers(superuser)
    assert f"extra: role {superuser}.SUPERUSER\n    found: SUPERUSER" in found
    assert f"missing: right reward_ledger.SELECT of {superuser}" in "".join(found)
    assert "member of" not in "".join(found)  # it needs to be none


def test_one_role_for_all_is_told_and_no_fault(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asyncio.run(run_sql(url, named(NO_GRANTS, url)))
    told = command(url, monkeypatch, application=url)
    assert told.exit_code == 0
    assert told.stderr == f"warning: {ONE_ROLE}\n"
    made = CliRunner().invoke(main, ["db", "roles"])
    assert (made.exit_code, made.output) == (1, f"Error: {ONE_ROLE}\n")
    made = CliRunner().invoke(main, ["db", "roles", "--role", role_of(url)])
    assert made.exit_code == 0, made.output
    assert run(url) == Verified(EXPECTED_REVISION, [], [])


def test_grants_that_are_made_again_put_it_right(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rights = {told: did for told, did in CHANGED.items() if " right " in told}
    others = "back_door", "will make", "of pg_monitor"
    wrong = [did for told, did in rights.items() if not any(other in told for other in others)]
    assert not run(url, *wrong).is_expected
    asyncio.run(grants_take_their_turn(url))
    command(url, monkeypatch)
    made = CliRunner().invoke(main, ["db", "roles"])
    assert (made.exit_code, made.stdout) == (0, f"{role_of(url)} may do what haru does, and nothing else.\n")
    assert run(url) == Verified(EXPECTED_REVISION, [], [])


async def grants_take_their_turn(url: str) -> None:
    """Whoever grants waits for whoever changes tables; it fails, so that nothing is granted."""
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    async with another_session(url) as session:
        await session.execute(f"SELECT pg_advisory_lock({MIGRATION_LOCK})")
        granting = asyncio.create_task(make_grants(url, "nobody who is there"))
        async with asyncio.timeout(60):
            while not await session.fetchval(waiting):
                assert not granting.done()
                await asyncio.sleep(0.01)
        await session.execute(f"SELECT pg_advisory_unlock({MIGRATION_LOCK})")
        with pytest.raises(Exception, match="nobody who is there"):
            await granting


def test_the_grants_that_are_printed_are_those_that_are_made(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    verified = run(url, NO_GRANTS)
    assert not verified.is_expected
    missing = [(finding.thing.table, finding.thing.name) for finding in verified.findings]
    assert len(missing) > len(RIGHTS)
    assert missing == sorted(missing)
    command(url, monkeypatch)
    printed = CliRunner().invoke(main, ["db", "roles", "--sql"])
    assert run(url, printed.output) == Verified(EXPECTED_REVISION, [], [])
