"""The error catalogue: every code a client can meet, and the exceptions that carry them.

    HaruError
    ├── DomainError       an expected refusal: data, a member of the field's result union
    │   ├── NoFeatureToday, OutOfStock, DailyLimitReached, ...
    │   └── ValidationFailed
    └── RequestError      the request itself cannot be served: the top-level `errors` list
        └── Unauthenticated, Forbidden, RateLimited, ...

The first line of a class's docstring is its public message, the rest makes docs/errors.md (`make docs`). Whatever is
not a `HaruError` is a bug: it is logged with the request id and answered as INTERNAL.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from services.answers import DailyLimit


class ErrorCode(StrEnum):
    """What went wrong, for a program to switch on."""

    NO_FEATURE_TODAY = "NO_FEATURE_TODAY"
    INVALID_FEATURE_SCHEDULE = "INVALID_FEATURE_SCHEDULE"
    INVALID_DICE_CONFIG = "INVALID_DICE_CONFIG"
    INVALID_ROULETTE_CONFIG = "INVALID_ROULETTE_CONFIG"
    INVALID_LOTTERY_CONFIG = "INVALID_LOTTERY_CONFIG"
    DAILY_LIMIT_REACHED = "DAILY_LIMIT_REACHED"
    OUT_OF_STOCK = "OUT_OF_STOCK"
    LOCK_NOT_ACQUIRED = "LOCK_NOT_ACQUIRED"
    NO_ACTIVE_SEASON = "NO_ACTIVE_SEASON"
    NO_ACTIVE_SEASON_CONFLICT = "NO_ACTIVE_SEASON_CONFLICT"
    INVALID_SEASON_CONFIG = "INVALID_SEASON_CONFIG"
    ALREADY_STAMPED_TODAY = "ALREADY_STAMPED_TODAY"
    INVALID_STAMP_SOURCE = "INVALID_STAMP_SOURCE"
    LEVEL_NOT_FOUND = "LEVEL_NOT_FOUND"
    LEVEL_NOT_REACHED = "LEVEL_NOT_REACHED"
    AUTO_CLAIM_LEVEL = "AUTO_CLAIM_LEVEL"
    REWARD_ALREADY_CLAIMED = "REWARD_ALREADY_CLAIMED"
    INVALID_RANKING_UPLOAD = "INVALID_RANKING_UPLOAD"
    RANKING_NOT_FOUND = "RANKING_NOT_FOUND"
    IDEMPOTENCY_KEY_REUSED = "IDEMPOTENCY_KEY_REUSED"
    REVISION_CONFLICT = "REVISION_CONFLICT"
    VALIDATION_FAILED = "VALIDATION_FAILED"
    NOT_FOUND = "NOT_FOUND"
    USER_BLOCKED = "USER_BLOCKED"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    FORBIDDEN = "FORBIDDEN"
    RATE_LIMITED = "RATE_LIMITED"
    QUERY_TOO_COMPLEX = "QUERY_TOO_COMPLEX"
    BAD_REQUEST = "BAD_REQUEST"
    UNAVAILABLE = "UNAVAILABLE"
    INTERNAL = "INTERNAL"


class HaruError(Exception):
    """Something went wrong."""

    code: ClassVar[ErrorCode] = ErrorCode.INTERNAL
    retryable: ClassVar[bool] = False
    """Whether the very same request may succeed when it is sent again."""

    def __init__(self, message: str | None = None) -> None:
        """Carry `message`, or the first line of the class's docstring."""
        self.message = message or public_message(type(self))
        super().__init__(self.message)


def public_message(error: type[HaruError]) -> str:
    """The message a client sees when nothing more specific is known."""
    return inspect.cleandoc(error.__doc__ or "").partition("\n")[0]


class DomainError(HaruError):
    """The rules refuse this."""


class NoFeatureToday(DomainError):
    """Nothing, or another feature, is on today.

    When: the schedule has no active row for the business date, its feature is switched off, or another game's day
        it is.
    Do: show what `todayFeature` answers; ask again after its `endsAt`.
    In: todayFeature, diceStatus, rouletteStatus, lotteryStatus, playDice, spinRoulette, drawLottery,
        rankingSnapshot (of today), todayFeatureChanged, lotteryStockChanged; scheduleIssues for a day with
        nothing on
    """

    code = ErrorCode.NO_FEATURE_TODAY


class InvalidFeatureSchedule(DomainError):
    """Today is scheduled for a game that has no valid active configuration.

    When: the day's game has no active revision, or a broken one.
    Do: tell an operator: `scheduleIssues` names the fault.
    In: todayFeature, todayFeatureChanged; scheduleIssues
    """

    code = ErrorCode.INVALID_FEATURE_SCHEDULE


