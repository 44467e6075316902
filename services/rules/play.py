"""Deciding players' commands: a pure function of the command and the state it finds, a seed to draw from included."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

from models import EventName, FeatureType
from services.answers import Answer, Claimed, DailyLimit, Played, Stamped, mark_replayed, replay, without_labels
from services.errors import (
    DailyLimitReached,
    IdempotencyKeyReused,
    InvalidFeatureSchedule,
    NoActiveSeason,
    RevisionConflict,
    UserBlocked,
)
from services.request_errors import Unauthenticated, Unavailable
from services.rules import season_pass
from services.rules.day import Day, Feature, SeasonRules
from services.rules.draws import message_of
from services.rules.game import Drawn, Game
from services.rules.registry import GAMES, game_of
from services.rules.rewards import grant, require_room
from services.rules.state import Effects, PlayerState, State
from services.rules.windows import turns

AnswerT = TypeVar("AnswerT", bound=Answer)


@dataclass(frozen=True, slots=True)
class Action(Generic[AnswerT]):
    """A player's command: who, and with which key."""

    user_id: UUID
    key: str

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
    expected_revision: int | None = None
    """The revision that the player saw; None: whichever is played."""

    @property
    def request(self) -> str:
        """The game, and the revision where one is expected."""
        return f"play:{self.feature}" + (f":{self.expected_revision}" if self.expected_revision is not None else "")

    @property
    def game(self) -> FeatureType:
        """The game itself."""
        return self.feature


@dataclass(frozen=True, slots=True)
class Stamp(Action[Stamped]):
    """Stamp the season pass for today."""

    source: FeatureType

    @property
    def request(self) -> str:
        """The source."""
        return f"stamp:{self.source}"


@dataclass(frozen=True, slots=True)
class Claim(Action[Claimed]):
    """Claim a level's reward."""

    level: int

    @property
    def request(self) -> str:
        """The level."""
        return f"claim:{self.level}"


def decide(action: Action[Any], now: dt.datetime, state: State, effects: Effects) -> Answer:
    """Decide one command of `now`: its answer, with what it changes noted in `state` and `effects`.

    A refusal changes nothing.

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
    answer = _apply(action, player, state, now=now, effects=effects)
    effects.keep_answer(player, action.key, action.request, answer, now)
    return answer


def _apply(action: Action[Any], player: PlayerState, state: State, *, now: dt.datetime, effects: Effects) -> Answer:
    match action:
        case Play(feature=feature, expected_revision=expected):
            return play(GAMES[feature], player, state, expected_revision=expected, now=now, effects=effects)
        case Stamp(source=feature):
            return Stamped(season_pass.stamp(player, state.day, feature, now=now, effects=effects))
        case Claim(level=level):
            return Claimed(season_pass.claim(player, state.day, level, now=now, effects=effects))
    raise NotImplementedError


def play(
    game: Game[Any, Any],
    player: PlayerState,
    state: State,
    *,
    expected_revision: int | None = None,
    now: dt.datetime,
    effects: Effects,
) -> Played:
    """Play a game once: check everything, draw, then apply.

    Raises: NoFeatureToday, the game's INVALID_*_CONFIG, RevisionConflict, DailyLimitReached, NoActiveSeasonConflict,
    InvalidSeasonConfig, Unavailable (there is no seed to draw from), OutOfStock, BalanceOutOfBounds.
    """
    day = state.day
    rules = rules_at(game, state, now)
    if expected_revision not in {None, rules.revision}:
        raise RevisionConflict(rules.revision)
    used = player.used.get(game.feature, 0)
    limit = DailyLimit(rules.daily_max, used, day.ends_at)
    if limit.reached:
        raise DailyLimitReached(limit)
    season = season_of(day)
    drawn = _draw(game, rules, player, state, used + 1)
    require_room(player, [drawn.reward, *season_pass.rewards_of_stamp(player, day, season, game.feature)])

    play_id = effects.new_id(now)
    player.used[game.feature] = used + 1
    _take(game, drawn, state, effects)
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
        drawn_from=drawn.drawn_from,
        rolls=drawn.rolls,
        created_at=now,
        **drawn.columns,
    )
    told = without_labels(drawn.facts)  # every play has an event: what the revision tells in every language stays there
    meta = {"playId": play_id, "playNo": used + 1, "revisionId": rules.id, "drawn": told, "reward": drawn.reward}
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


def _draw(game: Game[Any, Any], rules: Any, player: PlayerState, state: State, play_no: int) -> Drawn:
    """Draw what this play of the player had to draw, whoever decides it, and however often."""
    if state.seed is None:
        raise Unavailable
    message = message_of(state.day.date, game.operation, rules.hash, player.id, play_no)
    drawn: Drawn = game.draw(rules, state.stocks, state.seed.stream(message))
    return drawn


def _take(game: Game[Any, Any], drawn: Drawn, state: State, effects: Effects) -> None:
    """Take what was drawn, and number the draw where one may take what another would have drawn."""
    effects.seed = state.seed
    if game.is_numbered:
        drawn.columns["draw_no"] = effects.number(state.stocks)
    if drawn.takes is not None:
        state.stocks[drawn.takes] -= 1
        effects.drawn[drawn.takes] += 1


def rules_at(game: Game[Any, Any], state: State, instant: dt.datetime) -> Any:
    """The rules of `game` at an instant of the state's day.

    Raises: NoFeatureToday when something else is on, the game's INVALID_*_CONFIG when its configuration is broken.
    """
    day = state.day
    if day.feature().feature_type is not game.feature:
        raise day.no_feature()
    return game.rules(day.game, instant, state.stocks)


def feature_on(state: State, instant: dt.datetime) -> Feature:
    """What is on at an instant of the state's day, and can be played.

    Raises: NoFeatureToday, InvalidFeatureSchedule when the day's game has no valid configuration at that instant.
    """
    feature = state.day.feature()
    game = GAMES.get(feature.feature_type)
    if game is not None:
        try:
            game.rules(state.day.game, instant, state.stocks)
        except game.invalid as broken:
            raise InvalidFeatureSchedule from broken
    return feature


def turns_of(day: Day, instant: dt.datetime) -> list[dt.datetime]:
    """The instants later on the day at which its game may be played by another revision."""
    game = game_of(day)
    return [] if game is None else turns(game.revisions(day.game), instant, day.ends_at)


def season_of(day: Day) -> SeasonRules | None:
    """The season that is on, or none. Raises: NoActiveSeasonConflict, InvalidSeasonConfig."""
    try:
        return day.season()
    except NoActiveSeason:
        return None
