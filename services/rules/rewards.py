"""Granting rewards: a ledger line and the balance after it."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from models import BALANCE_TYPES, RewardCause, RewardEntry
from services.answers import Granted, Reward
from services.rules.state import CouponGrant, Effects, PlayerState


def grant(
    player: PlayerState, reward: Reward, cause: RewardCause, cause_id: UUID, *, now: dt.datetime, effects: Effects
) -> Granted:
    """Give `player` the reward, once for this cause: one ledger line, unless there is nothing to give."""
    if not reward.grants:
        return Granted(reward.type, 0)
    balance = None
    if reward.type in BALANCE_TYPES:
        balance = player.balances.get(reward.type, 0) + reward.amount
        player.balances[reward.type] = effects.balances[player.id, reward.type] = balance
    player.ledger_lines += 1
    effects.insert(
        RewardEntry,
        user_id=player.id,
        line_no=player.ledger_lines,
        reward_type=reward.type,
        amount=reward.amount,
        coupon_type=reward.coupon_type,
        balance_after=balance,
        cause=cause,
        cause_id=cause_id,
        created_at=now,
    )
    granted = Granted(reward.type, reward.amount, balance)
    if reward.coupon_type is not None:
        effects.coupons.append(CouponGrant(player.id, player.ledger_lines, reward.coupon_type, granted, now))
    return granted
