"""The error catalogue: the exceptions that carry what a client can meet (error_codes.py).

    HaruError
    ├── DomainError       an expected refusal: data, a member of the field's result union
    │   ├── NoFeatureToday, OutOfStock, DailyLimitReached, ...
    │   └── ValidationFailed
    └── RequestError      the request itself cannot be served: the top-level `errors` list (request_errors.py)
        └── Unauthenticated, Forbidden, RateLimited, ...

The first line of a class's docstring is its public message, the rest makes docs/errors.md (`make docs`), to which the
table of root fields adds who answers it. Whatever is not a `HaruError` is a bug: it is logged with the request id and
answered as INTERNAL.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from services.error_codes import ErrorCode, WarningCode

if TYPE_CHECKING:
    import datetime as dt

    from services.answers import DailyLimit


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
    Do: show what `todayFeature` answers; ask again after `endsAt`.
    """

    code = ErrorCode.NO_FEATURE_TODAY

    def __init__(self, date: dt.date, ends_at: dt.datetime) -> None:
        """Carry the business date, and the instant at which another begins."""
        super().__init__()
        self.date = date
        self.ends_at = ends_at


class InvalidFeatureSchedule(DomainError):
    """Today is scheduled for a game of which nothing valid is played.

    When: no window of the day's game holds this instant, or its revision is broken.
    Do: tell an operator: `scheduleIssues` names the fault.
    """

    code = ErrorCode.INVALID_FEATURE_SCHEDULE


class InvalidDiceConfig(DomainError):
    """The dice configuration that is played is broken.

    When: no window holds this instant, or a row of it was changed past the API.
    Do: tell an operator: `upsertDiceConfig` publishes a valid revision.
    """

    code = ErrorCode.INVALID_DICE_CONFIG


class InvalidRouletteConfig(DomainError):
    """The roulette configuration that is played is broken.

    When: no window holds this instant, not six segments in it, a negative weight, or weights that sum to 0.
    Do: tell an operator: `upsertRouletteConfig` publishes a valid revision.
    """

    code = ErrorCode.INVALID_ROULETTE_CONFIG


class InvalidLotteryConfig(DomainError):
    """The lottery configuration that is played is broken.

    When: no window holds this instant, a negative weight or stock in it, or no active prize with a weight.
    Do: tell an operator: `upsertLotteryConfig` publishes a valid revision.
    """

    code = ErrorCode.INVALID_LOTTERY_CONFIG


class DailyLimitReached(DomainError):
    """All of today's plays are used up.

    When: the player has used `dailyLimit.max` plays of this game on the business date.
    Do: wait until `dailyLimit.resetsAt`.
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
    """

    code = ErrorCode.OUT_OF_STOCK


class LockNotAcquired(DomainError):
    """Somebody else held what this needed for too long; nothing was written.

    When: another transaction held a row for longer than the configured wait (2 s unless set otherwise).
    Do: send the very same request again, with the same key, after a moment.
    """

    code = ErrorCode.LOCK_NOT_ACQUIRED
    retryable = True


class NoActiveSeason(DomainError):
    """No season is on today.

    When: no season includes the business date.
    Do: hide the season pass.
    """

    code = ErrorCode.NO_ACTIVE_SEASON


class NoActiveSeasonConflict(DomainError):
    """More than one season is on today.

    When: two seasons include the business date, which the database refuses unless its constraint was removed.
    Do: tell an operator: one of the seasons has to go.
    """

    code = ErrorCode.NO_ACTIVE_SEASON_CONFLICT


class InvalidSeasonConfig(DomainError):
    """The season's levels are broken.

    When: the season's levels have gaps or XP that does not rise: rows were changed past the API.
    Do: tell an operator: `upsertSeason` publishes valid levels.
    """

    code = ErrorCode.INVALID_SEASON_CONFIG


class AlreadyStampedToday(DomainError):
    """Today is stamped already.

    When: an earlier stamp, or the day's first play, stamped this date already.
    Do: nothing: the stamp is there; read `seasonPassStatus`.
    """

    code = ErrorCode.ALREADY_STAMPED_TODAY


class InvalidStampSource(DomainError):
    """A stamp's source is SEASON_PASS or today's feature.

    When: `sourceFeature` names a feature that is not on today.
    Do: send SEASON_PASS or the feature of `todayFeature`.
    """

    code = ErrorCode.INVALID_STAMP_SOURCE


class LevelNotFound(DomainError):
    """The season has no such level.

    When: the season has fewer levels.
    Do: read the levels from `seasonPassStatus`.
    """

    code = ErrorCode.LEVEL_NOT_FOUND


