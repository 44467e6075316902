"""A play: what its key stands for, its number, and what a day's plays are decided by."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
import orjson
import pytest

from models import DiceLog, FeatureType, UserEvent
from services.answers import Played
from services.errors import InvalidFeatureSchedule, NoFeatureToday, RevisionConflict
from services.request_errors import Unauthenticated, Unavailable
from services.rules.dice import FOUR_DICE
from services.rules.draws import message_of, roll
from services.rules.play import Action, Claim, Play, Stamp, decide, feature_on, turns_of
from services.rules.state import Effects, State
from tests.unit import rules
from tests.unit.rules import NOW, PLAYER, TODAY

DICE, RANKING = FeatureType.DICE, FeatureType.RANKING
HOUR = dt.timedelta(hours=1)


def dice_state(**changes: Any) -> State:
    return rules.state(rules.day(DICE, game=rules.dice(**changes)), rules.player())


def test_a_key_stands_for_the_operation_and_its_input() -> None:
    actions: list[tuple[Action[Any], str, FeatureType | None]] = [
        (Play(PLAYER, "k", DICE), "play:DICE", DICE),
        (Play(PLAYER, "k", DICE, 0), "play:DICE:0", DICE),
        (Play(PLAYER, "k", DICE, 7), "play:DICE:7", DICE),
        (Stamp(PLAYER, "k", DICE), "stamp:DICE", None),
        (Claim(PLAYER, "k", 7), "claim:7", None),
    ]
    assert [(action.request, action.game) for action, _, _ in actions] == [(said, game) for _, said, game in actions]
    nothing: Action[Any] = Action(PLAYER, "k")
    with pytest.raises(NotImplementedError):
        _ = nothing.request


def played(state: State, effects: Effects, key: str, expected: int | None = None) -> Played:
    answer = decide(Play(PLAYER, key, DICE, expected), NOW, state, effects)
    assert isinstance(answer, Played)
    return answer


def test_a_play_has_one_number_wherever_it_is_told() -> None:
    state, effects = dice_state(limit=5), rules.effects()
    state.players[PLAYER].used[DICE] = 2
    answers = [played(state, effects, key, expected) for key, expected in (("a", None), ("b", 3), ("c", None))]
    assert [(answer.daily_limit.used, answer.daily_limit.max) for answer in answers] == [(3, 5), (4, 5), (5, 5)]
    assert [(row["play_no"], row["daily_max"], row["id"]) for row in effects.rows[DiceLog]] == [
        (number, 5, answer.id) for number, answer in zip((3, 4, 5), answers, strict=True)
    ]
    for number, row in zip((3, 4, 5), effects.rows[DiceLog], strict=True):
        message = message_of(TODAY, "playDice", rules.dice().hash, PLAYER, number)
        assert row["rolls"] == roll(rules.seed().stream(message), FOUR_DICE)
    told = [orjson.loads(row["meta_json"]) for row in effects.rows[UserEvent]]
    assert [(meta["playNo"], meta["playId"], meta["revisionId"]) for meta in told] == [
        (number, str(answer.id), 7) for number, answer in zip((3, 4, 5), answers, strict=True)
    ]
    assert state.players[PLAYER].used == {DICE: 5}
    said = zip("abc", ("play:DICE", "play:DICE:3", "play:DICE"), answers, strict=True)
    assert effects.answers == [(PLAYER, key, request, answer, NOW) for key, request, answer in said]


@pytest.mark.parametrize("expected", [0, 2, 4])
def test_a_revision_that_the_player_did_not_see_is_not_played(expected: int) -> None:
    effects = rules.effects()
    with pytest.raises(RevisionConflict) as refused:
        played(dice_state(), effects, "k", expected)
    assert refused.value.current_revision == 3
    assert effects.is_empty


def test_without_a_seed_nothing_is_drawn_and_without_a_player_nothing_decided() -> None:
    state, effects = dice_state(), rules.effects()
    state.seed = None
    with pytest.raises(Unavailable):
        played(state, effects, "k")
    assert (effects.is_empty, state.players[PLAYER].used) == (True, {})
    state.players.clear()
    with pytest.raises(Unauthenticated):
        played(state, effects, "k")


def test_what_is_on_is_told_where_it_can_be_played() -> None:
    day = rules.day(DICE, game=rules.dice())
    assert feature_on(rules.state(day), NOW) == day.features[DICE]
    with pytest.raises(InvalidFeatureSchedule):
        feature_on(rules.state(day), NOW - HOUR)
    with pytest.raises(InvalidFeatureSchedule):
        feature_on(dice_state(win_reward_amount=-1), NOW)
    assert feature_on(rules.state(rules.day(RANKING)), NOW).feature_type is RANKING
    with pytest.raises(NoFeatureToday):
        feature_on(rules.state(rules.day(None)), NOW)


def test_a_day_s_turns_are_those_of_its_game() -> None:
    later = [rules.dice(effective_from=NOW + hours * HOUR) for hours in (0, 2, 11, 12)]
    day = rules.day(DICE, game=later)
    assert turns_of(day, NOW) == [NOW + 2 * HOUR, NOW + 11 * HOUR]
    assert turns_of(msgspec.structs.replace(day, scheduled=None), NOW) == []
    assert turns_of(rules.day(RANKING, game=later), NOW) == []
