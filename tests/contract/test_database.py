"""The migrations make exactly the tables that the models describe, and take them away again."""

from __future__ import annotations

import asyncio
import os
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, PrimaryKeyConstraint, UniqueConstraint, make_url
from sqlalchemy.ext.asyncio import create_async_engine

from models import Base
from server.migrations.upgrade import EXPECTED_REVISION, alembic_config, downgrade, upgrade
from server.migrations.verification import Verified, verify
from services.days import FACTS
from services.rules.registry import GAMES
from tests.conftest import drop_database, run_sql
from tests.games import another_session

RULES = {
    "stock is never negative": ("lottery_stock", "ck_lottery_stock_left"),
    "weights of prizes are not negative": ("lottery_prize", "ck_lottery_prize_weight"),
    "weights of segments are not negative": ("roulette_segment", "ck_roulette_segment_weight"),
    "six slots": ("roulette_segment", "ck_roulette_segment_slot"),
    "one segment a slot": ("roulette_segment", "uq_roulette_segment_config_id_slot"),
    "the daily limit is exact": ("dice_log", "uq_dice_log_user_id_business_date_play_no"),
    "and for the roulette": ("roulette_log", "uq_roulette_log_user_id_business_date_play_no"),
    "and for the lottery": ("lottery_log", "uq_lottery_log_user_id_business_date_play_no"),
    "never above the limit": ("dice_log", "ck_dice_log_daily_limit"),
    "a die has six sides": ("dice_log", "ck_dice_log_user_dice_1"),
    "the outcome is what the dice say": ("dice_log", "ck_dice_log_outcome_sums"),
    "one schedule row a date": ("feature_schedule", "uq_feature_schedule_date"),
    "one configuration a feature": ("feature_config", "uq_feature_config_feature_type"),
    "one answer a key": ("idempotency_key", "pk_idempotency_key"),
    "one grant a cause": ("reward_ledger", "uq_reward_ledger_user_id_cause_cause_id"),
    "no balance below zero": ("reward_balance", "ck_reward_balance_amount"),
    "a code goes to one grant": ("coupon_code", "uq_coupon_code_user_id_line_no"),
    "seasons do not overlap": ("season_pass_config", "ex_season_pass_config_overlap"),
    "seasons start before they end": ("season_pass_config", "ck_season_pass_config_dates"),
    "seasons have names of their own": ("season_pass_config", "uq_season_pass_config_name"),
    "one row a level": ("season_pass_level", "uq_season_pass_level_season_id_level"),
    "one progress a season": ("season_pass_progress", "uq_season_pass_progress_user_id_season_id"),
    "one stamp a day": ("season_pass_stamp_log", "uq_season_pass_stamp_log_user_id_season_id_date"),
    "one reward a level": ("season_pass_reward_log", "uq_season_pass_reward_log_user_id_season_id_level"),
    "one row a rank": ("ranking_daily", "pk_ranking_daily"),
}

CONSTRAINTS = """
SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), convalidated FROM pg_constraint
WHERE connamespace = 'public'::regnamespace AND contype NOT IN ('n', 't')
    AND conrelid::regclass::text <> 'alembic_version'
ORDER BY 1, 2
"""
INDEXES = """
SELECT tablename, indexname, indexdef FROM pg_indexes
WHERE schemaname = 'public' AND tablename <> 'alembic_version' ORDER BY 1, 2
"""
COLUMNS = """
SELECT table_name, column_name, data_type, is_nullable, column_default, is_identity FROM information_schema.columns
WHERE table_schema = 'public' AND table_name <> 'alembic_version' ORDER BY 1, 2
"""
OPTIONS = (
    "SELECT relname, reloptions FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY 1"
)
LEFT = """
SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname !~ '^alembic_version'
UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proname ~ '^haru'
UNION ALL SELECT typname FROM pg_type WHERE typnamespace = 'public'::regnamespace AND typname !~ 'alembic_version'
"""


@contextmanager
def scratch(server_url: str, name: str) -> Iterator[str]:
    """An empty database of its own."""
    database = f"haru_test_{os.getpid()}_{name}"
    asyncio.run(run_sql(server_url, f"DROP DATABASE IF EXISTS {database}", f"CREATE DATABASE {database}"))
    try:
        yield make_url(server_url).set(database=database).render_as_string(hide_password=False)
    finally:
        asyncio.run(drop_database(server_url, database))


