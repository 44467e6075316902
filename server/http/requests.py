"""The HTTP half of GraphQL over HTTP: what a request asks for and how an answer is sent, raw ASGI and no GraphQL.

Every refusal is a `Refused`: JSON with a code and a status, never text/plain, and never a 500 for what a client sent.
Reading is strict: one JSON object in UTF-8, numbers that a double can hold, strings without control characters.
"""

from __future__ import annotations

from asyncio import Task, create_task, get_running_loop, timeout
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

import orjson
from python_multipart.multipart import parse_options_header
from starlette.types import Receive, Send

from server.wire import CONTROL_CHARACTERS, Headers, Refused, bad_request, header
from services.request_errors import BadRequest

GRAPHQL_JSON = "application/graphql-response+json"
JSON = "application/json"
MULTIPART = "multipart/form-data"

LOOKED_INTO = 16
"""The beginning of a body of up to so many times the size allowed is read, to tell nonsense from too much."""


class Disconnected(Exception):
    """The client went away before its request was complete."""


# What the request says of itself


@lru_cache(maxsize=256)
def negotiate(accept: bytes | None) -> str | None:
    """Choose the media type of the answer, or None where none fits.

    Types that are named win over wildcards, then the higher q, then the order in the header. Without a preference it is
    application/json, which every client of old understands. A client that also lists text/event-stream (urql does, at
    every request) gets JSON: it is what it lists first.
    """
    if accept is None or not accept.strip():
        return JSON
    ranked: list[tuple[bool, float, int, str]] = []
    for position, item in enumerate(accept.decode("latin-1").split(",")):
        media_type, quality = accepted(item)
        offered = {GRAPHQL_JSON: GRAPHQL_JSON, JSON: JSON, "*/*": JSON, "application/*": JSON}.get(media_type)
        if offered is not None and quality > 0:
            ranked.append((not media_type.endswith("*"), quality, -position, offered))
    return max(ranked)[-1] if ranked else None


def accepted(item: str) -> tuple[str, float]:
    """Read one item of an Accept header: a media type in lower case, and its q."""
    media_type, *parameters = (part.strip().lower() for part in item.split(";"))
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return media_type, min(1.0, float(value))
            except ValueError:
                return media_type, 0.0
    return media_type, 1.0


@lru_cache(maxsize=256)
def content_type(value: bytes | None) -> str | None:
    """Recognise the media type of a request's body, or None where it is not served. Only UTF-8 is."""
    media_type, parameters = parse_options_header(value)
    if media_type == MULTIPART.encode():
        return MULTIPART
    charset = parameters.get(b"charset", b"utf-8").lower()
    return JSON if media_type == JSON.encode() and charset in (b"utf-8", b"utf8") else None


def refuse_encoded(headers: Headers) -> None:
    """Refuse a body that is compressed: what it would unpack to has no bound. Raises: Refused (415)."""
    encoding = header(headers, b"content-encoding")
    if encoding is not None and encoding.strip().lower() not in {b"", b"identity"}:
        refused = Refused(
            BadRequest("The body must not be compressed."), status=415, headers=[(b"accept-encoding", b"identity")]
        )
        refused.unread = True
        raise refused


async def read_body(headers: Headers, receive: Receive, *, at_most: int) -> bytes:
    """Read the whole body. Raises: Refused (413; 400 where it nests too deep all the same), Disconnected."""
    refuse_declared_length(headers, at_most * LOOKED_INTO)
    body, more = b"", True
    while more and len(body) <= at_most:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        body += message.get("body", b"")  # few and small: the server reads 64 KiB at a time
        more = message.get("more_body", False)
    if len(body) > at_most:
        refused = not_json() if _nests_too_deep(body) else too_large(at_most)
        refused.unread = more
        raise refused
    return body


def _nests_too_deep(beginning: bytes) -> bool:
    """Whether a body is no JSON that anybody decodes, however it goes on."""
    try:
        orjson.loads(beginning.decode(errors="ignore"))  # it may end within a character
    except orjson.JSONDecodeError as fault:
        return "depth limit" in fault.msg
    return False


def refuse_declared_length(headers: Headers, at_most: int) -> None:
    """Refuse a body by the length that it announces. Raises: Refused (413)."""
    declared = header(headers, b"content-length")
    if declared is not None and declared.isdigit() and float(declared) > at_most:  # int() reads no endless ones
        raise too_large(at_most, unread=True)


