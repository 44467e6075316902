"""Whoever was just seen is served without a load, and never on what is no longer so, whoever changed it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from models import FeatureType, Role
from services import memory
from services.ids import Ids
from services.rules.state import Effects
from services.store import GUARD, store
from tests.games import UNDER_TEST, another_session, on, only_points
from tests.statements import Statements, watched
from tests.world import Client, World, forge, running

DICE = UNDER_TEST[0]
Change = Callable[[World, Client], Awaitable[None]]
SCREEN = "{ diceStatus { __typename } }"


def kinds(statements: Statements) -> list[str]:
    """Which statements were sent for a command."""
    return [
        "store" if statement.startswith(GUARD) else "load" if "idempotency_key k" in statement else "other"
        for statement, _ in statements.sent
    ]


async def cost(world: World, command: Awaitable[dict[str, Any]]) -> tuple[list[str], dict[str, Any]]:
    """The statements of a command, and its answer."""
    with watched(world) as statements:
        answer = await command
    return kinds(statements), answer


@pytest.fixture
async def alice(world: World) -> Client:
    """A player who has played dice once, and so has 20 points: the play's, and those of the first level."""
    await on(world, DICE, limit=0)
    await only_points(world)
    client = await world.player()
    assert (await client.play())["__typename"] == "DicePlay"
    return client


async def test_who_plays_again_is_one_statement(world: World, alice: Client) -> None:
    for number in (2, 3, 4):
        sent, answer = await cost(world, alice.play())
        assert sent == ["store"]
        assert answer["dailyLimit"]["used"] == number
        assert answer["reward"]["balance"] == 10 * number + 10
    assert await world.sql.fetchval("SELECT max(play_no) FROM dice_log") == 4


async def test_who_has_looked_plays_in_one_statement(world: World, alice: Client) -> None:
    bob = await world.player("bob")
    await bob.data(SCREEN)
    sent, answer = await cost(world, bob.play())
    assert (sent, answer["dailyLimit"]["used"]) == (["store"], 1)
    assert answer["seasonPass"]["addedStamp"] == 1
    assert alice.player_id != bob.player_id


async def test_what_is_not_stored_is_loaded(world: World, alice: Client) -> None:
    """Refusals and replays are told on what is there, and so is another request with a key that was used."""
    assert (await cost(world, alice.play(key=f"{alice.player_id}-1")))[0] == ["load"]
    assert (await cost(world, alice.stamp()))[0] == ["load"]
    reused = await cost(world, alice.stamp(key=f"{alice.player_id}-1"))
    assert (reused[0], reused[1]["code"]) == (["load"], "IDEMPOTENCY_KEY_REUSED")
    assert await world.count("dice_log") == 1


async def test_a_replay_of_long_ago_is_found_by_the_key_s_constraint(world: World, alice: Client) -> None:
    first = f"{alice.player_id}-1"
    for _ in range(memory.REMEMBERED_KEYS):
        await alice.play()
    sent, answer = await cost(world, alice.play(key=first))
    assert (sent, answer["replayed"], answer["dailyLimit"]["used"]) == (["store", "load"], True, 1)
    assert (await cost(world, alice.play(key=first)))[0] == ["load"]
    assert (await cost(world, alice.play()))[0] == ["store"]
    assert await world.count("dice_log") == await world.count("idempotency_key") == 2 + memory.REMEMBERED_KEYS


async def test_a_draw_from_a_stock_is_loaded(world: World, alice: Client) -> None:
    await world.today(FeatureType.LOTTERY)
    await alice.play("drawLottery")
    for _ in range(2):
        assert (await cost(world, alice.play("drawLottery")))[0][0] == "load"


async def test_few_are_remembered(empty_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "REMEMBERED_PLAYERS", 2)
    async with running(empty_database) as world:
        await on(world, DICE, limit=0)
        players = [await world.player(f"p{number}") for number in range(3)]
        for player in players:
            await player.play()
        costs = [(await cost(world, player.play()))[0] for player in reversed(players)]
        assert costs == [["store"], ["store"], ["load", "store"]]


