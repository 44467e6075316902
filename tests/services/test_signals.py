"""Signals and the reads behind them, where the public door does not lead."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from uuid import UUID

import pytest

from services import signals as module
from services.request_errors import Unauthenticated
from services.signals import DAY, STOCK, Signals, announce
from services.together import AT_ONCE, Together
from tests.world import World


async def test_those_who_ask_together_are_read_for_together() -> None:
    reads: list[list[int]] = []

    async def read(keys: Sequence[int]) -> dict[int, int]:
        reads.append(list(keys))
        await asyncio.sleep(0.01)
        return {key: key * 2 for key in keys}

    together = Together(read)
    assert await asyncio.gather(*(together(number % 3) for number in range(30))) == [n % 3 * 2 for n in range(30)]
    assert reads == [[0, 1, 2]]
    await asyncio.gather(*(together(number) for number in range(AT_ONCE + 1)))
    assert [len(keys) for keys in reads] == [3, AT_ONCE, 1]


async def test_who_asks_during_a_read_is_answered_by_the_next() -> None:
    value, started = [1], asyncio.Event()

    async def read(_keys: Sequence[None]) -> dict[None, int]:
        seen = value[0]
        started.set()
        await asyncio.sleep(0.01)
        return {None: seen}

    together = Together(read)
    first = asyncio.create_task(together(None))
    await started.wait()
    value[0] = 2
    assert await together(None) == 2
    assert await first == 1


async def test_a_failure_is_told_to_all_and_one_who_left_stops_nobody() -> None:
    async def read(keys: Sequence[int]) -> dict[int, int | None]:
        await asyncio.sleep(0.01)
        return dict.fromkeys(key for key in keys if key > 0)

    together = Together(read)
    asked = [asyncio.create_task(together(key)) for key in (1, 1, 0)]
    await asyncio.sleep(0)
    asked[0].cancel()
    results = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(result) for result in results] == [asyncio.CancelledError, type(None), KeyError]


async def test_what_is_under_way_ends_with_its_stop() -> None:
    ended: list[list[int]] = []

    async def read(keys: Sequence[int]) -> dict[int, int]:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(list(keys))
        return {}

    together = Together(read)
    await together.stop()  # nothing is
    asked = [asyncio.create_task(together(1))]
    await asyncio.sleep(0.01)
    asked.append(asyncio.create_task(together(2)))  # for the next one
    await asyncio.sleep(0)
    await together.stop()
    results = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(result) for result in results] == [asyncio.CancelledError] * 2
    assert ended == [[1]]
    late = asyncio.create_task(together(3))
    await asyncio.sleep(0)  # its batch has not begun
    await together.stop()
    assert isinstance((await asyncio.gather(late, return_exceptions=True))[0], asyncio.CancelledError)
    assert ended == [[1]]
    later = asyncio.create_task(together(4))
    await asyncio.sleep(0.01)
    await together.stop()
    assert isinstance((await asyncio.gather(later, return_exceptions=True))[0], asyncio.CancelledError)
    assert ended == [[1], [4]]  # and nobody from before


async def test_nobody_s_lottery(world: World) -> None:
    from models import FeatureType

    await world.today(FeatureType.LOTTERY)
    with pytest.raises(Unauthenticated):
        await world.parts.live.lottery(UUID(int=1))


async def test_a_signal_wakes_its_subscribers_alone(world: World) -> None:
    signals = world.parts.signals
    await signals.listening()
    async with signals.subscribe(DAY) as day, signals.subscribe(STOCK, "other") as stock:
        day.clear()
        stock.clear()
        await world.parts.transact(lambda tx: announce(tx, STOCK))
        async with asyncio.timeout(30):
            await stock.wait()
        assert not day.is_set()
    assert not signals._subscribers


async def test_many_changes_of_stock_are_few_signals(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """One each tenth of a second, however long a busy machine takes for the changes; and the last is told of."""
    monkeypatch.setattr(module, "STOCK_SECONDS", 0.1)
    signals, heard, clock = world.parts.signals, 0, asyncio.get_running_loop().time
    await signals.listening()
    async with signals.subscribe(STOCK) as event:
        began = clock()
        for _ in range(40):
            signals.stock_changed()
            await asyncio.sleep(0.01)
            heard += event.is_set()
            event.clear()
        assert heard <= 1 + (clock() - began) / module.STOCK_SECONDS
        signals.stock_changed()
        async with asyncio.timeout(30):
            await event.wait()


async def test_a_signal_that_cannot_be_sent_is_given_up(world: World, caplog: pytest.LogCaptureFixture) -> None:
    signals, database = world.parts.signals, world.parts.database
    held = [database.hot() for _ in range(world.settings.pool_size)]
    for one in held:
        await one.__aenter__()
    signals.stock_changed()
    async with asyncio.timeout(30):
        while "could not be signalled" not in caplog.text:
            await asyncio.sleep(0.05)
    for one in held:
        await one.__aexit__(None, None, None)


END_LISTENERS = """
SELECT count(pg_terminate_backend(pid, 2000)) FROM pg_stat_activity WHERE datname = current_database() AND query = $1
"""
LISTENERS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query = $1"


async def test_a_quiet_connection_is_probed_and_ends_with_its_process(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A peer that is gone is only noticed by whoever speaks to it."""
    monkeypatch.setattr(module, "PROBE_SECONDS", 0.01)
    async with Signals(world.parts.database, world.parts.calendar, world.clock) as signals, asyncio.timeout(30):
        await signals.listening()
        while not await world.sql.fetchval(LISTENERS, "SELECT"):
            await asyncio.sleep(0.01)
        assert signals._listening.is_set()
    async with asyncio.timeout(30):
        while await world.sql.fetchval(LISTENERS, "SELECT"):
            await asyncio.sleep(0.01)


