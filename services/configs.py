"""Publishing the games' configurations: immutable revisions, each played within its window.

A lane loads the day's revisions with every batch, in one snapshot, and a publication is one transaction: whoever plays
meanwhile gets the old revision or the new one, whole.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

from msgspec import Struct
from sqlalchemy import func, insert, select

from models import REASON_LENGTH
from services import audit, cautions, stocks
from services.audit import Actor
from services.changes import Outcome
from services.errors import NotFound
from services.published import Published, in_force_at, played_within, published, read
from services.revisions import check_revision, take_turn
from services.rules.drafts import columns_of
from services.rules.game import DraftT, Game, Rules, RulesT
from services.rules.hashes import content, hash_of
from services.rules.odds import changed_at
from services.rules.validation import Faults
from services.rules.windows import Window
from services.signals import DAY, announce
from services.transaction import Transaction

NO_REVISION = "No revision has this id."

Head = dict[str, Any]
"""What a revision's row has beyond what it says of the game: its number, its times, and its notice."""


class Notice(NamedTuple):
    """The window of what is published now, and how long ahead changed odds have to be announced."""

    window: Window
    hours: int = 0


async def publish(
    tx: Transaction,
    game: Game[RulesT, DraftT],
    *,
    actor: Actor,
    action: str,
    config: DraftT,
    window: Window,
    expected_revision: int | None,
    notice_hours: int = 0,
) -> Outcome[Published[RulesT]]:
    """Make `config` a game's next revision, to be played within `window`, with what stock it states or carries.

    Changed odds are announced `notice_hours` ahead, or carry the window's emergency reason.

    Raises: ValidationFailed, LockNotAcquired, RevisionConflict.
    """
    faults = game.faults(config)
    window.note_faults(faults, tx.now)
    if game.parts is not None and game.parts.is_stocked:
        await stocks.note_faults(tx, getattr(config, game.parts.field), faults)
    faults.refuse()
    await take_turn(tx, game.config.__tablename__)
    write = partial(write_revision, tx, game, config)
    notice = Notice(window, notice_hours)
    return await _next(
        tx, game, config, write, notice=notice, expected_revision=expected_revision, actor=actor, action=action
    )


async def republish(
    tx: Transaction,
    game: Game[RulesT, DraftT],
    *,
    actor: Actor,
    action: str,
    config_id: int,
    window: Window,
    expected_revision: int | None,
    notice_hours: int = 0,
) -> Outcome[Published[RulesT]]:
    """Make what an old revision says, withdrawn or not, a game's next one, to be played within `window`.

    Raises: ValidationFailed (the window, or the notice), LockNotAcquired, NotFound, RevisionConflict.
    """
    faults = Faults()
    window.note_faults(faults, tx.now)
    faults.refuse()
    await take_turn(tx, game.config.__tablename__)
    old = await read(tx.connection, game, game.config.id == config_id)
    if not old:
        raise NotFound(NO_REVISION)
    write = partial(_copy_revision, tx, game, old[0])
    notice = Notice(window, notice_hours)
    outcome = await _next(
        tx, game, old[0], write, notice=notice, expected_revision=expected_revision, actor=actor, action=action
    )
    return replace(outcome, warnings=[replace(warned, path=("configId",)) for warned in outcome.warnings])


async def withdraw(
    tx: Transaction, game: Game[RulesT, Any], *, actor: Actor, action: str, config_id: int, reason: str
) -> Outcome[Published[RulesT]]:
    """Take back a revision before its window begins: it is never played.

    Raises: ValidationFailed (one that has begun, or is withdrawn already), LockNotAcquired, NotFound.
    """
    faults = Faults()
    faults.text(reason, REASON_LENGTH, "reason")
    faults.refuse()
    table = game.config.__tablename__
    await take_turn(tx, table)
    found = await published(tx.connection, game, game.config.id == config_id, now=tx.now, first=1)
    if not found:
        raise NotFound(NO_REVISION)
    rules = found[0].rules
    if found[0].is_withdrawn:
        faults.add(f"Revision {rules.revision} is withdrawn already.", "configId")
    elif rules.effective_from <= tx.now:
        faults.add(f"Revision {rules.revision} has begun: publish what is to be played instead.", "configId")
    faults.refuse()
    row = {"config_id": rules.id, "effective_from": rules.effective_from, "withdrawn_at": tx.now, "reason": reason}
    await tx.connection.execute(insert(game.withdrawal).values(row))
    target = f"{table} revision {rules.revision}"
    changes = await audit.record(
        tx,
        actor=actor,
        action=action,
        target=target,
        before={"isWithdrawn": False},
        after={"isWithdrawn": True},
        reason=reason,
    )
    await announce(tx, DAY)
    return Outcome(Published(rules, is_active=False, is_withdrawn=True), changes)


