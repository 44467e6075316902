"""What the benchmarks run on: a PostgreSQL of their own, 100,000 players with a day behind them, and the server."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import sys
import tempfile
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from hashlib import md5
from pathlib import Path
from random import SystemRandom  # noqa: TID251 (a command is a process of its own)
from typing import NamedTuple
from uuid import UUID

import asyncpg

from benchmarks.cpu import parent_of
from models import Role
from server.auth import tokens_of
from server.clock import wall_clock
from server.demo import load_demo
from server.migrations.roles import make_grants
from server.migrations.upgrade import upgrade
from server.postgres.cluster import APPLICATION
from server.postgres.embedded import as_its_owner, embedded_postgres
from server.settings import Settings, read_settings
from services.calendar import Calendar
from services.database import Database, connect_arguments
from services.transaction import Transactor

PLAYERS = 100_000

SEED_KEYS = f"benchmark:{b64encode(secrets.token_bytes(32)).decode()}"

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

DAYS = {
    "dice_log": "business_date",
    "roulette_log": "business_date",
    "lottery_log": "business_date",
    "season_pass_stamp_log": "date",
}
"""The logs of a day, and the column that tells which."""

REWRITTEN = ("dice_config", "roulette_config", "lottery_config", *DAYS)
"""What nothing but a benchmark changes."""

UNGUARD = "; ".join(f"ALTER TABLE {table} DISABLE TRIGGER {table}_append_only" for table in REWRITTEN)

CONFIGURATION = """
UPDATE dice_config SET max_daily_plays = 0;
UPDATE roulette_config SET max_daily_spins = 0;
UPDATE lottery_config SET max_daily_tickets = 0;
UPDATE lottery_stock SET "left" = 1000000000, initial = 1000000000;
INSERT INTO coupon_code (coupon_type, code, imported_at)
    SELECT 'COFFEE', 'BENCH-' || n, now() FROM generate_series(1, 100000) n;
"""
"""The demo's games, but without a daily limit, and with prizes and coupons for everybody."""

YESTERDAY = """
CREATE TEMP TABLE b AS SELECT id AS user_id, gen_random_uuid() AS play, gen_random_uuid() AS stamp,
    gen_random_uuid() AS reward, gen_random_uuid() AS progress, now() - interval '1 day' AS at,
    '{date}'::date - 1 AS date, (SELECT id FROM season_pass_config) AS season
    FROM "user" WHERE external_id LIKE 'bench-%';
CREATE TEMP TABLE r AS SELECT user_id, play, date, at, ARRAY[n % 6, n / 6 % 6, n / 36 % 6, n / 216 % 6]::int[] AS rolls
    FROM (SELECT *, row_number() OVER (ORDER BY user_id) AS n FROM b) AS numbered;
INSERT INTO dice_log (user_id, id, business_date, play_no, daily_max, config_id, user_dice_1, user_dice_2,
    dealer_dice_1, dealer_dice_2, outcome, drawn_from, rolls, reward_type, reward_amount, created_at)
    SELECT user_id, play, date, 1, 0, (SELECT id FROM dice_config),
        rolls[1] + 1, rolls[2] + 1, rolls[3] + 1, rolls[4] + 1,
        CASE sign(rolls[1] + rolls[2] - rolls[3] - rolls[4]) WHEN 1 THEN 'WIN' WHEN 0 THEN 'DRAW' ELSE 'LOSE' END,
        ARRAY[6, 6, 6, 6], rolls, 'POINT', 100, at FROM r;
CREATE TEMP TABLE c AS SELECT user_id, first,
    haru_ledger_hash(first, user_id, 2, at, 'SEASON_LEVEL', reward, 'POINT', 10, 110, NULL, NULL) AS second
    FROM b, haru_ledger_hash(decode(repeat('00', 32), 'hex'), user_id, 1, at, 'DICE_PLAY', play, 'POINT', 100, 100,
        NULL, NULL) AS first;
INSERT INTO reward_ledger (user_id, line_no, reward_type, amount, balance_after, cause, cause_id, created_at, hash)
    SELECT user_id, 1, 'POINT', 100, 100, 'DICE_PLAY', play, at, first FROM b JOIN c USING (user_id)
    UNION ALL SELECT user_id, 2, 'POINT', 10, 110, 'SEASON_LEVEL', reward, at, second FROM b JOIN c USING (user_id);
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
UPDATE "user" u SET ledger_lines = 2, ledger_hash = second, version = 1 FROM c WHERE c.user_id = u.id;
"""
"""A play, a stamp, a level and its reward for each player, so that today's rows meet tables that are in use.

All dice come up equally often: the watch over odds finds nothing."""


