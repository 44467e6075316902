"""The season pass."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

import strawberry

from models import FeatureType
from schema.described import described
from schema.enums import LevelRewardState
from schema.nodes import Kind, Node, node_id
from schema.rewards import GrantedReward, RewardSpec
from schema.staff import StaffPayload
from services import answers
from services.rules.day import SeasonRules
from services.rules.state import Progress
from services.statuses import LevelStatus, SeasonStatus


@described
@strawberry.type
class SeasonLevelSpec:
    """A level of a season, as it is published."""

    level: int = strawberry.field(description="1, 2, 3, ...")
    required_xp: int = strawberry.field(description="XP that reaches it.")
    reward: RewardSpec = strawberry.field(description="What it is worth.")
    auto_claim: bool = strawberry.field(description="Whether the reward comes by itself when the level is reached.")


@described
@strawberry.type
class Season(Node):
    """A season: a range of days in which stamps are collected."""

    name: str = strawberry.field(description="What it is called; unique.")
    start_date: dt.date = strawberry.field(description="Its first day.")
    end_date: dt.date = strawberry.field(description="Its last day.")
    max_level: int = strawberry.field(description="The highest level.")
    base_xp_per_stamp: int = strawberry.field(description="XP of every stamp; a feature may add a bonus.")
    revision: int = strawberry.field(description="Rises with every change; `expectedRevision` of the next one.")
    levels: list[SeasonLevelSpec] = strawberry.field(description="All levels, from 1.")

    @classmethod
    def of(cls, season: SeasonRules) -> Season:
        """Convert."""
        return cls(
            id=node_id(Kind.SEASON, season.id),
            name=season.name,
            start_date=season.start_date,
            end_date=season.end_date,
            max_level=season.max_level,
            base_xp_per_stamp=season.base_xp_per_stamp,
            revision=season.revision,
            levels=[
                SeasonLevelSpec(
                    level=level.level,
                    required_xp=level.required_xp,
                    reward=RewardSpec.of(level.reward),
                    auto_claim=level.auto_claim,
                )
                for level in season.levels
            ],
        )


@described
@strawberry.type
class UpsertSeasonPayload(StaffPayload):
    """A season, as it was published."""

    season: Season | None = strawberry.field(description="The season as it is now; null in a dry run.")


@described
@strawberry.type
class SeasonProgress:
    """How far the caller has come in the season."""

    current_level: int = strawberry.field(description="The highest level reached; 0 before the first.")
    current_xp: int = strawberry.field(description="XP collected in the season.")
    total_stamps: int = strawberry.field(description="Days stamped in the season.")
    last_stamp_date: dt.date | None = strawberry.field(description="The last day stamped.")
    next_level_xp: int | None = strawberry.field(description="XP that reaches the next level; null at the last.")

    @classmethod
    def of(cls, progress: Progress | None, season: SeasonRules) -> SeasonProgress:
        """Convert; no progress yet is all zeros."""
        level = progress.current_level if progress else 0
        return cls(
            current_level=level,
            current_xp=progress.current_xp if progress else 0,
            total_stamps=progress.total_stamps if progress else 0,
            last_stamp_date=progress.last_stamp_date if progress else None,
            next_level_xp=season.levels[level].required_xp if level < len(season.levels) else None,
        )


@described
@strawberry.type
class SeasonLevel:
    """A level of the season, as it stands for the caller."""

    level: int = strawberry.field(description="1, 2, 3, ...")
    required_xp: int = strawberry.field(description="XP that reaches it.")
    reward: RewardSpec = strawberry.field(description="What it is worth.")
    auto_claim: bool = strawberry.field(description="Whether the reward comes by itself when the level is reached.")
    state: LevelRewardState = strawberry.field(description="How the reward stands for the caller.")
    claimed_at: dt.datetime | None = strawberry.field(description="When the caller got it.")

    @classmethod
    def of(cls, level: LevelStatus) -> SeasonLevel:
        """Convert."""
        reached = LevelRewardState.CLAIMABLE if level.is_reached else LevelRewardState.LOCKED
        return cls(
            level=level.level,
            required_xp=level.required_xp,
            reward=RewardSpec.of(level.reward),
            auto_claim=level.auto_claim,
            state=LevelRewardState.CLAIMED if level.claimed_at else reached,
            claimed_at=level.claimed_at,
        )


@described
@strawberry.type
class StampDay:
    """Whether a day is stamped."""

    date: dt.date = strawberry.field(description="The day.")
    stamped: bool = strawberry.field(description="Whether the caller has its stamp.")


@described
@strawberry.type
class SeasonPassStatus(Node):
    """The season that is on, as it stands for the caller."""

    season: Season = strawberry.field(description="The season.")
    progress: SeasonProgress = strawberry.field(description="How far the caller has come.")
    levels: list[SeasonLevel] = strawberry.field(description="All levels, from 1.")
    today: StampDay = strawberry.field(description="Today's stamp.")

    @classmethod
    def of(cls, status: SeasonStatus, player_id: UUID) -> SeasonPassStatus:
        """Convert."""
        return cls(
            id=node_id(Kind.SEASON_PASS_STATUS, player_id, status.season.id),
            season=Season.of(status.season),
            progress=SeasonProgress.of(status.progress, status.season),
            levels=[SeasonLevel.of(level) for level in status.levels],
            today=StampDay(date=status.date, stamped=status.is_stamped),
        )


@described
@strawberry.type
class LevelReward:
    """A level's reward, granted."""

    level: int = strawberry.field(description="The level.")
    reward: GrantedReward = strawberry.field(description="What was granted.")
    claimed_at: dt.datetime = strawberry.field(description="When.")

    @classmethod
    def of(cls, reward: answers.LevelReward) -> LevelReward:
        """Convert."""
        return cls(level=reward.level, reward=GrantedReward.of(reward.reward), claimed_at=reward.claimed_at)


@described
@strawberry.type
class StampReceipt:
    """What a stamp, or a play that may stamp, did to the season pass."""

    added_stamp: int = strawberry.field(description="1, or 0 when today was stamped already.")
    xp_added: int = strawberry.field(description="XP that this added.")
    current_xp: int = strawberry.field(description="XP after this.")
    current_level: int = strawberry.field(description="The level after this.")
    leveled_up: bool = strawberry.field(description="Whether this climbed one level or more.")
    rewards: list[LevelReward] = strawberry.field(
        description="Granted by this stamp: the auto-claim levels that it reached."
    )

    @classmethod
    def of(cls, receipt: answers.StampReceipt) -> StampReceipt:
        """Convert."""
        return cls(
            added_stamp=receipt.added_stamp,
            xp_added=receipt.xp_added,
            current_xp=receipt.current_xp,
            current_level=receipt.current_level,
            leveled_up=receipt.leveled_up,
            rewards=[LevelReward.of(reward) for reward in receipt.rewards],
        )


@described
@strawberry.input
class StampInput:
    """Stamp the season pass for today."""

    idempotency_key: str = strawberry.field(
        description="Unique per player and command: 1 to 128 printable ASCII characters. Retry with the same key."
    )
    source_feature: FeatureType = strawberry.field(
        default=FeatureType.SEASON_PASS, description="SEASON_PASS, or today's feature, whose bonus XP then counts."
    )


@described
@strawberry.input
class ClaimRewardInput:
    """Claim a level's reward."""

    idempotency_key: str = strawberry.field(
        description="Unique per player and command: 1 to 128 printable ASCII characters. Retry with the same key."
    )
    level: int = strawberry.field(description="The level whose reward is claimed.")
