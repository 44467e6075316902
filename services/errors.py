"""The error catalogue: every code a client can meet, and the exceptions that carry them.

    HaruError
    ├── DomainError       an expected refusal: data, a member of the field's result union
    │   ├── NoFeatureToday, OutOfStock, DailyLimitReached, ...
    │   └── ValidationFailed
    └── RequestError      the request itself cannot be served: the top-level `errors` list
        └── Unauthenticated, Forbidden, RateLimited, ...

The first line of a class's docstring is its public message. Whatever is not a `HaruError` is a bug: it is logged with the
request id and answered as INTERNAL.
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
    """Nothing, or another feature, is on today."""

    code = ErrorCode.NO_FEATURE_TODAY


class InvalidFeatureSchedule(DomainError):
    """Today is scheduled for a game that has no valid active configuration."""

    code = ErrorCode.INVALID_FEATURE_SCHEDULE


class InvalidDiceConfig(DomainError):
    """The active dice configuration is broken."""

    code = ErrorCode.INVALID_DICE_CONFIG


class InvalidRouletteConfig(DomainError):
    """The active roulette configuration is broken."""

    code = ErrorCode.INVALID_ROULETTE_CONFIG


class InvalidLotteryConfig(DomainError):
    """The active lottery configuration is broken."""

    code = ErrorCode.INVALID_LOTTERY_CONFIG


class DailyLimitReached(DomainError):
    """All of today's plays are used up."""

    code = ErrorCode.DAILY_LIMIT_REACHED

    def __init__(self, daily_limit: DailyLimit) -> None:
        """Carry the limit, with the instant at which it resets."""
        super().__init__()
        self.daily_limit = daily_limit


class OutOfStock(DomainError):
    """Nothing is left to draw."""

    code = ErrorCode.OUT_OF_STOCK


class LockNotAcquired(DomainError):
    """Somebody else held what this needed for too long; nothing was written."""

    code = ErrorCode.LOCK_NOT_ACQUIRED
    retryable = True


class NoActiveSeason(DomainError):
    """No season is on today."""

    code = ErrorCode.NO_ACTIVE_SEASON


class NoActiveSeasonConflict(DomainError):
    """More than one season is on today."""

    code = ErrorCode.NO_ACTIVE_SEASON_CONFLICT


class InvalidSeasonConfig(DomainError):
    """The season's levels are broken."""

    code = ErrorCode.INVALID_SEASON_CONFIG


class AlreadyStampedToday(DomainError):
    """Today is stamped already."""

    code = ErrorCode.ALREADY_STAMPED_TODAY


class InvalidStampSource(DomainError):
    """A stamp's source is SEASON_PASS or today's feature."""

    code = ErrorCode.INVALID_STAMP_SOURCE


class LevelNotFound(DomainError):
    """The season has no such level."""

    code = ErrorCode.LEVEL_NOT_FOUND


class LevelNotReached(DomainError):
    """The player has not reached this level yet."""

    code = ErrorCode.LEVEL_NOT_REACHED


class AutoClaimLevel(DomainError):
    """This level's reward is granted by itself when the level is reached."""

    code = ErrorCode.AUTO_CLAIM_LEVEL


class RewardAlreadyClaimed(DomainError):
    """This level's reward is claimed already."""

    code = ErrorCode.REWARD_ALREADY_CLAIMED


class InvalidRankingUpload(DomainError):
    """The ranking file cannot be read."""

    code = ErrorCode.INVALID_RANKING_UPLOAD


class RankingNotFound(DomainError):
    """No ranking is published for this date."""

    code = ErrorCode.RANKING_NOT_FOUND


class IdempotencyKeyReused(DomainError):
    """This idempotency key was used for another operation or input."""

    code = ErrorCode.IDEMPOTENCY_KEY_REUSED


class RevisionConflict(DomainError):
    """Somebody else changed this in the meantime."""

    code = ErrorCode.REVISION_CONFLICT


class NotFound(DomainError):
    """There is no such thing."""

    code = ErrorCode.NOT_FOUND


class UserBlocked(DomainError):
    """This player is blocked."""

    code = ErrorCode.USER_BLOCKED


@dataclass(frozen=True)
class ValidationIssue:
    """One fault in an input: where (`["segments", "3", "weight"]`) and what."""

    path: Sequence[str]
    message: str


class ValidationFailed(DomainError):
    """The input has faults; `issues` lists every one."""

    code = ErrorCode.VALIDATION_FAILED

    def __init__(self, issues: Sequence[ValidationIssue]) -> None:
        """Carry every fault, in the order of the input."""
        super().__init__()
        self.issues = issues


class RequestError(HaruError):
    """The request cannot be served."""


class Unauthenticated(RequestError):
    """A valid access token is required."""

    code = ErrorCode.UNAUTHENTICATED


class Forbidden(RequestError):
    """The token's role does not allow this."""

    code = ErrorCode.FORBIDDEN


class RateLimited(RequestError):
    """Too many requests; try again later."""

    code = ErrorCode.RATE_LIMITED
    retryable = True


class QueryTooComplex(RequestError):
    """The document is too complex."""

    code = ErrorCode.QUERY_TOO_COMPLEX


class BadRequest(RequestError):
    """The request is malformed."""

    code = ErrorCode.BAD_REQUEST


class Unavailable(RequestError):
    """The database does not answer at the moment; try again shortly."""

    code = ErrorCode.UNAVAILABLE
    retryable = True


class Internal(RequestError):
    """Something went wrong on our side."""

    code = ErrorCode.INTERNAL
