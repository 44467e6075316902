"""Storing what a batch decided: one statement that writes all of it, or fails as a whole.

The statement locks the batch's players in the order of their ids and goes on only if none has changed since it was
loaded (`version`); otherwise it fails as a serialization failure, and the batch is decided anew. So no lock is held
between two round trips, and the hot row of a prize has at most one contender per lane.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy.dialects import postgresql

from models import Base, CouponWaiting, IdempotencyKey, RewardBalance, SeasonProgress
from services.answers import encode
from services.coupons import FREE_CODES, GIVE_CODES, LOCK_COUPONS
from services.database import Connection
from services.rules.state import CouponGrant, Effects

_dialect = postgresql.dialect()  # type: ignore[no-untyped-call]

UPSERTS: Mapping[type[Base], str] = {
    RewardBalance: "ON CONFLICT (user_id, reward_type) DO UPDATE SET amount = excluded.amount",
    SeasonProgress: """ON CONFLICT (user_id, season_id) DO UPDATE SET current_xp = excluded.current_xp,
        current_level = excluded.current_level, total_stamps = excluded.total_stamps,
        last_stamp_date = excluded.last_stamp_date, updated_at = excluded.updated_at""",
}

GUARD = """
WITH locked AS MATERIALIZED (
    SELECT u.id, u.version FROM "user" u WHERE u.id = ANY ($1::bigint[]) ORDER BY u.id FOR NO KEY UPDATE
), guard AS MATERIALIZED (
    SELECT haru_conflict_unless(count(*) = cardinality($1::bigint[])) AS unchanged
    FROM locked JOIN unnest($1::bigint[], $2::bigint[]) AS seen(id, version) USING (id, version)
), players AS (
    UPDATE "user" u SET version = u.version + 1, ledger_lines = n.ledger_lines
    FROM unnest($1::bigint[], $3::bigint[]) AS n(id, ledger_lines), guard
    WHERE u.id = n.id AND guard.unchanged
)"""

TAKE_STOCK = """, stock AS (
    UPDATE lottery_prize p SET stock = p.stock - d.taken
    FROM (SELECT * FROM unnest(${ids}::bigint[], ${taken}::bigint[]) AS d(id, taken) ORDER BY id) AS d
    WHERE p.id = d.id
)"""

LOCK_PLAYERS = 'SELECT FROM "user" u WHERE u.id = ANY ($1::bigint[]) ORDER BY u.id FOR NO KEY UPDATE'

UNLOCKED_PLAYERS = 'SELECT u.id FROM "user" u WHERE u.id = ANY ($1::bigint[]) FOR NO KEY UPDATE SKIP LOCKED'

LOCK_PRIZES = """
SELECT FROM lottery_prize p JOIN lottery_config c ON c.id = p.config_id
WHERE c.is_active AND p.stock IS NOT NULL ORDER BY p.id FOR NO KEY UPDATE OF p
"""


async def lock(connection: Connection, user_ids: Iterable[int], *, prizes: bool) -> None:
    """Lock players, then the active lottery's prizes, each in the order of their ids, until the transaction ends."""
    await connection.execute(LOCK_PLAYERS, sorted(set(user_ids)))
    if prizes:
        await connection.execute(LOCK_PRIZES)


async def store(connection: Connection, effects: Effects) -> None:
    """Write all effects. A transaction of its own, or part of the connection's.

    Raises: asyncpg.SerializationError when a player has changed since the load, asyncpg.CheckViolationError
    (ck_lottery_prize_stock) when a prize ran out, asyncpg.UniqueViolationError when a key was used meanwhile.
    """
    _add_changed_rows(effects)
    players = sorted(effects.players.values(), key=lambda player: player.id)
    columns: list[Sequence[Any]] = [
        [player.id for player in players],
        [player.version for player in players],
        [player.ledger_lines for player in players],
    ]
    shape = tuple((table, tuple(rows[0])) for table, rows in effects.rows.items())
    for table, names in shape:
        columns += [[row[name] for row in effects.rows[table]] for name in names]
    if effects.drawn:
        columns += [list(effects.drawn.keys()), list(effects.drawn.values())]
    await connection.execute(_statement(shape, bool(effects.drawn)), *columns)


