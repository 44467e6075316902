"""Trouble with the database, told from bugs: clients may try again, and operators are told the cause."""

from __future__ import annotations

import logging
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from services.errors import HaruError
from services.quiet import Quiet
from services.request_errors import Unavailable

LOST = "the connection was lost"
ENDED = "the database ended the session"
FILES = "the database cannot read or write its files"
OTHER_REVISION = "the database is at another revision, or search_path leads elsewhere"

TROUBLE: Mapping[type[Exception], str] = {
    asyncpg.InvalidAuthorizationSpecificationError: "the login is refused",
    asyncpg.InvalidCatalogNameError: "there is no such database",
    asyncpg.ReadOnlySQLTransactionError: "the database is read-only",
    asyncpg.DiskFullError: "the database's disk is full",
    asyncpg.OutOfMemoryError: "the database is out of memory",
    asyncpg.TooManyConnectionsError: "the database has no connection left",
    asyncpg.InsufficientResourcesError: "the database lacks resources",
    asyncpg.CannotConnectNowError: "the database is starting or stopping",
    asyncpg.CrashShutdownError: "the database crashed",
    asyncpg.DatabaseDroppedError: "the database was dropped",
    asyncpg.AdminShutdownError: ENDED,
    asyncpg.IdleSessionTimeoutError: ENDED,
    asyncpg.IdleInTransactionSessionTimeoutError: ENDED,
    asyncpg.ObjectNotInPrerequisiteStateError: "the database takes no connections",
    asyncpg.PostgresSystemError: FILES,
    asyncpg.DataCorruptedError: FILES,
    asyncpg.IndexCorruptedError: FILES,
    asyncpg.InsufficientPrivilegeError: "the role lacks a right",
    asyncpg.UndefinedTableError: OTHER_REVISION,
    asyncpg.UndefinedColumnError: OTHER_REVISION,
    asyncpg.UndefinedFunctionError: OTHER_REVISION,
    asyncpg.PostgresConnectionError: "the connection is refused",
    asyncpg.TargetServerAttributeNotMatched: "no host can be written to",
    asyncpg.InterfaceError: LOST,
    asyncpg.InternalClientError: LOST,
    PoolTimeoutError: "no connection is free",
    socket.gaierror: "the host is unknown",
    ssl.SSLError: "TLS fails",
    TimeoutError: "there is no answer in time",
    OSError: "the database is out of reach",
}
"""What it looks like when the database, or the way to it, does not do as it should; the most specific first."""

UNREACHABLE: tuple[type[Exception], ...] = tuple(TROUBLE)
"""What is no bug, and may be over when it is tried again. `BLOCKED` is to be looked for before it."""

TOO_LONG: Mapping[type[Exception], str] = {
    asyncpg.LockNotAvailableError: "somebody holds a lock",
    asyncpg.QueryCanceledError: "a statement took too long",
}

BLOCKED: tuple[type[Exception], ...] = tuple(TOO_LONG)
"""A lock or a statement that took too long."""

TROUBLED: tuple[type[Exception], ...] = (*BLOCKED, *UNREACHABLE)
"""Either."""

FAILED: tuple[type[Exception], ...] = (HaruError, asyncpg.PostgresError, *UNREACHABLE)
"""All that the database may do to what goes on beside requests: it is told, and tried again."""

RAISED: tuple[type[Exception], ...] = (DBAPIError, *TROUBLED)
"""Either, as the driver or the toolkit raises it."""


@contextmanager
def reachable(*, late: type[HaruError] = Unavailable) -> Iterator[None]:
    """Tell trouble with the database from a bug; `late`: what a lock or statement that took too long is.

    Raises: Unavailable, `late`, each with its cause; every other exception as it is.
    """
    try:
        yield
    except RAISED as failure:
        cause = cause_of(failure)
        if isinstance(cause, BLOCKED):
            raise late from failure
        if isinstance(cause, UNREACHABLE) or (isinstance(failure, DBAPIError) and failure.connection_invalidated):
            raise Unavailable from failure
        raise


def cause_of(failure: BaseException) -> BaseException:
    """What an exception of haru's or of the toolkit's stands for."""
    if isinstance(failure, DBAPIError):
        return getattr(failure.orig, "__cause__", None) or failure.orig or failure
    if isinstance(failure, HaruError) and failure.__cause__ is not None:
        return cause_of(failure.__cause__)
    return failure


def why(failure: BaseException) -> str:
    """The cause in a line, for operators: what kind of trouble, where, and in the words of whoever noticed it."""
    cause = cause_of(failure)
    said = str(cause).partition("\n")[0].partition(" (Background on this error")[0]
    kind = kind_of(cause)
    where = "".join(f" ({note})" for note in getattr(cause, "__notes__", ()) if note)
    return f"{kind}{where}: {said}" if said not in {"", kind} else f"{kind}{where}"


def because(refusal: HaruError, cause: BaseException) -> HaruError:
    """The refusal with its cause, for one that is not raised where that is caught."""
    refusal.__cause__ = cause
    return refusal


def kind_of(failure: BaseException) -> str:
    """What kind of trouble an exception tells of; an unknown one tells its own name."""
    cause = cause_of(failure)
    if isinstance(cause, HaruError):
        return cause.message
    kinds = {**TOO_LONG, **TROUBLE}
    return next((words for kind, words in kinds.items() if isinstance(cause, kind)), type(cause).__name__)


def sqlstate(failure: DBAPIError) -> str | None:
    """PostgreSQL's code of a failure."""
    return getattr(failure.orig, "sqlstate", None)


class OutageLog:
    """Tells each kind of trouble at once, and then once a second how often it came, however often that is."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._quiet = Quiet()

    def note(self, what: str, failure: BaseException) -> None:
        """Tell that `what` failed, and why."""
        self._quiet((what, kind_of(failure)), lambda times: self._tell(what, why(failure), times))

    @contextmanager
    def told(self, what: str) -> Iterator[None]:
        """Tell that `what` failed and go on, whatever is raised: trouble with its cause, a bug with its stack."""
        try:
            yield
        except FAILED as failure:
            self.note(what, failure)
        except Exception:
            self._logger.exception(what)

    def _tell(self, what: str, cause: str, times: int) -> None:
        self._logger.error("%s: %s%s", what, cause, f" ({times} times)" if times > 1 else "")