async def test_a_lost_session_is_told_of_and_so_is_what_was_missed(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "RECONNECT_SECONDS", 0.01)
    signals = Signals(world.parts.database, world.parts.calendar, world.clock)
    async with signals.subscribe(DAY) as day, signals.subscribe("another") as another, signals, asyncio.timeout(10):
        for event in (day, another, signals.tokens_changed):
            await event.wait()
            event.clear()
        assert await world.sql.fetchval(END_LISTENERS, f'LISTEN "{module.CHANNEL}"')
        await asyncio.gather(day.wait(), another.wait(), signals.tokens_changed.wait(), signals.listening())
    assert "nothing is heard of changes; it will be tried again: " in caplog.text
    assert "the session ended" in caplog.text


async def test_between_two_tries_to_listen_there_is_a_pause(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[float] = []

    async def unreachable(**_: float) -> None:
        tries.append(time.monotonic())
        if len(tries) == 4:
            await asyncio.Event().wait()
        raise ConnectionRefusedError

    monkeypatch.setattr(module, "RECONNECT_SECONDS", 0.05)
    monkeypatch.setattr(world.parts.database, "connect_hot", unreachable)
    async with Signals(world.parts.database, world.parts.calendar, world.clock), asyncio.timeout(30):
        while len(tries) < 4:
            await asyncio.sleep(0.01)
    assert tries[3] - tries[0] > 2 * 0.05


async def test_an_unexpected_failure_does_not_end_listening(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "RECONNECT_SECONDS", 0.01)
    monkeypatch.setattr(module, "PROBE_SECONDS", "soon")  # a bug
    async with Signals(world.parts.database, world.parts.calendar, world.clock) as signals:
        await signals.listening()
        async with asyncio.timeout(30):
            while "nothing is heard of changes" not in caplog.text:
                await asyncio.sleep(0.01)
        monkeypatch.setattr(module, "PROBE_SECONDS", 5)
        await asyncio.sleep(0.05)
        await signals.listening()


async def test_an_unexpected_failure_does_not_end_announcing(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "STOCK_SECONDS", 0.0)
    signals = world.parts.signals
    await signals.listening()
    async with signals.subscribe(STOCK) as event, asyncio.timeout(20):
        with monkeypatch.context() as broken:
            broken.setattr(world.parts.database, "hot", None)  # a bug
            signals.stock_changed()
            while "could not be signalled" not in caplog.text:
                await asyncio.sleep(0.01)
        event.clear()
        signals.stock_changed()
        await event.wait()
