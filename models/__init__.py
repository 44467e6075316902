"""Tables and constraints. Every rule that a constraint can hold, a named constraint holds."""

from models.audit import AuditEntry
from models.base import LAST_DATE, MAX_AMOUNT, MAX_SAFE_INTEGER, MAX_STAMP_XP, Base
from models.dice import DiceConfig, DiceLog
from models.enums import BALANCE_TYPES, DiceOutcome, EventName, FeatureType, RewardCause, RewardType, Role
from models.features import FeatureConfig, FeatureSchedule
from models.games import MAX_DAILY_PLAYS
from models.lottery import MAX_PRIZES, LotteryConfig, LotteryLog, LotteryPrize
from models.players import IdempotencyKey, Player, UserEvent
from models.ranking import MAX_RANKING_ROWS, RankingDaily, RankingRevision
from models.rewards import CouponCode, CouponWaiting, RewardBalance, RewardEntry
from models.roulette import RouletteConfig, RouletteLog, RouletteSegment
from models.season_pass import (
    MAX_LEVELS,
    MAX_SEASON_DAYS,
    Season,
    SeasonLevel,
    SeasonProgress,
    SeasonReward,
    SeasonStamp,
)

__all__ = [
    "BALANCE_TYPES",
    "LAST_DATE",
    "MAX_AMOUNT",
    "MAX_DAILY_PLAYS",
    "MAX_LEVELS",
    "MAX_PRIZES",
    "MAX_RANKING_ROWS",
    "MAX_SAFE_INTEGER",
    "MAX_SEASON_DAYS",
    "MAX_STAMP_XP",
    "AuditEntry",
    "Base",
    "CouponCode",
    "CouponWaiting",
    "DiceConfig",
    "DiceLog",
    "DiceOutcome",
    "EventName",
    "FeatureConfig",
    "FeatureSchedule",
    "FeatureType",
    "IdempotencyKey",
    "LotteryConfig",
    "LotteryLog",
    "LotteryPrize",
    "Player",
    "RankingDaily",
    "RankingRevision",
    "RewardBalance",
    "RewardCause",
    "RewardEntry",
    "RewardType",
    "Role",
    "RouletteConfig",
    "RouletteLog",
    "RouletteSegment",
    "Season",
    "SeasonLevel",
    "SeasonProgress",
    "SeasonReward",
    "SeasonStamp",
    "UserEvent",
]
