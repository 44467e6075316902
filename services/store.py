"""Storing what a batch decided: one statement that writes all of it, or fails as a whole.

The statement locks the batch's players in the order of their ids and goes on only if none has changed since it was
known (`version`), nor, where they were not loaded but remembered, the facts of the day; otherwise it fails as a
serialization failure, and the batch is decided anew. So no lock is held between two round trips, and the hot row of a
stock has at most one contender per lane.

Draws need the day's seed not to be revealed, and those of a lottery its table to be the one that they were drawn from:
its stocks are locked by id, behind the players, whatever was drawn. Under that lock they get their numbers.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy.dialects import postgresql

from models import Base, CouponWaiting, IdempotencyKey, LotteryLog, RewardBalance, RewardEntry, SeasonProgress
from services import ledger
from services.answers import encode
from services.coupon_pool import FREE_CODES, GIVE_CODES, LOCK_COUPONS
from services.database import Connection
from services.published import may_be_played_in
from services.rules.lottery import LOTTERY
from services.rules.state import Effects

_dialect = postgresql.dialect()  # type: ignore[no-untyped-call]

UPSERTS: Mapping[type[Base], str] = {
    RewardBalance: "ON CONFLICT (user_id, reward_type) DO UPDATE SET amount = excluded.amount",
    SeasonProgress: """ON CONFLICT (user_id, season_id) DO UPDATE SET current_xp = excluded.current_xp,
        current_level = excluded.current_level, total_stamps = excluded.total_stamps,
        last_stamp_date = excluded.last_stamp_date, updated_at = excluded.updated_at""",
}

GUARD = """
WITH locked AS MATERIALIZED (
    SELECT u.id, u.version FROM "user" u WHERE u.id = ANY ($1::uuid[]) ORDER BY u.id FOR NO KEY UPDATE
), guard AS MATERIALIZED (
    SELECT haru_conflict_unless(count(*) = cardinality($1::uuid[]), $6::uuid) AS unchanged
    FROM locked JOIN unnest($1::uuid[], $2::bigint[]) AS seen(id, version) USING (id, version)
), players AS (
    UPDATE "user" u SET version = n.version, ledger_lines = n.ledger_lines, ledger_hash = n.ledger_hash
    FROM unnest($1::uuid[], $3::bigint[], $4::bigint[], $5::bytea[]) AS n(id, version, ledger_lines, ledger_hash), guard
    WHERE u.id = n.id AND guard.unchanged
)"""
GUARDED = 6
"""How many parameters it has."""

SHARE_SEED = """, seed AS MATERIALIZED (
    SELECT s.date FROM draw_seed s
    WHERE s.date = ${date}::date AND s.commitment = ${commitment}::text AND s.revealed_at IS NULL FOR SHARE
), drawing AS MATERIALIZED (
    SELECT haru_closed_unless(count(*) = 1) AS is_open FROM seed
)"""
"""Whoever reveals the seed waits for those who draw from it, and refuses those who come later."""

NUMBER_DRAWS = """, stocks AS MATERIALIZED (
    SELECT s.id, s."left" FROM lottery_stock s, guard
    WHERE guard.unchanged AND s.id = ANY (${stocks}::bigint[]) ORDER BY s.id FOR NO KEY UPDATE OF s
), table_stands AS MATERIALIZED (
    SELECT haru_conflict_unless(count(*) = cardinality(${stocks}::bigint[])
        AND coalesce(bool_and(s."left" = d."left" OR least(s."left", d."left") >= ${draws}::bigint), true), NULL
    ) AS unchanged
    FROM stocks s JOIN unnest(${stocks}::bigint[], ${left}::bigint[]) AS d(id, "left") USING (id)
), numbered AS MATERIALIZED (
    SELECT haru_number_draws(${date}::date, ${draws}::bigint, ${taken_of}::bigint[], ${taken}::bigint[]) AS before
    FROM table_stands WHERE unchanged
)"""
"""Each draw was drawn from the table that it would have had at its number, whatever was drawn: either what is left of a
stock is what the batch was decided on, or there was and is enough of it for every one of the batch's draws."""

NUMBERING = ("stocks", "left", "draws", "taken_of", "taken")
"""The parameters of both, beyond the date, in their order."""

VALUES: Mapping[tuple[type[Base], str], str] = {
    (LotteryLog, "draw_no"): '(SELECT n.before FROM numbered n) + r."draw_no"',
}
"""Values that are only known where they are stored."""

TAKE_STOCK = """, stock AS (
    UPDATE lottery_stock s SET "left" = s."left" - d.taken
    FROM unnest(${taken_of}::bigint[], ${taken}::bigint[]) AS d(id, taken) WHERE s.id = d.id
)"""

LOCK_PLAYERS = 'SELECT FROM "user" u WHERE u.id = ANY ($1::uuid[]) ORDER BY u.id FOR NO KEY UPDATE'

UNLOCKED_PLAYERS = 'SELECT u.id FROM "user" u WHERE u.id = ANY ($1::uuid[]) FOR NO KEY UPDATE SKIP LOCKED'

LOCK_STOCKS = f"""
SELECT FROM lottery_stock s WHERE s.id IN (
    SELECT p.stock_id FROM lottery_prize p JOIN lottery_config ON lottery_config.id = p.config_id
    WHERE {may_be_played_in(LOTTERY, "$1", "$2")})
ORDER BY s.id FOR NO KEY UPDATE
"""  # noqa: S608 (the registry's names)

