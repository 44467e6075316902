"""Lanes, where the public door does not lead: luck that stays, and what goes wrong in ways that no rule foresees."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from services import alone, batches, lanes
from services.coupon_pool import LOCK_COUPONS
from services.rules.play import decide
from services.store import store
from tests.games import UNDER_TEST, another_session, on, only_points
from tests.races.test_publishing import until_somebody_waits
from tests.world import World, forge, running

ROULETTE = UNDER_TEST[1]
SESSIONS = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'haru' AND datname = current_database()"


@pytest.fixture
def decided(monkeypatch: pytest.MonkeyPatch) -> dict[UUID, list[Any]]:
    """What was drawn for each player, each time that a play was decided."""
    noted: dict[UUID, list[Any]] = defaultdict(list)

    def deciding(action: Any, *rest: Any) -> Any:
        answer: Any = decide(action, *rest)
        noted[action.user_id].append(answer.drawn)
        return answer

    monkeypatch.setattr(batches, "decide", deciding)
    return noted


async def test_what_is_decided_anew_is_drawn_as_before(
    empty_database: str, decided: dict[UUID, list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise whoever draws a locked coupon would draw again, and coupons come up too seldom while they are held."""
    async with running(empty_database, HARU_LOCK_WAIT_SECONDS=1, HARU_LANES=1) as world:
        await on(world, ROULETTE)
        await forge(world.sql, "UPDATE roulette_segment SET weight = CASE WHEN slot IN (0, 4) THEN 1 ELSE 0 END")
        players = [await world.player(f"player {number}") for number in range(20)]
        parted: list[int] = []
        monkeypatch.setattr(world.parts.database.watch, "parted", parted.append)
        async with another_session(empty_database) as session, session.transaction():
            await session.execute(LOCK_COUPONS, "COFFEE")
            answers = await asyncio.gather(*(player.play("spinRoulette") for player in players))
    coupons = {player.player_id for player in players if decided[player.player_id][0].label == "커피 쿠폰"}
    refused = {player.player_id for player, answer in zip(players, answers, strict=True) if "code" in answer}
    assert 0 < len(coupons) < len(players)
    assert refused == coupons  # nobody else, and nobody of them got away with another draw
    assert sum(parted) == len(coupons)
    assert sum(map(len, decided.values())) > len(players)
    assert all(draw == draws[0] for draws in decided.values() for draw in draws)


async def test_broken_data_is_a_bug_that_is_told_at_once(world: World, caplog: pytest.LogCaptureFixture) -> None:
    alice = await world.player()
    await alice.play()
    kept = await world.sql.fetchval('SELECT ledger_lines FROM "user" WHERE id = $1', alice.player_id)
    await world.sql.execute('UPDATE "user" SET ledger_lines = 0 WHERE id = $1', alice.player_id)
    before = await world.written()
    answer = await alice.execute('mutation { playDice(input: {idempotencyKey: "k"}) { __typename } }')
    assert answer["errors"][0]["extensions"]["code"] == "INTERNAL"
    assert "pk_reward_ledger" in caplog.text
    assert await world.written() == before
    await world.sql.execute('UPDATE "user" SET ledger_lines = $2 WHERE id = $1', alice.player_id, kept)
    assert (await alice.play(key="k"))["replayed"] is False


