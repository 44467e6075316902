"""The schedule: what is on which day, and what is wrong with the days ahead."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from models import FeatureType, Role
from services.calendar import Calendar
from services.published import revisions
from services.rules.lottery import LOTTERY
from services.rules.roulette import ROULETTE
from services.schedule_issues import issues_between
from services.seasons import published_seasons
from tests.games import all_in_stock
from tests.staff import operator, upsert, valid
from tests.world import Client, World, forge

SCHEDULE = "query ($from: Date!, $to: Date!) { featureSchedule(from: $from, to: $to) { date featureType isActive } }"
ISSUES = "query ($from: Date!, $to: Date!) { scheduleIssues(from: $from, to: $to) { date code message } }"
TODAY = "2026-03-02"


async def issues(client: Client, first: str = TODAY, last: str = TODAY) -> list[tuple[str, str]]:
    """The faults of a range: dates and codes."""
    found = (await client.data(ISSUES, **{"from": first, "to": last}))["scheduleIssues"]
    assert all(issue["message"] for issue in found)
    return [(issue["date"], issue["code"]) for issue in found]


@contextmanager
def statements(world: World) -> Iterator[list[str]]:
    """The statements that the engine executes meanwhile."""
    told: list[str] = []

    def tell(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        told.append(statement)

    engine = world.parts.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", tell)
    try:
        yield told
    finally:
        event.remove(engine, "before_cursor_execute", tell)


async def test_days_are_read_in_order_both_ends_included(world: World) -> None:
    await world.sql.execute("DELETE FROM feature_schedule WHERE date = '2026-03-03'")
    olive = await operator(world)
    found = await olive.data(SCHEDULE, **{"from": TODAY, "to": "2026-03-04"})
    assert found["featureSchedule"] == [
        {"date": "2026-03-02", "featureType": "DICE", "isActive": True},
        {"date": "2026-03-04", "featureType": "SEASON_PASS", "isActive": True},
    ]


async def test_a_change_of_today_is_seen_by_the_next_request(world: World) -> None:
    olive, alice = await operator(world), await world.player()
    assert (await alice.play())["__typename"] == "DicePlay"
    today = valid("upsertFeatureSchedule", date=TODAY, expectedRevision=None)
    current = await world.sql.fetchval("SELECT revision FROM feature_schedule WHERE date = '2026-03-02'")
    switched = await upsert(olive, "upsertFeatureSchedule", today | {"isActive": False, "expectedRevision": current})
    assert switched["isActive"] is False
    assert (await alice.play())["code"] == "NO_FEATURE_TODAY"
    await upsert(olive, "upsertFeatureSchedule", today | {"featureType": "ROULETTE", "expectedRevision": current + 1})
    assert (await alice.play("spinRoulette"))["__typename"] == "RouletteSpin"
    assert (await alice.play())["code"] == "NO_FEATURE_TODAY"


async def test_a_feature_that_is_switched_off_is_off_for_the_next_request(world: World) -> None:
    olive, alice = await operator(world), await world.player()
    changed = await upsert(olive, "upsertFeatureConfig", valid("upsertFeatureConfig", isEnabled=False))
    assert changed["isEnabled"] is False
    assert (await alice.play())["code"] == "NO_FEATURE_TODAY"
    await upsert(olive, "upsertFeatureConfig", valid("upsertFeatureConfig", stampXpBonus=7, expectedRevision=2))
    assert (await alice.play())["seasonPass"]["xpAdded"] == 107
    found = await olive.data("{ featureConfigs { featureType title pagePath isEnabled stampXpBonus revision } }")
    assert [one["featureType"] for one in found["featureConfigs"]] == sorted(FeatureType)
    assert found["featureConfigs"][0] == {
        "featureType": "DICE",
        "title": "Dice",
        "pagePath": "/dice",
        "isEnabled": True,
        "stampXpBonus": 7,
        "revision": 3,
    }


async def test_a_day_is_past_when_it_is_past_in_the_events_zone(world: World) -> None:
    world.clock.advance(hours=12)  # 00:00 of the next day in Seoul, 15:00 in UTC
    olive = await operator(world)
    refused = await upsert(olive, "upsertFeatureSchedule", valid("upsertFeatureSchedule", date=TODAY))
    assert refused["issues"] == [{"path": ["date"], "message": "Is in the past: today is 2026-03-03."}]
    assert (await upsert(olive, "upsertFeatureSchedule", valid("upsertFeatureSchedule")))["revision"] == 2


@pytest.mark.parametrize("query", [SCHEDULE, ISSUES])
async def test_ranges_are_bounded_and_for_staff(world: World, query: str) -> None:
    olive, alice = await operator(world), await world.player()
    for first, last in (
        ("2026-03-03", "2026-03-02"),
        ("2026-01-01", "2027-01-02"),
        ("0001-01-01", "9999-12-31"),
        ("2999-12-31", "3000-01-01"),
    ):
        assert await olive.error_code(query, **{"from": first, "to": last}) == "BAD_REQUEST"
    for first, last in (("2026-01-01", "2027-01-01"), ("0001-01-01", "0001-01-02"), ("2999-12-31", "2999-12-31")):
        await olive.data(query, **{"from": first, "to": last})
    assert await alice.error_code(query, **{"from": TODAY, "to": TODAY}) == "FORBIDDEN"
    auditor = await world.player("audrey", Role.AUDITOR)
    await auditor.data(query, **{"from": TODAY, "to": TODAY})


async def test_a_healthy_range_has_no_issue(world: World) -> None:
    assert await issues(await operator(world), "2026-02-01", "2026-04-30") == []


async def test_nothing_scheduled_switched_off_or_not_configured(world: World) -> None:
    olive = await operator(world)
    await world.sql.execute("DELETE FROM feature_schedule WHERE date = '2026-03-03'")
    await world.sql.execute("UPDATE feature_schedule SET is_active = false WHERE date = '2026-03-04'")
    assert await issues(olive, TODAY, "2026-03-05") == [
        ("2026-03-03", "NO_FEATURE_TODAY"),
        ("2026-03-04", "NO_FEATURE_TODAY"),
    ]
    await world.sql.execute("UPDATE feature_config SET is_enabled = false WHERE feature_type = 'DICE'")
    assert await issues(olive) == [(TODAY, "NO_FEATURE_TODAY")]
    await world.sql.execute("DELETE FROM feature_config WHERE feature_type = 'DICE'")
    assert await issues(olive) == [(TODAY, "NO_FEATURE_TODAY")]


GIVES_COFFEE: dict[str, list[str]] = {
    "DICE": [],  # the demo's give no coupons
    "ROULETTE": ["UPDATE roulette_segment SET weight = 0 WHERE coupon_type = 'COFFEE'"],
    "LOTTERY": [
        "UPDATE lottery_prize SET weight = 0 WHERE coupon_type = 'COFFEE'",
        "UPDATE lottery_prize SET is_active = false WHERE coupon_type = 'COFFEE'",
    ],
}


@pytest.mark.parametrize("feature", GIVES_COFFEE)
async def test_a_pool_that_is_empty(world: World, feature: str) -> None:
    olive = await operator(world)
    await world.today(FeatureType(feature))
    if feature == "DICE":
        await upsert(olive, "upsertDiceConfig", valid("upsertDiceConfig"))
    assert await issues(olive) == []
    await forge(world.sql, "DELETE FROM coupon_code WHERE code > 'COFFEE-0001'")
    assert await issues(olive) == [], "one is enough"
    await forge(world.sql, "DELETE FROM coupon_code")
    assert await issues(olive) == [(TODAY, "COUPON_POOL_EMPTY")]
    assert await issues(olive, "2026-03-01", "2026-03-01") == [], "what is past cannot be mended"


async def test_a_pool_is_drawn_from_as_long_as_its_revision_is_played(world: World) -> None:
    """Neither what was played this morning nor what is played before a day is told of it."""
    olive, tomorrow, given = await operator(world), "2026-03-03", valid("upsertDiceConfig")
    no_coupons = given | {"drawReward": given["loseReward"]}
    await upsert(olive, "upsertDiceConfig", given)
    ahead = {"effectiveFrom": "2026-03-03T00:00:00+09:00", "expectedRevision": 2}
    await upsert(olive, "upsertDiceConfig", no_coupons | ahead)
    await forge(world.sql, "UPDATE coupon_code SET coupon_type = 'TEA'")
    await world.sql.execute("UPDATE feature_schedule SET feature_type = 'DICE' WHERE date = '2026-03-03'")
    assert await issues(olive, TODAY, tomorrow) == [(TODAY, "COUPON_POOL_EMPTY")]
    assert await issues(olive, tomorrow, tomorrow) == []
    world.clock.advance(minutes=1)
    await upsert(olive, "upsertDiceConfig", no_coupons | {"expectedRevision": 3})
    assert await issues(olive, TODAY, tomorrow) == []


@pytest.mark.parametrize(
    ("feature", "change"), [(feature, change) for feature, changes in GIVES_COFFEE.items() for change in changes]
)
async def test_a_pool_that_nobody_draws_from_may_be_empty(world: World, feature: str, change: str) -> None:
    await world.today(FeatureType(feature))
    await forge(world.sql, "DELETE FROM coupon_code")
    assert await issues(await operator(world)) == [(TODAY, "COUPON_POOL_EMPTY")]
    await forge(world.sql, change)
    assert await issues(await operator(world)) == []


@pytest.mark.parametrize("feature", ["DICE", "ROULETTE", "LOTTERY"])
async def test_a_game_that_was_never_published(world: World, feature: str) -> None:
    olive = await operator(world)
    await world.today(FeatureType(feature))
    await forge(world.sql, f"TRUNCATE {feature.lower()}_config CASCADE")
    assert await issues(olive) == [(TODAY, "INVALID_FEATURE_SCHEDULE")]


@pytest.mark.parametrize(
    ("feature", "breaks"),
    [
        ("ROULETTE", "DELETE FROM roulette_segment WHERE slot = 5"),
        ("ROULETTE", "UPDATE roulette_segment SET weight = 0"),
        ("LOTTERY", "UPDATE lottery_prize SET weight = 0"),
        ("LOTTERY", "UPDATE lottery_prize SET is_active = false"),
    ],
)
async def test_a_broken_revision(world: World, feature: str, breaks: str) -> None:
    olive = await operator(world)
    await world.today(FeatureType(feature))
    await forge(world.sql, breaks)
    assert await issues(olive) == [(TODAY, f"INVALID_{feature}_CONFIG")]


async def test_a_lottery_with_nothing_left(world: World) -> None:
    olive = await operator(world)
    await world.today(FeatureType.LOTTERY)
    await world.sql.execute('UPDATE lottery_stock SET "left" = 0')
    assert await issues(olive) == []  # one prize is unlimited
    await all_in_stock(world.sql, 0, initial=5)
    assert await issues(olive) == [(TODAY, "OUT_OF_STOCK")]
    alice = await world.player()
    assert (await alice.play("drawLottery"))["code"] == "OUT_OF_STOCK"


async def test_no_season_and_broken_levels(world: World) -> None:
    olive = await operator(world)
    await world.sql.execute("UPDATE season_pass_config SET end_date = '2026-03-03'")
    assert await issues(olive, TODAY, "2026-03-05") == [
        ("2026-03-04", "NO_ACTIVE_SEASON"),
        ("2026-03-05", "NO_ACTIVE_SEASON"),
    ]
    assert await issues(olive, "2026-03-03", "2026-03-03") == []
    await world.sql.execute("DELETE FROM season_pass_level WHERE level = 2")
    assert await issues(olive) == [(TODAY, "INVALID_SEASON_CONFIG")]


async def test_two_seasons_on_one_day(world: World) -> None:
    olive = await operator(world)
    exclusion = await world.sql.fetchval(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'ex_season_pass_config_overlap'"
    )
    await world.sql.execute("ALTER TABLE season_pass_config DROP CONSTRAINT ex_season_pass_config_overlap")
    try:
        await world.sql.execute(
            "INSERT INTO season_pass_config (name, start_date, end_date, base_xp_per_stamp, max_level, revision,"
            " published_at) VALUES ('twin', '2026-03-02', '2026-03-02', 1, 1, 1, now())"
        )
        assert await issues(olive, "2026-03-01", TODAY) == [(TODAY, "NO_ACTIVE_SEASON_CONFLICT")]
    finally:
        await forge(world.sql, "TRUNCATE season_pass_config CASCADE")
        await world.sql.execute(
            f"ALTER TABLE season_pass_config ADD CONSTRAINT ex_season_pass_config_overlap {exclusion}"
        )


async def test_past_days_are_judged_by_what_was_not_by_what_is(world: World) -> None:
    olive = await operator(world)
    await forge(world.sql, "TRUNCATE dice_config, roulette_config, lottery_config, ranking_revision CASCADE")
    ranking = await world.sql.fetchval(
        "SELECT max(date) FROM feature_schedule WHERE feature_type = 'RANKING' AND date < $1",
        world.parts.calendar.business_date(world.clock()),
    )
    found = await issues(olive, str(ranking), TODAY)
    assert found == [(str(ranking), "RANKING_NOT_FOUND"), (TODAY, "INVALID_FEATURE_SCHEDULE")]


async def test_whether_a_day_has_a_ranking_is_for_the_newest_revision_to_say(world: World) -> None:
    olive, day = await operator(world), {"date": "2026-02-26"}
    rows = [{"rank": 1, "displayName": "a", "score": 1}]
    publish = "mutation ($input: PublishRankingInput!) { publishRanking(input: $input) { __typename } }"
    remove = "mutation ($input: DeleteRankingInput!) { deleteRanking(input: $input) { __typename } }"
    for document, more, told in (
        (publish, {"rows": rows, "expectedRevision": 1}, []),
        (remove, {"expectedRevision": 2}, [("2026-02-26", "RANKING_NOT_FOUND")]),
        (publish, {"rows": rows}, []),
    ):
        ((done, answer),) = (await olive.data(document, input=day | more)).items()
        assert answer["__typename"].lower() == f"{done}payload".lower()
        assert await issues(olive, "2026-02-26", "2026-02-26") == told


async def test_statements_do_not_depend_on_the_length_of_a_list(world: World) -> None:
    olive, database, calendar = await operator(world), world.parts.database, Calendar(world.settings.zone)
    today = calendar.business_date(world.clock())

    async def counts() -> list[int]:
        told = []
        for read in (
            lambda: revisions(database, ROULETTE, now=world.clock(), first=100),
            lambda: revisions(database, LOTTERY, now=world.clock(), first=100),
            lambda: published_seasons(database, first=100),
            lambda: issues_between(database, calendar, today, today.replace(day=last_day), now=world.clock()),
        ):
            with statements(world) as executed:
                await read()
            told.append(len(executed))
        return told

    last_day = 2
    short = await counts()
    for revision in range(1, 6):
        for mutation in ("upsertRouletteConfig", "upsertLotteryConfig"):
            await upsert(olive, mutation, valid(mutation, expectedRevision=revision))
    for month in ("07", "08", "09"):
        season = valid("upsertSeason", name=month, startDate=f"2026-{month}-01", endDate=f"2026-{month}-20")
        await upsert(olive, "upsertSeason", season)
    last_day = 31
    assert await counts() == short
    assert max(short[:3]) <= 4


async def check(world: World, days: int) -> tuple[int, str]:
    """`haru schedule check`, as cron runs it, which knows the real date alone."""
    environment = os.environ | {"DATABASE_URL": world.settings.database_url or ""}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from server.cli.main import main; main()", "schedule", "check", "--days", f"{days}"),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode()


async def test_the_command_prints_issues_and_exits_1(world: World) -> None:
    await forge(world.sql, "TRUNCATE feature_schedule, season_pass_config CASCADE")
    today = "SELECT (now() AT TIME ZONE 'Asia/Seoul')::date"
    before, (code, out), after = await world.sql.fetchval(today), await check(world, 2), await world.sql.fetchval(today)
    assert code == 1
    assert any(f"{date} NO_FEATURE_TODAY: Nothing is scheduled.\n" in out for date in {before, after})  # midnight
    assert len(out.splitlines()) == 4

    await world.sql.execute(
        "INSERT INTO feature_schedule (date, feature_type, updated_at)"
        " SELECT current_date + n, 'DICE', now() FROM generate_series(-1, 5) n"
    )
    await world.sql.execute(
        "INSERT INTO season_pass_config (name, start_date, end_date, base_xp_per_stamp, max_level, revision,"
        " published_at) VALUES ('now', current_date - 1, current_date + 9, 1, 1, 1, now())"
    )
    await world.sql.execute(
        "INSERT INTO season_pass_level (season_id, level, required_xp, reward_type, reward_amount, auto_claim)"
        " SELECT id, 1, 1, 'POINT', 1, true FROM season_pass_config"
    )
    assert await check(world, 2) == (0, "")