class WhileThere:
    """Stops what is done for a client once that has gone away: for what only reads. Raises: Disconnected at its end.

    Most is done before anybody looks: `look_seconds` pass before a task is made that waits for the client to go.
    """

    look_seconds = 0.05

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._limit = timeout(None)
        self._watching: Task[None] | None = None

    async def __aenter__(self) -> None:
        await self._limit.__aenter__()
        self._look = get_running_loop().call_later(self.look_seconds, self._start)

    async def __aexit__(self, *raised: Any) -> None:
        self._look.cancel()
        if self._watching is not None:
            self._watching.cancel()
        try:
            await self._limit.__aexit__(*raised)
        except TimeoutError:  # of this limit, which is set once the client is gone
            raise Disconnected from None

    def _start(self) -> None:
        self._watching = create_task(self._watch())

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._limit.reschedule(get_running_loop().time())


async def drain(receive: Receive, *, at_most: int, seconds: float) -> None:
    """Read on and forget, so that a client that is still sending gets to see the refusal and not a reset."""
    with suppress(TimeoutError):
        async with timeout(seconds):
            while at_most > 0:
                message = await receive()
                if message["type"] == "http.disconnect" or not message.get("more_body", False):
                    return
                at_most -= len(message.get("body", b""))


def too_large(at_most: int, *, unread: bool = False) -> Refused:
    """Make the refusal of a body that is too large; `unread` tells whether there is more of it to come."""
    error = BadRequest(f"The request's body is larger than {at_most} bytes.")
    refused = Refused(error, status=413, headers=[(b"connection", b"close")])
    refused.unread = unread
    return refused


def not_json() -> Refused:
    """Make the refusal of a body that is no JSON."""
    # The decoder's message quotes nothing, but says more of the library than of the fault.
    return bad_request("The request is not valid JSON.")


def too_slow() -> Refused:
    """Make the refusal of a request that does not arrive."""
    return Refused(BadRequest("The request took too long to arrive."), status=408, headers=[(b"connection", b"close")])


# Strict JSON


def strict_json(body: bytes | str) -> Any:
    """Decode JSON. Raises: Refused (400) for anything that is not strictly JSON in UTF-8."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise not_json() from None
    if _may_hold_control_characters(body):
        refuse_control_characters(value)
    return value


def _may_hold_control_characters(body: bytes | str) -> bool:
    # Raw ones below 0x20 are no JSON at all. Escaped, they need one of these; DEL and the C1 range arrive as they are.
    if isinstance(body, str):
        return True
    return b"\\u" in body or b"\\b" in body or b"\\f" in body or b"\x7f" in body or b"\xc2" in body


def refuse_control_characters(value: Any) -> None:
    """Refuse control characters in any string below `value`, keys included. Raises: Refused (400)."""
    pending = [value]
    while pending:
        part = pending.pop()
        if isinstance(part, str):
            if CONTROL_CHARACTERS.search(part):
                raise bad_request("Strings must not contain control characters.")
        elif isinstance(part, dict):
            pending.extend(part)
            pending.extend(part.values())
        elif isinstance(part, list):
            pending.extend(part)


def query_parameters(query_string: bytes) -> dict[str, Any]:
    """Read a GET request's parameters, `variables` and `extensions` being JSON; empty ones are none.

    Raises: Refused (400).
    """
    try:
        pairs = parse_qsl(query_string.decode("ascii"), errors="strict", max_num_fields=16)
    except ValueError:  # UnicodeDecodeError is one
        raise bad_request("The query string is malformed.") from None
    parameters: dict[str, Any] = dict(pairs)
    for name in ("variables", "extensions"):
        if name in parameters:
            parameters[name] = strict_json(parameters[name])
    refuse_control_characters(parameters)
    return parameters


PARAMETERS: Sequence[tuple[str, type, str]] = (
    ("query", str, "a string"),
    ("operationName", str, "a string"),
    ("documentId", str, "a string"),
    ("variables", dict, "an object"),
    ("extensions", dict, "an object"),
)


def checked(request: Any) -> dict[str, Any]:
    """Check the shape of the request's parameters. Raises: Refused (400)."""
    if isinstance(request, list):
        raise bad_request("Batches are not served.")
    if not isinstance(request, dict):
        raise bad_request("The request must be a JSON object.")
    for name, kind, called in PARAMETERS:
        value = request.get(name)
        if value is not None and not isinstance(value, kind):
            raise bad_request(f"The parameter '{name}' must be {called}.")
    return request


# The answer

_CONTENT_TYPES = {kind: f"{kind}; charset=utf-8".encode() for kind in (GRAPHQL_JSON, JSON)}


async def respond(
    send: Send,
    body: bytes,
    *,
    status: int,
    media_type: str,
    request_id: str,
    headers: Iterable[tuple[bytes, bytes]] = (),
) -> None:
    """Send one whole JSON answer."""
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [
                (b"content-type", _CONTENT_TYPES[media_type]),
                (b"content-length", b"%d" % len(body)),
                (b"cache-control", b"no-store"),
                (b"x-content-type-options", b"nosniff"),
                (b"x-request-id", request_id.encode()),
                *headers,
            ],
        }
    )
    await send({"type": "http.response.body", "body": body})
