"""The odds of a revision as they are published: exact, by item, and whether others take their place in time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any, Protocol, TypeVar

from msgspec import Struct

from services.answers import Reward, Texts
from services.rules.windows import Windowed, played_between


class Item(Struct, frozen=True):
    """What a play may give: `weight` out of `total_weight`, and `quantity` of it in all; null is unlimited.

    `left`, where it is told: how many there are still, and then the weights are those among what can be drawn.
    """

    label: str
    labels: Texts
    reward: Reward
    weight: int
    total_weight: int
    quantity: int | None = None
    left: int | None = None

    @property
    def share(self) -> Fraction:
        """The chance of it."""
        return Fraction(self.weight, self.total_weight) if self.total_weight else Fraction(0)


class Offer(Windowed, Protocol):
    """A revision as players see it: what a play costs, and what it may give."""

    @property
    def cost(self) -> Texts:
        """What a play costs, by language; free where nothing is said."""

    def items(self) -> Sequence[Item]:
        """All that a play may give."""


OfferT = TypeVar("OfferT", bound=Offer)


def promise(offer: Offer) -> Any:
    """What players are promised: for this price each of these items, at these odds, as many as there are.

    In whatever order: where an item stands on a wheel changes nothing. A label is part of it, because of a prize that
    is sent home nothing else is known here.
    """
    items = ((item.label, item.reward, item.share, item.quantity) for item in offer.items() if item.weight)
    return offer.cost, sorted(items, key=repr)


def changed_at(
    before: Iterable[OfferT], published: OfferT, first: dt.datetime, last: dt.datetime
) -> dt.datetime | None:
    """The first instant of [first, last) from which on `published` changes what players are promised, or none.

    `before`: what else may be played then. Where nothing is, nothing was promised.
    """
    without = list(before)
    was, becomes = played_between(without, first, last), played_between([*without, published], first, last)
    for instant in sorted({instant for instant, _ in (*was, *becomes)}):
        old, new = _at(was, instant), _at(becomes, instant)
        if old is not None and new is published and promise(old) != promise(new):
            return instant
    return None


def _at(played: Sequence[tuple[dt.datetime, OfferT | None]], instant: dt.datetime) -> OfferT | None:
    """What is played at an instant, out of what is played from when on."""
    return next(revision for since, revision in reversed(played) if since <= instant)
