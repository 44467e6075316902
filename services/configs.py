"""The games' configurations: immutable revisions, one of which is active; to publish makes the next and activates it.

A lane loads the active revision with every batch, in one snapshot, and a publication is one transaction: whoever plays
meanwhile gets the old revision or the new one, whole.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models import (
    DiceConfig,
    FeatureType,
    LotteryConfig,
    LotteryPrize,
    RouletteConfig,
    RouletteSegment,
)
from services import audit
from services.answers import Reward
from services.database import Database
from services.revisions import check_revision, take_turn
from services.rules import validation
from services.rules.dice import DiceRules
from services.rules.drafts import DiceDraft, LotteryDraft, RouletteDraft
from services.rules.lottery import LotteryRules, PrizeRules
from services.rules.registry import GAMES
from services.rules.roulette import RouletteRules, SegmentRules
from services.signals import DAY, announce
from services.transaction import Transaction

RulesT = TypeVar("RulesT", DiceRules, RouletteRules, LotteryRules)


@dataclass(frozen=True)
class Parts:
    """The rows that a revision is made of: its field, their table, what they are read as, and their order."""

    name: str
    table: Any
    rules: Any
    order: str


@dataclass(frozen=True)
class Kind(Generic[RulesT]):
    """How a game's revisions are kept."""

    table: Any
    rules: type[RulesT]
    parts: Parts | None = None


DICE = Kind(DiceConfig, DiceRules)
ROULETTE = Kind(RouletteConfig, RouletteRules, Parts("segments", RouletteSegment, SegmentRules, "slot"))
LOTTERY = Kind(LotteryConfig, LotteryRules, Parts("prizes", LotteryPrize, PrizeRules, "position"))

KINDS: Mapping[FeatureType, Kind[Any]] = {
    FeatureType.DICE: DICE,
    FeatureType.ROULETTE: ROULETTE,
    FeatureType.LOTTERY: LOTTERY,
}

assert KINDS.keys() == GAMES.keys()


async def revisions(
    database: Database, kind: Kind[RulesT], *, first: int, before_revision: int | None = None
) -> list[RulesT]:
    """A game's revisions, newest first, those older than `before_revision` where it is given."""
    older = () if before_revision is None else (kind.table.revision < before_revision,)
    async with database.snapshot() as connection:
        return await _read(connection, kind, *older, first=first)


async def active(connection: AsyncConnection, kind: Kind[RulesT]) -> RulesT | None:
    """The revision that is played, valid or not; none before the first."""
    found = await _read(connection, kind, kind.table.is_active, first=1)
    return found[0] if found else None


async def _read(
    connection: AsyncConnection, kind: Kind[RulesT], *conditions: ColumnElement[bool], first: int
) -> list[RulesT]:
    """Revisions with their parts: one statement each, however many there are."""
    query = select(kind.table).where(*conditions).order_by(kind.table.revision.desc()).limit(first)
    heads = (await connection.execute(query)).mappings().all()
    if kind.parts is None:
        return [_struct(kind.rules, head) for head in heads]
    parts = await _parts(connection, kind.parts, [head["id"] for head in heads])
    return [_struct(kind.rules, {**head, kind.parts.name: tuple(parts[head["id"]])}) for head in heads]


async def _parts(connection: AsyncConnection, parts: Parts, ids: Sequence[int]) -> dict[int, list[Any]]:
    table = parts.table
    query = select(table).where(table.config_id.in_(ids)).order_by(table.config_id, getattr(table, parts.order))
    found: defaultdict[int, list[Any]] = defaultdict(list)
    for row in (await connection.execute(query)).mappings():
        found[row["config_id"]].append(_struct(parts.rules, row))
    return found


def _struct(type_: Any, row: Any) -> Any:
    """A row as the rules know it."""
    return type_(**{name: row[name] for name in type_.__struct_fields__})


async def publish_dice(tx: Transaction, *, actor: str, config: DiceDraft, expected_revision: int | None) -> DiceRules:
    """Make `config` the dice game's next revision, and the one that is played.

    Raises: ValidationFailed, LockNotAcquired, RevisionConflict.
    """
    validation.dice_faults(config).refuse()
    head = {
        "name": config.name,
        "max_daily_plays": config.max_daily_plays,
        **_reward(config.win_reward, "win_"),
        **_reward(config.draw_reward, "draw_"),
        **_reward(config.lose_reward, "lose_"),
    }
    return await _publish(tx, DICE, head, [], actor=actor, action="upsertDiceConfig", expected=expected_revision)


async def publish_roulette(
    tx: Transaction, *, actor: str, config: RouletteDraft, expected_revision: int | None
) -> RouletteRules:
    """Make `config` the roulette's next revision, and the one that is played.

    Raises: ValidationFailed, LockNotAcquired, RevisionConflict.
    """
    validation.roulette_faults(config).refuse()
    head = {"name": config.name, "max_daily_spins": config.max_daily_spins}
    segments = [
        {
            "slot": segment.slot,
            "label": segment.label,
            "weight": segment.weight,
            "is_jackpot": segment.is_jackpot,
            **_reward(segment.reward),
        }
        for segment in config.segments
    ]
    return await _publish(
        tx, ROULETTE, head, segments, actor=actor, action="upsertRouletteConfig", expected=expected_revision
    )


async def publish_lottery(
    tx: Transaction, *, actor: str, config: LotteryDraft, expected_revision: int | None
) -> LotteryRules:
    """Make `config` the lottery's next revision, and the one that is played; its stock is what the operator gives.

    Raises: ValidationFailed, LockNotAcquired, RevisionConflict.
    """
    validation.lottery_faults(config).refuse()
    head = {"name": config.name, "max_daily_tickets": config.max_daily_tickets}
    prizes = [
        {
            "position": position,
            "label": prize.label,
            "weight": prize.weight,
            "stock": prize.stock,
            "initial_stock": prize.stock,
            "is_active": prize.is_active,
            **_reward(prize.reward),
        }
        for position, prize in enumerate(config.prizes)
    ]
    return await _publish(
        tx, LOTTERY, head, prizes, actor=actor, action="upsertLotteryConfig", expected=expected_revision
    )


async def _publish(
    tx: Transaction,
    kind: Kind[RulesT],
    head: Mapping[str, Any],
    parts: Sequence[Mapping[str, Any]],
    *,
    actor: str,
    action: str,
    expected: int | None,
) -> RulesT:
    """Insert the next revision with its parts, active in the place of the former one."""
    table = kind.table
    target: str = table.__tablename__
    await take_turn(tx, target)
    revision = check_revision(await tx.connection.scalar(select(func.max(table.revision))), expected)
    before = await active(tx.connection, kind)
    await tx.connection.execute(update(table).where(table.is_active).values(is_active=False))
    row = {**head, "revision": revision, "is_active": True, "published_at": tx.now}
    config_id = await tx.connection.scalar(insert(table).values(row).returning(table.id))
    if kind.parts is not None:
        rows = [{**part, "config_id": config_id} for part in parts]
        await tx.connection.execute(insert(kind.parts.table).values(rows))
    after = await active(tx.connection, kind)
    assert after is not None
    target = f"{target} revision {revision}"
    await audit.record(tx, actor=actor, action=action, target=target, before=before, after=after)
    await announce(tx, DAY)
    return after


def _reward(reward: Reward, prefix: str = "") -> dict[str, Any]:
    """A reward as columns."""
    return {
        f"{prefix}reward_type": reward.type,
        f"{prefix}reward_amount": reward.amount,
        f"{prefix}coupon_type": reward.coupon_type,
    }
