"""Plays that race: limits, keys and stocks are exact, however many ask at once and wherever."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import asyncpg
import pytest

from models import FeatureType
from schema.nodes import Kind, node_id
from tests.games import UNDER_TEST, GameUnderTest, every_game, on
from tests.races.workers import Race, in_both_sizes, outcomes, race
from tests.world import Client, forge, forging, running

SEED = 20241206
STOCK = 'SELECT s."left" FROM lottery_prize p JOIN lottery_stock s ON s.id = p.stock_id WHERE p.id = $1'
LOTTERY = next(game for game in UNDER_TEST if game.feature is FeatureType.LOTTERY)


async def stocks(racing: Race, *prizes: tuple[int, int | None]) -> list[int]:
    """Let the lottery have these prizes, of `(weight, stock)`; their ids."""
    await on(racing.world, LOTTERY, limit=0)
    config = await racing.world.sql.fetchval("SELECT max(id) FROM lottery_config")
    await forge(racing.world.sql, "DELETE FROM lottery_prize")
    async with forging(racing.world.sql, "lottery_prize"):
        return [
            await racing.world.sql.fetchval(
                "WITH stated AS (SELECT $4::bigint AS n), laid AS ("
                'INSERT INTO lottery_stock (initial, "left") SELECT n, n FROM stated WHERE n IS NOT NULL RETURNING id)'
                " INSERT INTO lottery_prize (config_id, position, label, weight, stock_id, quantity, reward_type,"
                " reward_amount)"
                " VALUES ($1, $2, 'prize', $3, (SELECT id FROM laid), $4, 'POINT', 10) RETURNING id",
                config,
                position,
                weight,
                stock,
            )
            for position, (weight, stock) in enumerate(prizes)
        ]


async def drawn_three_ways(racing: Race, prize: int) -> tuple[int, int, int]:
    """How often a finite prize was drawn: by its counter, by the log, and by the ledger."""
    by_counter = await racing.world.sql.fetchval(
        'SELECT s.initial - s."left" FROM lottery_prize p JOIN lottery_stock s ON s.id = p.stock_id WHERE p.id = $1',
        prize,
    )
    by_log = await racing.world.sql.fetchval("SELECT count(*) FROM lottery_log WHERE prize_id = $1", prize)
    by_ledger = await racing.world.sql.fetchval(
        "SELECT count(*) FROM reward_ledger r JOIN lottery_log l ON l.user_id = r.user_id AND l.id = r.cause_id"
        " WHERE r.cause = 'LOTTERY_DRAW' AND l.prize_id = $1",
        prize,
    )
    return by_counter, by_log, by_ledger


@every_game
@in_both_sizes
async def test_a_daily_limit_is_exact(empty_database: str, game: GameUnderTest, size: str) -> None:
    players, plays, workers = (50, 40, 4) if size == "full" else (50 if game is UNDER_TEST[0] else 10, 40, 2)
    async with race(empty_database, workers=workers, seed=SEED) as racing:
        await on(racing.world, game, limit=3)
        racers = await racing.players(players)
        answers = await racing.run(
            racing.of(racer).play(game.mutation, f"{number}") for racer in racers for number in range(plays)
        )
        assert outcomes(answers) == {game.played: 3 * players, "DAILY_LIMIT_REACHED": (plays - 3) * players}
        for number in range(players):
            mine = answers[number * plays : (number + 1) * plays]
            used = sorted(answer["dailyLimit"]["used"] for answer in mine if answer["__typename"] == game.played)
            assert used == [1, 2, 3]
        expected = sorted((racer[0].player_id, 3) for racer in racers)
        causes = f"reward_ledger WHERE cause = '{game.cause}'"
        for table in (game.log, causes, "user_event_log WHERE event_name = 'PLAY'", "idempotency_key"):
            query = f"SELECT user_id, count(*) FROM {table} GROUP BY user_id ORDER BY user_id"
            assert await racing.fetch(query) == expected
        stamps = await racing.fetch("SELECT count(*), count(DISTINCT user_id) FROM season_pass_stamp_log")
        assert stamps == [(players, players)]


@in_both_sizes
async def test_a_key_is_one_play_however_many_copies_arrive(empty_database: str, size: str) -> None:
    keys, copies, workers = (300, 8, 4) if size == "full" else (300, 8, 2)
    async with race(empty_database, workers=workers, seed=SEED) as racing:
        await on(racing.world, UNDER_TEST[0], limit=0)
        racers = await racing.players(60)
        commands = [(racers[number % len(racers)], f"key {number}") for number in range(keys)]
        answers = await racing.run(racing.of(racer).play(key=key) for racer, key in commands for _ in range(copies))
        assert outcomes(answers) == {"DicePlay": keys * copies}
        firsts: list[dict[str, Any]] = []
        for number in range(keys):
            mine = answers[number * copies : (number + 1) * copies]
            assert sum(not answer["replayed"] for answer in mine) == 1
            assert len({json.dumps(answer | {"replayed": None}) for answer in mine}) == 1
            firsts.append(mine[0] | {"replayed": True})
    async with running(empty_database, demo=False) as restarted:
        again = [await Client(restarted.http, racer[0].token).play(key=key) for racer, key in commands]
        assert again == firsts
        assert await restarted.count("dice_log") == keys
        assert await restarted.count("idempotency_key") == keys
        causes = "SELECT count(*) FROM reward_ledger WHERE cause = 'DICE_PLAY'"
        assert await restarted.sql.fetchval(causes) == keys
    print(f"; {keys * copies - keys} replays, {keys} more after a restart")


@in_both_sizes
async def test_a_stock_is_drawn_exactly(empty_database: str, size: str) -> None:
    draws, stock, clients, workers = (10_000, 500, 64, 4) if size == "full" else (2_000, 500, 64, 2)
    async with race(empty_database, workers=workers, seed=SEED) as racing:
        grand, _ = await stocks(racing, (1, stock), (1, None))
        racers = await racing.players(clients)
        answers = await racing.run(
            (racing.of(racers[number % clients]).play("drawLottery", f"draw {number}") for number in range(draws)),
            at_once=clients,
        )
        assert outcomes(answers) == {"LotteryDraw": draws}
        won = [answer for answer in answers if answer["prize"]["prizeId"] == node_id(Kind.LOTTERY_PRIZE, grand)]
        assert len(won) == stock
        assert {answer["prize"]["stockAfter"] for answer in won} <= set(range(stock))
        assert await drawn_three_ways(racing, grand) == (stock, stock, stock)
        assert await racing.fetch(STOCK, grand) == [(0,)]
        assert await racing.world.count("lottery_log") == draws


@pytest.mark.parametrize(
    ("workers", "draws", "amounts"),
    [
        (1, 706, [1, 5, 50, 500]),
        (2, 706, [1, 5, 50, 500]),
        pytest.param(4, 20_000, [1, 5, 50, 500, 5000], marks=pytest.mark.soak),
    ],
)
async def test_nobody_is_refused_while_something_is_left(
    empty_database: str, workers: int, draws: int, amounts: list[int]
) -> None:
    async with race(empty_database, workers=workers, seed=SEED + workers) as racing:
        prizes = await stocks(racing, *((1, amount) for amount in amounts))
        racers = await racing.players(40)
        answers = await racing.run(
            (racing.of(racers[number % len(racers)]).play("drawLottery", f"draw {number}") for number in range(draws)),
            at_once=64,
        )
        assert outcomes(answers) == {"LotteryDraw": sum(amounts), "OUT_OF_STOCK": draws - sum(amounts)}
        won = Counter(answer["prize"]["prizeId"] for answer in answers if "prize" in answer)
        assert [won[node_id(Kind.LOTTERY_PRIZE, prize)] for prize in prizes] == amounts
        for prize, amount in zip(prizes, amounts, strict=True):
            assert await drawn_three_ways(racing, prize) == (amount,) * 3
        before = await racing.world.written()
        late = await racing.run(racing.of(racer).play("drawLottery", "late") for racer in racers)
        assert outcomes(late) == {"OUT_OF_STOCK": len(racers)}
        assert await racing.world.written() == before


async def test_coupons_go_to_one_each_while_there_are_any(empty_database: str) -> None:
    async with race(empty_database, workers=2, seed=SEED) as racing:
        coupon, _ = await stocks(racing, (3, None), (1, None))
        await forge(
            racing.world.sql,
            "UPDATE lottery_prize SET reward_type = 'COUPON', reward_amount = 1, coupon_type = 'COFFEE' WHERE id = $1",
            coupon,
        )
        racers = await racing.players(40)
        answers = await racing.run(racing.of(racer).play("drawLottery", "k") for racer in racers)
        answers += await racing.run(
            racing.of(racer).play("drawLottery", f"k{number}") for racer in racers for number in range(4)
        )
        outcomes(answers)
        granted = [answer["reward"] for answer in answers if answer["reward"]["type"] == "COUPON"]
        codes = [reward["couponCode"] for reward in granted if reward["couponCode"]]
        assert len(granted) > 100
        assert len(codes) == len(set(codes)) == 100
        assert await racing.world.count("coupon_waiting") == len(granted) - 100
        held = await racing.fetch(
            "SELECT count(*), count(DISTINCT (user_id, line_no)) FROM coupon_code WHERE line_no > 0"
        )
        assert held == [(100, 100)]


@pytest.fixture
def deadlocks(monkeypatch: pytest.MonkeyPatch) -> list[asyncpg.DeadlockDetectedError]:
    """The deadlocks that PostgreSQL found; lanes wait until it finds them."""
    noted: list[asyncpg.DeadlockDetectedError] = []

    def note(deadlock: asyncpg.DeadlockDetectedError, *told: Any) -> None:
        noted.append(deadlock)
        Exception.__init__(deadlock, *told)

    monkeypatch.setattr(asyncpg.DeadlockDetectedError, "__init__", note)
    monkeypatch.setattr("services.lanes.LANE_LOCK_SECONDS", 5.0)
    return noted


async def test_coupon_prizes_in_finite_stock_do_not_stall_each_other(
    empty_database: str, deadlocks: list[asyncpg.DeadlockDetectedError]
) -> None:
    """Prizes, then coupon types: whoever locks both does so in one order, at the first attempt as at a later one."""
    players, draws = 24, 8
    async with race(empty_database, workers=2, seed=SEED) as racing:
        await stocks(racing, (1, 10_000), (1, 10_000))
        await forge(
            racing.world.sql,
            "UPDATE lottery_prize SET reward_type = 'COUPON', reward_amount = 1, coupon_type = 'TEA'"
            " WHERE position = 0",
        )
        await racing.world.sql.execute(
            "INSERT INTO coupon_code (coupon_type, code, imported_at)"
            " SELECT 'TEA', 'TEA ' || n, now() FROM generate_series(1, 1000) AS n"
        )
        racers = await racing.players(players)
        copies = [(client, f"{n}") for racer in racers for n in range(draws) for client in racer]  # in both at once
        answers = await racing.run(client.play("drawLottery", key) for client, key in copies)
        assert outcomes(answers) == {"LotteryDraw": len(copies)}
        assert deadlocks == []
        given = await racing.fetch("SELECT count(*) FROM coupon_code WHERE line_no IS NOT NULL")
        drawn = await racing.fetch("SELECT count(*) FROM lottery_log WHERE reward_type = 'COUPON'")
        assert given == drawn
        assert 0 < given[0][0] < players * draws
