"""What there is to think twice about in what staff send: what the tables say, judged by `rules.cautions`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import func, select

from models import RewardCause, RewardEntry
from services.answers import Reward
from services.coupon_pool import pools_left
from services.errors import Warned
from services.rules import cautions
from services.rules.drafts import SeasonDraft
from services.rules.game import Game, Rules
from services.transaction import Transaction


async def of_revision(tx: Transaction, game: Game[Any, Any], config: Struct, before: Rules | None) -> list[Warned]:
    """Of a game's next revision, where `before` would be played instead of it."""
    chances = game.chances(config)
    found = await _coupons(tx, [(chance.path, chance.reward) for chance in chances if chance.weight])
    found += cautions.unlimited(getattr(config, game.limit), chances, _camel(game.limit))
    if before is not None:
        found += cautions.payout(game.chances(before), chances)
        # A revision that is published again goes on with its stock.
        found += game.stock_cautions(before, config) if isinstance(config, game.draft) else []
    return found


async def of_season(tx: Transaction, season: SeasonDraft) -> list[Warned]:
    """Of a season: its levels' coupons."""
    rewards = [(("levels", str(index), "reward"), level.reward) for index, level in enumerate(season.levels)]
    return await _coupons(tx, rewards)


async def of_grant(tx: Transaction, reward: Reward) -> list[Warned]:
    """Of a grant by hand that is not written yet."""
    since = tx.now - dt.timedelta(days=cautions.USUAL_GRANT_DAYS)
    largest = select(func.max(RewardEntry.amount)).where(
        RewardEntry.cause == RewardCause.ADMIN_GRANT,
        RewardEntry.reward_type == reward.type,
        RewardEntry.created_at >= since,
        RewardEntry.amount > 0,
    )
    found = await _coupons(tx, [(("reward",), reward)])
    return found + cautions.granted(reward, await tx.connection.scalar(largest))


async def _coupons(tx: Transaction, rewards: Sequence[tuple[Sequence[str], Reward]]) -> list[Warned]:
    kinds = {reward.coupon_type for _, reward in rewards if reward.coupon_type is not None}
    return cautions.coupons(rewards, await pools_left(tx.connection, kinds) if kinds else {})


def _camel(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(part.capitalize() for part in tail)
