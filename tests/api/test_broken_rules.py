"""Rules that were broken past the API, and past the constraints: refused by name, and nothing is written."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from models import FeatureType
from tests.games import UNDER_TEST, GameUnderTest, every_game, on, without
from tests.staff import operator
from tests.world import World, forge

DICE, ROULETTE, LOTTERY = UNDER_TEST
SEASON = "{ seasonPassStatus { ... on UserError { code } } }"
AMOUNTS = ("win_reward_amount", "draw_reward_amount", "lose_reward_amount")


async def refused(world: World, game: GameUnderTest, code: str | None = None) -> None:
    """The game is neither played nor shown; an operator sees why."""
    alice = await world.player()
    before = await world.written()
    assert (await alice.play(game.mutation)).get("code") == (code or game.invalid)
    assert await world.written() == before
    if code is None:
        query = f"{{ {game.status} {{ ... on UserError {{ code }} }} todayFeature {{ ... on UserError {{ code }} }} }}"
        answer = await alice.data(query)
        assert answer == {game.status: {"code": game.invalid}, "todayFeature": {"code": "INVALID_FEATURE_SCHEDULE"}}
        query = '{ scheduleIssues(from: "2026-03-02", to: "2026-03-02") { code } }'
        assert (await (await operator(world)).data(query))["scheduleIssues"] == [{"code": game.invalid}]


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM roulette_segment WHERE slot = 3",
        "DELETE FROM roulette_segment",
        "UPDATE roulette_segment SET weight = 0",
    ],
    ids=["five segments", "no segment", "weights that sum to 0"],
)
async def test_a_roulette_that_the_constraints_let_pass(world: World, damage: str) -> None:
    await on(world, ROULETTE)
    await forge(world.sql, damage)
    await refused(world, ROULETTE)


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM lottery_prize",
        "UPDATE lottery_prize SET weight = 0",
        "UPDATE lottery_prize SET is_active = false",
        "UPDATE lottery_prize SET weight = 0 WHERE position > 0; UPDATE lottery_prize SET is_active = position > 0",
    ],
    ids=["no prize", "weights that sum to 0", "no active prize", "the only weight is inactive"],
)
async def test_a_lottery_that_the_constraints_let_pass(world: World, damage: str) -> None:
    await on(world, LOTTERY)
    await forge(world.sql, damage)
    await refused(world, LOTTERY)


BEYOND_THE_CONSTRAINTS: list[tuple[GameUnderTest, str, list[str], str]] = [
    (
        ROULETTE,
        "roulette_segment",
        ["ck_roulette_segment_weight"],
        "UPDATE roulette_segment SET weight = -1 WHERE slot = 5",
    ),
    (
        ROULETTE,
        "roulette_segment",
        ["ck_roulette_segment_slot"],
        "INSERT INTO roulette_segment (config_id, slot, label, weight, reward_type, reward_amount)"
        " SELECT config_id, 6, label, weight, 'POINT', 1 FROM roulette_segment WHERE slot = 0",
    ),
    (
        ROULETTE,
        "roulette_segment",
        ["ck_roulette_segment_reward_amount"],
        "UPDATE roulette_segment SET reward_amount = -5 WHERE slot = 0",
    ),
    (LOTTERY, "lottery_prize", ["ck_lottery_prize_weight"], "UPDATE lottery_prize SET weight = -1 WHERE position = 0"),
    (LOTTERY, "lottery_stock", ["ck_lottery_stock_left"], 'UPDATE lottery_stock SET "left" = -1'),
    (
        LOTTERY,
        "lottery_prize",
        ["ck_lottery_prize_reward_amount"],
        "UPDATE lottery_prize SET reward_amount = -1 WHERE position = 3",
    ),
    *(
        (DICE, "dice_config", [f"ck_dice_config_{amount}"], f"UPDATE dice_config SET {amount} = -1")
        for amount in AMOUNTS
    ),
    *(
        (game, game.config, [f"ck_{game.config}_{game.limit}"], f"UPDATE {game.config} SET {game.limit} = -1")
        for game in UNDER_TEST
    ),
]


@pytest.mark.parametrize(
    ("game", "table", "constraints", "damage"),
    BEYOND_THE_CONSTRAINTS,
    ids=[f"{constraints[0]}" for _, _, constraints, _ in BEYOND_THE_CONSTRAINTS],
)
async def test_rules_that_only_a_lost_constraint_lets_in(
    world: World, game: GameUnderTest, table: str, constraints: list[str], damage: str
) -> None:
    await on(world, game)
    assert world.settings.owner_url
    async with without(world.settings.owner_url, table, *constraints) as session:
        await forge(session, damage)
        await refused(world, game)


@every_game
async def test_a_broken_season_refuses_plays_as_well(world: World, game: GameUnderTest) -> None:
    await on(world, game)
    await world.sql.execute("DELETE FROM season_pass_level WHERE level = 2")
    await refused(world, game, "INVALID_SEASON_CONFIG")
    alice = await world.player()
    assert (await alice.stamp())["code"] == "INVALID_SEASON_CONFIG"
    assert (await alice.claim(1))["code"] == "INVALID_SEASON_CONFIG"
    assert (await alice.data(SEASON))["seasonPassStatus"]["code"] == "INVALID_SEASON_CONFIG"


@every_game
async def test_two_seasons_at_once_refuse_everything(world: World, game: GameUnderTest) -> None:
    await on(world, game)
    assert world.settings.owner_url
    alice = await world.player()
    async with without(world.settings.owner_url, "season_pass_config", "ex_season_pass_config_overlap") as session:
        await session.execute(
            "INSERT INTO season_pass_config"
            " (name, start_date, end_date, base_xp_per_stamp, max_level, revision, published_at)"
            " VALUES ('second', $1, $1, 100, 1, 1, now())",
            dt.date(2026, 3, 2),
        )
        await refused(world, game, "NO_ACTIVE_SEASON_CONFLICT")
        before = await world.written()
        answers: list[Any] = [await alice.stamp(), await alice.claim(1)]
        answers.append((await alice.data(SEASON))["seasonPassStatus"])
        assert [answer["code"] for answer in answers] == ["NO_ACTIVE_SEASON_CONFLICT"] * 3
        assert await world.written() == before


async def test_a_schedule_for_what_is_no_game_needs_no_configuration(world: World) -> None:
    alice = await world.player()
    for table in ("dice_config", "roulette_config", "lottery_config"):
        await forge(world.sql, f"UPDATE {table} SET effective_from = '2900-01-01'")
    for feature in (FeatureType.RANKING, FeatureType.SEASON_PASS):
        await world.today(feature)
        query = "{ todayFeature { ... on TodayFeature { featureType } } }"
        assert (await alice.data(query))["todayFeature"] == {"featureType": feature}