class InvalidDiceConfig(DomainError):
    """The active dice configuration is broken.

    When: there is no active revision, or a row of it was changed past the API.
    Do: tell an operator: `upsertDiceConfig` publishes a valid revision.
    In: diceStatus, playDice
    """

    code = ErrorCode.INVALID_DICE_CONFIG


class InvalidRouletteConfig(DomainError):
    """The active roulette configuration is broken.

    When: there is no active revision, not six segments in it, a negative weight, or weights that sum to 0.
    Do: tell an operator: `upsertRouletteConfig` publishes a valid revision.
    In: rouletteStatus, spinRoulette
    """

    code = ErrorCode.INVALID_ROULETTE_CONFIG


class InvalidLotteryConfig(DomainError):
    """The active lottery configuration is broken.

    When: there is no active revision, a negative weight or stock in it, or no active prize with a weight.
    Do: tell an operator: `upsertLotteryConfig` publishes a valid revision.
    In: lotteryStatus, drawLottery
    """

    code = ErrorCode.INVALID_LOTTERY_CONFIG


class DailyLimitReached(DomainError):
    """All of today's plays are used up.

    When: the player has used `dailyLimit.max` plays of this game on the business date.
    Do: wait until `dailyLimit.resetsAt`.
    In: playDice, spinRoulette, drawLottery
    """

    code = ErrorCode.DAILY_LIMIT_REACHED

    def __init__(self, daily_limit: DailyLimit) -> None:
        """Carry the limit, with the instant at which it resets."""
        super().__init__()
        self.daily_limit = daily_limit


class OutOfStock(DomainError):
    """Nothing is left to draw.

    When: every active prize is sold out.
    Do: show that the lottery is over for today; an operator may publish a revision with new stock.
    In: drawLottery; scheduleIssues for a day of such a lottery
    """

    code = ErrorCode.OUT_OF_STOCK


class LockNotAcquired(DomainError):
    """Somebody else held what this needed for too long; nothing was written.

    When: another transaction held a row for longer than the configured wait (2 s unless set otherwise).
    Do: send the very same request again, with the same key, after a moment.
    In: every mutation
    """

    code = ErrorCode.LOCK_NOT_ACQUIRED
    retryable = True


class NoActiveSeason(DomainError):
    """No season is on today.

    When: no season includes the business date.
    Do: hide the season pass.
    In: seasonPassStatus, stamp, claimReward; scheduleIssues
    """

    code = ErrorCode.NO_ACTIVE_SEASON


class NoActiveSeasonConflict(DomainError):
    """More than one season is on today.

    When: two seasons include the business date, which the database refuses unless its constraint was removed.
    Do: tell an operator: one of the seasons has to go.
    In: seasonPassStatus, stamp, claimReward, playDice, spinRoulette, drawLottery; scheduleIssues
    """

    code = ErrorCode.NO_ACTIVE_SEASON_CONFLICT


class InvalidSeasonConfig(DomainError):
    """The season's levels are broken.

    When: the season's levels have gaps or XP that does not rise: rows were changed past the API.
    Do: tell an operator: `upsertSeason` publishes valid levels.
    In: seasonPassStatus, stamp, claimReward, playDice, spinRoulette, drawLottery; scheduleIssues
    """

    code = ErrorCode.INVALID_SEASON_CONFIG


class AlreadyStampedToday(DomainError):
    """Today is stamped already.

    When: an earlier stamp, or the day's first play, stamped this date already.
    Do: nothing: the stamp is there; read `seasonPassStatus`.
    In: stamp
    """

    code = ErrorCode.ALREADY_STAMPED_TODAY


class InvalidStampSource(DomainError):
    """A stamp's source is SEASON_PASS or today's feature.

    When: `sourceFeature` names a feature that is not on today.
    Do: send SEASON_PASS or the feature of `todayFeature`.
    In: stamp
    """

    code = ErrorCode.INVALID_STAMP_SOURCE


class LevelNotFound(DomainError):
    """The season has no such level.

    When: the season has fewer levels.
    Do: read the levels from `seasonPassStatus`.
    In: claimReward
    """

    code = ErrorCode.LEVEL_NOT_FOUND


class LevelNotReached(DomainError):
    """The player has not reached this level yet.

    When: `requiredXp` of the level is more than the player's XP.
    Do: wait until the level's state is CLAIMABLE.
    In: claimReward
    """

    code = ErrorCode.LEVEL_NOT_REACHED


class AutoClaimLevel(DomainError):
    """This level's reward is granted by itself when the level is reached.

    When: the level has `autoClaim`, and the stamp that reached it granted its reward.
    Do: nothing: the player has the reward.
    In: claimReward
    """

    code = ErrorCode.AUTO_CLAIM_LEVEL


