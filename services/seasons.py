"""Seasons: publishing them, and reading them with their levels.

A season is known by its name. Until it begins everything about it may change; once it has begun its start stays, and no
level that a player has reached may need more XP or go; once it has ended it stays as it was. So nobody loses a level,
except that a stamp which was decided just before a publication, and stored just after, counts as one before it.
What players have collected is never touched: who passed a level that now needs less has it at the next stamp, and a
level's reward is given once to each player, whatever it was by then.

Locks: turns among those who publish a season; the season itself, which makes stamps wait, only where levels get harder.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models import Season, SeasonLevel, SeasonProgress
from services import audit
from services.database import Database
from services.revisions import check_revision, take_turn
from services.rules import validation
from services.rules.day import Level, SeasonRules
from services.rules.drafts import SeasonDraft
from services.transaction import Transaction

TARGET = "season_pass_config"

HEAD = (
    Season.id,
    Season.name,
    Season.start_date,
    Season.end_date,
    Season.base_xp_per_stamp,
    Season.max_level,
    Season.revision,
)
LEVEL = (
    SeasonLevel.season_id,
    SeasonLevel.level,
    SeasonLevel.required_xp,
    SeasonLevel.auto_claim,
    SeasonLevel.reward_type,
    SeasonLevel.reward_amount,
    SeasonLevel.coupon_type,
)


async def published_seasons(database: Database, *, first: int, before: dt.date | None = None) -> list[SeasonRules]:
    """Seasons with their levels, latest first, those that start before a day where it is given."""
    earlier = () if before is None else (Season.start_date < before,)
    async with database.snapshot() as connection:
        return await read_seasons(connection, *earlier, first=first)


async def read_seasons(
    connection: AsyncConnection, *conditions: ColumnElement[bool], first: int | None = None
) -> list[SeasonRules]:
    """Seasons with their levels, latest first: two statements, however many there are."""
    query = select(*HEAD).where(*conditions).order_by(Season.start_date.desc(), Season.id.desc()).limit(first)
    heads = (await connection.execute(query)).all()
    ids = [head.id for head in heads]
    levels: defaultdict[int, list[Level]] = defaultdict(list)
    chosen = select(*LEVEL).where(SeasonLevel.season_id.in_(ids)).order_by(SeasonLevel.season_id, SeasonLevel.level)
    for row in await connection.execute(chosen):
        levels[row.season_id].append(Level(*row[1:]))
    return [SeasonRules(*head, levels=tuple(levels[head.id])) for head in heads]


async def publish_season(
    tx: Transaction, *, actor: str, season: SeasonDraft, expected_revision: int | None
) -> SeasonRules:
    """Make a season, or change the one of this name.

    Raises: LockNotAcquired, ValidationFailed (the season by itself, or overlapping another), RevisionConflict,
    ValidationFailed (what may not be changed of a season that has begun or ended).
    """
    faults = validation.season_faults(season, tx.date)
    await take_turn(tx, TARGET)
    for other in await _overlapping(tx, season):
        validation.overlap(season, other, faults)
    faults.refuse()
    found = await read_seasons(tx.connection, Season.name == season.name)
    before = found[0] if found else None
    revision = check_revision(before.revision if before else None, expected_revision)
    if before is not None:
        validation.change_faults(before, season, tx.date).refuse()
        await _keep_reached_levels(tx, before, season)
    season_id = await _write(tx, season, before, revision)
    (after,) = await read_seasons(tx.connection, Season.id == season_id)
    target = f"{TARGET} {season.name}"
    await audit.record(tx, actor=actor, action="upsertSeason", target=target, before=before, after=after)
    return after


async def _overlapping(tx: Transaction, season: SeasonDraft) -> Sequence[SeasonRules]:
    """The other seasons that share a day with this one, earliest first."""
    shares_a_day = (Season.start_date <= season.end_date) & (Season.end_date >= season.start_date)
    return (await read_seasons(tx.connection, Season.name != season.name, shares_a_day))[::-1]


async def _keep_reached_levels(tx: Transaction, before: SeasonRules, season: SeasonDraft) -> None:
    """Refuse to take a level from a player who has it. Raises: LockNotAcquired, ValidationFailed."""
    if before.start_date > tx.date or not validation.harder_levels(before, season):
        return
    # A stamp's foreign key to the season waits for this lock, so nobody climbs between this look and the commit.
    await tx.connection.execute(select(Season.id).where(Season.id == before.id).with_for_update())
    highest = select(func.max(SeasonProgress.current_level)).where(SeasonProgress.season_id == before.id)
    reached = await tx.connection.scalar(highest)
    validation.reached_faults(before, season, reached or 0).refuse()


async def _write(tx: Transaction, season: SeasonDraft, before: SeasonRules | None, revision: int) -> int:
    """Write the season's row, and all of its levels anew; the season's id."""
    head: dict[str, Any] = {
        "name": season.name,
        "start_date": season.start_date,
        "end_date": season.end_date,
        "base_xp_per_stamp": season.base_xp_per_stamp,
        "max_level": len(season.levels),
        "revision": revision,
        "published_at": tx.now,
    }
    if before is None:
        made = await tx.connection.execute(insert(Season).values(head).returning(Season.id))
        season_id: int = made.scalar_one()
    else:
        season_id = before.id
        await tx.connection.execute(update(Season).where(Season.id == season_id).values(head))
        await tx.connection.execute(delete(SeasonLevel).where(SeasonLevel.season_id == season_id))
    rows = [
        {
            "season_id": season_id,
            "level": level.level,
            "required_xp": level.required_xp,
            "auto_claim": level.auto_claim,
            "reward_type": level.reward.type,
            "reward_amount": level.reward.amount,
            "coupon_type": level.reward.coupon_type,
        }
        for level in season.levels
    ]
    await tx.connection.execute(insert(SeasonLevel).values(rows))
    return season_id
