"""What is told of one request: made when it comes, noted on its way, told once it has ended.

An operation over WebSocket, and an event stream, are requests like any other. Nothing in here is a client's own text:
the operation is named by its root fields, which the schema names, and ids are those of a narrow alphabet.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from time import perf_counter
from types import TracebackType
from typing import Any

from server.wire import Headers, header
from services.error_codes import ErrorCode

NO_OPERATION = "none"
"""Of a request that was refused before anybody knew what it asks for."""

SEVERAL = "several"
"""Of a document that asks for several root fields, where a name of few values is needed."""

OURS = frozenset({ErrorCode.UNAVAILABLE, ErrorCode.INTERNAL})
"""Codes of what was no fault of the client's, and no rule of the event's."""

TRACEPARENT = re.compile(rb"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
"""https://www.w3.org/TR/trace-context/#traceparent-header"""


class Record:
    """One request. Use as a context manager, around all that is done for it."""

    __slots__ = (
        "_begun",
        "_headers",
        "answers",
        "bytes",
        "code",
        "is_gone",
        "is_live",
        "operation",
        "request_id",
        "role",
        "seconds",
        "span",
        "started",
        "status",
        "told",
        "trace_id",
        "transport",
    )

    def __init__(
        self,
        request_id: str,
        transport: str,
        headers: Headers,
        told: Sequence[Callable[[Record], None]],
        begun: Callable[[Record, Headers], None] | None = None,
    ) -> None:
        """Begin to measure; `begun` is told at the beginning, if anybody is, and `told` are once it has ended."""
        self.request_id = request_id
        self.transport = transport
        self.trace_id = trace_id_of(headers)
        self.told = told
        self._begun = begun
        self._headers = headers
        self.operation: tuple[str, ...] = ()
        """The names of the root fields."""
        self.role: str | None = None
        self.code: str | None = None
        """The code of what was refused, or went wrong; what was our fault before all else."""
        self.status: int | None = None
        self.bytes = 0
        self.answers = 0
        """How many answers were sent; a subscription has any number."""
        self.is_gone = False
        """Whether the client went away before it was answered."""
        self.is_live = False
        """Whether it stays open: a subscription, or the connection of several operations."""
        self.span: Any = None
        """What whoever is told at the beginning wants to find again at the end."""
        self.seconds = 0.0
        self.started = perf_counter()

    @property
    def name(self) -> str:
        """The operation, as one of few names."""
        match self.operation:
            case ():
                return NO_OPERATION
            case (name,):
                return name
            case _:
                return SEVERAL

    @property
    def outcome(self) -> str:
        """How it ended: ok, refused (by a rule, or for a fault of the client's), failed (our fault), or gone."""
        if self.code is not None:
            return "failed" if self.code in OURS else "refused"
        return "gone" if self.is_gone and not self.answers else "ok"

    def refuse(self, code: str) -> None:
        """Note an error that the client is told."""
        if self.code is None or (code in OURS and self.code not in OURS):
            self.code = code

    def refuse_all(self, errors: Iterable[Mapping[str, Any]]) -> None:
        """Note the `errors` of an answer."""
        for error in errors:
            self.refuse(error["extensions"]["code"])

    def sent(self, size: int, status: int | None = None) -> None:
        """Note that an answer of so many bytes was made."""
        self.answers += 1
        self.bytes += size
        self.status = status or self.status

    def __enter__(self) -> Record:
        if self._begun is not None:
            self._begun(self, self._headers)
        return self

    def __exit__(self, kind: type[BaseException] | None, _error: object, _traceback: TracebackType | None) -> None:
        self.is_gone |= kind is not None
        self.seconds = perf_counter() - self.started
        for tell in self.told:
            tell(self)


def trace_id_of(headers: Headers) -> str | None:
    """The id of the trace that a client's request belongs to (W3C Trace Context)."""
    given = header(headers, b"traceparent")
    found = TRACEPARENT.fullmatch(given) if given is not None else None
    return found[1].decode() if found else None
