"""Making good: what an admin grants by hand, or takes back. A wrong line of the ledger is put right by another line.

Locks: the player, then the coupon type.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Row, select
from sqlalchemy.dialects import postgresql

from models import (
    BALANCE_TYPES,
    MAX_AMOUNT,
    REASON_LENGTH,
    EventName,
    Player,
    RewardBalance,
    RewardCause,
    RewardType,
)
from services import audit, cautions, coupon_pool, events, idempotency, ledger
from services.answers import Reward, encode
from services.audit import Actor
from services.changes import Change, Outcome
from services.errors import NotFound
from services.history import LEDGER, LedgerLine, ledger_line
from services.rules.rewards import balance_after
from services.rules.validation import Faults
from services.transaction import Transaction


@dataclass(frozen=True)
class Grant:
    """What is granted to whom, and why. `key` is the player's idempotency key."""

    player_id: UUID
    key: str
    reward: Reward
    reason: str

    @property
    def request(self) -> str:
        """The operation with its input, for the idempotency key."""
        return "grant:" + hashlib.sha256(encode((self.reward, self.reason))).hexdigest()


@dataclass(frozen=True)
class Granted:
    """A grant's line of the ledger, and whether the key had granted it before."""

    line: LedgerLine
    replayed: bool


async def grant_reward(tx: Transaction, *, actor: Actor, action: str, grant: Grant) -> Outcome[Granted]:
    """Write one ledger line and what it moves, once for the grant's key.

    Raises: ValidationFailed, NotFound, IdempotencyKeyReused, BalanceOutOfBounds.
    """
    _faults(grant).refuse()
    player = await _lock(tx, grant.player_id)
    earlier = await idempotency.first_answer(tx, player.id, grant.key, grant.request)
    if earlier is not None:
        return Outcome(Granted(await _line(tx, player.id, earlier["line_no"]), replayed=True), [])
    warnings = await cautions.of_grant(tx, grant.reward)
    balances = await _move_balance(tx, player.id, grant.reward)
    line_no, cause_id = await _write_line(tx, grant, player, balances.after if balances else None)
    await idempotency.keep_answer(tx, player.id, grant.key, grant.request, {"type": "grant", "line_no": line_no})
    changes = await _tell(tx, grant, cause_id, line_no, balances, actor=actor, action=action)
    return Outcome(Granted(await _line(tx, player.id, line_no), replayed=False), changes, warnings)


@dataclass(frozen=True)
class Balances:
    """A balance before and after a grant."""

    before: int
    after: int


def _faults(grant: Grant) -> Faults:
    """What is wrong with a grant by itself."""
    faults, reward = Faults(), grant.reward
    if reward.type is RewardType.NONE:
        faults.add("NONE grants nothing.", "reward", "type")
    else:
        if reward.amount == 0 and reward.type in BALANCE_TYPES:
            faults.add("0 grants nothing.", "reward", "amount")
        faults.reward(reward, "reward", low=-MAX_AMOUNT)
    faults.text(grant.reason, REASON_LENGTH, "reason")
    return faults


async def _lock(tx: Transaction, player_id: UUID) -> Row[UUID, int, bytes]:
    """The player, held until the transaction ends. Raises: NotFound."""
    query = select(Player.id, Player.ledger_lines, Player.ledger_hash)
    query = query.where(Player.id == player_id).with_for_update(key_share=True)
    player = (await tx.connection.execute(query)).one_or_none()
    if player is None:
        raise NotFound
    return player


async def _move_balance(tx: Transaction, player_id: int, reward: Reward) -> Balances | None:
    """Move the balance that the reward is kept in, if any. Raises: BalanceOutOfBounds."""
    if reward.type not in BALANCE_TYPES:
        return None
    query = select(RewardBalance.amount)
    query = query.where(RewardBalance.user_id == player_id, RewardBalance.reward_type == reward.type)
    before = await tx.connection.scalar(query) or 0
    after = balance_after(before, reward)
    row = postgresql.insert(RewardBalance).values(user_id=player_id, reward_type=reward.type, amount=after)
    change = row.on_conflict_do_update(index_elements=["user_id", "reward_type"], set_={"amount": after})
    await tx.connection.execute(change)
    return Balances(before, after)


async def _write_line(
    tx: Transaction, grant: Grant, player: Row[UUID, int, bytes], balance: int | None
) -> tuple[int, UUID]:
    """Add the line, with a coupon where there is one to hand out: its number, and the id of its cause."""
    coupon_type = grant.reward.coupon_type
    chain, cause_id = ledger.Chain(player.ledger_lines, player.ledger_hash), tx.ids.new(tx.now)
    line = ledger.new_line(
        player.id,
        chain,
        grant.reward,
        cause=RewardCause.ADMIN_GRANT,
        cause_id=cause_id,
        now=tx.now,
        balance_after=balance,
        coupon_id=None if coupon_type is None else await coupon_pool.free_code(tx, coupon_type),
    )
    await ledger.append(tx, {player.id: chain}, [line])
    if coupon_type is not None:
        await coupon_pool.give_code(tx, line)
    return chain.ledger_lines, cause_id


async def _tell(
    tx: Transaction,
    grant: Grant,
    cause_id: UUID,
    line_no: int,
    balances: Balances | None,
    *,
    actor: Actor,
    action: str,
) -> list[Change]:
    """Tell the event log and the audit log; what changed."""
    notes: dict[str, str | int] = {"causeId": str(cause_id), "lineNo": line_no, "reason": grant.reason}
    meta = notes | {"reward": grant.reward, "actor": str(actor)}
    await events.record(tx, player_id=grant.player_id, name=EventName.REWARD_GRANT, meta=meta)
    return await audit.record(
        tx,
        actor=actor,
        action=action,
        target=f"player {grant.player_id}",
        before={"balance": balances.before} if balances else None,
        after={"reward": grant.reward} | ({"balance": balances.after} if balances else {}),
        **notes,
    )


async def _line(tx: Transaction, player_id: UUID, line_no: int) -> LedgerLine:
    found = await tx.connection.exec_driver_sql(LEDGER, ([player_id], [1], [line_no + 1]))
    return ledger_line(found.mappings().one())
