"""What WebSockets may cost, and how they end: places, rates, slow clients, and a server that stops."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from schema.context import Principal
from server.http.endpoint import GraphQLEndpoint
from server.http.places import Over, Places
from server.http.websocket import WebSocketEndpoint
from services.request_errors import RateLimited
from tests.http.conftest import Counted, make_endpoint
from tests.http.test_websocket import COUNT, INIT, NEVER, app
from tests.http.toy import SOURCES, name_of
from tests.live import Closed, Socket, events, socket


async def test_operations_per_connection_are_bounded() -> None:
    async with socket(app(operations_per_connection=2), "mia") as client:
        await client.subscribe(NEVER, id="a")
        await client.subscribe(NEVER, id="b")
        await client.subscribe(NEVER, id="c")
        message = await client.message()
        assert (message["id"], message["payload"][0]["extensions"]["code"]) == ("c", "RATE_LIMITED")
        await client.send("complete", id="a")
        await client.subscribe(COUNT, id="c", to=1)
        assert await client.data() == {"count": 1}


async def test_messages_are_bounded() -> None:
    longest = '{"type": "ping"}'
    async with socket(app(message_bytes=len(longest))) as client:
        await client.send_text(longest)
        assert await client.message() == {"type": "pong"}
        await client.send_text(f"{longest} ")
        assert await client.close_code() == 4400


async def test_nobody_waits_any_longer_for_the_end_of_a_stranger() -> None:
    waited_for: list[str | None] = []

    class Noting(Places):
        async def over(self, principal: Principal | None) -> Over:
            waited_for.append(name := None if principal is None else name_of(principal))
            try:
                return await super().over(principal)
            finally:
                waited_for.remove(name)

    places = Noting(now=lambda: 0.0)
    async with socket(WebSocketEndpoint(make_endpoint().service, places), "mia") as client:
        await client.send("ping")
        assert await client.message() == {"type": "pong"}
        assert waited_for == ["mia"]
    assert waited_for == []


async def test_connections_per_player_are_bounded() -> None:
    served = app(connections_per_player=1)
    async with socket(served, "mia"):
        async with socket(served) as second:
            await second.send_text(INIT)
            assert await second.close_code() == 1013
        async with socket(served, "leo"):
            pass
    async with socket(served, "mia"):
        pass


async def refusal(served: WebSocketEndpoint, address: str = "10.0.0.1") -> int | None:
    """The status that one more handshake is refused with; None: it is not."""
    one = Socket(served)
    one._scope |= {"client": (address, 1)}
    answer = await one.open()
    await (one.leave() if answer["type"] == "websocket.accept" else one.ended())
    return answer.get("status")


async def test_connections_in_all_are_bounded() -> None:
    served = app(connections=1)
    async with socket(served) as second:
        async with socket(served, "mia"):
            await second.send_text(INIT)
            assert await second.close_code() == 1013
            assert await refusal(served) == 503
        assert await refusal(served) is None


async def test_strangers_are_bounded_and_leave_places_to_those_who_play() -> None:
    served = app(connections=2, strangers=1)
    async with socket(served, "mia"):
        async with socket(served) as stranger:
            assert await refusal(served) == 503
            await stranger.init("leo")
            assert await refusal(served) == 503  # both places are taken
        async with socket(served):
            async with events(GraphQLEndpoint(served.service, served.places), NEVER, token="zoe") as stream:
                assert stream.status == 200
            assert await refusal(served) == 503  # the stranger is still one
        assert await refusal(served) is None


async def test_strangers_of_an_address_are_bounded() -> None:
    served = app(strangers_per_address=2)
    async with socket(served), socket(served) as second:
        assert await refusal(served) == 429
        assert await refusal(served, "::ffff:10.0.0.1") == 429
        assert await refusal(served, "10.0.0.2") is None
        await second.init("mia")
        assert await refusal(served) is None


async def test_rates_count_handshakes_and_operations() -> None:
    left = [2]

    def admit(*_: Any) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise RateLimited

    served = app(admit=admit)
    async with socket(served, "mia") as client:
        await client.subscribe("{ matrix }")
        await client.data()
        await client.message()
        await client.subscribe("{ matrix }")
        assert (await client.message())["payload"][0]["extensions"]["code"] == "RATE_LIMITED"
    refused = Socket(served)
    assert (await refused.open())["status"] == 429
    await refused.ended()
    plain = Socket(served)
    plain._scope = plain._scope | {"extensions": {}}
    assert await plain.open() == {"type": "websocket.close", "code": 1013}
    await plain.ended()


@pytest.mark.parametrize("payload", [{"Authorization": "Bearer bad"}, {"Authorization": 5}])
async def test_a_bad_token_counts_for_its_address(payload: Any) -> None:
    init = json.dumps({"type": "connection_init", "payload": payload})
    admit = Counted(3)
    served = app(admit=admit)
    for code in (4403, 1013):  # each after its handshake
        async with socket(served) as client:
            await client.send_text(init)
            assert await client.close_code() == code
    assert admit.asked == [None] * 4
    refused = Socket(served, headers={"Authorization": "Bearer bad"})
    assert (await refused.open())["status"] == 429
    await refused.ended()


async def test_a_good_token_is_counted_with_its_handshake() -> None:
    admit = Counted(1)
    async with socket(app(admit=admit), "mia"):
        assert admit.asked == [None]


async def test_a_client_that_does_not_read_is_left() -> None:
    made = Socket(app(send_seconds=0.05))
    await made.open()
    await made.init("mia")
    await made.subscribe(COUNT, to=1000)
    assert made.task is not None
    await asyncio.wait([made.task], timeout=30)
    assert made.task.done()
    assert not SOURCES


async def test_a_client_that_leaves_ends_its_operations() -> None:
    async with socket(app(), "mia") as client:
        await client.subscribe(NEVER)
        while not SOURCES:
            await asyncio.sleep(0.01)
    assert not SOURCES


async def test_a_mutation_is_finished_though_its_client_has_left() -> None:
    served = app()
    async with socket(served, "mia") as client:
        await client.subscribe("mutation { sleeps(seconds: 1) }")
        async with asyncio.timeout(30):
            while not served.places._unfinished:
                await asyncio.sleep(0.01)
    assert served.places._unfinished
    await served.places.finish()
    assert not served.places._unfinished


async def test_the_servers_stop_closes_connections_introduced_or_not() -> None:
    served = app()
    async with socket(served) as stranger, socket(served, "mia") as client:
        await client.subscribe(NEVER)
        served.places.stop()
        assert await stranger.close_code() == 1001
        assert await client.close_code() == 1001
    late = Socket(served)
    assert (await late.open())["status"] == 503
    await late.ended()


async def test_a_bug_closes_the_connection_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    served = app()

    def broken(*_: Any) -> Any:
        raise ValueError("a secret of ours")

    served.service.authenticate = broken
    async with socket(served) as client:
        await client.send("connection_init")
        with pytest.raises(Closed) as closed:
            await client.message()
        assert (closed.value.code, closed.value.reason) == (1011, "Internal server error")
    assert "a secret of ours" in caplog.text
