"""What may be done to each table: the one place that says so.

From `RIGHTS` come the grants of the application's role and the triggers that hold everybody back, the owner too, as
well as what `haru db verify` expects of both. A new table is declared here; a test names the one that is not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from models.alarms import DrawAlarm, DrawTally, DrawWatch
from models.audit import AuditEntry
from models.base import Base
from models.dice import DiceConfig, DiceLog, DiceWithdrawal
from models.draws import DrawLeaves, DrawRoot, DrawSeed, SealedSeed
from models.features import FactRevision, FeatureConfig, FeatureSchedule
from models.lottery import (
    LotteryAdjustment,
    LotteryConfig,
    LotteryDay,
    LotteryLog,
    LotteryPrize,
    LotteryStock,
    LotteryWithdrawal,
)
from models.players import IdempotencyKey, Player, UserEvent
from models.ranking import RankingDaily, RankingRevision
from models.rewards import CouponCode, CouponWaiting, RewardBalance, RewardEntry
from models.roulette import RouletteConfig, RouletteLog, RouletteSegment, RouletteWithdrawal
from models.seals import LedgerSeal, LedgerSealLeaf
from models.season_pass import Season, SeasonLevel, SeasonProgress, SeasonReward, SeasonStamp


@dataclass(frozen=True)
class Rights:
    """What may be done to a table's rows, beside reading and adding them.

    `update`: the columns that may change. `once`: those that are filled in once, and then stay as they are. `delete`:
    rows may go. `pruned_by`: rows go by this function alone, which has bounds of its own and runs as the owner.
    """

    update: tuple[str, ...] = ()
    once: tuple[str, ...] = ()
    delete: bool = False
    pruned_by: str | None = None

    @property
    def is_append_only(self) -> bool:
        """Whether what is there stays as it is: triggers refuse all else, to everybody."""
        return not (self.update or self.delete)

    @property
    def changed(self) -> tuple[str, ...]:
        """The columns that the application may update."""
        return self.update + self.once

    @property
    def refused(self) -> tuple[str, ...]:
        """The statements that a trigger refuses."""
        if not self.is_append_only:
            return ()
        possible = {"UPDATE": bool(self.once), "DELETE": self.pruned_by is not None, "TRUNCATE": False}
        return tuple(statement for statement, is_possible in possible.items() if not is_possible)


APPEND_ONLY = Rights()

RIGHTS: Mapping[type[Base], Rights] = {
    # What happened
    AuditEntry: APPEND_ONLY,
    DiceLog: APPEND_ONLY,
    DrawAlarm: Rights(once=("closed_at",)),
    DrawLeaves: APPEND_ONLY,
    DrawRoot: APPEND_ONLY,
    DrawSeed: Rights(once=("seed", "revealed_at")),
    LedgerSeal: APPEND_ONLY,
    LedgerSealLeaf: APPEND_ONLY,
    LotteryAdjustment: APPEND_ONLY,
    LotteryLog: APPEND_ONLY,
    RewardEntry: APPEND_ONLY,
    RouletteLog: APPEND_ONLY,
    SeasonReward: APPEND_ONLY,
    SeasonStamp: APPEND_ONLY,
    UserEvent: APPEND_ONLY,
    # What was published
    DiceConfig: APPEND_ONLY,
    DiceWithdrawal: APPEND_ONLY,
    LotteryConfig: APPEND_ONLY,
    LotteryPrize: APPEND_ONLY,
    LotteryWithdrawal: APPEND_ONLY,
    RankingRevision: APPEND_ONLY,
    RouletteConfig: APPEND_ONLY,
    RouletteSegment: APPEND_ONLY,
    RouletteWithdrawal: APPEND_ONLY,
    # What is kept for a while, or given once
    CouponCode: Rights(once=("user_id", "line_no", "given_at")),
    IdempotencyKey: Rights(pruned_by="haru_prune_keys"),
    # How things stand
    CouponWaiting: Rights(delete=True),
    DrawTally: Rights(update=("draws",), delete=True),
    DrawWatch: Rights(update=("counted_until",)),
    FactRevision: Rights(update=("revision",)),
    FeatureConfig: Rights(
        update=("title", "titles", "page_path", "is_enabled", "stamp_xp_bonus", "revision", "updated_at")
    ),
    FeatureSchedule: Rights(update=("feature_type", "is_active", "revision", "updated_at"), delete=True),
    LotteryDay: Rights(update=("draws",)),
    LotteryStock: Rights(update=("initial", "left")),
    Player: Rights(update=("is_blocked", "version", "ledger_lines", "ledger_hash", "tokens_valid_from")),
    RankingDaily: Rights(delete=True),
    RewardBalance: Rights(update=("amount",)),
    SealedSeed: Rights(update=("kid", "nonce", "sealed"), delete=True),
    Season: Rights(
        update=("name", "start_date", "end_date", "base_xp_per_stamp", "max_level", "revision", "published_at"),
        delete=True,
    ),
    SeasonLevel: Rights(delete=True),
    SeasonProgress: Rights(
        update=("current_xp", "current_level", "total_stamps", "last_stamp_date", "updated_at"),
    ),
}
"""What may be done to each table."""

DEFINERS = ("haru_prune_keys(timestamp with time zone, timestamp with time zone, bigint)",)
"""The functions that run with their owner's rights, for what the application may not do by itself: it calls them, and
nobody else may. Each has bounds of its own that no argument moves."""
