"""Players: who they are, what they have, and whether they may play."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Select, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from models import BALANCE_TYPES, REASON_LENGTH, CouponCode, Player, RewardType
from services import audit, signals
from services.audit import Actor
from services.changes import Outcome
from services.database import Connection, Database
from services.errors import NotFound
from services.paging import Page, page_of
from services.rules.standing import next_second
from services.rules.validation import Faults
from services.transaction import Transaction

LAST_CHARACTER = "\U0010ffff"
"""Sorts behind everything that an external id may go on with."""


@dataclass(frozen=True)
class PlayerRow:
    """A player's account."""

    id: UUID
    external_id: str
    is_blocked: bool
    created_at: dt.datetime
    tokens_valid_from: dt.datetime | None = None
    """Tokens issued before were revoked."""


# Every page that a player opens asks for these two: they are as hot as a play.
PLAYERS = """SELECT u.id, u.external_id, u.is_blocked, u.created_at, u.tokens_valid_from
FROM "user" u WHERE u.id = ANY ($1::uuid[])"""
BALANCES = "SELECT b.user_id, b.reward_type, b.amount FROM reward_balance b WHERE b.user_id = ANY ($1::uuid[])"

PLAYER_COLUMNS = (Player.id, Player.external_id, Player.is_blocked, Player.created_at, Player.tokens_valid_from)


async def sign_in(tx: Transaction, external_id: str) -> PlayerRow:
    """The account of `external_id`, made on first sight."""
    account = {"id": tx.ids.random(), "external_id": external_id, "created_at": tx.now}
    await tx.connection.execute(insert(Player).values(account).on_conflict_do_nothing())
    query = select(*PLAYER_COLUMNS).where(Player.external_id == external_id)
    return PlayerRow(*(await tx.connection.execute(query)).one())


async def player_called(database: Database, external_id: str) -> PlayerRow | None:
    """The account with this external id, or none."""
    return await _one(database, select(*PLAYER_COLUMNS).where(Player.external_id == external_id))


async def player_with_coupon(database: Database, code: str) -> PlayerRow | None:
    """The account that a coupon code was given to, or none."""
    given = select(CouponCode.user_id).where(CouponCode.code == code).scalar_subquery()
    return await _one(database, select(*PLAYER_COLUMNS).where(Player.id == given))


async def _one(database: Database, query: Select[UUID, str, bool, dt.datetime, dt.datetime | None]) -> PlayerRow | None:
    async with database.read() as connection:
        row = (await connection.execute(query)).one_or_none()
    return PlayerRow(*row) if row else None


async def players_by_id(connection: Connection, ids: Sequence[UUID]) -> list[PlayerRow | None]:
    """The accounts with these ids, in their order."""
    found = {row["id"]: PlayerRow(*row) for row in await connection.fetch(PLAYERS, ids)}
    return [found.get(player_id) for player_id in ids]


async def balances(connection: Connection, player_ids: Sequence[UUID]) -> list[dict[RewardType, int]]:
    """What players have of every reward that is kept as a balance; 0 where there never was any."""
    held: dict[UUID, dict[RewardType, int]] = {player_id: dict.fromkeys(BALANCE_TYPES, 0) for player_id in player_ids}
    for user_id, reward_type, amount in await connection.fetch(BALANCES, player_ids):
        held[user_id][RewardType(reward_type)] = amount
    return [held[player_id] for player_id in player_ids]


async def newest_players(database: Database, *, first: int, after: tuple[dt.datetime, UUID] | None) -> Page[PlayerRow]:
    """All accounts, newest first; an account's key is (created_at, id)."""
    query = select(*PLAYER_COLUMNS).order_by(Player.created_at.desc(), Player.id.desc()).limit(first + 1)
    if after is not None:
        query = query.where(tuple_(Player.created_at, Player.id) < tuple_(*after))
    return await _page(database, query, first, has_previous=after is not None)


async def search_players(database: Database, prefix: str, *, first: int, after: str | None) -> Page[PlayerRow]:
    """The accounts whose external id begins with `prefix`, to the letter, in its order; a key is (external_id).

    A range of the index of prefixes instead of LIKE: there are no wildcards to escape, and the plan never depends on
    what is searched for.
    """
    begins = Player.external_id.op("~>=~")(prefix) if after is None else Player.external_id.op("~>~")(after)
    order = text('"user".external_id USING ~<~')
    query = select(*PLAYER_COLUMNS).where(begins, Player.external_id.op("~>=~")(prefix)).order_by(order)
    ends = Player.external_id.op("~<~")(prefix + LAST_CHARACTER)
    return await _page(database, query.where(ends).limit(first + 1), first, has_previous=after is not None)


async def _page(
    database: Database,
    query: Select[UUID, str, bool, dt.datetime, dt.datetime | None],
    first: int,
    *,
    has_previous: bool,
) -> Page[PlayerRow]:
    async with database.read() as connection:
        rows = [PlayerRow(*row) for row in await connection.execute(query)]
    return page_of(rows, first, has_previous=has_previous)


async def set_blocked(
    tx: Transaction, *, actor: Actor, action: str, player_id: UUID, blocked: bool, reason: str
) -> Outcome[PlayerRow]:
    """Block a player, or let one play again. Whatever was decided on the player's former state is decided anew.

    Of a member of staff who is blocked no token holds any longer.

    Raises: ValidationFailed, NotFound.
    """
    faults = Faults()
    faults.text(reason, REASON_LENGTH, "reason")
    faults.refuse()
    lock = select(Player.is_blocked).where(Player.id == player_id).with_for_update(key_share=True)
    before = await tx.connection.scalar(lock)
    if before is None:
        raise NotFound
    change = update(Player).where(Player.id == player_id).values(is_blocked=blocked)
    row = (await tx.connection.execute(change.returning(*PLAYER_COLUMNS))).one()
    changes = await audit.record(
        tx,
        actor=actor,
        action=action,
        target=f"player {player_id}",
        before={"isBlocked": before},
        after={"isBlocked": blocked},
        reason=reason,
    )
    await signals.announce(tx, signals.TOKENS)
    return Outcome(PlayerRow(*row), changes)


async def revoke_tokens(
    tx: Transaction, *, actor: Actor, action: str, player_id: UUID, reason: str
) -> Outcome[PlayerRow]:
    """Revoke every token of an account that was issued until now; one that is issued afterwards holds.

    Raises: ValidationFailed, NotFound.
    """
    faults = Faults()
    faults.text(reason, REASON_LENGTH, "reason")
    faults.refuse()
    lock = select(*PLAYER_COLUMNS).where(Player.id == player_id).with_for_update(key_share=True)
    found = (await tx.connection.execute(lock)).one_or_none()
    if found is None:
        raise NotFound
    before = PlayerRow(*found).tokens_valid_from
    after = max(
        next_second(tx.now), before or next_second(tx.now)
    )  # what was revoked stays so, whosever clock is behind
    change = update(Player).where(Player.id == player_id).values(tokens_valid_from=after)
    row = (await tx.connection.execute(change.returning(*PLAYER_COLUMNS))).one()
    changes = await audit.record(
        tx,
        actor=actor,
        action=action,
        target=f"player {player_id}",
        before={"tokensValidFrom": before},
        after={"tokensValidFrom": after},
        reason=reason,
    )
    await signals.announce(tx, signals.TOKENS)
    return Outcome(PlayerRow(*row), changes)
