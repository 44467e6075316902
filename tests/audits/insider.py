"""Somebody who may do everything in the database, and puts everything right again that would tell of it.

The database's rules are set aside as its owner can, in a transaction that the test rolls back.
"""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from models import LEDGER_START
from services.ledger import next_hash
from services.rules.merkle import root_of
from services.seals import SEALS, Seal, hash_of, leaf_of

LAST_ID = UUID("ffffffff-ffff-ffff-ffff-ffffffffffff")

WITH_TRIGGERS = "SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal"

SUMS = """
UPDATE reward_ledger l SET balance_after = s.due FROM (
    SELECT user_id, line_no, sum(amount) OVER (PARTITION BY user_id, reward_type ORDER BY line_no) AS due
    FROM reward_ledger WHERE reward_type <> 'COUPON' AND user_id = $1
) s WHERE s.user_id = l.user_id AND s.line_no = l.line_no
"""
BALANCES = """
INSERT INTO reward_balance (user_id, reward_type, amount)
SELECT user_id, reward_type, sum(amount) FROM reward_ledger WHERE reward_type <> 'COUPON' AND user_id = $1 GROUP BY 1, 2
"""
HEADS = """
UPDATE "user" SET ledger_lines = (SELECT count(*) FROM reward_ledger l WHERE l.user_id = id) WHERE id = $1
"""
ANSWERS = """
UPDATE idempotency_key k SET answer = jsonb_set(jsonb_set(k.answer::jsonb, '{reward,balance}',
    coalesce(to_jsonb(l.balance_after), 'null')), '{reward,amount}', to_jsonb(l.amount))::json
FROM reward_ledger l WHERE k.user_id = $1 AND l.user_id = k.user_id AND l.cause_id::text = k.answer ->> 'id'
"""
CLAIMS = """
UPDATE idempotency_key k SET answer = jsonb_set(jsonb_set(k.answer::jsonb, '{levelReward,reward,balance}',
    coalesce(to_jsonb(l.balance_after), 'null')), '{levelReward,reward,amount}', to_jsonb(l.amount))::json
FROM season_pass_reward_log r JOIN reward_ledger l ON l.user_id = r.user_id AND l.cause_id = r.id
WHERE k.user_id = $1 AND r.user_id = k.user_id AND k.request = 'claim:' || r.level
"""
FORGED = (SUMS, "DELETE FROM reward_balance WHERE user_id = $1", BALANCES, HEADS, ANSWERS, CLAIMS)
LINES = "SELECT * FROM reward_ledger WHERE user_id = $1 ORDER BY line_no"
LEAF_HASHES = """
UPDATE ledger_seal_leaf f SET hash = l.hash FROM reward_ledger l WHERE l.user_id = f.user_id AND l.line_no = f.line_no
"""
LEAVES = "SELECT user_id, line_no, hash FROM ledger_seal_leaf WHERE seal_no = $1 ORDER BY user_id"
SEALED_SUMS = """
SELECT count(*) AS lines, count(*) FILTER (WHERE reward_type = 'COUPON' AND amount > 0) AS coupons,
    coalesce(sum(amount) FILTER (WHERE reward_type = 'POINT'), 0)::bigint AS points,
    coalesce(sum(amount) FILTER (WHERE reward_type = 'TOKEN'), 0)::bigint AS tokens
FROM reward_ledger l WHERE l.line_no <= (
    SELECT max(f.line_no) FROM ledger_seal_leaf f WHERE f.user_id = l.user_id AND f.seal_no <= $1)
"""
NUMBERS = "SELECT number FROM ledger_seal ORDER BY number"
SEAL = """
UPDATE ledger_seal SET leaves = $2, root = $3, lines = $4, coupons = $5, points = $6, tokens = $7 WHERE number = $1
"""


