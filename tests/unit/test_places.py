"""Connections that stay open: how many there may be, and the very instant at which one is over."""

from __future__ import annotations

import asyncio
from contextlib import AbstractContextManager, ExitStack
from typing import Any
from uuid import UUID

import pytest

from models import Role
from schema.context import Principal
from server.http.places import Over, PlaceLimits, Places
from services.request_errors import RateLimited, Unavailable

MIA, LEO = (Principal(UUID(int=number), Role.PLAYER, expires_at=1000.0) for number in (1, 2))
FEW = PlaceLimits(connections=3, connections_per_player=2, strangers=3, strangers_per_address=2)


def places(now: float = 0.0, **changes: Any) -> Places:
    return Places(now=lambda: now, limits=FEW, **changes)


def refused(place: AbstractContextManager[None], error: type[Exception]) -> None:
    with pytest.raises(error), place:
        raise AssertionError("let in")


def test_of_one_player_there_are_so_many_and_no_more() -> None:
    some = places()
    for _ in range(2):  # who was there leaves neither more nor fewer places
        with some.connection(MIA):
            with some.connection(MIA):
                refused(some.connection(MIA), RateLimited)
                with some.connection(LEO):
                    assert some.open == 3
                    refused(some.connection(None), Unavailable)
                    refused(some.stranger("a"), Unavailable)
                with some.connection(None):
                    pass
            with some.connection(MIA):
                refused(some.connection(MIA), RateLimited)
        assert some.open == 0
    assert not some._by_player, "who has left is remembered for ever"


def test_of_nobody_there_are_as_many_as_of_all() -> None:
    some = places()
    with ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(some.connection(None))
        refused(some.connection(None), Unavailable)


def test_of_one_address_there_are_so_many_strangers_and_no_more() -> None:
    some = places()
    for _ in range(2):
        with some.stranger("a"), some.stranger("a"):
            refused(some.stranger("a"), RateLimited)
            with some.stranger("b"):
                refused(some.stranger("c"), Unavailable)
                with some.connection(MIA):  # strangers take no place from who has introduced himself
                    pass
        with some.stranger(None), some.stranger(None), some.stranger(None):
            refused(some.stranger(None), Unavailable)


@pytest.mark.parametrize(("now", "expired"), [(999.9, False), (1000.0, True), (1000.1, True)])
async def test_a_token_is_over_at_its_very_instant(now: float, *, expired: bool) -> None:
    some = places(now)
    assert some.is_expired(MIA) is expired
    assert not some.is_expired(None)
    if expired:
        assert await some.over(MIA) is Over.EXPIRED


async def test_whoever_is_revoked_is_over_once_somebody_looks() -> None:
    revoked: set[UUID] = set()
    some = places(holds=lambda principal: principal.player_id not in revoked)
    mia, leo = asyncio.create_task(some.over(MIA)), asyncio.create_task(some.over(LEO))
    nobody = asyncio.create_task(some.over(None))
    await asyncio.sleep(0)
    revoked.add(MIA.player_id)
    assert (some.is_expired(MIA), some.is_expired(LEO), some.is_expired(None)) == (True, False, False)
    some.look()
    assert await mia is Over.REVOKED
    assert not leo.done()
    assert not nobody.done()
    some.stop()
    assert [await leo, await nobody] == [Over.STOPPING] * 2
    refused(some.connection(LEO), Unavailable)
    refused(some.stranger("a"), Unavailable)


async def test_a_clock_that_is_set_is_looked_at() -> None:
    instants = iter([0.0, 1000.0])
    some = Places(now=lambda: next(instants), limits=PlaceLimits(longest_nap_seconds=0.001))
    assert await some.over(MIA) is Over.EXPIRED


async def test_until_its_very_end_a_token_is_good() -> None:
    instants = iter([999.999, 1000.0])
    some = Places(now=lambda: next(instants))
    assert await some.over(MIA) is Over.EXPIRED
    assert next(instants, None) is None


async def test_what_is_not_to_be_stopped_halfway_is_waited_for() -> None:
    some, gate, done = places(), asyncio.Event(), []

    async def work() -> None:
        await gate.wait()
        done.append(True)

    async def fail() -> None:
        await gate.wait()
        raise ValueError

    waiting = [asyncio.create_task(some.to_the_end(one())) for one in (work, fail, work)]
    await asyncio.sleep(0)
    for one in waiting:
        one.cancel()
    finishing = asyncio.create_task(some.finish())
    for _ in range(5):
        await asyncio.sleep(0)
    assert not finishing.done()
    refused(some.connection(MIA), Unavailable)
    gate.set()
    await finishing
    assert done == [True, True]