@asynccontextmanager
async def another(world: World) -> AsyncIterator[World]:
    """Another process."""
    assert world.settings.owner_url
    async with running(world.settings.owner_url, demo=False) as other:
        other.rng.seed(7)
        yield other


async def by_another_process(world: World, alice: Client) -> None:
    async with another(world) as other:
        assert (await Client(other.http, alice.token).play(key="elsewhere"))["__typename"] == "DicePlay"


GRANT = """mutation G($input: GrantRewardInput!) { grantReward(input: $input) {
    __typename ... on UserError { code } } }"""


def grant(player_id: str, key: str) -> dict[str, Any]:
    return {"playerId": player_id, "idempotencyKey": key, "reason": "r", "reward": {"type": "POINT", "amount": 5}}


async def granted(world: World, alice: Client) -> None:
    ada = await world.player("ada", Role.ADMIN)
    answer = await ada.data(GRANT, input=grant(alice.id, "g"))
    assert "code" not in answer["grantReward"], answer


def by_hand(statement: str) -> Change:
    async def edit(world: World, alice: Client) -> None:
        await forge(world.sql, statement.replace("ALICE", f"'{alice.player_id}'"))

    return edit


CHANGES: dict[str, tuple[Change, dict[str, Any]]] = {
    "another process": (by_another_process, {"used": 4, "balance": 50}),
    "a grant": (granted, {"used": 3, "balance": 45}),
    "a play by hand": (
        by_hand("UPDATE dice_log SET play_no = 7 WHERE user_id = ALICE AND play_no = 2"),
        {"used": 8, "balance": 40},
    ),
    "plays that are gone": (by_hand("DELETE FROM dice_log WHERE user_id = ALICE"), {"used": 1, "balance": 40}),
    "a smaller limit": (by_hand("UPDATE dice_config SET max_daily_plays = 1"), {"code": "DAILY_LIMIT_REACHED"}),
    "a greater limit": (by_hand("UPDATE dice_config SET max_daily_plays = 9"), {"used": 3, "balance": 40}),
    "blocked by hand": (by_hand('UPDATE "user" SET is_blocked = true WHERE id = ALICE'), {"code": "USER_BLOCKED"}),
    "another feature": (
        by_hand("UPDATE feature_schedule SET feature_type = 'LOTTERY'"),
        {"code": "NO_FEATURE_TODAY"},
    ),
    "a feature off": (by_hand("UPDATE feature_config SET is_enabled = false"), {"code": "NO_FEATURE_TODAY"}),
    "no stamp": (
        by_hand("UPDATE season_pass_config SET start_date = '2027-01-01', end_date = '2027-02-01'"),
        {"used": 3, "balance": 40},
    ),
}
"""Each with what the next play is told."""


@pytest.mark.parametrize(("change", "expected"), CHANGES.values(), ids=CHANGES)
async def test_whatever_was_changed_by_whomever_counts(
    world: World, alice: Client, change: Change, expected: dict[str, Any]
) -> None:
    assert (await cost(world, alice.play(key="remembered")))[0] == ["store"]
    await change(world, alice)
    answer = await alice.play()
    if "code" in answer:
        told = {"code": answer["code"]}
    else:
        told = {"used": answer["dailyLimit"]["used"], "balance": answer["reward"]["balance"]}
    assert told == expected


async def versions(world: World) -> dict[UUID, int]:
    return {row["id"]: row["version"] for row in await world.sql.fetch('SELECT id, version FROM "user"')}


