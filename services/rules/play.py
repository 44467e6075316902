"""Deciding players' commands: a pure function of the command, the state it finds, and a random source."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from random import Random
from typing import Any, Generic, TypeVar

from models import EventName, FeatureType
from services.answers import Answer, DailyLimit, LevelReward, Played, StampReceipt, mark_replayed, replay
from services.errors import (
    DailyLimitReached,
    IdempotencyKeyReused,
    InvalidFeatureSchedule,
    NoActiveSeason,
    NoFeatureToday,
    Unauthenticated,
    UserBlocked,
)
from services.rules import season_pass
from services.rules.day import Day, SeasonRules
from services.rules.game import Game
from services.rules.registry import GAMES
from services.rules.rewards import grant
from services.rules.state import Effects, PlayerState, State

AnswerT = TypeVar("AnswerT", bound=Answer)


@dataclass(frozen=True, slots=True)
class Action(Generic[AnswerT]):
    """A player's command: who, with which key, and the instant and business date at which it started."""

    user_id: int
    key: str
    now: dt.datetime
    date: dt.date

    @property
    def request(self) -> str:
        """The operation with its input: what a key may not be used for again with a difference."""
        raise NotImplementedError

    @property
    def game(self) -> FeatureType | None:
        """The game whose plays of the day the decision needs to know."""
        return None


@dataclass(frozen=True, slots=True)
class Play(Action[Played]):
    """Play a chance game."""

    feature: FeatureType

    @property
    def request(self) -> str:
        """The game."""
        return f"play:{self.feature}"

    @property
    def game(self) -> FeatureType:
        """The game itself."""
        return self.feature


@dataclass(frozen=True, slots=True)
class Stamp(Action[StampReceipt]):
    """Stamp the season pass for today."""

    source: FeatureType

    @property
    def request(self) -> str:
        """The source."""
        return f"stamp:{self.source}"


@dataclass(frozen=True, slots=True)
class Claim(Action[LevelReward]):
    """Claim a level's reward."""

    level: int

    @property
    def request(self) -> str:
        """The level."""
        return f"claim:{self.level}"


def decide(action: Action[Any], state: State, rng: Random, effects: Effects) -> Answer:
    """Decide one command: its answer, with what it changes noted in `state` and `effects`; a refusal changes nothing.

    Raises: Unauthenticated (no such player), IdempotencyKeyReused, UserBlocked, then what the command's rules raise.
    """
    player = state.players.get(action.user_id)
    if player is None:
        raise Unauthenticated
    earlier = player.earlier.get(action.key)
    if earlier is not None:
        if earlier.request != action.request:
            raise IdempotencyKeyReused
        return replay(earlier.answer) if isinstance(earlier.answer, str) else mark_replayed(earlier.answer)
    if player.is_blocked:
        raise UserBlocked
    answer = _apply(action, player, state, rng, effects)
    effects.keep_answer(player, action.key, action.request, answer, action.now)
    return answer


def _apply(
    action: Action[Any], player: PlayerState, state: State, rng: Random, effects: Effects
) -> Played | StampReceipt | LevelReward:
    match action:
        case Play(feature=feature, now=now):
            return play(GAMES[feature], player, state, rng, now=now, effects=effects)
        case Stamp(source=source, now=now):
            return season_pass.stamp(player, state.day, source, now=now, effects=effects)
        case Claim(level=level, now=now):
            return season_pass.claim(player, state.day, level, now=now, effects=effects)
    raise NotImplementedError


def play(
    game: Game[Any], player: PlayerState, state: State, rng: Random, *, now: dt.datetime, effects: Effects
) -> Played:
    """Play a game once: check everything, draw, then apply.

    Raises: NoFeatureToday, the game's INVALID_*_CONFIG, DailyLimitReached, NoActiveSeasonConflict, InvalidSeasonConfig,
    OutOfStock.
    """
    day = state.day
    rules = rules_today(game, day)
    used = player.used.get(game.feature, 0)
    limit = DailyLimit(rules.daily_max, used, day.ends_at)
    if limit.reached:
        raise DailyLimitReached(limit)
    season = season_of(day)
    drawn = game.draw(rules, state.stocks, rng)

    play_id = effects.new_id(now)
    player.used[game.feature] = used + 1
    if drawn.takes is not None:
        effects.drawn[drawn.takes] += 1
    effects.insert(
        game.log,
        user_id=player.id,
        id=play_id,
        business_date=day.date,
        play_no=used + 1,
        daily_max=rules.daily_max,
        reward_type=drawn.reward.type,
        reward_amount=drawn.reward.amount,
        coupon_type=drawn.reward.coupon_type,
        created_at=now,
        **drawn.columns,
    )
    meta = {"playId": play_id, "playNo": used + 1, "revisionId": rules.id, "drawn": drawn.facts, "reward": drawn.reward}
    effects.event(player, EventName.PLAY, game.feature, date=day.date, now=now, meta=meta)
    reward = grant(player, drawn.reward, game.cause, play_id, now=now, effects=effects)
    receipt = season_pass.stamp_by_play(player, day, season, game.feature, play_id=play_id, now=now, effects=effects)
    return Played(
        id=play_id,
        business_date=day.date,
        played_at=now,
        reward=reward,
        daily_limit=DailyLimit(rules.daily_max, used + 1, day.ends_at),
        season_pass=receipt,
        drawn=drawn.facts,
    )


def rules_today(game: Game[Any], day: Day) -> Any:
    """The rules of `game` today.

    Raises: NoFeatureToday when something else is on, the game's INVALID_*_CONFIG when its configuration is broken.
    """
    if day.feature().feature_type is not game.feature:
        raise NoFeatureToday
    return game.rules(day.game)


def check_schedule(day: Day) -> None:
    """Check that what is on today can be played.

    Raises: NoFeatureToday, InvalidFeatureSchedule when today's game has no valid active configuration.
    """
    game = GAMES.get(day.feature().feature_type)
    if game is not None:
        try:
            game.rules(day.game)
        except game.invalid as broken:
            raise InvalidFeatureSchedule from broken


def season_of(day: Day) -> SeasonRules | None:
    """The season that is on, or none. Raises: NoActiveSeasonConflict, InvalidSeasonConfig."""
    try:
        return day.season()
    except NoActiveSeason:
        return None
