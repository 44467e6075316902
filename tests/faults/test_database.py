"""The database is lost in the middle of everything: what happened is found out by a retry, and happens once."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from schema.nodes import node_id
from tests.faults.link import link
from tests.faults.load import Load, check
from tests.games import UNDER_TEST, GameUnderTest, another_session, every_game, on
from tests.postgres import temporary_postgres
from tests.roles import furnish
from tests.world import Client, World, running

END_SESSIONS = """
SELECT count(*) FILTER (WHERE pg_terminate_backend(pid) AND state <> 'idle') FROM pg_stat_activity
WHERE application_name = 'haru' AND datname = current_database() AND pid <> pg_backend_pid()
"""
"""Ends them all; tells how many were at work."""

IDLE = """
SELECT count(*) FROM pg_stat_activity
WHERE state LIKE 'idle in transaction%' AND application_name = 'haru' AND datname = current_database()
"""

PLAY = "mutation ($key: String!) { GAME(input: {idempotencyKey: $key}) { __typename ... on GamePlay { id replayed } } }"


async def play_until_answered(client: Client, game: GameUnderTest, key: str) -> dict[str, Any]:
    """Play with one key until the answer is no longer unknown."""
    for _ in range(20):
        answer = await client.execute(PLAY.replace("GAME", game.mutation), key=key)
        if "errors" not in answer:
            played: dict[str, Any] = answer["data"][game.mutation]
            return played
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["UNAVAILABLE"], answer
    raise AssertionError("the database did not come back")


@every_game
@pytest.mark.parametrize("sender", ["client", "server"])
async def test_the_link_breaks_at_every_message_of_a_play(
    empty_database: str, game: GameUnderTest, sender: str
) -> None:
    """A client's lost message never happened; a server's lost answer, that of a commit among them, hides what did."""
    async with link(empty_database) as way, running(way.url) as world:
        await on(world, game, limit=0)
        outcomes, plays = Counter[str](), []
        alice = await world.player()
        await alice.play(game.mutation)  # connections and plans are there
        for after in range(200):
            way.arm(sender, after)
            played = await play_until_answered(alice, game, f"k{after}")
            plays.append(played["id"])
            if not way.disarm():
                break  # a play has no more messages than these
            outcomes["replayed" if played["replayed"] else "played"] += 1
        print(f"{way.breaks} breaks: {dict(outcomes)}", end="")
        assert way.breaks == len(plays) - 1 >= 3
        if sender == "client":
            assert outcomes["played"] > 0
        await check_plays(world, game, alice, plays)


async def check_plays(world: World, game: GameUnderTest, client: Client, plays: list[str]) -> None:
    """Each play of the client's, and the one before them, is there once, whole."""
    logged = await world.sql.fetch(f"SELECT id FROM {game.log} WHERE user_id = $1 ORDER BY play_no", client.player_id)
    assert [node_id(game.play, client.player_id, row["id"]) for row in logged][1:] == plays
    for query in (
        "SELECT count(*) FROM idempotency_key",
        "SELECT count(*) FROM user_event_log WHERE event_name = 'PLAY'",
        f"SELECT max(play_no) FROM {game.log}",
    ):
        assert await world.sql.fetchval(query) == len(plays) + 1, query
    assert await world.sql.fetchval("SELECT count(*) FROM season_pass_stamp_log") == 1
    async with asyncio.timeout(30):  # of a session that was cut off the server hears a moment later
        while await world.sql.fetchval(IDLE):
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("times", [8, pytest.param(100, marks=pytest.mark.soak)])
async def test_sessions_that_are_ended_again_and_again(empty_database: str, times: int) -> None:
    async with running(empty_database) as world, another_session(empty_database) as sql:
        await on(world, UNDER_TEST[0], limit=0)
        players, load = [await world.player(f"player {number}") for number in range(16)], Load()
        ended = rounds = 0
        load.up.set()
        playing = [asyncio.create_task(load.player(player)) for player in players]
        while rounds < times or not ended:  # until one was at work
            await asyncio.sleep(0.3)
            rounds, ended = rounds + 1, ended + await sql.fetchval(END_SESSIONS)
            assert not any(task.done() for task in playing), [task for task in playing if task.done()]
        before = len(load.acknowledged)
        async with asyncio.timeout(30):  # it comes back without a restart
            while len(load.acknowledged) < before + len(players):
                await asyncio.sleep(0.05)
        load.ending = True
        await asyncio.gather(*playing)
        print(f"{ended} sessions ended at work, {len(load.acknowledged)} plays, {load.cut_off} unknown", end="")
        await check(empty_database, load, players)


@pytest.mark.skipif(sys.platform != "linux", reason="finds the server's processes in /proc")
@pytest.mark.usefixtures("hurried")
async def test_a_frozen_database_freezes_nobody() -> None:
    """Every request ends long before its client gives up, and all goes on when the database does."""
    with temporary_postgres() as url:
        await asyncio.to_thread(furnish, url)
        async with running(url) as world:
            alice = await world.player()
            assert (await alice.play(key="before"))["replayed"] is False
            await alice.data("{ me { id } diceStatus { __typename } }")
            session = await world.sql.fetchval("SELECT pg_backend_pid()")
            os.kill(parent := parent_of(session), signal.SIGSTOP)  # from now on none comes, and none goes for good
            try:
                for process in family_of(parent):
                    os.kill(process, signal.SIGSTOP)
                async with asyncio.timeout(20):  # 8 s on a machine that has nothing else to do
                    codes = await asyncio.gather(
                        alice.error_code(PLAY.replace("GAME", "playDice"), key="frozen"),
                        alice.error_code("{ me { id } }"),
                        alice.error_code("{ diceStatus { __typename } }"),
                    )
                    assert (await world.http.get("/healthz")).status_code == 200
                    assert (await world.http.get("/readyz")).status_code == 503
            finally:
                for process in family_of(parent):
                    os.kill(process, signal.SIGCONT)
            assert set(codes) == {"UNAVAILABLE"}
            await play_until_answered(alice, UNDER_TEST[0], "frozen")
            assert await world.count("dice_log") == 2


def parent_of(process: int) -> int:
    """The parent of a process."""
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])


def family_of(process: int) -> list[int]:
    """A process and all below it."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return [process, *(member for child in children for member in family_of(int(child)))]