HAND_EDITS = {
    "reward_balance": "UPDATE reward_balance SET amount = amount WHERE user_id = $1",
    "dice_log": "UPDATE dice_log SET play_no = play_no WHERE user_id = $1",
    "season_pass_progress": "UPDATE season_pass_progress SET current_xp = current_xp WHERE user_id = $1",
    "season_pass_stamp_log": "UPDATE season_pass_stamp_log SET xp_after = xp_after WHERE user_id = $1",
    "season_pass_reward_log": "DELETE FROM season_pass_reward_log WHERE user_id = $1",
    "user": 'UPDATE "user" SET created_at = created_at WHERE id = $1',
    "inserted": "INSERT INTO dice_log SELECT (json_populate_record(l, json_build_object('id', gen_random_uuid(),"
    " 'play_no', 9))).* FROM dice_log l WHERE l.user_id = $1",
}


@pytest.mark.parametrize("edit", HAND_EDITS.values(), ids=HAND_EDITS)
async def test_every_row_of_a_player_s_state_moves_the_version(world: World, alice: Client, edit: str) -> None:
    await world.sql.execute(
        "INSERT INTO season_pass_reward_log (user_id, id, season_id, progress_id, level, reward_type, reward_amount,"
        " created_at) SELECT user_id, gen_random_uuid(), season_id, id, 200, 'NONE', 0, updated_at"
        " FROM season_pass_progress WHERE user_id = $1",
        alice.player_id,
    )
    bob = await world.player("bob")
    before = await versions(world)
    await forge(world.sql, edit, alice.player_id)
    after = await versions(world)
    assert after[alice.player_id] > before[alice.player_id]
    assert after[bob.player_id] == before[bob.player_id]


async def test_an_emptied_table_moves_all_versions(world: World, alice: Client) -> None:
    bob = await world.player("bob")
    await forge(world.sql, "TRUNCATE season_pass_reward_log")
    found = await versions(world)
    assert found[bob.player_id] > 0 < found[alice.player_id]


async def test_a_lock_is_waited_for_and_then_it_counts_who_held_it(world: World, alice: Client) -> None:
    """What is remembered is checked under the lock, so whoever changed the player before it was free is known."""
    await alice.data(SCREEN)
    async with another_session(world.settings.owner_url or "") as session, session.transaction():
        await session.execute('UPDATE "user" SET is_blocked = true WHERE id = $1', alice.player_id)
        playing = asyncio.create_task(alice.play())
        await asyncio.sleep(0.1)
        assert not playing.done()
    assert (await playing)["code"] == "USER_BLOCKED"


async def test_a_publication_that_commits_meanwhile_counts(world: World, alice: Client) -> None:
    """The day is checked under the player's lock, too, and not as it was when the statement began to wait."""
    await alice.data(SCREEN)
    async with another_session(world.settings.owner_url or "") as session:
        lock = session.transaction()
        await lock.start()
        await session.execute('SELECT FROM "user" WHERE id = $1 FOR UPDATE', alice.player_id)
        playing = asyncio.create_task(alice.play())
        await asyncio.sleep(0.1)
        await world.sql.execute("UPDATE feature_config SET is_enabled = false")
        await lock.rollback()
    assert (await playing)["code"] == "NO_FEATURE_TODAY"


async def test_the_guard_sees_a_publication_that_commits_while_it_waits(world: World, alice: Client) -> None:
    """What the storing statement reads of the day it reads once it has the locks."""
    seen = await world.parts.reads.player(alice.player_id, world.clock())
    effects = Effects(Ids(world.rng), remembered_day=seen.state.day.revision)
    effects.players[alice.player_id] = seen.player(alice.player_id).copy()
    async with another_session(world.settings.owner_url or "") as session:
        lock = session.transaction()
        await lock.start()
        await session.execute('SELECT FROM "user" WHERE id = $1 FOR UPDATE', alice.player_id)
        async with world.parts.database.hot() as connection:
            storing = asyncio.create_task(store(connection, effects))
            await asyncio.sleep(0.1)
            await world.sql.execute("UPDATE feature_config SET is_enabled = false")
            await lock.rollback()
            with pytest.raises(asyncpg.SerializationError):
                await storing
