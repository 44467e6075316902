"""The season pass: stamps, XP, levels, and the rewards of levels."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from uuid import UUID

from models import EventName, FeatureType, RewardCause, SeasonReward, SeasonStamp
from services.answers import LevelReward, Reward, StampReceipt
from services.errors import (
    AlreadyStampedToday,
    AutoClaimLevel,
    InvalidStampSource,
    LevelNotFound,
    LevelNotReached,
    NoFeatureToday,
    RewardAlreadyClaimed,
)
from services.rules.day import Day, Level, SeasonRules
from services.rules.rewards import grant, require_room
from services.rules.state import Effects, PlayerState, Progress


def stamp(player: PlayerState, day: Day, source: FeatureType, *, now: dt.datetime, effects: Effects) -> StampReceipt:
    """Stamp the day.

    Raises: NoActiveSeason, NoActiveSeasonConflict, InvalidSeasonConfig, InvalidStampSource, AlreadyStampedToday,
    BalanceOutOfBounds.
    """
    season = day.season()
    if source is not FeatureType.SEASON_PASS and source is not _feature_today(day):
        raise InvalidStampSource
    if player.stamped:
        raise AlreadyStampedToday
    require_room(player, rewards_of_stamp(player, day, season, source))
    return add_stamp(player, day, season, source, play_id=None, now=now, effects=effects)


def stamp_by_play(
    player: PlayerState,
    day: Day,
    season: SeasonRules | None,
    source: FeatureType,
    *,
    play_id: UUID,
    now: dt.datetime,
    effects: Effects,
) -> StampReceipt | None:
    """Stamp the day by a play, where a season is on and the day is not stamped yet."""
    if season is None:
        return None
    if player.stamped:
        progress = player.progress
        assert progress is not None  # a stamp of today belongs to this season's progress
        return StampReceipt(0, 0, progress.current_xp, progress.current_level, leveled_up=False, rewards=[])
    return add_stamp(player, day, season, source, play_id=play_id, now=now, effects=effects)


def add_stamp(
    player: PlayerState,
    day: Day,
    season: SeasonRules,
    source: FeatureType,
    *,
    play_id: UUID | None,
    now: dt.datetime,
    effects: Effects,
) -> StampReceipt:
    """Add today's stamp and its XP, climb the levels that it reaches, and grant those that claim themselves."""
    if player.progress is None:
        player.progress = Progress(effects.new_id(now))
    progress, before = player.progress, player.progress.current_level
    xp = season.base_xp_per_stamp + day.stamp_bonus(source)
    progress.current_xp += xp
    progress.current_level = season.level_at(progress.current_xp)
    progress.total_stamps += 1
    progress.last_stamp_date = max(progress.last_stamp_date or day.date, day.date)
    player.stamped = True
    effects.progress[player.id] = (player, season.id, now)
    stamp_id = effects.new_id(now)
    effects.insert(
        SeasonStamp,
        user_id=player.id,
        id=stamp_id,
        season_id=season.id,
        progress_id=progress.id,
        date=day.date,
        source_feature=source,
        play_id=play_id,
        xp_earned=xp,
        xp_after=progress.current_xp,
        level_before=before,
        level_after=progress.current_level,
        created_at=now,
    )
    meta = {"stampId": stamp_id, "xpAdded": xp, "currentXp": progress.current_xp, "source": source, "playId": play_id}
    effects.event(player, EventName.SEASON_PASS_STAMP, FeatureType.SEASON_PASS, date=day.date, now=now, meta=meta)
    if progress.current_level > before:
        meta = {"stampId": stamp_id, "fromLevel": before, "toLevel": progress.current_level}
        effects.event(
            player, EventName.SEASON_PASS_LEVEL_UP, FeatureType.SEASON_PASS, date=day.date, now=now, meta=meta
        )
    rewards = [
        _give_level(player, season, level, stamp_id=stamp_id, now=now, effects=effects)
        for level in _automatic_levels(player, season, progress.current_level)
    ]
    return StampReceipt(1, xp, progress.current_xp, progress.current_level, progress.current_level > before, rewards)


def rewards_of_stamp(
    player: PlayerState, day: Day, season: SeasonRules | None, source: FeatureType
) -> Iterator[Reward]:
    """The rewards that today's stamp would bring; none where the day is stamped, or no season is on."""
    if season is not None and not player.stamped:
        xp = season.base_xp_per_stamp + day.stamp_bonus(source)
        reached = season.level_at(xp + (player.progress.current_xp if player.progress else 0))
        yield from (level.reward for level in _automatic_levels(player, season, reached))


def _automatic_levels(player: PlayerState, season: SeasonRules, reached: int) -> Iterator[Level]:
    """The levels up to `reached` whose rewards are due by themselves."""
    for level in season.levels:
        if level.auto_claim and level.level <= reached and level.level not in player.claimed:
            yield level


def claim(player: PlayerState, day: Day, level_no: int, *, now: dt.datetime, effects: Effects) -> LevelReward:
    """Claim a reached level's reward.

    A level that was made automatic after it was reached was never granted by itself: it can be claimed as well.

    Raises: NoActiveSeason, NoActiveSeasonConflict, InvalidSeasonConfig, LevelNotFound, LevelNotReached,
    AutoClaimLevel, RewardAlreadyClaimed, BalanceOutOfBounds.
    """
    season = day.season()
    level = next((level for level in season.levels if level.level == level_no), None)
    if level is None:
        raise LevelNotFound
    if player.progress is None or player.progress.current_level < level_no:
        raise LevelNotReached
    if level_no in player.claimed:
        raise AutoClaimLevel if level.auto_claim else RewardAlreadyClaimed
    require_room(player, [level.reward])
    reward = _give_level(player, season, level, stamp_id=None, now=now, effects=effects)
    meta = {"level": level_no, "reward": level.reward}
    effects.event(player, EventName.REWARD_CLAIM, FeatureType.SEASON_PASS, date=day.date, now=now, meta=meta)
    return reward


def _give_level(
    player: PlayerState,
    season: SeasonRules,
    level: Level,
    *,
    stamp_id: UUID | None,
    now: dt.datetime,
    effects: Effects,
) -> LevelReward:
    """Log the level's reward as claimed, and grant it."""
    assert player.progress is not None
    log_id = effects.new_id(now)
    effects.insert(
        SeasonReward,
        user_id=player.id,
        id=log_id,
        season_id=season.id,
        progress_id=player.progress.id,
        level=level.level,
        stamp_id=stamp_id,
        reward_type=level.reward_type,
        reward_amount=level.reward_amount,
        coupon_type=level.coupon_type,
        created_at=now,
    )
    player.claimed[level.level] = now
    granted = grant(player, level.reward, RewardCause.SEASON_LEVEL, log_id, now=now, effects=effects)
    return LevelReward(level.level, granted, now)


def _feature_today(day: Day) -> FeatureType | None:
    """What is on, if anything."""
    try:
        return day.feature().feature_type
    except NoFeatureToday:
        return None
