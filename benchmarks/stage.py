"""What the benchmarks run on: a PostgreSQL of their own, 100,000 players with a day behind them, and the server."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import SystemRandom  # noqa: TID251 (a command is a process of its own)

import asyncpg

from benchmarks.cpu import parent_of
from models import Role
from server.app import wall_clock
from server.auth import Tokens
from server.database import upgrade
from server.demo import load_demo
from server.embedded_postgres import embedded_postgres
from server.settings import Settings, read_settings
from services.calendar import Calendar
from services.database import Database, connect_arguments
from services.transaction import Transactor

PLAYERS = 100_000

POSTGRES_SETTINGS = {
    "fsync": "on",
    "synchronous_commit": "on",
    "max_connections": "200",
    "shared_buffers": "512MB",
    "max_wal_size": "8GB",
    # No vacuum and no checkpoint but the benchmark's own: it would be charged to whoever is running just then.
    "autovacuum": "off",
    "checkpoint_timeout": "1h",
}

CONFIGURATION = """
UPDATE dice_config SET max_daily_plays = 0;
UPDATE roulette_config SET max_daily_spins = 0;
UPDATE lottery_config SET max_daily_tickets = 0;
UPDATE lottery_prize SET stock = 1000000000, initial_stock = 1000000000 WHERE stock IS NOT NULL;
INSERT INTO coupon_code (coupon_type, code, imported_at)
    SELECT 'COFFEE', 'BENCH-' || n, now() FROM generate_series(1, 100000) n;
"""
"""The demo's games, but without a daily limit, and with prizes and coupons for everybody."""

YESTERDAY = """
CREATE TEMP TABLE b AS SELECT id AS user_id, gen_random_uuid() AS play, gen_random_uuid() AS stamp,
    gen_random_uuid() AS reward, gen_random_uuid() AS progress, now() - interval '1 day' AS at,
    '{date}'::date - 1 AS date, (SELECT id FROM season_pass_config) AS season
    FROM "user" WHERE external_id LIKE 'bench-%';
INSERT INTO dice_log (user_id, id, business_date, play_no, daily_max, config_id, user_dice_1, user_dice_2,
    dealer_dice_1, dealer_dice_2, outcome, reward_type, reward_amount, created_at)
    SELECT user_id, play, date, 1, 0, (SELECT id FROM dice_config), 6, 5, 2, 1, 'WIN', 'POINT', 100, at FROM b;
INSERT INTO reward_ledger (user_id, line_no, reward_type, amount, balance_after, cause, cause_id, created_at)
    SELECT user_id, 1, 'POINT', 100, 100, 'DICE_PLAY', play, at FROM b
    UNION ALL SELECT user_id, 2, 'POINT', 10, 110, 'SEASON_LEVEL', reward, at FROM b;
INSERT INTO reward_balance (user_id, reward_type, amount) SELECT user_id, 'POINT', 110 FROM b;
INSERT INTO season_pass_progress (user_id, id, season_id, current_xp, current_level, total_stamps, last_stamp_date,
    created_at, updated_at)
    SELECT user_id, progress, season, 120, 1, 1, date, at, at FROM b;
INSERT INTO season_pass_stamp_log (user_id, id, season_id, progress_id, date, source_feature, play_id, xp_earned,
    xp_after, level_before, level_after, created_at)
    SELECT user_id, stamp, season, progress, date, 'DICE', play, 120, 120, 0, 1, at FROM b;
INSERT INTO season_pass_reward_log (user_id, id, season_id, progress_id, level, stamp_id, reward_type, reward_amount,
    created_at)
    SELECT user_id, reward, season, progress, 1, stamp, 'POINT', 10, at FROM b;
INSERT INTO user_event_log (user_id, id, feature_type, event_name, business_date, meta_json, created_at)
    SELECT user_id, gen_random_uuid(), e.feature, e.name, date, jsonb_build_object('playId', play), at
    FROM b, (VALUES ('DICE', 'PLAY'), ('SEASON_PASS', 'SEASON_PASS_STAMP'),
        ('SEASON_PASS', 'SEASON_PASS_LEVEL_UP')) AS e(feature, name);
INSERT INTO idempotency_key (user_id, key, request, answer, created_at)
    SELECT user_id, gen_random_uuid()::text, 'play:DICE', json_build_object('id', play), at FROM b;
UPDATE "user" u SET ledger_lines = 2, version = 1 FROM b WHERE b.user_id = u.id;
"""
"""A play, a stamp, a level and its reward for each player, so that today's rows meet tables that are in use."""