class LevelNotReached(DomainError):
    """The player has not reached this level yet.

    When: `requiredXp` of the level is more than the player's XP.
    Do: wait until the level's state is CLAIMABLE.
    """

    code = ErrorCode.LEVEL_NOT_REACHED


class AutoClaimLevel(DomainError):
    """This level's reward is granted by itself when the level is reached.

    When: the level has `autoClaim`, and the stamp that reached it granted its reward.
    Do: nothing: the player has the reward.
    """

    code = ErrorCode.AUTO_CLAIM_LEVEL


class RewardAlreadyClaimed(DomainError):
    """This level's reward is claimed already.

    When: the reward of this level was claimed with another key.
    Do: nothing: the reward is in the ledger.
    """

    code = ErrorCode.REWARD_ALREADY_CLAIMED


class InvalidRankingUpload(DomainError):
    """The ranking file cannot be read.

    When: the file is no CSV, or it is not certain in which encoding; its header has missing or unknown columns; it is
        too large.
    Do: show the message, which says what to correct: saved as "CSV UTF-8", with the header
        `rank,display_name,score,external_id`, at most 10 MiB and 200,000 rows, a file is read.
    """

    code = ErrorCode.INVALID_RANKING_UPLOAD


class RankingNotFound(DomainError):
    """No ranking is published for this date.

    When: no ranking was published for the date, or it was deleted.
    Do: show that there is no ranking.
    """

    code = ErrorCode.RANKING_NOT_FOUND


class IdempotencyKeyReused(DomainError):
    """This idempotency key was used for another operation or input.

    When: the same player used this key before, for another operation or other input.
    Do: make a new key for every new command; keep it only for retries of the same one.
    """

    code = ErrorCode.IDEMPOTENCY_KEY_REUSED


class RevisionConflict(DomainError):
    """Somebody else changed this in the meantime.

    When: `expectedRevision` is not the current one; `currentRevision` is. `expectedLeft` is not what is left; then
        `currentRevision` is null, and the message says it.
    Do: read the current state, and decide again.
    """

    code = ErrorCode.REVISION_CONFLICT

    def __init__(self, current_revision: int | None, message: str | None = None) -> None:
        """Carry the current revision, none where there is none yet, or what has changed is no revision."""
        known = "there is none yet" if current_revision is None else f"it is revision {current_revision}"
        super().__init__(message or f"expectedRevision is not the current one: {known}.")
        self.current_revision = current_revision


class NotFound(DomainError):
    """There is no such thing.

    When: the id is unknown, or not the caller's to see.
    Do: check the id.
    """

    code = ErrorCode.NOT_FOUND


class UserBlocked(DomainError):
    """This player is blocked.

    When: an admin has blocked the player.
    Do: send the player to support.
    """

    code = ErrorCode.USER_BLOCKED


@dataclass(frozen=True)
class ValidationIssue:
    """One fault in an input: where (`["segments", "3", "weight"]`) and what."""

    path: Sequence[str]
    message: str


class ValidationFailed(DomainError):
    """The input has faults; `issues` lists every one.

    When: some of the input's values are out of their bounds or do not fit each other, or a balance would leave its
        bounds (0 to 2^53 - 1).
    Do: show each issue at its `path`; nothing was changed.
    """

    code = ErrorCode.VALIDATION_FAILED

    def __init__(self, issues: Sequence[ValidationIssue], message: str | None = None, *, more: bool = False) -> None:
        """Carry every fault, in the order of the input, or the first of them where there are `more`."""
        first = f"The input has faults; `issues` lists the first {len(issues)}, and there are more."
        super().__init__(first if more else message)
        self.more = more
        self.issues = issues


class BalanceOutOfBounds(ValidationFailed):
    """A player's balance would leave its bounds: of the input of a grant, and of nobody's where a player plays."""

    def __init__(self, message: str) -> None:
        """Say which balance."""
        super().__init__([ValidationIssue(["reward", "amount"], message)], message)


@dataclass(frozen=True)
class Warned:
    """One thing to think twice about in an input: where, and what."""

    code: WarningCode
    path: Sequence[str]
    message: str


class WarningsUnacknowledged(DomainError):
    """There is something to think twice about; `warnings` lists it.

    When: the input is valid, and does what somebody may not have meant.
    Do: show each warning; send the same again with its code in `acknowledge`, or correct the input.
    """

    code = ErrorCode.WARNINGS_UNACKNOWLEDGED

    def __init__(self, warnings: Sequence[Warned]) -> None:
        """Carry every warning, acknowledged or not."""
        super().__init__()
        self.warnings = warnings