class Insider:
    """The connection, with its rules set aside. `seals_too`: whether the insider makes the seals anew as well."""

    def __init__(self, connection: AsyncConnection, *, seals_too: bool = True) -> None:
        self.connection = connection
        self.seals_too = seals_too

    async def run(self, statement: str, *arguments: Any) -> None:
        """Change something; exactly one row."""
        changed = await self.connection.exec_driver_sql(statement, arguments)
        assert changed.rowcount == 1, (statement, changed.rowcount)

    async def row(self, query: str, *arguments: Any) -> Any:
        """The one row of a query."""
        return (await self.connection.exec_driver_sql(query, arguments)).one()

    async def set_triggers_aside(self) -> None:
        """Nothing of haru's own looks at what is changed."""
        for table in (await self.connection.exec_driver_sql(WITH_TRIGGERS)).scalars().all():
            await self.connection.exec_driver_sql(f"ALTER TABLE {table} DISABLE TRIGGER USER")

    async def set_aside(self, table: str, constraint: str) -> None:
        """A rule does not hold."""
        await self.connection.exec_driver_sql(f"ALTER TABLE {table} DROP CONSTRAINT {constraint}")

    async def forge(self, player: UUID) -> None:
        """Make balances, counters and answers of a player agree with the player's lines again."""
        for statement in FORGED:
            await self.connection.exec_driver_sql(statement, (player,))
        await self.chain(player)

    async def chain(self, player: UUID) -> None:
        """Make all hashes of a player anew, the head too."""
        head = LEDGER_START
        found = await self.connection.exec_driver_sql(LINES, (player,))
        for line in found.mappings().all():
            head = next_hash(head, dict(line))
            hashed = "UPDATE reward_ledger SET hash = $1 WHERE user_id = $2 AND line_no = $3"
            await self.run(hashed, head, player, line["line_no"])
        await self.run('UPDATE "user" SET ledger_hash = $1 WHERE id = $2', head, player)
        if self.seals_too:
            await self.seal_anew()

    async def seal_anew(self, *, leaves_too: bool = True) -> None:
        """Make all seals again, of what the ledger has now, or of the leaves that are there."""
        if leaves_too:
            await self.connection.exec_driver_sql(LEAF_HASHES)
        for number in (await self.connection.exec_driver_sql(NUMBERS)).scalars().all():
            leaves: Any = (await self.connection.exec_driver_sql(LEAVES, (number,))).all()
            sums = await self.row(SEALED_SUMS, number)
            root = root_of(leaf_of(*leaf) for leaf in leaves)
            await self.run(SEAL, number, len(leaves), root, *sums)
        await self.chain_seals()

    async def chain_seals(self) -> None:
        """Make the hashes of all seals again."""
        previous = LEDGER_START
        seals: Any = (await self.connection.exec_driver_sql(SEALS, (1,))).all()
        for row in seals:
            previous = hash_of(Seal(*row), previous)
            await self.run("UPDATE ledger_seal SET hash = $1 WHERE number = $2", previous, row.number)

    async def player(self, name: str) -> UUID:
        """A player's key."""
        found: UUID = (await self.row('SELECT id FROM "user" WHERE external_id = $1', name)).id
        return found

    async def add_line(self, player: UUID, cause: str, cause_id: UUID, amount: int, created_at: Any) -> int:
        """One more line of points, at the end."""
        number: int = (await self.row('SELECT ledger_lines + 1 AS number FROM "user" WHERE id = $1', player)).number
        await self.run(
            "INSERT INTO reward_ledger (user_id, line_no, reward_type, amount, balance_after, cause, cause_id,"
            " created_at, hash) VALUES ($1, $2, 'POINT', $3, 0, $4, $5, $6, $7)",
            *(player, number, amount, cause, cause_id, created_at, LEDGER_START),
        )
        await self.forge(player)
        return number

    async def remove_line(self, player: UUID, number: int) -> None:
        """One line less; those after it move up."""
        await self.run("DELETE FROM reward_ledger WHERE user_id = $1 AND line_no = $2", player, number)
        await self.connection.exec_driver_sql(
            "UPDATE reward_ledger SET line_no = line_no - 1 WHERE user_id = $1 AND line_no > $2", (player, number)
        )
        await self.forge(player)

    async def tell(self, player: UUID, event: str, key: str, value: Any, **facts: Any) -> None:
        """Let the event whose facts have `key` as `value` tell other facts."""
        await self.run(
            "UPDATE user_event_log SET meta_json = meta_json || $1 WHERE user_id = $2 AND event_name = $3"
            f" AND meta_json ->> '{key}' = $4",
            *(json.dumps(facts), player, event, str(value)),
        )

    async def answer(self, player: UUID, play: UUID, path: str, value: Any) -> None:
        """Let the answer that is kept of a play say something else."""
        await self.run(
            f"UPDATE idempotency_key SET answer = jsonb_set(answer::jsonb, '{{{path}}}', $1)::json"
            " WHERE user_id = $2 AND answer ->> 'id' = $3",
            *(json.dumps(value), player, str(play)),
        )

    async def copy_play(self, play: Any, log: str, **changes: Any) -> UUID:
        """Another play like one, with all that belongs to it."""
        copy, player, at = uuid4(), play.user_id, changes.get("created_at", play.created_at)
        for table, condition, new in (
            (log, f"id = '{play.id}'", {"id": copy, **changes}),
            (
                "user_event_log",
                f"event_name = 'PLAY' AND meta_json ->> 'playId' = '{play.id}'",
                {"id": copy, "created_at": at, "business_date": changes.get("business_date", play.business_date)},
            ),
            ("idempotency_key", f"answer ->> 'id' = '{play.id}'", {"key": f"copy of {play.id}", "created_at": at}),
        ):
            await self._copy(table, player, condition, new)
        number = changes.get("play_no", play.play_no)
        await self.run(
            "UPDATE user_event_log SET meta_json = meta_json ||"
            " jsonb_build_object('playId', $1::text, 'playNo', $2::int) WHERE id = $3",
            *(str(copy), number, copy),
        )
        await self.run(
            "UPDATE idempotency_key SET answer = (answer::jsonb || jsonb_build_object('id', $1::text, 'seasonPass',"
            " null, 'businessDate', $2::date, 'playedAt', to_char($3::timestamptz AT TIME ZONE 'UTC',"
            " 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')) || jsonb_build_object('dailyLimit', answer::jsonb -> 'dailyLimit' ||"
            " jsonb_build_object('used', $4::int)))::json WHERE key = $5",
            *(str(copy), changes.get("business_date", play.business_date), at, number, f"copy of {play.id}"),
        )
        return copy

    async def _copy(self, table: str, player: UUID, condition: str, changes: dict[str, Any]) -> None:
        names = (await self.connection.exec_driver_sql(f'SELECT * FROM "{table}" LIMIT 0')).keys()
        kept = [name for name in names if name not in changes]
        values = ", ".join([*kept, *(f"${number}" for number, _ in enumerate(changes, start=2))])
        await self.run(
            f'INSERT INTO "{table}" ({", ".join([*kept, *changes])}) SELECT {values} FROM "{table}"'
            f" WHERE user_id = $1 AND {condition}",
            *(player, *changes.values()),
        )
