"""The season pass: stamps, XP, levels, claims."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
import pytest

from models import FeatureType, RewardCause, RewardEntry, RewardType, SeasonReward, SeasonStamp, UserEvent
from services.answers import Reward
from services.errors import (
    AlreadyStampedToday,
    AutoClaimLevel,
    DomainError,
    InvalidSeasonConfig,
    InvalidStampSource,
    LevelNotFound,
    LevelNotReached,
    NoActiveSeason,
    NoActiveSeasonConflict,
    RewardAlreadyClaimed,
)
from services.rules.day import Day, Level
from services.rules.season_pass import claim, rewards_of_stamp, stamp, stamp_by_play
from services.rules.state import Effects, PlayerState, Progress
from tests.unit import rules
from tests.unit.rules import NOW

SEASON_PASS, DICE = FeatureType.SEASON_PASS, FeatureType.DICE
ONE_BELOW = (Level(1, 1, True, RewardType.POINT, 0, None), Level(2, 2, True, RewardType.POINT, -1, None))
LEVELS = [(100, True), (150, False), (220, True), (221, False)]


def a_day(levels: list[tuple[int, bool]] | None = None, **changes: Any) -> Day:
    season = rules.season(LEVELS if levels is None else levels, **{"base_xp": 100} | changes)
    return rules.day(seasons=[season], bonus=20, pass_bonus=50)


def refuse(day: Day, player: PlayerState, source: FeatureType, error: type[DomainError]) -> None:
    effects = rules.effects()
    with pytest.raises(error):
        stamp(player, day, source, now=NOW, effects=effects)
    assert not effects.rows
    assert not effects.progress


@pytest.mark.parametrize(("source", "bonus"), [(SEASON_PASS, 50), (DICE, 20)])
def test_a_stamp_earns_the_base_and_the_source_s_bonus(source: FeatureType, bonus: int) -> None:
    player, effects = rules.player(), rules.effects()
    receipt = stamp(player, a_day([(10_000, True)]), source, now=NOW, effects=effects)
    assert (receipt.added_stamp, receipt.xp_added, receipt.current_xp) == (1, 100 + bonus, 100 + bonus)
    assert (receipt.current_level, receipt.leveled_up, receipt.rewards) == (0, False, [])
    (row,) = effects.rows[SeasonStamp]
    assert (row["xp_earned"], row["source_feature"], row["date"]) == (100 + bonus, source, rules.TODAY)
    assert player.progress is not None
    assert (row["progress_id"], player.stamped) == (player.progress.id, True)
    assert [row["event_name"] for row in effects.rows[UserEvent]] == ["SEASON_PASS_STAMP"]


def test_one_stamp_climbs_several_levels_and_pays_those_that_claim_themselves() -> None:
    player, effects = rules.player(), rules.effects()
    receipt = stamp(player, a_day(base_xp=200), DICE, now=NOW, effects=effects)  # 220 XP: levels 1, 2 and 3
    assert (receipt.current_level, receipt.leveled_up) == (3, True)
    assert [(reward.level, reward.reward.amount, reward.reward.balance) for reward in receipt.rewards] == [
        (1, 1, 1),
        (3, 3, 4),
    ]
    assert player.claimed == {1: NOW, 3: NOW}
    assert [row["level"] for row in effects.rows[SeasonReward]] == [1, 3]
    (stamped,) = effects.rows[SeasonStamp]
    assert {row["stamp_id"] for row in effects.rows[SeasonReward]} == {stamped["id"]}
    assert [(row["cause"], row["cause_id"]) for row in effects.rows[RewardEntry]] == [
        (RewardCause.SEASON_LEVEL, row["id"]) for row in effects.rows[SeasonReward]
    ]
    assert [row["event_name"] for row in effects.rows[UserEvent]] == ["SEASON_PASS_STAMP", "SEASON_PASS_LEVEL_UP"]


@pytest.mark.parametrize(
    ("xp", "level"), [(0, 0), (99, 0), (100, 1), (149, 1), (150, 2), (219, 2), (220, 3), (221, 4), (10**9, 4)]
)
def test_a_level_is_reached_exactly_at_its_xp(xp: int, level: int) -> None:
    assert rules.season(LEVELS).level_at(xp) == level


def test_a_first_level_may_cost_nothing() -> None:
    receipt = stamp(rules.player(), a_day([(0, True)], base_xp=0), DICE, now=NOW, effects=rules.effects())
    assert (receipt.current_level, len(receipt.rewards)) == (1, 1)


@pytest.mark.parametrize(
    ("xp", "due"), [(None, [1, 2]), (0, [1, 2]), (1, [1, 2, 3]), (30, [1, 2, 3]), (879, [1, 2, 3]), (880, [1, 2, 3, 5])]
)
def test_what_a_stamp_will_bring_is_what_it_brings(xp: int | None, due: list[int]) -> None:
    player, day = rules.player(), a_day([(100, True), (120, True), (121, True), (150, False), (1000, True)])
    if xp is not None:
        player.progress = Progress(UUID(int=3), xp)
    expected = list(rewards_of_stamp(player, day, day.season(), DICE))
    assert [reward.amount for reward in expected] == due
    receipt = stamp(player, day, DICE, now=NOW, effects=rules.effects())
    assert [(reward.level, reward.reward.amount) for reward in receipt.rewards] == [(one, one) for one in due]
    player.claimed.clear()  # levels were made automatic since
    assert list(rewards_of_stamp(player, day, day.season(), DICE)) == []
    assert list(rewards_of_stamp(rules.player(), rules.day(), None, DICE)) == []


def test_a_source_that_is_not_configured_adds_nothing() -> None:
    day = msgspec.structs.replace(a_day(), features={})
    receipt = stamp(rules.player(), day, SEASON_PASS, now=NOW, effects=rules.effects())
    assert (receipt.xp_added, day.stamp_bonus(DICE)) == (100, 0)


def test_a_level_is_claimed_once_and_only_when_it_is_reached() -> None:
    player, effects, day = rules.player(), rules.effects(), a_day(base_xp=130)  # 150 XP
    with pytest.raises(LevelNotReached):
        claim(player, day, 2, now=NOW, effects=effects)
    stamp(player, day, DICE, now=NOW, effects=effects)
    claimed = claim(player, day, 2, now=NOW, effects=effects)
    assert (claimed.level, claimed.claimed_at, claimed.reward.amount, claimed.reward.balance) == (2, NOW, 2, 3)
    assert effects.rows[SeasonReward][-1]["stamp_id"] is None
    assert effects.rows[UserEvent][-1]["event_name"] == "REWARD_CLAIM"
    before = len(effects.rows[RewardEntry])
    for level, error in (
        (2, RewardAlreadyClaimed),
        (1, AutoClaimLevel),
        (3, LevelNotReached),
        (4, LevelNotReached),
        (5, LevelNotFound),
        (0, LevelNotFound),
        (-1, LevelNotFound),
    ):
        with pytest.raises(error):
            claim(player, day, level, now=NOW, effects=effects)
    assert len(effects.rows[RewardEntry]) == before


def test_a_level_that_is_worth_nothing_is_logged_but_not_granted() -> None:
    nothing = Reward(RewardType.NONE, 0)
    player, effects = rules.player(), rules.effects()
    day = a_day([(100, True), (110, False)], base_xp=100, reward=nothing)
    stamp(player, day, DICE, now=NOW, effects=effects)
    claim(player, day, 2, now=NOW, effects=effects)
    assert [row["level"] for row in effects.rows[SeasonReward]] == [1, 2]
    assert not effects.rows[RewardEntry]


def test_a_day_is_stamped_once() -> None:
    player, day = rules.player(), a_day()
    stamp(player, day, SEASON_PASS, now=NOW, effects=rules.effects())
    refuse(day, player, SEASON_PASS, AlreadyStampedToday)
    refuse(day, player, DICE, AlreadyStampedToday)


@pytest.mark.parametrize("source", [FeatureType.ROULETTE, FeatureType.LOTTERY, FeatureType.RANKING])
def test_a_source_is_the_season_pass_or_what_is_on(source: FeatureType) -> None:
    refuse(a_day(), rules.player(), source, InvalidStampSource)


def test_with_nothing_on_only_the_season_pass_is_a_source() -> None:
    day = rules.day(None, seasons=[rules.season(LEVELS)])
    refuse(day, rules.player(), DICE, InvalidStampSource)
    assert stamp(rules.player(), day, SEASON_PASS, now=NOW, effects=rules.effects()).added_stamp == 1


def test_without_a_season_there_is_no_stamp() -> None:
    refuse(rules.day(), rules.player(), SEASON_PASS, NoActiveSeason)
    with pytest.raises(NoActiveSeason):
        claim(rules.player(), rules.day(), 1, now=NOW, effects=rules.effects())
    play = UUID(int=1)
    assert (
        stamp_by_play(rules.player(), rules.day(), None, DICE, play_id=play, now=NOW, effects=rules.effects()) is None
    )


def test_two_seasons_at_once_are_a_conflict() -> None:
    day = rules.day(seasons=[rules.season(LEVELS), rules.season(LEVELS)])
    refuse(day, rules.player(), SEASON_PASS, NoActiveSeasonConflict)


@pytest.mark.parametrize(
    "season",
    [
        rules.season([]),
        rules.season(LEVELS, max_level=5),
        rules.season([(100, True), (100, True)]),
        rules.season([(100, True), (99, True)]),
        rules.season(LEVELS, levels=rules.season(LEVELS).levels[::-1]),
        rules.season([(1, True)], reward=Reward(RewardType.POINT, -1)),
        rules.season([(1, True), (3, True), (2, True)]),
        rules.season([(1, True), (2, True)], levels=ONE_BELOW),
    ],
    ids=["no level", "a gap", "level", "falling", "out of order", "negative", "falling later", "one negative"],
)
def test_broken_levels_are_refused(season: Any) -> None:
    if not season.max_level:
        season = rules.season([(1, True)], levels=())
    refuse(rules.day(seasons=[season]), rules.player(), SEASON_PASS, InvalidSeasonConfig)


def test_a_play_on_a_stamped_day_adds_nothing() -> None:
    player, day, effects = rules.player(), a_day(), Effects(rules.effects()._ids)
    first = stamp(player, day, SEASON_PASS, now=NOW, effects=rules.effects())
    again = stamp_by_play(player, day, day.season(), DICE, play_id=UUID(int=1), now=NOW, effects=effects)
    assert again is not None
    assert (again.added_stamp, again.xp_added, again.leveled_up, again.rewards) == (0, 0, False, [])
    assert (again.current_xp, again.current_level) == (first.current_xp, first.current_level)
    assert not effects.rows


def test_a_play_stamps_with_the_play_s_id() -> None:
    player, day, effects = rules.player(), a_day(), rules.effects()
    receipt = stamp_by_play(player, day, day.season(), DICE, play_id=UUID(int=9), now=NOW, effects=effects)
    assert receipt is not None
    assert receipt.added_stamp == 1
    assert effects.rows[SeasonStamp][0]["play_id"] == UUID(int=9)
