"""What clients are told without asking again: how things stand now, then every change.

A subscription waits for a signal, reads, and yields what differs from what it yielded last. While it waits it holds
neither a connection nor a session. What happens between two reads is told as one change: the newest state, never a
backlog. When the database is gone for a while, the client is told what changed meanwhile as soon as it is back.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Annotated, TypeVar

import strawberry

from resolvers.root import live
from schema.context import Info
from schema.described import described
from schema.errors import UserError, refusal_of
from schema.features import TodayFeature
from schema.games import LotteryStatus
from schema.ranking import RankingSnapshot, wanted_pages
from services import signals
from services.errors import DomainError, HaruError
from services.ranking import Reader, Snapshot
from services.rules.day import Day, Feature
from services.statuses import GameStatus

ValueT = TypeVar("ValueT")
ShownT = TypeVar("ShownT")

STOCK_SECONDS = 0.5
"""The least time between two answers about the stock."""

RETRY_SECONDS = 1.0


async def _changes(
    subscribed: AbstractAsyncContextManager[asyncio.Event],
    read: Callable[[], Awaitable[ValueT]],
    key: Callable[[ValueT], object],
    show: Callable[[ValueT], ShownT],
    *,
    pause_seconds: float = 0.0,
) -> AsyncGenerator[ShownT, None]:
    """What `read` answers, shown: now, and again whenever the event was set and the answer's `key` is another.

    Raises: what `read` raises at first; later, what can be retried is retried.
    """
    told: object = _NOTHING
    async with subscribed as event:
        while True:
            event.clear()  # before reading: whatever is signalled from here on is read once more
            try:
                value = await read()
            except HaruError as failure:
                if told is _NOTHING or not failure.retryable:
                    raise
                await asyncio.sleep(RETRY_SECONDS)
                continue
            if key(value) != told:
                told = key(value)
                yield show(value)
                await asyncio.sleep(pause_seconds)
            await event.wait()


_NOTHING = object()


async def _or_refusal(read: Awaitable[ValueT]) -> ValueT | DomainError:
    """What is read, or why it is refused. Raises: what is no refusal, or one that time alone may change."""
    try:
        return await read
    except DomainError as refusal:
        if refusal.retryable:
            raise
        return refusal


@live
def today_feature_changed(info: Info) -> AsyncGenerator[TodayFeature | UserError, None]:
    """What is on: now, at midnight in the event's time zone, and when an operator changes it."""
    app = info.context.app

    def key(value: tuple[Day, Feature] | DomainError) -> object:
        return value.code if isinstance(value, DomainError) else (value[0].date, value[1])

    def show(value: tuple[Day, Feature] | DomainError) -> TodayFeature | UserError:
        now = app.clock()
        return refusal_of(value, now) if isinstance(value, DomainError) else TodayFeature.of(*value, now)

    return _changes(app.signals.subscribe(signals.DAY), lambda: _or_refusal(app.live.today()), key, show)


@live
def ranking_published(
    info: Info, date: Annotated[dt.date, strawberry.argument(description="The day.")]
) -> AsyncGenerator[RankingSnapshot | UserError, None]:
    """A day's ranking: now, whenever another is published, and RANKING_NOT_FOUND while there is none.

    Today's is told on a day of the ranking, a future day's from that day on.
    """
    app, reader = info.context.app, Reader(info.context.me.player_id, wanted_pages(info))

    def key(value: Snapshot | DomainError) -> object:
        return value.code if isinstance(value, DomainError) else value.revision

    def show(value: Snapshot | DomainError) -> RankingSnapshot | UserError:
        return refusal_of(value, app.clock()) if isinstance(value, DomainError) else RankingSnapshot.of(value)

    subscribed = app.signals.subscribe(signals.ranking(date), signals.DAY)
    return _changes(subscribed, lambda: _or_refusal(app.live.ranking(date, reader)), key, show)


@live
def lottery_stock_changed(info: Info) -> AsyncGenerator[LotteryStatus | UserError, None]:
    """The lottery as it stands for the caller: now, and when a stock changes, at most twice a second."""
    app, me = info.context.app, info.context.me

    def key(value: GameStatus | DomainError) -> object:
        return value.code if isinstance(value, DomainError) else value

    def show(value: GameStatus | DomainError) -> LotteryStatus | UserError:
        return refusal_of(value, app.clock()) if isinstance(value, DomainError) else LotteryStatus.of(value)

    subscribed = app.signals.subscribe(signals.STOCK, signals.DAY)
    read = lambda: _or_refusal(app.live.lottery(me.player_id))  # noqa: E731
    return _changes(subscribed, read, key, show, pause_seconds=STOCK_SECONDS)


@described
@strawberry.type
class Subscription:
    """What a client can be told without asking again."""

    today_feature_changed = today_feature_changed
    ranking_published = ranking_published
    lottery_stock_changed = lottery_stock_changed
