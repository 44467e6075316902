"""Making good: what an admin grants by hand, or takes back. A wrong line of the ledger is put right by another line.

Locks: the player, then the coupon type.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert, select, update
from sqlalchemy.dialects import postgresql

from models import (
    BALANCE_TYPES,
    MAX_AMOUNT,
    MAX_SAFE_INTEGER,
    EventName,
    FeatureType,
    Player,
    RewardBalance,
    RewardCause,
    RewardEntry,
    RewardType,
)
from services import audit, coupons, events, idempotency
from services.answers import Reward, encode
from services.errors import NotFound, ValidationFailed, ValidationIssue
from services.history import LEDGER, LedgerLine, ledger_line
from services.players import REASON_LENGTH
from services.rules.validation import Faults
from services.transaction import Transaction


@dataclass(frozen=True)
class Grant:
    """What is granted to whom, and why. `key` is the player's idempotency key."""

    player_id: int
    key: str
    reward: Reward
    reason: str

    @property
    def request(self) -> str:
        """The operation with its input, for the idempotency key."""
        return "grant:" + hashlib.sha256(encode((self.reward, self.reason))).hexdigest()


async def grant_reward(tx: Transaction, *, actor: str, grant: Grant) -> LedgerLine:
    """Write one ledger line and what it moves, once for the grant's key.

    Raises: ValidationFailed, NotFound, IdempotencyKeyReused, ValidationFailed (a balance out of its bounds).
    """
    _faults(grant).refuse()
    player = await _lock(tx, grant.player_id)
    earlier = await idempotency.first_answer(tx, player.id, grant.key, grant.request)
    if earlier is not None:
        return await _line(tx, player.id, earlier["line_no"])
    balances = await _move_balance(tx, player.id, grant.reward)
    line_no = player.ledger_lines + 1
    cause_id = await _write_line(tx, grant, line_no, balances.after if balances else None)
    if grant.reward.coupon_type is not None:
        await coupons.take_code(tx, grant.reward.coupon_type, player.id, line_no)
    moved = update(Player).where(Player.id == player.id)
    await tx.connection.execute(moved.values(version=Player.version + 1, ledger_lines=line_no))
    await idempotency.keep_answer(tx, player.id, grant.key, grant.request, {"type": "grant", "line_no": line_no})
    what = {"causeId": str(cause_id), "lineNo": line_no, "reward": grant.reward, "reason": grant.reason}
    await _tell(tx, actor, grant, what, balances)
    return await _line(tx, player.id, line_no)


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


async def _lock(tx: Transaction, player_id: int) -> Row[int, int]:
    """The player, held until the transaction ends. Raises: NotFound."""
    query = select(Player.id, Player.ledger_lines).where(Player.id == player_id).with_for_update(key_share=True)
    player = (await tx.connection.execute(query)).one_or_none()
    if player is None:
        raise NotFound
    return player


async def _move_balance(tx: Transaction, player_id: int, reward: Reward) -> Balances | None:
    """Move the balance that the reward is kept in, if any. Raises: ValidationFailed when it would leave its bounds."""
    if reward.type not in BALANCE_TYPES:
        return None
    query = select(RewardBalance.amount)
    query = query.where(RewardBalance.user_id == player_id, RewardBalance.reward_type == reward.type)
    before = await tx.connection.scalar(query) or 0
    after = before + reward.amount
    if not 0 <= after <= MAX_SAFE_INTEGER:
        message = f"The balance is {before} {reward.type}: it must stay within 0 to {MAX_SAFE_INTEGER}."
        raise ValidationFailed([ValidationIssue(["reward", "amount"], message)])
    row = postgresql.insert(RewardBalance).values(user_id=player_id, reward_type=reward.type, amount=after)
    change = row.on_conflict_do_update(index_elements=["user_id", "reward_type"], set_={"amount": after})
    await tx.connection.execute(change)
    return Balances(before, after)


async def _write_line(tx: Transaction, grant: Grant, line_no: int, balance: int | None) -> UUID:
    """Add the line; the id of its cause."""
    cause_id = tx.ids.new(tx.now)
    line = {
        "user_id": grant.player_id,
        "line_no": line_no,
        "reward_type": grant.reward.type,
        "amount": grant.reward.amount,
        "coupon_type": grant.reward.coupon_type,
        "balance_after": balance,
        "cause": RewardCause.ADMIN_GRANT,
        "cause_id": cause_id,
        "created_at": tx.now,
    }
    await tx.connection.execute(insert(RewardEntry).values(line))
    return cause_id


async def _tell(tx: Transaction, actor: str, grant: Grant, what: dict[str, Any], balances: Balances | None) -> None:
    """Tell the event log and the audit log."""
    # A grant belongs to no game: it stands where the other rewards beside the games do.
    feature, meta = FeatureType.SEASON_PASS, what | {"actor": actor}
    await events.record(tx, player_id=grant.player_id, name=EventName.REWARD_GRANT, feature=feature, meta=meta)
    await audit.record(
        tx,
        actor=actor,
        action="grantReward",
        target=f"player {grant.player_id}",
        before={"balance": balances.before} if balances else None,
        after=what | ({"balance": balances.after} if balances else {}),
    )


async def _line(tx: Transaction, player_id: int, line_no: int) -> LedgerLine:
    found = await tx.connection.exec_driver_sql(LEDGER, ([player_id], [1], [line_no + 1]))
    return ledger_line(found.one())
