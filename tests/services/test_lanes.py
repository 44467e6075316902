"""Lanes, where the public door does not lead: luck that stays, and what goes wrong in ways that no rule foresees."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import Any

import asyncpg
import pytest

from services import lanes
from services.coupons import LOCK_COUPONS
from services.rules.play import decide
from services.store import store
from tests.games import UNDER_TEST, another_session, on
from tests.world import World, running

ROULETTE = UNDER_TEST[1]


@pytest.fixture
def decided(monkeypatch: pytest.MonkeyPatch) -> dict[int, list[Any]]:
    """What was drawn for each player, each time that a play was decided."""
    noted: dict[int, list[Any]] = defaultdict(list)

    def deciding(action: Any, *rest: Any) -> Any:
        answer: Any = decide(action, *rest)
        noted[action.user_id].append(answer.drawn)
        return answer

    monkeypatch.setattr(lanes, "decide", deciding)
    return noted


async def test_what_is_decided_anew_is_drawn_as_before(empty_database: str, decided: dict[int, list[Any]]) -> None:
    """Otherwise whoever draws a locked coupon would draw again, and coupons come up too seldom while they are held."""
    async with running(empty_database, HARU_LOCK_WAIT_SECONDS=1, HARU_LANES=1) as world:
        await on(world, ROULETTE)
        await world.sql.execute("UPDATE roulette_segment SET weight = CASE WHEN slot IN (0, 4) THEN 1 ELSE 0 END")
        players = [await world.player(f"player {number}") for number in range(20)]
        async with another_session(empty_database) as session, session.transaction():
            await session.execute(LOCK_COUPONS, "COFFEE")
            answers = await asyncio.gather(*(player.play("spinRoulette") for player in players))
    coupons = {player.player_id for player in players if decided[player.player_id][0].label == "커피 쿠폰"}
    refused = {player.player_id for player, answer in zip(players, answers, strict=True) if "code" in answer}
    assert 0 < len(coupons) < len(players)
    assert refused == coupons  # nobody else, and nobody of them got away with another draw
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

    async def broken(*_: Any, **__: Any) -> None:
        raise ValueError("nobody thought of this")

    with monkeypatch.context() as patch:
        patch.setattr(lanes.Lane, "_together", broken)
        answer = await alice.execute('mutation { playDice(input: {idempotencyKey: "k"}) { __typename } }')
        assert answer["errors"][0]["extensions"]["code"] == "INTERNAL"
        assert "nobody thought of this" in caplog.text
    assert (await alice.play(key="k"))["replayed"] is False


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

    monkeypatch.setattr(lanes, "store", storing)
    assert (await alice.play())["__typename"] == "DicePlay"
    assert refused
    assert all(connection.is_closed() for connection in refused)
