"""Expected failures as data: the members of every result union, and how the domain's exceptions become them."""

from __future__ import annotations

import strawberry
from strawberry.types.field import StrawberryField

from schema.rewards import DailyLimit
from services import errors
from services.errors import ErrorCode

CODE = "What went wrong, for a program to switch on."
MESSAGE = "What went wrong, in English, for a developer to read."
RETRYABLE = "Whether the very same request may succeed when it is sent again, with the same idempotency key."


@strawberry.interface(description="An expected failure. `... on UserError` catches every one of them.")
class UserError:
    """An expected failure."""

    code: ErrorCode = strawberry.field(description=CODE)
    message: str = strawberry.field(description=MESSAGE)
    retryable: bool = strawberry.field(description=RETRYABLE)


@strawberry.type(description="A failure that its code explains.")
class Problem(UserError):
    """A failure that its code explains."""

    @classmethod
    def of(cls, refusal: errors.DomainError) -> Problem:
        """Convert."""
        return cls(code=refusal.code, message=refusal.message, retryable=refusal.retryable)


@strawberry.type(description="All of today's plays are used up.")
class DailyLimitReached(UserError):
    """All of today's plays are used up."""

    daily_limit: DailyLimit = strawberry.field(description="The limit, with the instant at which it resets.")


@strawberry.type(description="One fault in an input.")
class ValidationIssue:
    """One fault in an input."""

    path: list[str] = strawberry.field(
        description='Where: the input\'s field names and list indexes, as ["segments", "3", "weight"].'
    )
    message: str = strawberry.field(description="What is wrong there, in English.")


@strawberry.type(description="The input has faults. All of them are listed, and nothing was changed.")
class ValidationFailed(UserError):
    """The input has faults."""

    issues: list[ValidationIssue] = strawberry.field(description="Every fault, in the order of the input.")


class LimitHandler(strawberry.ExceptionHandler[errors.DailyLimitReached, DailyLimitReached]):
    """Answers a daily limit with the limit."""

    def handle(
        self, exception: errors.DailyLimitReached, *, field: StrawberryField, info: strawberry.Info
    ) -> DailyLimitReached:
        """Convert."""
        limit = DailyLimit.of(exception.daily_limit)
        return DailyLimitReached(
            code=exception.code, message=exception.message, retryable=exception.retryable, daily_limit=limit
        )


class ValidationHandler(strawberry.ExceptionHandler[errors.ValidationFailed, ValidationFailed]):
    """Answers faults in an input with all of them."""

    def handle(
        self, exception: errors.ValidationFailed, *, field: StrawberryField, info: strawberry.Info
    ) -> ValidationFailed:
        """Convert."""
        issues = [ValidationIssue(path=list(issue.path), message=issue.message) for issue in exception.issues]
        return ValidationFailed(
            code=exception.code, message=exception.message, retryable=exception.retryable, issues=issues
        )


class ProblemHandler(strawberry.ExceptionHandler[errors.DomainError, Problem]):
    """Answers every other refusal with its code."""

    def handle(self, exception: errors.DomainError, *, field: StrawberryField, info: strawberry.Info) -> Problem:
        """Convert."""
        return Problem.of(exception)


HANDLERS = (LimitHandler(), ValidationHandler(), ProblemHandler())
"""The most specific first: the first that fits the exception and the field's union converts it."""