def fetch(url: str, query: str) -> list[tuple[Any, ...]]:
    async def run() -> list[tuple[Any, ...]]:
        async with another_session(url) as connection:
            return [tuple(row) for row in await connection.fetch(query)]

    return asyncio.run(run())


def test_up_down_and_up_again(server_url: str) -> None:
    with scratch(server_url, "migrations") as url:
        assert asyncio.run(verify(url)).revision is None
        upgrade(url)
        assert asyncio.run(verify(url)) == Verified(EXPECTED_REVISION, [], [])
        upgrade(url)  # which changes nothing
        downgrade(url)
        assert asyncio.run(verify(url)).revision is None
        assert fetch(url, LEFT) == []
        upgrade(url)
        assert asyncio.run(verify(url)) == Verified(EXPECTED_REVISION, [], [])


def test_until_the_first_release_there_is_one_revision() -> None:
    assert EXPECTED_REVISION == "20241206_0001"
    assert alembic_config().get_main_option("script_location")


def test_the_migrations_and_the_models_make_the_same_tables(server_url: str) -> None:
    """Definitions as PostgreSQL has them: what a comparison by names does not see."""

    async def create_all(url: str) -> None:
        engine = create_async_engine(url)
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        await engine.dispose()

    with scratch(server_url, "migrated") as migrated, scratch(server_url, "modelled") as modelled:
        upgrade(migrated)
        asyncio.run(create_all(modelled))
        for query in (CONSTRAINTS, INDEXES, COLUMNS):
            assert fetch(migrated, query) == fetch(modelled, query)
        options = [row for row in fetch(migrated, OPTIONS) if row[0] != "alembic_version"]
        assert options == fetch(modelled, OPTIONS)


async def constraints_of(url: str) -> dict[tuple[str, str], bool]:
    async with another_session(url) as connection:
        rows = await connection.fetch(CONSTRAINTS)
        return {(row[0].strip('"'), row["conname"]): row["convalidated"] for row in rows}


async def test_every_rule_is_held_by_a_constraint_with_a_name(database_url: str) -> None:
    found = await constraints_of(database_url)
    assert [rule for rule, constraint in RULES.items() if not found.get(constraint)] == []


async def test_every_constraint_of_the_models_is_there(database_url: str) -> None:
    found = await constraints_of(database_url)
    for table in Base.metadata.sorted_tables:
        for constraint in table.constraints:
            if isinstance(constraint, (CheckConstraint, ForeignKeyConstraint, PrimaryKeyConstraint, UniqueConstraint)):
                assert constraint.name is not None, (table.name, constraint)
                assert found.get((table.name, str(constraint.name))), (table.name, constraint.name)
        assert all(isinstance(index, Index) and index.name for index in table.indexes)


LOGS = [
    "user_event_log",
    *(game.log.__tablename__ for game in GAMES.values()),
    "reward_ledger",
    "season_pass_stamp_log",
    "season_pass_reward_log",
]


@pytest.mark.parametrize("log", LOGS)
async def test_every_log_has_an_index_by_player_and_time(database_url: str, log: str) -> None:
    async with another_session(database_url) as connection:
        found = await connection.fetchval(
            "SELECT indexdef FROM pg_indexes WHERE indexname = $1", f"ix_{log}_user_id_created_at"
        )
    assert found is not None
    assert found.endswith("(user_id, created_at)")


async def test_all_that_a_day_is_made_of_names_its_facts_anew(database_url: str) -> None:
    """A table that the facts are read from, and that did not name them when it changed, would be believed for ever."""
    read = {name for name in Base.metadata.tables if re.search(rf'[ "]{name}[ ".]', FACTS)} - {"fact_revision"}
    async with another_session(database_url) as connection:
        triggers = await connection.fetch(
            "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgfoid = 'haru_name_facts'::regproc"
        )
    assert Counter(row[0] for row in triggers) == dict.fromkeys(read, 2)  # one for rows, one for TRUNCATE
