"""Several operators at once, and operators at work while players play."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable
from typing import Any

import asyncpg
import pytest

from models import FeatureType, Role
from services.database import connect_arguments
from tests.races.workers import patient
from tests.staff import INPUTS, POINTS, kept, operator, upsert, valid
from tests.world import Client, World, forge

PUBLICATIONS = 12
PLAYERS = 16


async def operators(world: World, count: int) -> list[Client]:
    return [await world.player(f"operator-{number}", Role.OPERATOR) for number in range(count)]


@pytest.mark.parametrize("mutation", list(INPUTS))
@pytest.mark.parametrize("is_new", [False, True])
async def test_of_many_with_one_revision_one_wins(world: World, mutation: str, is_new: bool) -> None:
    given = valid(mutation)
    if is_new:
        tables = "feature_schedule, feature_config, dice_config, roulette_config, lottery_config"
        await forge(world.sql, f"TRUNCATE {tables} CASCADE")
        given["expectedRevision"] = None
    elif mutation == "upsertSeason":
        await upsert(await operator(world), mutation, given)
        given["expectedRevision"] = 1
    crowd = await operators(world, 6)
    before = await world.count("audit_log")
    answers = await asyncio.gather(*(upsert(one, mutation, given) for one in crowd))
    codes = Counter(answer.get("code") for answer in answers)
    assert codes == {None: 1, "REVISION_CONFLICT": 5}
    (won,) = [answer for answer in answers if "code" not in answer]
    assert won["revision"] == (given["expectedRevision"] or 0) + 1
    assert await world.count("audit_log") == before + 1


async def test_of_seasons_that_overlap_one_is_made(world: World) -> None:
    crowd = await operators(world, 6)
    answers = await asyncio.gather(
        *(upsert(one, "upsertSeason", valid("upsertSeason", name=f"{n}")) for n, one in enumerate(crowd))
    )
    assert Counter(answer.get("code") for answer in answers) == {None: 1, "VALIDATION_FAILED": 5}
    assert await world.sql.fetchval("SELECT count(*) FROM season_pass_config WHERE start_date > '2026-05-31'") == 1


async def test_the_constraint_has_the_last_word_on_overlaps(world: World) -> None:
    olive = await operator(world)
    other = await asyncpg.connect(**connect_arguments(str(world.settings.owner_url)))
    try:
        async with other.transaction():
            await other.execute(
                "INSERT INTO season_pass_config (name, start_date, end_date, base_xp_per_stamp, max_level, revision,"
                " published_at) VALUES ('by hand', '2026-06-15', '2026-07-15', 1, 1, 1, now())"
            )
            publication = asyncio.create_task(upsert(olive, "upsertSeason", valid("upsertSeason")))
            await until_somebody_waits(world)
        answer = await publication
    finally:
        await other.close()
    assert answer["code"] == "VALIDATION_FAILED"
    assert '"by hand"' in answer["issues"][0]["message"]
    assert await world.count("audit_log") == 0


async def test_who_waits_too_long_for_a_turn_is_told_to_try_again(world: World) -> None:
    olive = await operator(world)
    other = await asyncpg.connect(**connect_arguments(str(world.settings.owner_url)))
    before = await kept(world)
    try:
        async with other.transaction():
            await other.execute("SELECT pg_advisory_xact_lock(hashtextextended('haru.publish:dice_config', 0))")
            refused = await upsert(olive, "upsertDiceConfig", valid("upsertDiceConfig"))
    finally:
        await other.close()
    assert (refused["code"], refused["retryable"]) == ("LOCK_NOT_ACQUIRED", True)
    assert await kept(world) == before
    assert (await upsert(olive, "upsertDiceConfig", valid("upsertDiceConfig")))["revision"] == 2


async def until_somebody_waits(world: World) -> None:
    """Wait until a session waits for a lock."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    async with asyncio.timeout(20):
        while not await world.sql.fetchval(waiting):
            await asyncio.sleep(0.01)


async def publish_often(world: World, mutation: str, inputs: list[dict[str, Any]]) -> None:
    """Publish one revision after another."""
    olive = await operator(world)
    for revision, given in enumerate(inputs, start=1):
        answer = await upsert(olive, mutation, given | {"expectedRevision": revision})
        assert answer.get("revision") == revision + 1, answer
        await asyncio.sleep(0.01)


