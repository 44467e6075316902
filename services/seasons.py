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

from sqlalchemy import ColumnElement, delete, exists, func, insert, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models import Season, SeasonLevel, SeasonProgress
from services import audit, cautions
from services.audit import Actor
from services.changes import Outcome
from services.database import Database
from services.errors import NotFound
from services.paging import Page, page_of
from services.revisions import check_revision, take_turn
from services.rules import validation
from services.rules.day import Level, SeasonRules
from services.rules.drafts import SeasonDraft, columns_of
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


async def published_seasons(
    database: Database, *, first: int, after: tuple[dt.date, int] | None = None
) -> Page[SeasonRules]:
    """Seasons with their levels, latest first; a season's key is (start_date, id)."""
    earlier = () if after is None else (tuple_(Season.start_date, Season.id) < tuple_(*after),)
    async with database.snapshot() as connection:
        found = await read_seasons(connection, *earlier, first=first + 1)
    return page_of(found, first, has_previous=after is not None)


async def season_with(database: Database, season_id: int) -> SeasonRules | None:
    """The season with this id, or none."""
    async with database.snapshot() as connection:
        found = await read_seasons(connection, Season.id == season_id)
    return found[0] if found else None


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
    tx: Transaction,
    *,
    actor: Actor,
    action: str,
    season: SeasonDraft,
    expected_revision: int | None,
    season_id: int | None = None,
) -> Outcome[SeasonRules]:
    """Make a season, or change the one with `season_id`, also its name; without it, the one of this name.

    Raises: LockNotAcquired, NotFound, ValidationFailed (the season by itself, overlapping another, or of its name),
    RevisionConflict, ValidationFailed (what may not be changed of a season that has begun or ended).
    """
    faults = validation.season_faults(season, tx.date)
    await take_turn(tx, TARGET)
    named = await _one(tx, Season.name == season.name)
    before = named if season_id is None else await _one(tx, Season.id == season_id)
    if season_id is not None and before is None:
        raise NotFound
    if named is not None and named != before:
        faults.add("Is the name of another season.", "name")
    for other in await _overlapping(tx, season, before):
        validation.overlap(season, other, faults)
    faults.refuse()
    revision = check_revision(before.revision if before else None, expected_revision)
    if before is not None:
        validation.change_faults(before, season, tx.date).refuse()
        await _keep_reached_levels(tx, before, season)
    season_id = await _write(tx, season, before, revision)
    (after,) = await read_seasons(tx.connection, Season.id == season_id)
    target = f"{TARGET} {season_id}"
    changes = await audit.record(tx, actor=actor, action=action, target=target, before=before, after=after)
    return Outcome(after, changes, await cautions.of_season(tx, season))


async def remove_season(
    tx: Transaction, *, actor: Actor, action: str, season_id: int, expected_revision: int
) -> Outcome[None]:
    """Remove a season that has not begun. Raises: LockNotAcquired, NotFound, RevisionConflict, ValidationFailed."""
    await take_turn(tx, TARGET)
    before = await _one(tx, Season.id == season_id)
    if before is None:
        raise NotFound
    check_revision(before.revision, expected_revision)
    # A stamp's foreign key waits for this lock: where another server's clock is ahead, somebody may be in it already.
    await tx.connection.execute(select(Season.id).where(Season.id == season_id).with_for_update())
    progress = exists().where(SeasonProgress.season_id == season_id)
    validation.removal_faults(before, tx.date, is_entered=bool(await tx.connection.scalar(select(progress)))).refuse()
    await tx.connection.execute(delete(SeasonLevel).where(SeasonLevel.season_id == season_id))
    await tx.connection.execute(delete(Season).where(Season.id == season_id))
    target = f"{TARGET} {season_id}"
    changes = await audit.record(tx, actor=actor, action=action, target=target, before=before, after=None)
    return Outcome(None, changes)


async def _one(tx: Transaction, condition: ColumnElement[bool]) -> SeasonRules | None:
    found = await read_seasons(tx.connection, condition)
    return found[0] if found else None


async def _overlapping(tx: Transaction, season: SeasonDraft, itself: SeasonRules | None) -> Sequence[SeasonRules]:
    """The other seasons that share a day with this one, earliest first."""
    shares_a_day = (Season.start_date <= season.end_date) & (Season.end_date >= season.start_date)
    others = () if itself is None else (Season.id != itself.id,)
    return (await read_seasons(tx.connection, shares_a_day, *others))[::-1]


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
    head = {**columns_of(season), "max_level": len(season.levels), "revision": revision, "published_at": tx.now}
    if before is None:
        made = await tx.connection.execute(insert(Season).values(head).returning(Season.id))
        season_id: int = made.scalar_one()
    else:
        season_id = before.id
        await tx.connection.execute(update(Season).where(Season.id == season_id).values(head))
        await tx.connection.execute(delete(SeasonLevel).where(SeasonLevel.season_id == season_id))
    rows = [{**columns_of(level), "season_id": season_id} for level in season.levels]
    await tx.connection.execute(insert(SeasonLevel).values(rows))
    return season_id
