"""Stamps and claims that race: one stamp a day, every XP counted, every level paid once."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.api.test_season_pass import levels
from tests.races.workers import in_both_sizes, outcomes, race

SEED = 20241206
STEPS = ((100, False), (120, True), (140, False), (150, False), (1000, False))


@in_both_sizes
async def test_a_day_is_stamped_once(empty_database: str, size: str) -> None:
    players, copies, workers = (200, 16, 4) if size == "full" else (200, 16, 2)
    async with race(empty_database, workers=workers, seed=SEED) as racing:
        await levels(racing.world, (10, True), (150, True), (151, True), base_xp=100)
        racers = await racing.players(players)
        answers = await racing.run(
            racing.of(racer).stamp(key=f"{number}") for racer in racers for number in range(copies)
        )
        assert outcomes(answers) == {"StampPayload": players, "ALREADY_STAMPED_TODAY": players * (copies - 1)}
        stamps = await racing.fetch(
            "SELECT count(*), count(DISTINCT user_id), sum(xp_earned) FROM season_pass_stamp_log"
        )
        assert stamps == [(players, players, 150 * players)]
        progress = "SELECT DISTINCT current_xp, current_level, total_stamps FROM season_pass_progress"
        assert await racing.fetch(progress) == [(150, 2, 1)]
        paid = await racing.fetch("SELECT level, count(*) FROM season_pass_reward_log GROUP BY level ORDER BY level")
        assert paid == [(1, players), (2, players)]
        receipts = [answer for answer in answers if answer["__typename"] == "StampPayload"]
        assert {(receipt["currentXp"], len(receipt["rewards"])) for receipt in receipts} == {(150, 2)}


async def test_a_stamp_and_plays_are_one_stamp(empty_database: str) -> None:
    async with race(empty_database, workers=2, seed=SEED) as racing:
        racers = await racing.players(50)
        requests = []
        for racer in racers:
            requests += [racing.of(racer).stamp(key=f"s{number}") for number in range(4)]
            requests += [racing.of(racer).play(key=f"p{number}") for number in range(4)]
        answers = await racing.run(requests)
        outcomes(answers)
        added = Counter(
            answer.get("addedStamp", (answer.get("seasonPass") or {}).get("addedStamp", 0)) for answer in answers
        )
        assert added[1] == len(racers)
        stamps = await racing.fetch(
            "SELECT count(*), count(DISTINCT s.user_id), bool_and(p.current_xp = s.xp_earned)"
            " FROM season_pass_stamp_log s JOIN season_pass_progress p ON p.user_id = s.user_id"
        )
        assert stamps == [(len(racers), len(racers), True)]


@pytest.mark.parametrize("by", ["stamp", "play"])
async def test_levels_that_are_crossed_while_claims_race_are_paid_once(empty_database: str, by: str) -> None:
    async with race(empty_database, workers=2, seed=SEED) as racing:
        await levels(racing.world, *STEPS, base_xp=130)  # 180 XP by a stamp, 150 by a play: levels 1 to 4
        racers = await racing.players(100)
        manual = [level for level, (xp, auto) in enumerate(STEPS, start=1) if not auto and xp <= 150]
        requests = []
        for racer in racers:
            requests.append(racing.of(racer).stamp(key="s") if by == "stamp" else racing.of(racer).play(key="s"))
            requests += [
                racing.of(racer).claim(level, key=f"{level} {number}") for level in manual for number in range(8)
            ]
        answers = await racing.run(requests)
        first = outcomes(answers)
        assert first["StampPayload"] + first["DicePlay"] == len(racers)
        after = await racing.run(
            racing.of(racer).claim(level, key=f"again {level} {number}")
            for racer in racers
            for level in manual
            for number in range(2)
        )
        assert first["ClaimRewardPayload"] + outcomes(after)["ClaimRewardPayload"] == len(racers) * len(manual)
        logs = await racing.fetch(
            "SELECT user_id, array_agg(level ORDER BY level) FROM season_pass_reward_log GROUP BY 1 ORDER BY 1"
        )
        assert logs == sorted((racer[0].player_id, [1, 2, 3, 4]) for racer in racers)
        paid = await racing.fetch(
            "SELECT DISTINCT sum(amount), count(*) FROM reward_ledger WHERE cause = 'SEASON_LEVEL' GROUP BY user_id"
        )
        assert paid == [(10 + 20 + 30 + 40, 4)]
        reached = "SELECT DISTINCT current_level, total_stamps FROM season_pass_progress"
        assert await racing.fetch(reached) == [(4, 1)]