async def while_players_play(world: World, game: str, publishing: Awaitable[None]) -> list[dict[str, Any]]:
    """Everybody plays before, while and after somebody publishes; all answers."""
    players = [patient(await world.player(f"player-{number}")) for number in range(PLAYERS)]
    answers = await asyncio.gather(*(client.play(game) for client in players))
    publication = asyncio.ensure_future(publishing)

    async def play(client: Client) -> None:
        while not publication.done():
            answers.append(await client.play(game))
        answers.append(await client.play(game))

    await asyncio.gather(*map(play, players))
    await publication
    assert all(answer["__typename"] != "Problem" for answer in answers), answers
    return answers


async def test_every_spin_is_of_one_revision_whole(world: World) -> None:
    await world.today(FeatureType.ROULETTE)
    await forge(world.sql, "UPDATE roulette_config SET max_daily_spins = 0")
    inputs = []
    for number in range(2, PUBLICATIONS + 2):
        given = valid("upsertRouletteConfig", maxDailySpins=0)
        for segment in given["segments"]:
            segment |= {"label": f"r{number}", "weight": number, "reward": POINTS | {"amount": number}}
        inputs.append(given)
    answers = await while_players_play(world, "spinRoulette", publish_often(world, "upsertRouletteConfig", inputs))
    for answer in answers:
        if answer["segment"]["label"].startswith("r"):
            number = int(answer["segment"]["label"][1:])
            assert answer["segment"]["odds"] == {"weight": number, "totalWeight": 6 * number}
            assert answer["reward"]["amount"] == number
    mixed = await world.sql.fetchval(
        "SELECT count(*) FROM roulette_log l JOIN roulette_config c ON c.id = l.config_id"
        " JOIN roulette_segment s ON s.id = l.segment_id WHERE s.config_id <> c.id"
        " OR l.reward_amount <> s.reward_amount OR (c.revision > 1 AND s.label <> 'r' || c.revision)"
    )
    assert mixed == 0
    assert await world.count("roulette_log") == len(answers)
    assert await world.sql.fetchval("SELECT count(DISTINCT config_id) FROM roulette_log") > 1


async def test_every_draw_takes_from_the_stock_of_its_own_revision(world: World) -> None:
    await world.today(FeatureType.LOTTERY)
    await forge(world.sql, "UPDATE lottery_config SET max_daily_tickets = 0")
    inputs = [
        valid(
            "upsertLotteryConfig",
            maxDailyTickets=0,
            prizes=[
                {"label": "rare", "weight": 1000, "stock": 5, "reward": POINTS | {"amount": number}},
                {"label": "always", "weight": 1, "reward": POINTS},
            ],
        )
        for number in range(2, PUBLICATIONS + 2)
    ]
    answers = await while_players_play(world, "drawLottery", publish_often(world, "upsertLotteryConfig", inputs))
    faults = await world.sql.fetch(
        'SELECT p.id, s.initial, s."left", count(l.id) AS drawn FROM lottery_prize p'
        " JOIN lottery_stock s ON s.id = p.stock_id"
        " LEFT JOIN lottery_log l ON l.prize_id = p.id AND l.config_id = p.config_id"
        ' GROUP BY p.id, s.id HAVING s.initial - s."left" <> count(l.id)'
    )
    assert faults == []
    assert await world.count("lottery_log") == len(answers)
    assert await world.sql.fetchval("SELECT count(DISTINCT config_id) FROM lottery_log") > 1


async def test_no_level_is_taken_while_players_climb(world: World) -> None:
    """Level 2 is made harder while everybody stamps: it is refused, or it came before anybody was there."""
    await forge(world.sql, "TRUNCATE season_pass_config CASCADE")
    olive = await operator(world)
    levels = [{"level": number, "requiredXp": 100 * number, "reward": POINTS, "autoClaim": True} for number in (1, 2)]
    season = valid("upsertSeason", name="now", startDate="2026-03-01", endDate="2026-03-09", levels=levels)
    await upsert(olive, "upsertSeason", season | {"baseXpPerStamp": 200})
    players = [await world.player(f"player-{number}") for number in range(PLAYERS)]
    harder = season | {"levels": [levels[0], levels[1] | {"requiredXp": 150_000}], "expectedRevision": 1}

    async def publish() -> dict[str, Any]:
        await asyncio.sleep(0.005)
        return await upsert(olive, "upsertSeason", harder | {"baseXpPerStamp": 200})

    answer, *stamps = await asyncio.gather(publish(), *(player.stamp() for player in players))
    assert all(stamp["addedStamp"] == 1 for stamp in stamps)
    if answer.get("code") == "VALIDATION_FAILED":
        assert all(stamp["currentLevel"] == 2 for stamp in stamps)
    paid = await world.sql.fetchval("SELECT count(*) FROM season_pass_reward_log")
    assert paid == sum(stamp["currentLevel"] for stamp in stamps)