async def test_a_lane_goes_on_after_a_bug_of_its_own(
    world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = await world.player()
    await alice.play()
    sessions = [lane._session._connection for lane in world.parts.lanes._lanes]

    async def broken(*_: Any, **__: Any) -> None:
        raise ValueError("nobody thought of this")

    with monkeypatch.context() as patch:
        patch.setattr(lanes.Lane, "_together", broken)
        answer = await alice.execute('mutation { playDice(input: {idempotencyKey: "k"}) { __typename } }')
        assert answer["errors"][0]["extensions"]["code"] == "INTERNAL"
        assert "nobody thought of this" in caplog.text
    (session,) = filter(None, sessions)
    assert session.is_closed()  # nobody knows what it was in the middle of
    assert (await alice.play(key="k"))["replayed"] is False


async def test_nobody_who_ends_leaves_a_session(empty_database: str) -> None:
    async with running(empty_database) as world:
        alice = await world.player()
        assert (await alice.play())["__typename"] == "DicePlay"
        await alice.data("{ me { id } }")
        assert await world.sql.fetchval(SESSIONS) > 1
    async with another_session(empty_database) as session, asyncio.timeout(10):
        while await session.fetchval(SESSIONS):
            await asyncio.sleep(0.01)


async def test_a_standby_is_left_for_the_primary(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a failover an old connection may lead to what is a standby now, and refuses every write."""
    alice = await world.player()
    await alice.play()
    standby = await world.sql.fetch(
        "SELECT pid FROM pg_stat_activity WHERE application_name = 'haru' AND datname = current_database()"
    )
    refused = []

    async def storing(connection: Any, effects: Any) -> None:
        if connection.get_server_pid() in {row["pid"] for row in standby}:
            refused.append(connection)
            raise asyncpg.ReadOnlySQLTransactionError("cannot execute UPDATE in a read-only transaction")
        await store(connection, effects)

    monkeypatch.setattr(batches, "store", storing)
    assert (await alice.play())["__typename"] == "DicePlay"
    assert refused
    assert all(connection.is_closed() for connection in refused)


async def until_alone(world: World, commands: int = 1) -> None:
    """Wait until so many commands wait by themselves, given up by their lanes."""
    async with asyncio.timeout(30):
        while sum(len(lane._alone._tasks) for lane in world.parts.lanes._lanes) < commands:
            await asyncio.sleep(0.01)


PLAY_DICE = 'mutation { playDice(input: {idempotencyKey: "k"}) { __typename ... on UserError { code } } }'


async def test_a_lane_that_stops_finishes_and_takes_nothing_more(empty_database: str) -> None:
    async with running(empty_database) as world:
        alice, bob = await world.player(), await world.player("bob")
        async with another_session(empty_database) as session, session.transaction():
            await session.execute('SELECT FROM "user" WHERE id = $1 FOR UPDATE', alice.player_id)
            waiting = asyncio.create_task(alice.execute(PLAY_DICE))
            await until_alone(world)
            stopping = asyncio.create_task(world.parts.lanes.__aexit__())
            while not all(lane._stopping for lane in world.parts.lanes._lanes):
                await asyncio.sleep(0)
            assert await bob.error_code(PLAY_DICE) == "UNAVAILABLE"
        await stopping
        assert (await waiting)["data"]["playDice"]["__typename"] == "DicePlay"
    # Leaving the world stops the lanes once more, which does no harm.


async def test_a_lane_that_stops_waits_for_its_batch(empty_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "LANE_LOCK_SECONDS", 5.0)
    async with running(empty_database) as world:
        alice = await world.player()
        async with another_session(empty_database) as session, session.transaction():
            await session.execute('SELECT FROM "user" WHERE id = $1 FOR UPDATE', alice.player_id)
            waiting = asyncio.create_task(alice.execute(PLAY_DICE))
            await until_somebody_waits(world)
            stopping = asyncio.create_task(world.parts.lanes.__aexit__())
            await asyncio.sleep(0.1)
            assert not stopping.done()
        await stopping
        assert (await waiting)["data"]["playDice"]["__typename"] == "DicePlay"


async def test_what_waits_for_its_seed_is_done_before_a_server_ends(
    empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits, may_be_read = asyncio.Event(), asyncio.Event()
    async with running(empty_database) as world:
        alice, seeds = await world.player(), world.parts.seeds
        read: Any = seeds._look._work

        async def reading(dates: Any) -> Any:
            waits.set()
            await may_be_read.wait()
            return await read(dates)

        monkeypatch.setattr(seeds._look, "_work", reading)
        seeds._known.clear()
        leaving = asyncio.create_task(alice.execute(PLAY_DICE))
        await waits.wait()
        leaving.cancel()
        asyncio.get_running_loop().call_later(0.2, may_be_read.set)
    async with another_session(empty_database) as session:
        assert await session.fetchval("SELECT count(*) FROM dice_log") == 1


async def test_a_full_lane_takes_nothing_more(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    alice = await world.player()
    before = await world.written()
    monkeypatch.setattr(lanes, "QUEUE_SIZE", 0)
    assert await alice.error_code(PLAY_DICE) == "UNAVAILABLE"
    assert await world.written() == before


async def test_neighbours_that_cannot_be_told_apart_go_on_alone(
    empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(empty_database, HARU_LANES=1, HARU_LOCK_WAIT_SECONDS=1) as world:
        alice, bob = await world.player(), await world.player("bob")
        monkeypatch.setattr(lanes, "UNLOCKED_PLAYERS", "SELECT pg_terminate_backend(pg_backend_pid()), $1::uuid[]")
        async with another_session(empty_database) as session, session.transaction():
            await session.execute('SELECT FROM "user" WHERE id = $1 FOR UPDATE', alice.player_id)
            told = await asyncio.gather(alice.data(PLAY_DICE), bob.data(PLAY_DICE))
        assert [answer["playDice"].get("code") for answer in told] == ["LOCK_NOT_ACQUIRED", None]


async def test_who_waits_alone_is_told_in_time_whatever_hangs(
    empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(empty_database, HARU_LOCK_WAIT_SECONDS=0.5) as world:
        alice = await world.player()

        async def hanging(*_: object) -> None:
            await asyncio.sleep(60)

        monkeypatch.setattr(alone.Alone, "_try", hanging)
        async with another_session(empty_database) as session, session.transaction():
            await session.execute('SELECT FROM "user" WHERE id = $1 FOR UPDATE', alice.player_id)
            assert await alice.error_code(PLAY_DICE) == "UNAVAILABLE"


async def test_who_leaves_in_the_middle_of_a_batch_takes_nobody_along(
    empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored, gates = asyncio.Semaphore(0), [asyncio.Event(), asyncio.Event()]
    waiting = iter(gates)

    async def storing(connection: Any, effects: Any) -> None:
        stored.release()
        await next(waiting).wait()
        await store(connection, effects)

    monkeypatch.setattr(batches, "store", storing)
    async with running(empty_database, HARU_LANES=1) as world:
        await only_points(world)
        first, *others = [await world.player(f"player {number}") for number in range(4)]
        alone = asyncio.create_task(first.play())
        await stored.acquire()
        together = [asyncio.create_task(other.play(key="k")) for other in others]
        async with asyncio.timeout(30):
            while world.parts.lanes.waiting < len(others):  # they are the next batch
                await asyncio.sleep(0.01)
        gates[0].set()
        await stored.acquire()
        together[1].cancel()
        await asyncio.sleep(0)
        gates[1].set()
        assert (await alone)["__typename"] == "DicePlay"
        answers = await asyncio.gather(*together, return_exceptions=True)
        assert isinstance(answers[1], asyncio.CancelledError)
        told = [answer["replayed"] for answer in answers if isinstance(answer, dict)]
        assert told == [False, False]
        monkeypatch.undo()
        assert (await others[1].play(key="k"))["replayed"] is True  # it was played all the same
        assert await world.count("dice_log") == 4
