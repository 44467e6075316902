"""The part of the error catalogue that tells why a request itself cannot be served: the top-level `errors` list."""

from __future__ import annotations

from services.error_codes import ErrorCode
from services.errors import HaruError


class RequestError(HaruError):
    """The request cannot be served."""


class Unauthenticated(RequestError):
    """A valid access token is required.

    When: there is no token, or it is expired, revoked, malformed, or signed for somebody else, or of staff who are
        blocked; the answer never says
        which.
    Do: get a new token, then send the request again.
    """

    code = ErrorCode.UNAUTHENTICATED


class Forbidden(RequestError):
    """The token's role does not allow this.

    When: the token is valid, and its role may not call this field, or not for this: the message says which role may.
    Do: use an account with the role that it needs.
    """

    code = ErrorCode.FORBIDDEN


class RateLimited(RequestError):
    """Too many requests; try again later.

    When: the address or the player has sent more requests than allowed, or the player more documents that are new.
    Do: wait for `Retry-After` seconds.
    """

    code = ErrorCode.RATE_LIMITED
    retryable = True


class QueryTooComplex(RequestError):
    """The document is too complex.

    When: the document has too many tokens, fields, aliases or directives, nests too deeply, plays more than once,
        or asks for too large an answer.
    Do: split the document, or ask for shorter pages.
    """

    code = ErrorCode.QUERY_TOO_COMPLEX


class BadRequest(RequestError):
    """The request is malformed.

    When: the request is not GraphQL over HTTP, the document or a variable does not fit the schema, or an argument
        is out of its bounds.
    Do: correct the request: the message says what is wrong.
    """

    code = ErrorCode.BAD_REQUEST


class Unavailable(RequestError):
    """The database does not answer at the moment; try again shortly.

    When: the database is starting, restarting, overloaded, full, read-only or out of reach, or does not let haru in,
        or more ask than can be served in time, or the request took too long. A command may have happened. The log
        tells operators which.
    Do: send the very same request again, with the same key, after `Retry-After` seconds where the answer tells them:
        nothing happens twice.
    """

    code = ErrorCode.UNAVAILABLE
    retryable = True


class Internal(RequestError):
    """Something went wrong on our side.

    When: a bug of ours: it is logged with `extensions.requestId`.
    Do: report the request id; retry a command only with its key.
    """

    code = ErrorCode.INTERNAL