async def _next(
    tx: Transaction,
    game: Game[RulesT, Any],
    config: Struct,
    write: Callable[[Head], Awaitable[None]],
    *,
    notice: Notice,
    expected_revision: int | None,
    actor: Actor,
    action: str,
) -> Outcome[Published[RulesT]]:
    """Write the next revision, and its audit entry: `before` is what would be played when it begins without it."""
    newest = await tx.connection.scalar(select(func.max(game.config.revision)))
    head = await head_of(tx, game, check_revision(newest, expected_revision), notice)
    before = await in_force_at(tx.connection, game, head["effective_from"])
    warnings = await cautions.of_revision(tx, game, config, before)
    await write(head)
    (after,) = await published(tx.connection, game, game.config.revision == head["revision"], now=tx.now, first=1)
    await _check_notice(tx, game, after.rules)
    target = f"{game.config.__tablename__} revision {after.rules.revision}"
    changes = await audit.record(tx, actor=actor, action=action, target=target, before=before, after=after.rules)
    await announce(tx, DAY)
    return Outcome(after, changes, warnings)


async def _check_notice(tx: Transaction, game: Game[RulesT, Any], rules: RulesT) -> None:
    """Refuse a revision that changes the odds sooner than they have to be announced, and does not say why.

    Raises: ValidationFailed.
    """
    if not rules.notice_hours or rules.emergency_reason is not None:
        return
    ends_at = rules.published_at + dt.timedelta(hours=rules.notice_hours)
    played = await played_within(tx.connection, game, rules.published_at, ends_at)
    others = [other for other in played if other.id != rules.id]
    changed = changed_at(others, rules, rules.published_at, ends_at)
    if changed is not None:
        faults = Faults()
        faults.add(
            f"The odds would change at {changed:%Y-%m-%dT%H:%M:%SZ}, and are announced {rules.notice_hours} h ahead:"
            f" begin at {ends_at:%Y-%m-%dT%H:%M:%SZ} or later, or say why not.",
            "emergencyReason",
        )
        faults.refuse()


async def head_of(tx: Transaction, game: Game[Any, Any], revision: int, notice: Notice) -> Head:
    """A revision's number, its times, and the notice that it was given, for what is published now."""
    # The clocks of two servers differ: what is published next never begins before what was published at once.
    latest = await tx.connection.scalar(select(func.max(game.config.published_at)))
    published_at = max(tx.now, latest or tx.now)
    return {
        "revision": revision,
        "published_at": published_at,
        "effective_from": notice.window.begins_at(published_at),
        "effective_until": notice.window.effective_until,
        "notice_hours": notice.hours,
        "emergency_reason": notice.window.emergency_reason,
    }


async def write_revision(tx: Transaction, game: Game[Any, Any], config: Struct, head: Head) -> None:
    """Write a draft as a revision with its parts."""
    parts: list[Head] = []
    if game.parts is not None:
        drafts = getattr(config, game.parts.field)
        parts = [columns_of(part) | game.parts.more(index, part) for index, part in enumerate(drafts)]
        if game.parts.is_stocked:
            for part, stock in zip(parts, await stocks.lay_in(tx, drafts), strict=True):
                part.update(stock)
                del part["stock"], part["carries_stock_of"]
    await _write(tx, game, columns_of(config) | head, parts)


async def _copy_revision(tx: Transaction, game: Game[Any, Any], rules: Rules, head: Head) -> None:
    """Write what a revision says as another one, which goes on with its stocks."""
    parts: list[Head] = []
    if game.parts is not None:
        parts = [columns_of(part) for part in getattr(rules, game.parts.field)]
        if game.parts.is_stocked:
            parts = [part | {"quantity": part["initial_stock"]} for part in parts]
    await _write(tx, game, columns_of(rules) | head, parts)


async def _write(tx: Transaction, game: Game[Any, Any], row: Head, parts: Sequence[Head]) -> None:
    """Write a revision and its parts, with the hash of what they say; of the columns given, those that there are."""
    row = row | {"hash": hash_of(content(game, row, parts))}
    config_id = await tx.connection.scalar(insert(game.config).values(_own(game.config, row)).returning(game.config.id))
    if game.parts is not None:
        rows = [_own(game.parts.table, part) | {"config_id": config_id} for part in parts]
        await tx.connection.execute(insert(game.parts.table).values(rows))


def _own(table: Any, row: Head) -> Head:
    """The columns of a table that a new row of it is given; its id is its own."""
    return {name: value for name, value in row.items() if name in table.__table__.columns and name != "id"}
