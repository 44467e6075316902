"""Draws in parallel: over two servers, over all games, and of the last pieces of a prize."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from math import sqrt

import msgspec
import pytest

from models import FeatureType, Role
from services.published import read
from services.rules.hashes import content_of, hash_of
from services.rules.registry import GAMES
from services.rules.transcripts import DrawLine, Line, Transcript
from services.transcripts import transcript
from tests.api.test_stocks import adjust
from tests.games import UNDER_TEST, on
from tests.races.workers import Race, race
from tests.world import Client, World, forge

SEED = 2026
TODAY = dt.date(2026, 3, 2)
LOTTERY = GAMES[FeatureType.LOTTERY]


async def weigh(world: World, *prizes: tuple[int, int | None]) -> None:
    """Publish a lottery of `(weight, stock)` in place of the demo's, past everything but its hash."""
    await forge(world.sql, "DELETE FROM lottery_prize")
    for position, (weight, stock) in enumerate(prizes):
        stock_id = None
        if stock is not None:
            laid = 'INSERT INTO lottery_stock (initial, "left") VALUES ($1, $1) RETURNING id'
            stock_id = await world.sql.fetchval(laid, stock)
        await forge(
            world.sql,
            "INSERT INTO lottery_prize"
            " (config_id, position, label, weight, stock_id, quantity, reward_type, reward_amount)"
            " SELECT id, $1, $2, $3, $4, $5, 'POINT', 10 FROM lottery_config",
            position,
            f"prize {position}",
            weight,
            stock_id,
            stock,
        )
    await rehash(world)


async def rehash(world: World) -> None:
    """Give revisions that were forged the hash of what they say."""
    for game in GAMES.values():
        async with world.parts.database.snapshot() as connection:
            found = await read(connection, game)
        for rules in found:
            changed = f"UPDATE {game.config.__tablename__} SET hash = $1 WHERE id = $2"
            await forge(world.sql, changed, hash_of(content_of(game, rules)), rules.id)


async def close(racing: Race, date: dt.date = TODAY) -> None:
    """The day is over, and looked after by one of the servers."""
    for world in racing.workers:
        world.clock.now = world.parts.calendar.ends_at(date) + dt.timedelta(minutes=5)
    await racing.world.parts.seeds.look()


async def lines_of(world: World, date: dt.date, *, for_staff: bool) -> AsyncIterator[Line]:
    decode = msgspec.json.Decoder(Line).decode
    async with world.parts.database.snapshot() as connection:
        async for line in transcript(connection, date, for_staff=for_staff):
            yield decode(msgspec.json.encode(line))


async def checked(world: World, date: dt.date = TODAY, *, for_staff: bool = True) -> tuple[list[str], list[DrawLine]]:
    """What is wrong with the day, and its draws."""
    told, draws = Transcript(), []
    async for line in lines_of(world, date, for_staff=for_staff):
        told.read(line)
        if isinstance(line, DrawLine):
            draws.append(line)
    return told.finish(), draws


async def three_days(racing: Race, players: Sequence[list[Client]], each: int) -> AsyncIterator[dt.date]:
    """Three days, a game each, of so many plays, once each is over: the third is shuffled by what the first drew."""
    await weigh(racing.world, (1, 3), (4, 50), (10, 200), (30, each), (55, None))
    for number, game in enumerate(UNDER_TEST):
        date = TODAY + dt.timedelta(days=number)
        for world in racing.workers:
            world.clock.now = world.parts.calendar.starts_at(date) + dt.timedelta(hours=12)
        await let_in_again(racing, players)
        await on(racing.world, game, limit=0)
        await rehash(racing.world)
        plays = (racing.of(players[n % len(players)]).play(game.mutation, f"{game} {n}") for n in range(each))
        answers = await racing.run(plays, at_once=len(players))
        assert {answer["__typename"] for answer in answers} == {game.played}
        await close(racing, date)
        yield date
    await let_in_again(racing, players)


async def let_in_again(racing: Race, players: Iterable[list[Client]]) -> None:
    """Tokens last for an hour."""
    for clients in players:
        token = racing.world.parts.issue_token(clients[0].player_id, Role.PLAYER).text
        for client in clients:
            client.token = token


async def test_200_draws_of_three_pieces(empty_database: str) -> None:
    async with race(empty_database, workers=2, seed=SEED) as racing:
        await on(racing.world, UNDER_TEST[2], limit=0)
        await weigh(racing.world, (1, 3), (1, None))
        players = await racing.players(50)
        plays = (racing.of(players[n % 50]).play("drawLottery", f"draw {n}") for n in range(200))
        await racing.run(plays, at_once=200)
        await close(racing)
        faults, draws = await checked(racing.world)
        assert faults == []
        assert [draw.no for draw in draws] == list(range(1, 201))
        assert Counter(draw.outcome["position"] for draw in draws)[0] == 3
        last = max(draw.no or 0 for draw in draws if draw.outcome == {"position": 0})
        assert {tuple(draw.drawn_from) for draw in draws[:last]} == {(1, 1)}
        assert {tuple(draw.drawn_from) for draw in draws[last:]} == {(0, 1)}


PRIZES = ((50, 5), (20, 5), (10, 10), (10, 20), (10, None))
"""Weights and stocks of five prizes: half of all draws would take the first, of which there are five."""


async def laid_in_again(racing: Race) -> None:
    """Have staff lay in anew what was drawn."""
    stocks = 'SELECT id, "left" FROM lottery_stock WHERE id IN (SELECT stock_id FROM lottery_prize) ORDER BY id'
    for (stock, left), (_, initial) in zip(await racing.fetch(stocks), PRIZES, strict=False):
        if initial is not None and left < initial:
            await adjust(racing.world, stock, initial - left, left)


@pytest.mark.parametrize("runs", [5, pytest.param(100, marks=pytest.mark.soak)])
async def test_five_prizes_run_out_again_and_again(empty_database: str, runs: int) -> None:
    """Four lanes draw; staff lay in anew after each run of 200 draws. The transcript explains each missing prize."""
    async with race(empty_database, workers=2, seed=SEED, HARU_LANES=2) as racing:
        await on(racing.world, UNDER_TEST[2], limit=0)
        await weigh(racing.world, *PRIZES)
        players = await racing.players(50)
        for run in range(runs):
            await laid_in_again(racing)
            await racing.run(
                (racing.of(players[n % 50]).play("drawLottery", f"draw {run} {n}") for n in range(200)), at_once=64
            )
        await close(racing)
        faults, draws = await checked(racing.world)
    assert (faults, len(draws)) == ([], 200 * runs)
    for position, (weight, stock) in enumerate(PRIZES):
        held = [draw for draw in draws if draw.drawn_from[position]]
        assert (len(held) < len(draws)) == (stock is not None), "each ran out"
        chances = [weight / sum(draw.drawn_from) for draw in held]
        came = sum(draw.outcome["position"] == position for draw in held)
        assert came == sum(draw.outcome["position"] == position for draw in draws)
        off = (came - sum(chances)) / sqrt(sum(chance * (1 - chance) for chance in chances))
        print(f"; prize {position}: {came / len(held):.4f} of {sum(chances) / len(held):.4f}, {off:+.1f} sigma", end="")
        assert abs(off) < 6  # by chance in fewer than one run of a million: of 25 draws the tail is a heavy one