class RewardAlreadyClaimed(DomainError):
    """This level's reward is claimed already.

    When: the reward of this level was claimed with another key.
    Do: nothing: the reward is in the ledger.
    In: claimReward
    """

    code = ErrorCode.REWARD_ALREADY_CLAIMED


class InvalidRankingUpload(DomainError):
    """The ranking file cannot be read.

    When: the file is no CSV in UTF-8, its header has missing or unknown columns, or it is too large.
    Do: correct the file: header `rank,display_name,score,external_id`, at most 10 MiB and 200,000 rows.
    In: uploadRanking, publishRanking
    """

    code = ErrorCode.INVALID_RANKING_UPLOAD


class RankingNotFound(DomainError):
    """No ranking is published for this date.

    When: no ranking was published for the date, or it was deleted.
    Do: show that there is no ranking.
    In: rankingSnapshot, deleteRanking, rankingPublished
    """

    code = ErrorCode.RANKING_NOT_FOUND


class IdempotencyKeyReused(DomainError):
    """This idempotency key was used for another operation or input.

    When: the same player used this key before, for another operation or other input.
    Do: make a new key for every new command; keep it only for retries of the same one.
    In: playDice, spinRoulette, drawLottery, stamp, claimReward, grantReward
    """

    code = ErrorCode.IDEMPOTENCY_KEY_REUSED


class RevisionConflict(DomainError):
    """Somebody else changed this in the meantime.

    When: `expectedRevision` is not the current one; the message says which is.
    Do: read the current state, and decide again.
    In: every upsert, uploadRanking, publishRanking, deleteRanking
    """

    code = ErrorCode.REVISION_CONFLICT


class NotFound(DomainError):
    """There is no such thing.

    When: the id is unknown, or not the caller's to see.
    Do: check the id.
    In: grantReward, setPlayerBlocked
    """

    code = ErrorCode.NOT_FOUND


class UserBlocked(DomainError):
    """This player is blocked.

    When: an admin has blocked the player.
    Do: send the player to support.
    In: playDice, spinRoulette, drawLottery, stamp, claimReward
    """

    code = ErrorCode.USER_BLOCKED


@dataclass(frozen=True)
class ValidationIssue:
    """One fault in an input: where (`["segments", "3", "weight"]`) and what."""

    path: Sequence[str]
    message: str


class ValidationFailed(DomainError):
    """The input has faults; `issues` lists every one.

    When: some of the input's values are out of their bounds or do not fit each other.
    Do: show each issue at its `path`; nothing was changed.
    In: every upsert, uploadRanking, publishRanking, grantReward, setPlayerBlocked
    """

    code = ErrorCode.VALIDATION_FAILED

    def __init__(self, issues: Sequence[ValidationIssue]) -> None:
        """Carry every fault, in the order of the input."""
        super().__init__()
        self.issues = issues


class RequestError(HaruError):
    """The request cannot be served."""


class Unauthenticated(RequestError):
    """A valid access token is required.

    When: there is no token, or it is expired, malformed, or signed for somebody else; the answer never says
        which.
    Do: get a new token, then send the request again.
    In: everything
    """

    code = ErrorCode.UNAUTHENTICATED


class Forbidden(RequestError):
    """The token's role does not allow this.

    When: the token is valid, and its role may not call this field.
    Do: use an account with the role that the field needs.
    In: everything but what players and everybody may call
    """

    code = ErrorCode.FORBIDDEN


class RateLimited(RequestError):
    """Too many requests; try again later.

    When: the address or the player has sent more requests than allowed.
    Do: wait for `Retry-After` seconds.
    In: everything
    """

    code = ErrorCode.RATE_LIMITED
    retryable = True


class QueryTooComplex(RequestError):
    """The document is too complex.

    When: the document has too many tokens, fields, aliases or directives, nests too deeply, plays more than once,
        or asks for too large an answer.
    Do: split the document, or ask for shorter pages.
    In: everything
    """

    code = ErrorCode.QUERY_TOO_COMPLEX


class BadRequest(RequestError):
    """The request is malformed.

    When: the request is not GraphQL over HTTP, the document or a variable does not fit the schema, or an argument
        is out of its bounds.
    Do: correct the request: the message says what is wrong.
    In: everything
    """

    code = ErrorCode.BAD_REQUEST


class Unavailable(RequestError):
    """The database does not answer at the moment; try again shortly.

    When: the database is starting, restarting, overloaded or out of reach, or the request took too long. A
        command may have happened.
    Do: send the very same request again, with the same key: nothing happens twice.
    In: everything
    """

    code = ErrorCode.UNAVAILABLE
    retryable = True


class Internal(RequestError):
    """Something went wrong on our side.

    When: a bug of ours: it is logged with `extensions.requestId`.
    Do: report the request id; retry a command only with its key.
    In: everything
    """

    code = ErrorCode.INTERNAL