@dataclass
class Stage:
    """The database with its players; `postmaster` is the process whose descendants are all of PostgreSQL."""

    url: str
    sql: asyncpg.Connection[asyncpg.Record]
    postmaster: int
    settings: Settings
    calendar: Calendar
    first_player: int
    tokens: list[bytes]
    days_turned: int = 0

    @property
    def socket_directory(self) -> str:
        """Where clients find PostgreSQL."""
        directory: str = connect_arguments(self.url)["host"]
        return directory

    @property
    def today(self) -> str:
        """The business date."""
        return self.calendar.business_date(wall_clock()).isoformat()

    async def turn_the_day(self, feature: str) -> None:
        """Begin a day of `feature`: what was played today becomes the past, so that first plays stamp again."""
        self.days_turned += 1
        for table, column in (
            ("dice_log", "business_date"),
            ("roulette_log", "business_date"),
            ("lottery_log", "business_date"),
            ("season_pass_stamp_log", "date"),
        ):
            await self.sql.execute(
                f"UPDATE {table} SET {column} = {column} - {1 + self.days_turned} WHERE {column} = '{self.today}'"
            )
            await self.sql.execute(f"VACUUM ANALYZE {table}")
        await self.sql.execute("UPDATE feature_schedule SET feature_type = $1", feature)
        await self.sql.execute('VACUUM ANALYZE "user"')


@asynccontextmanager
async def stage(workers: int) -> AsyncIterator[Stage]:
    """A database in a temporary directory, filled; gone at the end."""
    with _database() as url:
        await asyncio.to_thread(upgrade, url)
        settings = read_settings(
            HARU_ENV="production",
            DATABASE_URL=url,
            PORT=_free_port(),
            WORKERS=workers,
            HARU_SECRET=secrets.token_urlsafe(48),
        )
        calendar = Calendar(settings.zone)
        await _load_demo(url, calendar)
        connection = await asyncpg.connect(**connect_arguments(url))
        try:
            await connection.execute(CONFIGURATION)
            first = await _add_players(connection, calendar.business_date(wall_clock()).isoformat())
            postmaster = parent_of(await connection.fetchval("SELECT pg_backend_pid()"))
            yield Stage(url, connection, postmaster, settings, calendar, first, _sign(settings, first))
        finally:
            await connection.close()


@contextmanager
def _database() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="haru-bench-", ignore_cleanup_errors=True) as directory:
        Path(directory).chmod(0o711)  # PostgreSQL may run as another account
        with embedded_postgres(Path(directory), settings=POSTGRES_SETTINGS) as url:
            yield url


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def _load_demo(url: str, calendar: Calendar) -> None:
    database = Database(url, pool_size=2)
    try:
        await Transactor(database, calendar, wall_clock, SystemRandom())(load_demo)
    finally:
        await database.close()


async def _add_players(connection: asyncpg.Connection[asyncpg.Record], today: str) -> int:
    """Add the players, with a day behind them; returns the first one's id, from which the others count up."""
    await connection.execute(
        f"""INSERT INTO "user" (external_id, created_at)
        SELECT 'bench-' || n, now() - interval '1 day' FROM generate_series(1, {PLAYERS}) n ORDER BY n"""
    )
    await connection.execute(YESTERDAY.format(date=today))
    await connection.execute("VACUUM ANALYZE")
    first: int = await connection.fetchval("SELECT min(id) FROM \"user\" WHERE external_id LIKE 'bench-%'")
    return first


def _sign(settings: Settings, first: int) -> list[bytes]:
    """A token for each player."""
    tokens = Tokens(
        settings.secrets,
        issuer=settings.token_issuer,
        audience=settings.token_audience,
        lifetime_seconds=86_400,
        clock=wall_clock,
    )
    return [tokens.issue(first + number, Role.PLAYER).text.encode() for number in range(PLAYERS)]


@asynccontextmanager
async def server(stage: Stage) -> AsyncIterator[int]:
    """`haru serve` on the stage's database; its process id."""
    settings = stage.settings
    variables = {
        "HARU_ENV": settings.env.value,
        "DATABASE_URL": stage.url,
        "PORT": str(settings.port),
        "WORKERS": str(settings.workers),
        "HARU_SECRET": settings.secret,
        "HARU_LOG_LEVEL": "warning",
        "HARU_ADDRESS_RATE": "0",  # all requests come from one address
    }
    environment = dict(os.environ) | variables  # noqa: TID251 (for a process of its own)
    process = await asyncio.create_subprocess_exec(Path(sys.executable).with_name("haru"), "serve", env=environment)
    try:
        await asyncio.wait_for(_until_ready(process, settings.port), 30)
        yield process.pid
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _until_ready(process: asyncio.subprocess.Process, port: int) -> None:
    while True:
        if process.returncode is not None:
            raise RuntimeError("the server has ended; its message is above")
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /readyz HTTP/1.1\r\nhost: bench\r\nconnection: close\r\n\r\n")
            answer = await reader.read()
            writer.close()
            if b" 200 " in answer[:20]:
                return
        except OSError:
            pass
        await asyncio.sleep(0.1)
