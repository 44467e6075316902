"""What a client gets to see of an error, and what the log keeps.

Three kinds: a `HaruError` was meant for the client and keeps its message and code; a fault of the request that
graphql-core found (syntax, validation, variables, arguments) stays visible as BAD_REQUEST; everything else is a bug, is
logged with the request id and its traceback, and answered as INTERNAL without a word of what happened.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from graphql import GraphQLError
from strawberry.exceptions import StrawberryInputCoercionError

from services.error_codes import ErrorCode
from services.errors import HaruError
from services.outages import OutageLog
from services.request_errors import Internal, Unavailable

MESSAGE_LENGTH = 200

log = logging.getLogger("haru.graphql")
outages = OutageLog(log)


def public_error(error: HaruError, *, request_id: str | None = None) -> dict[str, Any]:
    """Format an error of ours for the `errors` list; a bug carries the request id, to be quoted to support."""
    if isinstance(error, Unavailable):
        outages.note("a request was answered UNAVAILABLE", error)
    extensions: dict[str, Any] = {"code": error.code, "retryable": error.retryable}
    if request_id is not None:
        extensions["requestId"] = request_id
    return {"message": cut(error.message), "extensions": extensions}


def request_errors(errors: Iterable[GraphQLError]) -> list[dict[str, Any]]:
    """Format faults of the request itself: of its syntax, of its document or of its variables."""
    return [_located(error, _bad_request(error.message)) for error in errors]


def execution_errors(errors: Iterable[GraphQLError], request_id: str) -> list[dict[str, Any]]:
    """Format what went wrong while fields were executed; bugs are logged and masked."""
    return [_located(error, _of_execution(error, request_id)) for error in errors]


def report_bug(error: BaseException, request_id: str, *, where: str) -> dict[str, Any]:
    """Log an unexpected exception with its traceback and format what the client may know of it."""
    log.error("request %s failed in %s", request_id, where, exc_info=error, extra={"request_id": request_id})
    return public_error(Internal(), request_id=request_id)


def cut(message: str) -> str:
    """Shorten a message: graphql-core quotes what was sent, and that may be long."""
    return message if len(message) <= MESSAGE_LENGTH else message[: MESSAGE_LENGTH - 1] + "…"


def _of_execution(error: GraphQLError, request_id: str) -> dict[str, Any]:
    cause = error.original_error
    if isinstance(cause, HaruError):
        return public_error(cause)
    if isinstance(cause, StrawberryInputCoercionError) or _is_argument_error(cause):
        return _bad_request(error.message)
    where = ".".join(str(key) for key in error.path or ())
    return report_bug(cause or error, request_id, where=where or "the operation")


def _is_argument_error(cause: BaseException | None) -> bool:
    # A variable that is null for a non-null argument with a default is only found when the field is executed.
    return isinstance(cause, GraphQLError) and cause.original_error is None and cause.message.startswith("Argument '")


def _bad_request(message: str) -> dict[str, Any]:
    return {"message": cut(message), "extensions": {"code": ErrorCode.BAD_REQUEST, "retryable": False}}


def _located(error: GraphQLError, formatted: dict[str, Any]) -> dict[str, Any]:
    if error.locations:
        formatted["locations"] = [location.formatted for location in error.locations]
    if error.path is not None:
        formatted["path"] = error.path
    return formatted