class Served(NamedTuple):
    """A server: its first process, and the port where it listens."""

    process: int
    port: int


@dataclass
class Stage:
    """The database with its players; `postmaster` is the process whose descendants are all of PostgreSQL."""

    url: str
    sql: asyncpg.Connection[asyncpg.Record]
    postmaster: int
    settings: Settings
    calendar: Calendar
    tokens: list[bytes]
    days_turned: int = 0

    @property
    def socket_directory(self) -> str:
        """Where clients find PostgreSQL."""
        directory: str = connect_arguments(self.url)["host"][0]
        return directory

    @property
    def today(self) -> str:
        """The business date."""
        return self.calendar.business_date(wall_clock()).isoformat()

    async def turn_the_day(self, feature: str) -> None:
        """Begin a day of `feature`: what was played today becomes the past, so that first plays stamp again."""
        self.days_turned += 1
        for table, column in DAYS.items():
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
        owner_url = as_its_owner(url)
        await asyncio.to_thread(upgrade, owner_url)
        await make_grants(owner_url, APPLICATION)
        settings = read_settings(
            HARU_ENV="production",
            DATABASE_URL=url,
            WORKERS=workers,
            HARU_SECRET=secrets.token_urlsafe(48),
            HARU_SEED_KEYS=SEED_KEYS,
        )
        calendar = Calendar(settings.zone)
        await _load_demo(url, calendar)
        connection = await asyncpg.connect(**connect_arguments(owner_url))
        try:
            await connection.execute(UNGUARD)
            await connection.execute(CONFIGURATION)
            await _add_players(connection, calendar.business_date(wall_clock()).isoformat())
            postmaster = parent_of(await connection.fetchval("SELECT pg_backend_pid()"))
            yield Stage(url, connection, postmaster, settings, calendar, _sign(settings))
        finally:
            await connection.close()


@contextmanager
def _database() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="haru-bench-", ignore_cleanup_errors=True) as directory:
        Path(directory).chmod(0o711)  # PostgreSQL may run as another account
        with embedded_postgres(Path(directory), settings=POSTGRES_SETTINGS) as url:
            yield url


def free_port() -> int:
    """A port where nobody listens."""
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


async def _add_players(connection: asyncpg.Connection[asyncpg.Record], today: str) -> None:
    """Add the players, with a day behind them. Ids are as random as those of real ones; a number tells each."""
    await connection.execute(
        f"""INSERT INTO "user" (id, external_id, created_at)
        SELECT md5('bench-' || n)::uuid, 'bench-' || n, now() - interval '1 day'
        FROM generate_series(0, {PLAYERS - 1}) n"""
    )
    await connection.execute(YESTERDAY.format(date=today))
    await connection.execute("VACUUM ANALYZE")


def _sign(settings: Settings) -> list[bytes]:
    """A token for each player."""
    tokens = tokens_of(settings, wall_clock)
    ids = (UUID(md5(f"bench-{number}".encode(), usedforsecurity=False).hexdigest()) for number in range(PLAYERS))
    return [tokens.issue(player_id, Role.PLAYER).text.encode() for player_id in ids]


@asynccontextmanager
async def server(stage: Stage, checkout: Path | None = None) -> AsyncIterator[Served]:
    """`haru serve` on the stage's database, of this checkout or another."""
    settings, port = stage.settings, free_port()
    variables = {
        "HARU_ENV": settings.env.value,
        "DATABASE_URL": stage.url,
        "PORT": str(port),
        "WORKERS": str(settings.workers),
        "HARU_SECRET": settings.secret,
        "HARU_SEED_KEYS": SEED_KEYS,
        "HARU_LOG_LEVEL": "warning",
        "HARU_ADDRESS_RATE": "0",  # all requests come from one address
    }
    scripts = Path(sys.executable).parent if checkout is None else checkout / ".venv" / "bin"
    async with running([str(scripts / "haru"), "serve"], port, variables) as served:
        yield served


@asynccontextmanager
async def running(command: Sequence[str], port: int, variables: Mapping[str, str]) -> AsyncIterator[Served]:
    """A server that answers /readyz at a port once it serves; gone at the end."""
    environment = dict(os.environ) | dict(variables)  # noqa: TID251 (for a process of its own)
    process = await asyncio.create_subprocess_exec(*command, env=environment)
    try:
        await asyncio.wait_for(_until_ready(process, port), 30)
        yield Served(process.pid, port)
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
