"""The lottery's stocks: how many there are of a prize. Prizes of several revisions may go on with one.

So what is mended, scheduled ahead or rolled back gives nothing twice. Draws take from a stock (`services/store.py`);
staff lay one in with the prize that states it, and adjust it by its own command.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Insert, func, insert, select, update

from models import MAX_AMOUNT, REASON_LENGTH, LotteryAdjustment, LotteryDay, LotteryPrize, LotteryStock
from services import audit
from services.audit import Actor
from services.changes import Outcome
from services.errors import NotFound, RevisionConflict
from services.published import in_force_at, read
from services.rules.lottery import LOTTERY, LotteryRules, PrizeDraft, PrizeRules
from services.rules.validation import Faults
from services.signals import STOCK, announce
from services.transaction import Transaction


@dataclass(frozen=True)
class Stocked:
    """A prize that a stock is of, in its revision: the one that is played now, or else the newest that has it."""

    rules: LotteryRules
    prize: PrizeRules


async def note_faults(tx: Transaction, prizes: Sequence[PrizeDraft], faults: Faults) -> None:
    """Note what is wrong with the prizes whose stock is to be carried."""
    stocks, carried = await _stocks_of(tx, prizes), set[int]()
    for index, prize in enumerate(prizes):
        if prize.carries_stock_of is None:
            continue
        path = ("prizes", str(index), "carriesStockOf")
        stock, _ = stocks.get(prize.carries_stock_of, (None, None))
        if prize.carries_stock_of not in stocks:
            faults.add("No prize has this id.", *path)
        elif stock is None:
            faults.add("That prize is unlimited: it has no stock to go on with.", *path)
        elif stock in carried:
            faults.add("Another prize goes on with this stock.", *path)
        else:
            carried.add(stock)


async def lay_in(tx: Transaction, prizes: Sequence[PrizeDraft]) -> list[dict[str, int | None]]:
    """The columns that tell each prize's stock: a new one, the one that it goes on with, or none."""
    carried = await _stocks_of(tx, prizes)
    stated = [{"initial": prize.stock, "left": prize.stock} for prize in prizes if prize.stock is not None]
    made: Iterator[int] = iter(())
    if stated:
        lay = insert(LotteryStock).returning(LotteryStock.id, sort_by_parameter_order=True)
        made = iter((await tx.connection.scalars(lay, stated)).all())
    laid: list[dict[str, int | None]] = []
    for prize in prizes:
        if prize.stock is not None:
            laid.append({"stock_id": next(made), "quantity": prize.stock})
        else:
            stock_id, initial = carried.get(prize.carries_stock_of, (None, None))
            laid.append({"stock_id": stock_id, "quantity": initial})
    return laid


async def _stocks_of(tx: Transaction, prizes: Sequence[PrizeDraft]) -> Mapping[int | None, tuple[int | None, ...]]:
    """The stocks of the prizes whose stock is to be carried, and how many there ever were, by prize; or nulls."""
    ids = {prize.carries_stock_of for prize in prizes}
    query = select(LotteryPrize.id, LotteryPrize.stock_id, LotteryStock.initial).outerjoin_from(
        LotteryPrize, LotteryStock, LotteryStock.id == LotteryPrize.stock_id
    )
    rows = await tx.connection.execute(query.where(LotteryPrize.id.in_(ids)))
    return {row.id: (row.stock_id, row.initial) for row in rows}


async def adjust(
    tx: Transaction, *, actor: Actor, action: str, stock_id: int, by: int, expected_left: int, reason: str
) -> Outcome[Stocked]:
    """Add to a stock, or take away, for every prize that it is of. Draws under way wait for it, and then know.

    Raises: ValidationFailed, LockNotAcquired, NotFound, RevisionConflict (another number is left than expected).
    """
    faults = Faults()
    faults.text(reason, REASON_LENGTH, "reason")
    if by == 0:
        faults.add("Must not be 0.", "by")
    faults.refuse()
    lock = select(LotteryStock.initial, LotteryStock.left).where(LotteryStock.id == stock_id).with_for_update()
    found = (await tx.connection.execute(lock)).one_or_none()
    if found is None:
        raise NotFound("No stock has this id.")
    if found.left != expected_left:
        raise RevisionConflict(None, f"expectedLeft is not what is left: {found.left} are.")
    faults.whole(by, -found.left, MAX_AMOUNT - found.initial, "by")
    faults.refuse()
    after = {"initial": found.initial + by, "left": found.left + by}
    await tx.connection.execute(update(LotteryStock).where(LotteryStock.id == stock_id).values(after))
    await tx.connection.execute(_noted(tx, stock_id, by))
    changes = await audit.record(
        tx,
        actor=actor,
        action=action,
        target=f"lottery_stock {stock_id}",
        before={"initialStock": found.initial, "stock": found.left},
        after={"initialStock": after["initial"], "stock": after["left"]},
        reason=reason,
    )
    await announce(tx, STOCK)
    return Outcome(await _prize_of(tx, stock_id), changes)


def _noted(tx: Transaction, stock_id: int, by: int) -> Insert:
    """What transcripts tell of an adjustment: after which of the date's draws it was, since they wait for the stock."""
    drawn = select(LotteryDay.draws).where(LotteryDay.date == tx.date).scalar_subquery()
    row = {"stock_id": stock_id, "date": tx.date, "by": by, "created_at": tx.now}
    return insert(LotteryAdjustment).values(row | {"after_no": func.coalesce(drawn, 0)})


async def _prize_of(tx: Transaction, stock_id: int) -> Stocked:
    played = await in_force_at(tx.connection, LOTTERY, tx.now)
    newest = select(func.max(LotteryPrize.config_id)).where(LotteryPrize.stock_id == stock_id).scalar_subquery()
    revisions: list[Any] = [played] if played else []
    revisions += await read(tx.connection, LOTTERY, LOTTERY.config.id == newest)
    return next(Stocked(rules, prize) for rules in revisions for prize in rules.prizes if prize.stock_id == stock_id)
