"""Expected failures as data: the members of every result union, and how the domain's exceptions become them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Union

import strawberry
from strawberry.types.field import StrawberryField

from schema.described import described
from schema.rewards import DailyLimit
from schema.roots import codes, fields_of
from schema.staff import Warning  # noqa: A004 (the contract's name)
from services import errors
from services.error_codes import ErrorCode

CODE = "What went wrong, for a program to switch on."
MESSAGE = "What went wrong, in English, for a developer to read."
RETRYABLE = "Whether the very same request may succeed when it is sent again, with the same idempotency key."


@described
@strawberry.interface
class UserError:
    """An expected failure. `... on UserError` catches every one of them."""

    code: ErrorCode = strawberry.field(description=CODE)
    message: str = strawberry.field(description=MESSAGE)
    retryable: bool = strawberry.field(description=RETRYABLE)


def _common(refusal: errors.DomainError) -> dict[str, Any]:
    """Convert what every refusal has."""
    return {"code": refusal.code, "message": refusal.message, "retryable": refusal.retryable}


@described
@strawberry.type
class Problem(UserError):
    """A failure that its code explains."""

    @classmethod
    def of(cls, refusal: errors.DomainError, _now: dt.datetime) -> Problem:
        """Convert."""
        return cls(**_common(refusal))


@described
@strawberry.type
class NoFeatureToday(UserError):
    """Nothing, or another feature, is on today: when that changes by itself."""

    date: dt.date = strawberry.field(description="Today in the event's time zone.")
    ends_at: dt.datetime = strawberry.field(description="The next midnight in the event's time zone: ask again then.")
    server_time: dt.datetime = strawberry.field(description="Now, by the server's clock.")

    @classmethod
    def of(cls, refusal: errors.NoFeatureToday, now: dt.datetime) -> NoFeatureToday:
        """Convert."""
        return cls(**_common(refusal), date=refusal.date, ends_at=refusal.ends_at, server_time=now)


@described
@strawberry.type
class DailyLimitReached(UserError):
    """All of today's plays are used up."""

    daily_limit: DailyLimit = strawberry.field(description="The limit, with the instant at which it resets.")

    @classmethod
    def of(cls, refusal: errors.DailyLimitReached, _now: dt.datetime) -> DailyLimitReached:
        """Convert."""
        return cls(**_common(refusal), daily_limit=DailyLimit.of(refusal.daily_limit))


@described
@strawberry.type
class RevisionConflict(UserError):
    """Somebody else changed this in the meantime: read it again, and decide again."""

    current_revision: int | None = strawberry.field(description="The current revision; null where there is none.")

    @classmethod
    def of(cls, refusal: errors.RevisionConflict, _now: dt.datetime) -> RevisionConflict:
        """Convert."""
        return cls(**_common(refusal), current_revision=refusal.current_revision)


@described
@strawberry.type
class ValidationIssue:
    """One fault in an input."""

    path: list[str] = strawberry.field(
        description='Where: the input\'s field names and list indexes, as ["segments", "3", "weight"].'
    )
    message: str = strawberry.field(description="What is wrong there, in English.")


@described
@strawberry.type
class ValidationFailed(UserError):
    """The input has faults. All of them are listed, and nothing was changed."""

    issues: list[ValidationIssue] = strawberry.field(
        description="Every fault, in the order of the input; of a ranking the first 100, and `message` says whether "
        "there are more."
    )

    @classmethod
    def of(cls, refusal: errors.ValidationFailed, _now: dt.datetime) -> ValidationFailed:
        """Convert."""
        issues = [ValidationIssue(path=list(issue.path), message=issue.message) for issue in refusal.issues]
        return cls(**_common(refusal), issues=issues)


@described
@strawberry.type
class WarningsUnacknowledged(UserError):
    """There is something to think twice about. Nothing was changed; `acknowledge` lets it through."""

    warnings: list[Warning] = strawberry.field(description="Every warning, acknowledged or not.")

    @classmethod
    def of(cls, refusal: errors.WarningsUnacknowledged, _now: dt.datetime) -> WarningsUnacknowledged:
        """Convert."""
        return cls(**_common(refusal), warnings=[Warning.of(warned) for warned in refusal.warnings])


TYPES: Mapping[type[errors.DomainError], type[UserError]] = {
    errors.NoFeatureToday: NoFeatureToday,
    errors.DailyLimitReached: DailyLimitReached,
    errors.RevisionConflict: RevisionConflict,
    errors.ValidationFailed: ValidationFailed,
    errors.WarningsUnacknowledged: WarningsUnacknowledged,
}
"""The refusals that carry data of their own. Every other is a Problem."""


def refusal_of(refusal: errors.DomainError, now: dt.datetime) -> UserError:
    """A refusal, as the member of its field's union that it is."""
    member: Any = next((its for error, its in TYPES.items() if isinstance(refusal, error)), Problem)
    answer: UserError = member.of(refusal, now)
    return answer


@cache
def result(name: str, success: type) -> Any:
    """The union of this name: what succeeded, and every refusal that the root fields which answer it have in the table.

    Its description tells the codes.
    """
    refusals = {field: root.refusals for field, root in fields_of(name).items()}
    told = {field: ", ".join(codes(answered)) for field, answered in refusals.items()}
    if len(set(told.values())) == 1:
        listed = f"Codes: {next(iter(told.values()))}."
    else:
        listed = " ".join(f"Codes of {field}: {its}." for field, its in told.items())
    members = [error for root in fields_of(name).values() for error in (*root.refusals, *root.reserved)]
    types = dict.fromkeys(TYPES.get(error, Problem) for error in members)
    union = strawberry.union(name, description=f"{success.__name__}, or an expected failure. {listed}")
    return Annotated[Union[(success, *types)], union]


def _handler(refusal: type[errors.DomainError], member: Any) -> strawberry.ExceptionHandler[Any, Any]:
    """What Strawberry answers where a resolver raises `refusal`."""

    class Handler(strawberry.ExceptionHandler[refusal, member]):  # type: ignore[valid-type]
        def handle(self, exception: errors.DomainError, *, field: StrawberryField, info: strawberry.Info) -> UserError:
            info.context.request.refuse(exception.code)
            answer: UserError = member.of(exception, info.context.app.clock())  # which is of the field's union
            return answer

    return Handler()


HANDLERS = (*(_handler(refusal, member) for refusal, member in TYPES.items()), _handler(errors.DomainError, Problem))
"""The most specific first: the first that fits the exception and the field's union converts it."""
