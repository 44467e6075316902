"""Somebody else holds a lock: whoever needs it is told in time, nothing is written, and nobody else waits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import asyncpg
import pytest

from models import FeatureType, Role
from schema.roots import MUTATIONS, ROOTS
from services import standing
from services.database import Database
from tests.documents import ask, roots
from tests.games import UNDER_TEST, GameUnderTest, another_session, every_game, on, only_points
from tests.services.test_lanes import until_alone
from tests.staff import kept
from tests.world import Client, World, forge, running

WAIT_SECONDS = 0.5
SLACK_SECONDS = 4.0
"""On a busy machine an answer takes its time; what is to be told apart is the wait from that of a statement: 5 s."""

LOTTERY = next(game for game in UNDER_TEST if game.feature is FeatureType.LOTTERY)


@pytest.fixture
async def impatient(empty_database: str) -> AsyncIterator[World]:
    """A world that waits half a second for a lock, with one lane: everybody is everybody's neighbour."""
    async with running(empty_database, HARU_LOCK_WAIT_SECONDS=WAIT_SECONDS, HARU_LANES=1) as world:
        await only_points(world)
        yield world


@asynccontextmanager
async def held(world: World, query: str, *arguments: Any) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """Rows are locked by another session, for as long as this lasts."""
    assert world.settings.owner_url
    async with another_session(world.settings.owner_url) as session, session.transaction():
        assert await session.fetch(f"{query} FOR UPDATE", *arguments)
        yield session


A_RANKING = b"rank,display_name,score,external_id\n1,somebody,1,\n"
PLAYER_ROW = 'SELECT 1 FROM "user" WHERE id = $1'
ONE_STOCK = """
UPDATE lottery_prize SET weight = (SELECT count(*) FROM lottery_stock s WHERE s.id = stock_id AND s."left" = 500)
"""
TAKEN = 'SELECT sum(initial - "left") FROM lottery_stock'
STOCK_ROWS = "SELECT 1 FROM lottery_stock"


async def timed(playing: Any) -> tuple[dict[str, Any], float]:
    start = time.monotonic()
    answer = await playing
    return answer, time.monotonic() - start


def refused_in_time(answer: dict[str, Any], seconds: float) -> None:
    assert (answer["code"], answer["retryable"]) == ("LOCK_NOT_ACQUIRED", True), answer
    assert WAIT_SECONDS - 0.25 <= seconds <= WAIT_SECONDS + SLACK_SECONDS


@every_game
async def test_a_locked_player_is_told_and_the_neighbours_are_served(impatient: World, game: GameUnderTest) -> None:
    await on(impatient, game)
    alice = await impatient.player()
    neighbours = [await impatient.player(f"neighbour {number}") for number in range(10)]
    before = await impatient.written()
    async with held(impatient, PLAYER_ROW, alice.player_id):
        locked = asyncio.create_task(timed(alice.play(game.mutation, "k")))
        together = await asyncio.gather(*(one.play(game.mutation) for one in neighbours))
        assert {answer["__typename"] for answer in together} == {game.played}
        later = await asyncio.gather(*(timed(one.play(game.mutation)) for one in neighbours))
        assert {answer["__typename"] for answer, _ in later} == {game.played}
        refused_in_time(*await locked)
    after = await impatient.written()
    assert after[game.log] == before[game.log] + 20
    for table in (game.log, "reward_ledger", "user_event_log", "idempotency_key", "season_pass_stamp_log"):
        assert not await impatient.sql.fetchval(f"SELECT count(*) FROM {table} WHERE user_id = $1", alice.player_id)
    assert (await alice.play(game.mutation, "k"))["replayed"] is False  # a retry really runs


async def test_every_command_of_a_locked_player_is_told(impatient: World) -> None:
    alice = await impatient.player()
    assert (await alice.play())["seasonPass"]["currentLevel"] == 1
    before = await impatient.written()
    async with held(impatient, PLAYER_ROW, alice.player_id):
        replay, _ = await timed(alice.play(key=f"{alice.player_id}-1"))
        assert replay["replayed"] is True  # which needs no lock
        impatient.clock.advance(days=1)
        alice = await impatient.player()
        refused_in_time(*await timed(alice.stamp()))
        # What is refused writes nothing, and so needs no lock either.
        assert (await alice.play("spinRoulette"))["code"] == "NO_FEATURE_TODAY"
        assert (await alice.claim(1))["code"] == "AUTO_CLAIM_LEVEL"
    assert await impatient.written() == before


async def test_reads_do_not_wait_for_locks(impatient: World) -> None:
    alice = await impatient.player()
    async with held(impatient, PLAYER_ROW, alice.player_id):
        query = "{ me { id balances { amount } } diceStatus { __typename } seasonPassStatus { __typename } }"
        answer = await alice.data(query)  # which would be refused, had it waited
        assert answer["diceStatus"]["__typename"] == "DiceStatus"


async def test_a_locked_prize_is_told_and_other_commands_are_served(impatient: World) -> None:
    await on(impatient, LOTTERY)
    await forge(impatient.sql, ONE_STOCK)
    players = [await impatient.player(f"player {number}") for number in range(8)]
    before = await impatient.written()
    async with held(impatient, STOCK_ROWS):
        draws = [asyncio.create_task(timed(one.play("drawLottery", "k"))) for one in players[:4]]
        await asyncio.sleep(0)
        stamps = await asyncio.gather(*(one.stamp() for one in players[4:]))
        assert [stamp.get("addedStamp") for stamp in stamps] == [1] * 4
        for draw in draws:
            refused_in_time(*await draw)
    after = await impatient.written()
    assert (after["lottery_log"], after["season_pass_stamp_log"]) == (0, before["season_pass_stamp_log"] + 4)
    assert await impatient.sql.fetchval(TAKEN) == 0
    answers = await asyncio.gather(*(one.play("drawLottery", "k") for one in players[:4]))
    assert [answer["replayed"] for answer in answers] == [False] * 4
    assert await impatient.sql.fetchval(TAKEN) == 4


