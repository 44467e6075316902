"""Crowds: served in the order of their coming; whoever cannot be served is told so at once, and when to come again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from benchmarks.documents import FIRST_SCREEN, FIRST_SCREEN_ANSWER
from server.graphql.documents import Documents
from server.graphql.service import GraphQLOptions
from server.graphql.turns import LONGEST_RETRY_SECONDS, Overloaded, TurnLimits, Turns
from server.http.protocols import HttpConnection
from services.request_errors import Unavailable
from tests.http.conftest import client_of, make_endpoint
from tests.http.toy import Context
from tests.serving import listening
from tests.world import running

PLAY = 'mutation { playAtOnce(key: "k") }'


class Crowd:
    """Who asks for turns, who has one, and a clock."""

    def __init__(self, at_once: int, patience_seconds: float) -> None:
        self.now = 0.0
        self.turns = Turns(TurnLimits(at_once, patience_seconds), monotonic=lambda: self.now)
        self.served: list[int] = []
        self.tasks: list[asyncio.Task[None]] = []
        self.done: dict[int, asyncio.Event] = {}

    async def come(self, *numbers: int) -> None:
        for number in numbers:
            self.done[number] = asyncio.Event()
            self.tasks.append(asyncio.create_task(self._one(number)))
        await settle()

    async def _one(self, number: int) -> None:
        async with self.turns:
            self.served.append(number)
            await self.done[number].wait()

    async def finish(self, *numbers: int, after_seconds: float = 0.0) -> None:
        for number in numbers:
            self.now += after_seconds
            self.done[number].set()
            await settle()


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_crowd_is_served_in_the_order_of_its_coming() -> None:
    crowd = Crowd(at_once=2, patience_seconds=10.0)
    await crowd.come(1, 2, 3, 4, 5)
    assert crowd.served == [1, 2]
    await crowd.finish(2)
    assert crowd.served == [1, 2, 3]
    await crowd.finish(1, 3)
    assert crowd.served == [1, 2, 3, 4, 5]
    await crowd.finish(4, 5)
    assert crowd.turns.is_idle


async def test_whoever_goes_away_takes_nobody_s_turn() -> None:
    crowd = Crowd(at_once=1, patience_seconds=10.0)
    await crowd.come(1, 2, 3, 4)
    crowd.tasks[1].cancel()  # while it waits
    await settle()
    crowd.done[1].set()
    await asyncio.sleep(0)
    crowd.tasks[2].cancel()  # in the moment in which it is called, or later
    await settle()
    assert crowd.served[-1] == 4
    await crowd.finish(4)
    assert crowd.turns.is_idle


async def test_who_is_called_and_goes_away_in_the_same_moment_passes_the_turn_on() -> None:
    crowd = Crowd(at_once=1, patience_seconds=10.0)
    await crowd.come(1, 2, 3)
    async with asyncio.timeout(30):
        crowd.turns._pass_on()  # calls 2, which hears of it in the next iteration
        crowd.tasks[1].cancel()
        await settle()
    assert crowd.served == [1, 3]


async def test_nobody_is_refused_who_is_likely_to_be_served_in_time() -> None:
    crowd = Crowd(at_once=1, patience_seconds=2.0)
    await crowd.come(*range(900))
    assert not any(task.done() for task in crowd.tasks)
    await crowd.finish(*range(300), after_seconds=0.001)
    await crowd.come(*range(900, 1500))
    assert not any(task.done() for task in crowd.tasks[300:])
    for task in crowd.tasks:
        task.cancel()
    await settle()


async def test_beyond_that_each_is_told_when_to_come_again_and_later_than_those_before() -> None:
    crowd = Crowd(at_once=1, patience_seconds=2.0)
    await crowd.come(*range(60))
    await crowd.finish(*range(10), after_seconds=0.25)
    told = []
    for _ in range(5):
        with pytest.raises(Overloaded) as refused:
            crowd.turns.refuse_when_full()
        told.append(refused.value.retry_after_seconds)
    assert told == sorted(set(told))
    assert told[0] > 2.0
    assert told[-1] <= LONGEST_RETRY_SECONDS
    for task in crowd.tasks:
        task.cancel()
    await settle()


async def refused(crowd: Crowd, times: int) -> list[float]:
    """When each of so many who come now is told to come again."""
    told = []
    for _ in range(times):
        with pytest.raises(Overloaded) as overloaded:
            async with asyncio.timeout(30), crowd.turns:
                raise AssertionError("a turn")
        told.append(overloaded.value.retry_after_seconds)
    return told


async def test_who_is_refused_is_told_how_long_those_before_take_and_a_pace_more_than_the_last() -> None:
    crowd = Crowd(at_once=1, patience_seconds=0.0)
    crowd.turns.refuse_when_full()
    await crowd.come(0, 1)  # of whom one waits, for nobody who waits
    assert await refused(crowd, 3) == pytest.approx([0.002, 0.004, 0.006])  # a turn takes 2 ms until more is known
    crowd.now = 0.001
    assert await refused(crowd, 1) == pytest.approx([0.007])
    crowd.now = 1.0  # the first has waited for as long
    assert await refused(crowd, 2) == pytest.approx([1.0, 1.002])
    crowd.now = 29.999
    assert await refused(crowd, 3) == pytest.approx([29.999, 30.0, 30.0])
    await crowd.finish(0, 1)


async def test_the_pace_follows_those_who_are_called() -> None:
    """Each moves it by a 64th of the difference; between the last of one crowd and the first of the next is none."""
    crowd = Crowd(at_once=1, patience_seconds=100.0)
    await crowd.come(0, 1)
    await crowd.finish(0, 1, after_seconds=5.0)
    crowd.now = 1000.0
    await crowd.come(*range(10, 20))
    await crowd.finish(10, after_seconds=2.0)
    assert crowd.turns._expected_wait_seconds() == pytest.approx(2.0)  # the first of them has waited for that long
    await crowd.finish(11, after_seconds=0.642)
    await crowd.finish(12, after_seconds=0.0)
    pace = 0.002 + 0.64 / 64
    pace -= pace / 64
    await crowd.come(*range(20, 320))
    assert crowd.turns._expected_wait_seconds() == pytest.approx(306 * pace)
    for task in crowd.tasks:
        task.cancel()
    await settle()


async def test_whoever_comes_waits_where_the_patience_just_suffices() -> None:
    crowd = Crowd(at_once=1, patience_seconds=0.004)
    await crowd.come(1, 2, 3)
    crowd.turns.refuse_when_full()  # two before it, of 2 ms
    await crowd.come(4)
    assert await refused(crowd, 1) == pytest.approx([0.006])
    await crowd.finish(1, 2, 3, 4)
    assert crowd.served == [1, 2, 3, 4]


async def test_where_nobody_is_done_whoever_comes_waits_no_longer_than_the_first_has_waited() -> None:
    crowd = Crowd(at_once=1, patience_seconds=2.0)
    await crowd.come(1, 2)
    crowd.turns.refuse_when_full()
    crowd.now = 2.5
    with pytest.raises(Unavailable):
        crowd.turns.refuse_when_full()
    await crowd.finish(1, 2)
    crowd.turns.refuse_when_full()


async def test_nobody_is_worked_on_where_neither_reads_nor_plays_are() -> None:
    service = make_endpoint().service
    assert service.is_idle
    for turns in (service._reads, service._commands):
        async with turns:
            assert not service.is_idle
        assert service.is_idle


# Over HTTP


@pytest.mark.parametrize("crowd", [200, pytest.param(1_000, marks=pytest.mark.soak)])
async def test_a_crowd_that_comes_at_once_is_served(empty_database: str, crowd: int) -> None:
    async with running(empty_database, HARU_REQUEST_SECONDS=60.0) as world:  # as long as a busy machine takes
        players = [await world.player(f"player {number}") for number in range(50)]
        answers = await asyncio.gather(*(players[number % 50].post(FIRST_SCREEN) for number in range(crowd)))
    assert {answer.status_code for answer in answers} == {200}
    assert all(FIRST_SCREEN_ANSWER in answer.content and b'"errors"' not in answer.content for answer in answers)


async def test_reads_are_refused_before_plays_and_before_they_are_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    gate, parsed = asyncio.Event(), []
    prepare = Documents.prepare

    def preparing(self: Documents, text: str) -> Any:
        parsed.append(text)
        return prepare(self, text)

    monkeypatch.setattr(Documents, "prepare", preparing)
    context = Context(gate=gate)
    endpoint = make_endpoint(
        GraphQLOptions(reads=TurnLimits(at_once=1, patience_seconds=0.003)),
        make_context=lambda *_: context,
        monotonic=lambda: 0.0,
    )
    async with client_of(endpoint) as client:
        crowd = [asyncio.create_task(client.post("/graphql", json={"query": "{ waits }"})) for _ in range(3)]
        while endpoint.service._reads._expected_wait_seconds() <= 0.003:  # one is served, two wait: 2 ms each
            await asyncio.sleep(0)
        known = await client.post("/graphql", json={"query": "{ waits }"})
        new = await client.post("/graphql", json={"query": "{ whoami }"})
        play = await client.post("/graphql", json={"query": PLAY})
        gate.set()
        answers = [(await task).json() for task in crowd]
    for refused in (known, new):
        assert refused.status_code == 503
        assert int(refused.headers["retry-after"]) >= 1
        assert refused.json()["errors"][0]["extensions"] == {"code": "UNAVAILABLE", "retryable": True}
    assert parsed == ["{ waits }", PLAY]
    assert play.json() == {"data": {"playAtOnce": "k"}}
    assert answers == [{"data": {"waits": True}}] * 3
    assert context.calls.count("waits") == 3


async def test_a_wait_for_a_turn_is_part_of_the_deadline() -> None:
    options = GraphQLOptions(reads=TurnLimits(at_once=1, patience_seconds=60.0), deadline_seconds=1.0)
    gate = asyncio.Event()
    endpoint = make_endpoint(options, make_context=lambda *_: Context(gate=gate))
    async with client_of(endpoint) as client:
        answers = await asyncio.gather(*(client.post("/graphql", json={"query": "{ waits }"}) for _ in range(3)))
        assert [answer.status_code for answer in answers] == [503] * 3
        gate.set()
        assert (await client.post("/graphql", json={"query": "{ waits }"})).json() == {"data": {"waits": True}}


async def test_a_read_whose_client_has_gone_is_not_served(caplog: pytest.LogCaptureFixture) -> None:
    context, lost = Context(), asyncio.Event()

    class Connection(HttpConnection):
        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            lost.set()

    options = GraphQLOptions(reads=TurnLimits(at_once=1, patience_seconds=60.0))
    endpoint = make_endpoint(options, make_context=lambda *_: context)

    async def asking(path: str, length: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(path.rpartition(":")[2]))
        writer.write(b"GET /graphql?query=%7Bwaits%7D HTTP/1.1\r\nhost: haru\r\nauthorization: Bearer mia\r\n\r\n")
        while len(endpoint.service._reads._waiting) < length or not context.calls:
            await asyncio.sleep(0.001)
        return reader, writer

    async with asyncio.timeout(30), listening(endpoint, Connection) as url:
        first, gone, last = [await asking(url, length) for length in range(3)]
        gone[1].transport.abort()
        await lost.wait()
        while not any(one.called.cancelled() for one in endpoint.service._reads._waiting):
            await asyncio.sleep(0.001)  # it is looked after somebody who waits, but not at once
        context.gate.set()
        for reader, writer in (first, last):
            assert b" 200 OK" in await reader.readuntil(b"\r\n")
            writer.transport.abort()
    assert context.calls == ["waits", "waits"]
    assert not caplog.records  # it is nobody's fault


async def test_new_documents_are_metered_and_known_ones_are_not() -> None:
    metered: list[object] = []

    @contextmanager
    def meter(principal: object) -> Iterator[None]:
        metered.append(principal)
        yield

    async with client_of(make_endpoint(meter=meter)) as client:
        for query in ("{ whoami }", "{ whoami }", "{ w: whoami }", "{ nope }", "{ nope }"):
            await client.post("/graphql", json={"query": query})
    assert len(metered) == 4  # what does not pass is not kept
