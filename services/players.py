"""Players: who they are, what they have, and what they were given."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from models import BALANCE_TYPES, CouponCode, Player, RewardBalance, RewardEntry, RewardType
from services.database import Database
from services.paging import Page, page_of
from services.transaction import Transaction


@dataclass(frozen=True)
class PlayerRow:
    """A player's account."""

    id: int
    external_id: str
    is_blocked: bool
    created_at: dt.datetime


PLAYER_COLUMNS = (Player.id, Player.external_id, Player.is_blocked, Player.created_at)


@dataclass(frozen=True)
class LedgerLine:
    """A ledger line as it is read, with the coupon's code once there is one."""

    user_id: int
    line_no: int
    reward_type: RewardType
    amount: int
    balance_after: int | None
    cause: str
    cause_id: UUID
    coupon_code: str | None
    created_at: dt.datetime


async def sign_in(tx: Transaction, external_id: str) -> PlayerRow:
    """The account of `external_id`, made on first sight."""
    made = insert(Player).values(external_id=external_id, created_at=tx.now).on_conflict_do_nothing()
    await tx.connection.execute(made)
    query = select(*PLAYER_COLUMNS).where(Player.external_id == external_id)
    return PlayerRow(*(await tx.connection.execute(query)).one())


async def find_player(database: Database, player_id: int) -> PlayerRow | None:
    """The account with this id, or none."""
    async with database.read() as connection:
        row = (await connection.execute(select(*PLAYER_COLUMNS).where(Player.id == player_id))).one_or_none()
        return PlayerRow(*row) if row else None


async def balances(database: Database, player_id: int) -> dict[RewardType, int]:
    """What a player has of every reward that is kept as a balance; 0 where there never was any."""
    query = select(RewardBalance.reward_type, RewardBalance.amount).where(RewardBalance.user_id == player_id)
    async with database.read() as connection:
        held = {row.reward_type: row.amount for row in await connection.execute(query)}
    return {reward_type: held.get(reward_type, 0) for reward_type in BALANCE_TYPES}


async def ledger(database: Database, player_id: int, *, first: int, before_line: int | None) -> Page[LedgerLine]:
    """A player's ledger lines, newest first, those older than `before_line` where it is given."""
    query = (
        select(
            RewardEntry.user_id,
            RewardEntry.line_no,
            RewardEntry.reward_type,
            RewardEntry.amount,
            RewardEntry.balance_after,
            RewardEntry.cause,
            RewardEntry.cause_id,
            CouponCode.code,
            RewardEntry.created_at,
        )
        .outerjoin(
            CouponCode,
            (CouponCode.user_id == RewardEntry.user_id) & (CouponCode.line_no == RewardEntry.line_no),
        )
        .where(RewardEntry.user_id == player_id)
        .order_by(RewardEntry.line_no.desc())
        .limit(first + 1)
    )
    if before_line is not None:
        query = query.where(RewardEntry.line_no < before_line)
    async with database.read() as connection:
        rows = [LedgerLine(*row) for row in await connection.execute(query)]
    return page_of(rows, first, has_previous=before_line is not None)
