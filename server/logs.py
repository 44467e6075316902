"""What the log looks like: a line for each message on standard error; JSON where haru is for real, text locally.

No line holds a control character, whoever sent it: what a client wrote can neither begin a line nor speak to a
terminal. A warning, or worse, that comes in a flood is a line a second with a count.
"""

from __future__ import annotations

import logging
import re
import time
from typing import Any

import orjson

from server.observing.record import Record
from services.quiet import Quiet

TIME = "%Y-%m-%dT%H:%M:%S"

OURS = ("haru", "uvicorn")

UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, other ends of lines, what turns the direction of text, and halves of characters."""

requests = logging.getLogger("haru.requests")


def configure_logs(level: str, *, as_json: bool = False) -> None:
    """Write what haru and uvicorn log from `level` on, and warnings of everything else.

    Does nothing to the handlers of a process that has its own. A worker process calls it for itself.
    """
    handler = Handler()
    handler.setFormatter(JsonLines() if as_json else TextLines())
    logging.basicConfig(handlers=[handler], level=logging.WARNING)
    for name in OURS:
        logging.getLogger(name).setLevel(level.upper())


def log_request(record: Record) -> None:
    """Tell of a request that has ended, where that is wanted (HARU_LOG_LEVEL)."""
    if requests.isEnabledFor(logging.INFO):
        # Without looking for the line of code that logs: that is half of what a line costs.
        line = requests.makeRecord(requests.name, logging.INFO, "", 0, "%s", (_Told(record),), None)
        line.request = facts_of(record)
        requests.handle(line)


def facts_of(record: Record) -> dict[str, Any]:
    """What is told of a request, by name."""
    return {
        "requestId": record.request_id,
        "traceId": record.trace_id,
        "transport": record.transport,
        "operation": ",".join(record.operation) or None,
        "role": record.role,
        "outcome": record.outcome,
        "code": record.code,
        "status": record.status,
        "answers": record.answers,
        "bytes": record.bytes,
        "durationMs": round(record.seconds * 1000, 3),
    }


class _Told:
    """A request in words, where they are wanted."""

    __slots__ = ("record",)

    def __init__(self, record: Record) -> None:
        self.record = record

    def __str__(self) -> str:
        record = self.record
        what = ",".join(record.operation) or record.transport
        how = record.outcome if record.code is None else f"{record.outcome} ({record.code})"
        return f"{what} {how}, {record.seconds * 1000:.1f} ms, {record.bytes} bytes, request {record.request_id}"


def escaped(text: str) -> str:
    """The text without what could begin a line or speak to a terminal."""
    return UNSAFE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


class _Lines(logging.Formatter):
    """What both forms have in common: UTC, and how often it was."""

    converter = time.gmtime  # type: ignore[assignment]

    def time(self, record: logging.LogRecord) -> str:
        """The instant, in UTC."""
        return f"{self.formatTime(record, TIME)}.{int(record.msecs):03d}Z"

    def message(self, record: logging.LogRecord) -> str:
        """What is told, and how often it came."""
        times = getattr(record, "times", 1)
        return record.getMessage() + (f" ({times} times)" if times > 1 else "")


class TextLines(_Lines):
    """Lines for people; a traceback is indented below its line."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, and perhaps a traceback."""
        line = f"{self.time(record)} {record.levelname} {record.name}: {escaped(self.message(record))}"
        if record.exc_info:
            trace = self.formatException(record.exc_info).split("\n")
            line = "\n".join([line, *(f"    {escaped(part)}" for part in trace)])
        return line


class JsonLines(_Lines):
    """Lines for programs: one JSON object each."""

    def format(self, record: logging.LogRecord) -> str:
        """One object."""
        told: dict[str, Any] = {
            "time": self.time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        request = getattr(record, "request", None)
        if request is not None:
            told |= request  # which says it all
        else:
            told["message"] = escaped(self.message(record))
            told |= {"requestId": record.request_id} if hasattr(record, "request_id") else {}
        if record.exc_info:
            told["exception"] = [escaped(part) for part in self.formatException(record.exc_info).split("\n")]
        return orjson.dumps(told).decode()


class Handler(logging.StreamHandler[Any]):
    """Writes to standard error; of what is alike, a line a second."""

    def __init__(self) -> None:
        super().__init__()
        self._quiet = Quiet()

    def handle(self, record: logging.LogRecord) -> bool:
        """Write a line, now or with others like it."""
        if record.levelno < logging.WARNING:
            return super().handle(record)
        self._quiet(_kind(record), lambda times: self._write(record, times))
        return True

    def _write(self, record: logging.LogRecord, times: int) -> None:
        record.times = times
        super().handle(record)


def _kind(record: logging.LogRecord) -> tuple[object, ...]:
    """What makes two lines alike: the bug and where it is, or else the words."""
    error = record.exc_info[1] if record.exc_info else None
    if error is None:
        return record.name, record.getMessage()
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = (place.tb_frame.f_code.co_filename, place.tb_lineno) if place is not None else None
    return record.name, type(error), where