async def store_with_coupons(connection: Connection, effects: Effects) -> None:
    """Write all effects, some of which are coupons; the connection is in a transaction that has locked the players.

    Each coupon takes the pool's oldest code, which its answer then shows; where the pool is empty, the grant waits.
    """
    given: list[tuple[int, CouponGrant]] = []
    for coupon_type in effects.coupon_types():
        grants = [coupon for coupon in effects.coupons if coupon.coupon_type == coupon_type]
        await connection.execute(LOCK_COUPONS, coupon_type)
        codes = await connection.fetch(FREE_CODES, coupon_type, len(grants))
        for coupon, row in zip(grants, codes, strict=False):
            coupon.granted.coupon_code = row["code"]
            given.append((row["id"], coupon))
        for coupon in grants[len(codes) :]:
            effects.insert(
                CouponWaiting,
                coupon_type=coupon_type,
                user_id=coupon.user_id,
                line_no=coupon.line_no,
                created_at=coupon.now,
            )
    await store(connection, effects)
    await connection.execute(
        GIVE_CODES,
        [code_id for code_id, _ in given],
        [coupon.user_id for _, coupon in given],
        [coupon.line_no for _, coupon in given],
        [coupon.now for _, coupon in given],
    )


def _add_changed_rows(effects: Effects) -> None:
    """Turn what players became into rows."""
    for (user_id, reward_type), amount in effects.balances.items():
        effects.insert(RewardBalance, user_id=user_id, reward_type=reward_type, amount=amount)
    for player, season_id, now in effects.progress.values():
        progress = player.progress
        assert progress is not None
        effects.insert(
            SeasonProgress,
            user_id=player.id,
            id=progress.id,
            season_id=season_id,
            current_xp=progress.current_xp,
            current_level=progress.current_level,
            total_stamps=progress.total_stamps,
            last_stamp_date=progress.last_stamp_date,
            created_at=now,
            updated_at=now,
        )
    for user_id, key, request, answer, now in effects.answers:
        kept = encode(answer).decode()
        effects.insert(IdempotencyKey, user_id=user_id, key=key, request=request, answer=kept, created_at=now)


Shape = tuple[tuple[type[Base], tuple[str, ...]], ...]


@lru_cache(maxsize=256)
def _statement(shape: Shape, takes_stock: bool) -> str:
    """The statement that writes rows of these tables and columns; the connection prepares each text once."""
    parts, parameter = [GUARD], 4
    for number, (table, names) in enumerate(shape):
        types = [column_type(table, name) for name in names]
        arrays = ", ".join(f"${parameter + index}::{_array(type_)}" for index, type_ in enumerate(types))
        values = ", ".join(f'r."{name}"::{type_}' for name, type_ in zip(names, types, strict=True))
        quoted = ", ".join(f'"{name}"' for name in names)
        parts.append(
            f', w{number} AS (INSERT INTO "{table.__tablename__}" ({quoted}) SELECT {values}'  # noqa: S608
            f" FROM unnest({arrays}) AS r({quoted}) {UPSERTS.get(table, '')})"
        )
        parameter += len(names)
    if takes_stock:
        parts.append(TAKE_STOCK.format(ids=parameter, taken=parameter + 1))
    return "".join(parts) + "\nSELECT FROM guard"


@lru_cache(maxsize=1024)
def column_type(table: type[Base], name: str) -> str:
    """A column's PostgreSQL type."""
    return str(table.__table__.c[name].type.compile(_dialect)).lower()


def _array(type_: str) -> str:
    """The array that carries values of a type: JSON travels as text."""
    return "text[]" if type_ in {"json", "jsonb"} else f"{type_}[]"
