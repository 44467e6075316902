"""Draws that prove themselves: what is told before the day is over and after it, and what is refused in between."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import Any

import asyncpg
import msgspec
import pytest

from models import FeatureType
from services.rules.draws import Stream, commitment_of, day_root, key_of, leaf_of, roll
from services.rules.proofs import ProofText, check
from services.rules.registry import GAMES
from tests.games import UNDER_TEST, GameUnderTest, every_game, on
from tests.world import SEED_KEYS, Client, World, forge, running

PROOF = """proof {
  commitment committedAt shuffle seed message drawnFrom rolls revisionHash root inclusion leafIndex leafCount
}"""
OUTCOMES = {
    "DicePlay": "userDice dealerDice",
    "RouletteSpin": "segment { slot }",
    "LotteryDraw": "prize { prizeId }",
}
COMMITMENTS = """query ($from: Date!, $to: Date!) {
  drawCommitments(from: $from, to: $to) { date commitment committedAt shuffle seed revealedAt root }
}"""
DICE, ROULETTE, LOTTERY = UNDER_TEST
TODAY = dt.date(2026, 3, 2)


async def play(player: Client, game: GameUnderTest) -> dict[str, Any]:
    """A play with its proof."""
    query = f"mutation ($key: String!) {{ {game.mutation}(input: {{idempotencyKey: $key}}) {{ __typename"
    query += f" ... on {game.played} {{ id {PROOF} {OUTCOMES[game.played]} }} ... on UserError {{ code }} }} }}"
    answer: dict[str, Any] = (await player.data(query, key=player.new_key()))[game.mutation]
    return answer


async def again(player: Client, play_id: str) -> dict[str, Any]:
    """The proof of a play by its id."""
    found = await player.data(f"query ($id: ID!) {{ node(id: $id) {{ ... on GamePlay {{ {PROOF} }} }} }}", id=play_id)
    proof: dict[str, Any] = found["node"]["proof"]
    return proof


async def close_the_day(world: World) -> None:
    """Let five minutes of the next day pass, and have the day looked after; players have new tokens by then."""
    world.clock.now = world.parts.calendar.ends_at(world.parts.calendar.business_date(world.clock()))
    world.clock.advance(minutes=5)
    await world.parts.seeds.look()
    for name in world.clients:
        await world.player(name)


def faults(proof: dict[str, Any]) -> list[str]:
    return check(msgspec.convert(proof, ProofText))


@every_game
async def test_a_play_is_proved_by_its_seed_and_its_root(world: World, game: GameUnderTest) -> None:
    await on(world, game, limit=0)
    alice, bob = await world.player("alice"), await world.player("bob")
    plays = [await play(one, game) for one in (alice, bob, alice, alice)]
    before = [one["proof"] for one in plays]
    assert [proof["message"].split("\n")[-1] for proof in before] == ["1", "1", "2", "3"]
    assert {(proof["seed"], proof["root"], proof["inclusion"], proof["shuffle"]) for proof in before} == {
        (None, None, None, "")
    }
    assert faults(before[0]) == ["seed: it is not revealed yet"]
    await close_the_day(world)
    proofs = [await again(alice if number != 1 else bob, one["id"]) for number, one in enumerate(plays)]
    assert [faults(proof) for proof in proofs] == [[]] * 4
    for was, proof in zip(before, proofs, strict=True):
        assert proof.items() >= {name: value for name, value in was.items() if value is not None}.items()
        date, seed = dt.date(2026, 3, 2), bytes.fromhex(proof["seed"])
        assert commitment_of(date, seed) == proof["commitment"]
        bounds = GAMES[game.feature].bounds(proof["drawnFrom"])
        assert roll(Stream(key_of(date, seed, ""), proof["message"]), bounds) == proof["rolls"]
    leaves = sorted(leaf_of(proof["message"], proof["rolls"]) for proof in proofs)
    assert {(proof["root"], proof["leafCount"]) for proof in proofs} == {(day_root(leaves), 4)}


async def test_what_is_drawn_is_what_the_rolls_mean(world: World) -> None:
    alice = await world.player("alice")
    dice = await play(alice, DICE)
    assert [*dice["userDice"], *dice["dealerDice"]] == [one + 1 for one in dice["proof"]["rolls"]]
    assert dice["proof"]["drawnFrom"] == [6, 6, 6, 6]
    await on(world, ROULETTE)
    spin = await play(alice, ROULETTE)
    assert spin["proof"]["drawnFrom"] == [40, 25, 15, 12, 6, 2]
    told = GAMES[FeatureType.ROULETTE].outcome(spin["proof"]["drawnFrom"], spin["proof"]["rolls"])
    assert told == {"slot": spin["segment"]["slot"]}


async def test_a_retry_and_a_replay_draw_the_same(world: World) -> None:
    """Nothing in a draw is free to choose: neither the key, nor the server, nor when it is tried again."""
    alice = await world.player("alice")
    first = await play(alice, DICE)
    await forge(world.sql, "TRUNCATE dice_log, idempotency_key, user_event_log, season_pass_stamp_log CASCADE")
    await forge(world.sql, "TRUNCATE season_pass_progress, reward_ledger, reward_balance CASCADE")
    await world.sql.execute('UPDATE "user" SET ledger_lines = 0, ledger_hash = DEFAULT, version = version + 1')
    world.rng.seed(7)
    assert (await play(alice, DICE))["proof"] == first["proof"]


async def test_seeds_are_committed_to_a_week_ahead_and_revealed_after_the_day(world: World) -> None:
    await world.parts.seeds.look()
    alice = await world.player("alice")

    async def told() -> list[dict[str, Any]]:
        found = await alice.data(COMMITMENTS, **{"from": "2026-02-25", "to": "2026-03-25"})
        rows: list[dict[str, Any]] = found["drawCommitments"]
        return rows

    ahead = await told()
    assert [one["date"] for one in ahead] == [f"2026-03-{day:02}" for day in range(2, 10)]
    assert {one[name] for one in ahead for name in ("seed", "revealedAt", "root")} == {None}
    assert [one["shuffle"] for one in ahead] == ["", "", *[None] * 6]
    await play(alice, DICE)
    await close_the_day(world)
    after = await told()
    assert [one["commitment"] for one in after[:8]] == [one["commitment"] for one in ahead]
    assert commitment_of(TODAY, bytes.fromhex(after[0]["seed"])) == after[0]["commitment"]
    assert (after[0]["revealedAt"], after[1]["seed"]) == ("2026-03-02T15:05:00.000+00:00", None)
    assert after[0]["root"] == after[2]["shuffle"] != ""
    assert await world.count("draw_seed_sealed") == len(after) - 1
    await close_the_day(world)
    assert (await told())[1]["root"] == ""  # nothing was drawn


async def test_nothing_is_drawn_after_the_reveal(empty_database: str) -> None:
    """Two servers whose clocks are ten minutes apart."""
    async with running(empty_database) as ahead, running(empty_database, demo=False) as behind:
        behind.clock.now = ahead.parts.calendar.ends_at(TODAY) - dt.timedelta(minutes=4)
        alice = await behind.player("alice")
        assert (await play(alice, DICE))["__typename"] == "DicePlay"
        ahead.clock.now = behind.clock.now + dt.timedelta(minutes=10)
        await ahead.parts.seeds.look()
        assert await ahead.sql.fetchval("SELECT seed FROM draw_seed WHERE date = $1", TODAY) is not None
        before = await behind.written()
        bob = await behind.player("bob")
        query = 'mutation { playDice(input: {idempotencyKey: "k"}) { __typename } }'
        for player in (alice, bob):
            answer = await player.execute(query.replace('"k"', '"another"'))
            assert answer["errors"][0]["extensions"]["code"] == "UNAVAILABLE"
        assert await behind.written() == before
        assert await ahead.sql.fetchval("SELECT draws FROM draw_root WHERE date = $1", TODAY) == 1
        stamped = 'mutation { stamp(input: {idempotencyKey: "s", sourceFeature: DICE}) { __typename } }'
        assert (await bob.data(stamped))["stamp"]["__typename"] == "StampPayload"  # what draws nothing goes on


@pytest.mark.parametrize("slow", ["server", "database"])
async def test_a_seed_is_revealed_by_both_clocks(world: World, slow: str) -> None:
    alice, seeds = await world.player("alice"), world.parts.seeds
    await play(alice, DICE)
    closes_at = world.parts.calendar.ends_at(TODAY) + dt.timedelta(minutes=5)
    times = {"server": closes_at, "database": closes_at}

    async def database_clock(_: object) -> dt.datetime:
        return times["database"]

    seeds.database_clock = database_clock
    times[slow] -= dt.timedelta(microseconds=1)
    world.clock.now = times["server"]
    await seeds.look()
    assert await world.sql.fetchval("SELECT revealed_at FROM draw_seed WHERE date = $1", TODAY) is None
    assert await world.sql.fetchval("SELECT count(*) FROM draw_root WHERE date = $1", TODAY) == 0
    times[slow] = world.clock.now = closes_at
    await seeds.look()
    assert await world.sql.fetchval("SELECT revealed_at FROM draw_seed WHERE date = $1", TODAY) == closes_at
    await seeds.look()
    assert await world.count("draw_root") == 3


async def test_a_day_is_closed_behind_those_who_still_draw(world: World) -> None:
    """A store that is under way shares the seed's row: the root waits for it, and has it."""
    alice = await world.player("alice")
    await play(alice, DICE)
    connection = await asyncpg.connect(**connect(world))
    storing = connection.transaction()
    await storing.start()
    await connection.execute("SELECT FROM draw_seed WHERE date = $1 FOR SHARE", TODAY)
    closing = asyncio.create_task(close_the_day(world))
    await asyncio.sleep(0.05)
    assert not closing.done()
    await connection.execute(
        "INSERT INTO dice_log SELECT (jsonb_populate_record(d,"
        " jsonb_build_object('play_no', 2, 'id', gen_random_uuid()))).* FROM dice_log d"
    )
    await storing.commit()
    await closing
    await connection.close()
    assert await world.sql.fetchval("SELECT draws FROM draw_root WHERE date = $1", TODAY) == 2


def connect(world: World) -> dict[str, Any]:
    from services.database import connect_arguments

    assert world.settings.owner_url is not None
    return connect_arguments(world.settings.owner_url)


async def test_without_the_key_nothing_is_drawn(empty_database: str) -> None:
    async with running(empty_database) as world:
        await world.parts.seeds.look()
    other = "other:" + "A" * 43 + "="
    for keys, why in (
        (other, "key tests, which is not given"),
        (f"tests:{'A' * 43}=", "another key that is called tests"),
    ):
        async with running(empty_database, demo=False, HARU_SEED_KEYS=keys) as world:
            answer = await (await world.player()).execute(
                'mutation { playDice(input: {idempotencyKey: "k"}) { __typename } }'
            )
            assert answer["errors"][0]["extensions"]["code"] == "UNAVAILABLE"
            fault = await world.parts.seeds.fault()
            assert fault is not None
            assert why in fault
    async with running(empty_database, demo=False, HARU_SEED_KEYS=f"{other},{SEED_KEYS}") as world:
        assert (await play(await world.player(), DICE))["__typename"] == "DicePlay"
        assert await world.parts.seeds.fault() is None
