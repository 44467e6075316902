"""Granting rewards: a ledger line and the balance after it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from uuid import UUID

from models import BALANCE_TYPES, MAX_SAFE_INTEGER, RewardCause, RewardEntry
from services.answers import Granted, Reward
from services.errors import BalanceOutOfBounds
from services.ledger import new_line
from services.rules.state import CouponGrant, Effects, PlayerState


def grant(
    player: PlayerState, reward: Reward, cause: RewardCause, cause_id: UUID, *, now: dt.datetime, effects: Effects
) -> Granted:
    """Give `player` the reward, once for this cause: one ledger line, unless there is nothing to give.

    `require_room` comes before anything of the command is written.
    """
    if not reward.grants:
        return Granted(reward.type, 0)
    balance = None
    if reward.type in BALANCE_TYPES:
        balance = player.balances.get(reward.type, 0) + reward.amount
        player.balances[reward.type] = effects.balances[player.id, reward.type] = balance
    line = new_line(player.id, player, reward, cause=cause, cause_id=cause_id, now=now, balance_after=balance)
    effects.rows[RewardEntry].append(line)
    granted = Granted(reward.type, reward.amount, balance)
    if reward.coupon_type is not None:
        effects.coupons.append(CouponGrant(line, granted))
    return granted


def require_room(player: PlayerState, rewards: Iterable[Reward]) -> None:
    """Refuse rewards that would take a balance out of its bounds. Raises: BalanceOutOfBounds."""
    after = dict(player.balances)
    for reward in rewards:
        if reward.type in BALANCE_TYPES:
            after[reward.type] = balance_after(after.get(reward.type, 0), reward)


def balance_after(before: int, reward: Reward) -> int:
    """The balance after a reward. Raises: BalanceOutOfBounds when it would leave its bounds."""
    after = before + reward.amount
    if not 0 <= after <= MAX_SAFE_INTEGER:
        message = f"The balance is {before} {reward.type}: it must stay within 0 to {MAX_SAFE_INTEGER}."
        raise BalanceOutOfBounds(message)
    return after