Window = tuple[dt.datetime, dt.datetime]


async def lock(connection: Connection, user_ids: Iterable[UUID], *, stocks_of: Window | None) -> None:
    """Lock players, then the stocks of that time's lottery, each by id, until the transaction ends."""
    await connection.execute(LOCK_PLAYERS, list(user_ids))
    if stocks_of is not None:
        await connection.execute(LOCK_STOCKS, *stocks_of)


async def store(connection: Connection, effects: Effects) -> None:
    """Write all effects. A transaction of its own, or part of the connection's. The players have the versions then.

    Raises: asyncpg.SerializationError when a player, or the table that was drawn from, is not as known, or the seed is
    revealed (OPEN_SEED is what is violated); asyncpg.UniqueViolationError when a key was used meanwhile.
    """
    ledger.chain(effects.rows.get(RewardEntry, ()), effects.players)
    _add_changed_rows(effects)
    players = list(effects.players.values())
    versions = [effects.version_after(player) for player in players]
    columns: list[Any] = [
        [player.id for player in players],
        [player.version for player in players],
        versions,
        [player.ledger_lines for player in players],
        [player.ledger_hash for player in players],
        effects.remembered_day,
    ]
    shape = tuple((table, tuple(rows[0])) for table, rows in effects.rows.items())
    arguments: list[Any] = [*columns, *_drawn_from(effects)]
    for table, names in shape:
        arguments += [_values(table, name, effects.rows[table]) for name in names]
    statement = _statement(shape, draws=effects.seed is not None, numbers=effects.numbered > 0)
    await connection.execute(statement, *arguments)
    for player, version in zip(players, versions, strict=True):
        player.version = version


def _drawn_from(effects: Effects) -> list[Any]:
    """What draws were made from, as SHARE_SEED and NUMBER_DRAWS name it."""
    told: list[Any] = [] if effects.seed is None else [effects.seed.date, effects.seed.commitment]
    if effects.numbered:
        told += [list(effects.stocks), list(effects.stocks.values()), effects.numbered]
        told += [list(effects.drawn), list(effects.drawn.values())]
    return told


async def store_with_coupons(connection: Connection, effects: Effects) -> None:
    """Write all effects, some of which are coupons; the connection is in a transaction that has locked the players.

    Each coupon takes the pool's oldest code, which its answer then shows; where the pool is empty, the grant waits.
    """
    given: list[ledger.Line] = []
    for coupon_type in effects.coupon_types():
        grants = [coupon for coupon in effects.coupons if coupon.coupon_type == coupon_type]
        await connection.execute(LOCK_COUPONS, coupon_type)
        codes = await connection.fetch(FREE_CODES, coupon_type, len(grants))
        for coupon, row in zip(grants, codes, strict=False):
            coupon.line["coupon_id"], coupon.granted.coupon_code = row["id"], row["code"]
            given.append(coupon.line)
        for coupon in grants[len(codes) :]:
            waiting = {name: coupon.line[name] for name in ("coupon_type", "user_id", "line_no", "created_at")}
            effects.insert(CouponWaiting, **waiting)
    await store(connection, effects)
    await connection.execute(
        GIVE_CODES, *([line[name] for line in given] for name in ("coupon_id", "user_id", "line_no", "created_at"))
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
def _statement(shape: Shape, *, draws: bool, numbers: bool) -> str:
    """The statement that writes rows of these tables and columns; the connection prepares each text once."""
    parts, checked = [GUARD], ["guard"]
    places = {name: GUARDED + 1 + place for place, name in enumerate(("date", "commitment", *NUMBERING))}
    if draws:
        parts.append(SHARE_SEED.format(**places))
        checked.append("drawing")
    if numbers:
        parts.append(NUMBER_DRAWS.format(**places) + TAKE_STOCK.format(**places))
        checked.append("numbered")
    parameter = GUARDED + 1 + 2 * draws + len(NUMBERING) * numbers
    for number, (table, names) in enumerate(shape):
        types = [column_type(table, name) for name in names]
        arrays = ", ".join(f"${parameter + index}::{_array(type_)}" for index, type_ in enumerate(types))
        values = ", ".join(
            VALUES.get((table, name)) or f'r."{name}"::{type_}' for name, type_ in zip(names, types, strict=True)
        )
        quoted = ", ".join(f'"{name}"' for name in names)
        parts.append(
            f', w{number} AS (INSERT INTO "{table.__tablename__}" ({quoted}) SELECT {values}'  # noqa: S608
            f" FROM unnest({arrays}) AS r({quoted}) {UPSERTS.get(table, '')})"
        )
        parameter += len(names)
    return "".join(parts) + f"\nSELECT FROM {', '.join(checked)}"


@lru_cache(maxsize=1024)
def column_type(table: type[Base], name: str) -> str:
    """A column's PostgreSQL type."""
    return str(table.__table__.c[name].type.compile(_dialect))


def _array(type_: str) -> str:
    """The array that carries values of a type: JSON travels as text, and so do arrays."""
    return "text[]" if type_ in {"JSON", "JSONB"} or type_.endswith("[]") else f"{type_}[]"


def _values(table: type[Base], name: str, rows: Sequence[Mapping[str, Any]]) -> Sequence[Any]:
    """A column's values, as its array carries them."""
    values = [row[name] for row in rows]
    if column_type(table, name).endswith("[]"):
        return [f"{{{','.join(map(str, value))}}}" for value in values]
    return values
