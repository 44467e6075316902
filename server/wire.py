"""What both the transport and the language need to know of a request: its headers, its text, and how it is refused."""

from __future__ import annotations

import re
from collections.abc import Iterable

from services.error_codes import ErrorCode
from services.errors import HaruError
from services.request_errors import BadRequest

Headers = list[tuple[bytes, bytes]]

CONTROL_CHARACTERS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
"""Everything that Unicode calls a control character, but tab, line feed and carriage return."""

STATUS_OF_CODE = {
    ErrorCode.UNAUTHENTICATED: 401,
    ErrorCode.FORBIDDEN: 403,
    ErrorCode.RATE_LIMITED: 429,
    ErrorCode.INTERNAL: 500,
    ErrorCode.UNAVAILABLE: 503,
}


class Refused(Exception):
    """A request that ends at the transport: a status, one error, and the headers that belong to it."""

    unread = False
    """Whether the client is still sending its body."""

    def __init__(self, error: HaruError, *, status: int | None = None, headers: Iterable[tuple[bytes, bytes]] = ()):
        """Refuse with `error`, at the status that its code asks for unless another is given."""
        self.error = error
        self.status = status or STATUS_OF_CODE.get(error.code, 400)
        self.headers = [*headers, *_headers_of(error)]


def _headers_of(error: HaruError) -> Headers:
    if error.code is ErrorCode.UNAUTHENTICATED:
        return [(b"www-authenticate", b"Bearer")]
    seconds = getattr(error, "retry_after_seconds", None)
    return [] if seconds is None else [(b"retry-after", str(max(1, -int(-seconds // 1))).encode())]


def bad_request(message: str) -> Refused:
    """Make the refusal of a malformed request."""
    return Refused(BadRequest(message))


def header(headers: Headers, name: bytes) -> bytes | None:
    """Find the first header of this lower-case name."""
    for key, value in headers:
        if key == name:
            return value
    return None