async def test_a_lock_that_is_let_go_in_time_delays_and_nothing_else(empty_database: str) -> None:
    async with running(empty_database) as patient:
        alice = await patient.player()
        async with held(patient, PLAYER_ROW, alice.player_id):
            playing = asyncio.create_task(alice.play())
            await until_alone(patient)
        assert (await playing)["__typename"] == "DicePlay"


async def test_many_locked_players_are_all_told_in_time(impatient: World) -> None:
    """More of them than the pool has connections: they wait at once, not one after another."""
    players: list[Client] = [await impatient.player(f"player {number}") for number in range(6)]
    async with held(impatient, 'SELECT 1 FROM "user"'):
        for answer, seconds in await asyncio.gather(*(timed(one.play()) for one in players)):
            refused_in_time(answer, seconds)
    assert await impatient.count("dice_log") == 0


async def test_plays_that_wait_for_one_another_are_all_told(empty_database: str) -> None:
    """Of several that wait for a row one is at its head, and waits for its holder anew."""
    async with running(empty_database, HARU_LANES=1) as patient:
        alice = await patient.player()
        async with held(patient, PLAYER_ROW, alice.player_id):
            answers = await asyncio.gather(*(alice.play() for _ in range(3)))
            assert [answer["code"] for answer in answers] == ["LOCK_NOT_ACQUIRED"] * 3
        assert await patient.count("dice_log") == 0


async def test_a_player_who_keeps_trying_does_not_hold_up_the_lane(impatient: World) -> None:
    alice, bob = await impatient.player(), await impatient.player("bob")
    await on(impatient, UNDER_TEST[0], limit=0)
    async with held(impatient, PLAYER_ROW, alice.player_id):
        trying = [asyncio.create_task(alice.play()) for _ in range(20)]
        served = [await timed(bob.play()) for _ in range(5)]
        assert {answer["__typename"] for answer, _ in served} == {"DicePlay"}
        assert max(seconds for _, seconds in served) < WAIT_SECONDS + SLACK_SECONDS
        codes = {answer["code"] for answer in await asyncio.gather(*trying)}
    assert codes <= {"LOCK_NOT_ACQUIRED"}
    assert await impatient.sql.fetchval("SELECT count(*) FROM dice_log WHERE user_id = $1", alice.player_id) == 0


async def test_reads_and_other_players_have_room_while_many_commands_wait(empty_database: str) -> None:
    """More commands wait for one locked player than the pool has connections; meanwhile others read and play."""
    async with running(empty_database, HARU_LANES=1) as patient:
        alice, bob = await patient.player(), await patient.player("bob")
        await on(patient, UNDER_TEST[0], limit=0)
        async with held(patient, PLAYER_ROW, alice.player_id):
            trying = [asyncio.create_task(alice.play()) for _ in range(40)]
            await until_alone(patient, len(trying))
            for _ in range(5):
                assert (await bob.data("{ diceStatus { __typename } }"))["diceStatus"]["__typename"] == "DiceStatus"
                assert (await bob.play())["__typename"] == "DicePlay"
            assert not any(task.done() for task in trying)
            assert {answer["code"] for answer in await asyncio.gather(*trying)} == {"LOCK_NOT_ACQUIRED"}


async def test_a_full_batch_of_draws_is_served_beside_a_locked_player(impatient: World) -> None:
    await on(impatient, LOTTERY)
    await forge(impatient.sql, ONE_STOCK)
    alice = await impatient.player()
    neighbours = [await impatient.player(f"neighbour {number}") for number in range(60)]
    async with held(impatient, PLAYER_ROW, alice.player_id):
        locked = asyncio.create_task(timed(alice.play("drawLottery")))
        answers = await asyncio.gather(*(one.play("drawLottery") for one in neighbours))
        assert {answer["__typename"] for answer in answers} == {"LotteryDraw"}
        refused_in_time(*await locked)
    assert await impatient.sql.fetchval(TAKEN) == 60


async def warm(database: Database, sessions: int) -> None:
    """Let each pool have so many sessions: a busy machine takes long to begin all of them at once."""
    async with AsyncExitStack() as held:
        for _ in range(sessions):
            await held.enter_async_context(database.hot())
            await held.enter_async_context(database.read())


async def test_every_mutation_tells_of_a_lock(empty_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # The lock keeps the standing of staff from being read again, too: what is known of it has to do for the test.
    monkeypatch.setattr(standing, "FRESH_SECONDS", 60.0)
    async with running(empty_database, HARU_LOCK_WAIT_SECONDS=2, HARU_POOL_SIZE=40) as world:
        await warm(world.parts.database, len(MUTATIONS))
        asking = [
            ask(await world.player(role, role), "mutation", name, field, "... on UserError { code }", A_RANKING)
            for _, name, field in roots("mutation")
            for role in sorted(ROOTS[name].roles)[:1]
        ]
        for role in Role:
            await (await world.player(role, role)).data("{ me { id } }")
        before = await kept(world) | await world.written()
        async with another_session(empty_database) as session, session.transaction():
            await session.execute('LOCK TABLE "user" IN ACCESS EXCLUSIVE MODE')
            answers = await asyncio.gather(*asking)
        told = {name: refusal["code"] for answer in answers for name, refusal in answer["data"].items()}
        assert told == dict.fromkeys(MUTATIONS, "LOCK_NOT_ACQUIRED")
        assert await kept(world) | await world.written() == before
