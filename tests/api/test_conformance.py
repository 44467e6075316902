"""Whether the draws fit the published odds, as staff ask it."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from models import FeatureType, Role
from services.conformance import publication_numbers
from services.error_codes import ErrorCode
from tests.conftest import Haru
from tests.games import UNDER_TEST, GameUnderTest, every_game, on
from tests.serving import zone_of_noon
from tests.staff import operator, upsert, valid
from tests.world import World, forge

DICE, ROULETTE, LOTTERY = UNDER_TEST
ASK = """query ($from: Date! = "2026-03-02", $to: Date! = "2026-03-02") { drawConformance(from: $from, to: $to) {
    draws evidence alarmAt isAlarm
    revisions { draws evidence sheet { revision featureType } outcomes { label drawn expected } } } }"""


async def conformance(world: World, **variables: Any) -> dict[str, Any]:
    answer: dict[str, Any] = (await (await operator(world)).data(ASK, **variables))["drawConformance"]
    return answer


async def test_where_nothing_was_drawn_nothing_speaks_against_it(
    world: World, haru: Haru, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = {"draws": 0, "evidence": 1.0, "alarmAt": 1000.0, "isAlarm": False, "revisions": []}
    assert await conformance(world) == nothing
    zone = zone_of_noon()
    monkeypatch.setenv("HARU_TIME_ZONE", zone)
    today = dt.datetime.now(ZoneInfo(zone)).date()
    for options, days in ([], (89, 0)), (["--to", str(today - dt.timedelta(days=1))], (90, 1)):
        told = await haru("verify", "odds", "--json", *options)
        first, last = (str(today - dt.timedelta(days=ago)) for ago in days)
        assert (told.exit_code, json.loads(told.stdout)) == (0, {"from": first, "to": last} | nothing)
    told = await haru("verify", "odds", "--from", str(today))
    assert (told.exit_code, told.output) == (0, "draws: 0, evidence: 1, no alarm\n")


async def test_revisions_are_numbered_as_they_were_published(world: World) -> None:
    world.clock.advance(minutes=1)
    olive = await operator(world)
    for mutation in ("upsertRouletteConfig", "upsertDiceConfig"):
        world.clock.advance(minutes=1)
        assert (await upsert(olive, mutation, valid(mutation) | {"expectedRevision": 1}))["revision"] == 2
    async with world.parts.database.snapshot() as connection:
        numbers = await publication_numbers(connection)
    ids = {game.feature: await world.sql.fetchval(f"SELECT max(id) FROM {game.config}") for game in UNDER_TEST}
    assert sorted(numbers.values()) == [1, 2, 3, 4, 5]
    assert [numbers[feature, ids[feature]] for feature in (FeatureType.ROULETTE, FeatureType.DICE)] == [4, 5]


@every_game
async def test_each_outcome_is_counted_and_what_was_to_be_expected_is_told(world: World, game: GameUnderTest) -> None:
    await on(world, game, limit=0)
    alice = await world.player()
    for _ in range(6):
        await alice.play(game.mutation)
    found = await conformance(world)
    (revision,) = found["revisions"]
    assert found["draws"] == revision["draws"] == 6
    assert revision["sheet"] == {"revision": 1, "featureType": game.feature}
    drawn = 24 if game is DICE else 6
    assert sum(one["drawn"] for one in revision["outcomes"]) == drawn
    assert sum(one["expected"] for one in revision["outcomes"]) == pytest.approx(drawn)
    assert 0 < revision["evidence"] < 10
    assert found["isAlarm"] is False
    assert (await conformance(world, **{"from": "2026-03-01", "to": "2026-03-01"}))["draws"] == 0


async def test_odds_that_are_not_those_that_are_drawn_are_an_alarm(world: World, haru: Haru) -> None:
    """A tenth of the wheel was published as nothing at all, and comes."""
    await on(world, ROULETTE, limit=0)
    alice = await world.player()
    await alice.play(ROULETTE.mutation)
    told = await haru("verify", "odds", "--from", "2026-03-02", "--to", "2026-03-02")
    assert (told.exit_code, "draws: 1, evidence: 1, no alarm" in told.stdout) == (0, True), told.output
    await forge(
        world.sql,
        "UPDATE roulette_log SET drawn_from = array_replace(drawn_from, drawn_from[1 + s.slot], 0)"
        " FROM roulette_segment s WHERE s.id = segment_id",
    )
    assert (await conformance(world))["isAlarm"] is True
    told = await haru("verify", "odds", "--from", "2026-03-02", "--to", "2026-03-02")
    assert (told.exit_code, "ALARM" in told.stdout) == (1, True), told.output
    told = await haru("verify", "odds", "--from", "2026-03-02", "--to", "2026-03-02", "--json")
    found = json.loads(told.stdout)
    (revision,) = found.pop("revisions")
    assert told.exit_code == 1
    assert found["evidence"] >= found["alarmAt"]
    assert (found["from"], found["to"], found["draws"], found["isAlarm"]) == ("2026-03-02", "2026-03-02", 1, True)
    assert (revision["featureType"], revision["revision"], revision["draws"]) == (ROULETTE.feature, 1, 1)
    assert sum(one["drawn"] for one in revision["outcomes"]) == 1


async def test_it_is_for_staff_and_for_a_year_at_most(world: World) -> None:
    assert await (await world.player()).error_code(ASK) == ErrorCode.FORBIDDEN
    auditor = await world.player("audrey", Role.AUDITOR)
    assert (await auditor.data(ASK))["drawConformance"]["draws"] == 0
    assert await auditor.error_code(ASK, **{"from": "2025-01-01"}) == ErrorCode.BAD_REQUEST
