"""What a line of the log looks like, as text and as JSON: nothing in it begins another line."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Any

import pytest

from server.cli.common import settings_or_exit
from server.logs import OURS, Handler, JsonLines, TextLines, escaped, facts_of, log_request
from server.observing.record import Record
from tests.world import SEED_KEYS

HOSTILE = 'a\n2026-01-01T00:00:00Z INFO haru: forged\r\x1b[31m\x9b\u202e\u2028\ud800 "}'


def record(**facts: Any) -> Record:
    made = Record("r-1", "http", [], ())
    with made:
        for name, value in facts.items():
            setattr(made, name, value)
    made.seconds = 0.0123456
    return made


def line(formatter: logging.Formatter, message: str, args: Any, error: Any, **extra: Any) -> str:
    made = logging.LogRecord("haru.test", logging.ERROR, "", 0, message, args, error)
    vars(made).update(extra)
    return formatter.format(made)


def fail(message: str) -> None:
    raise RuntimeError(message)


def fail_as(kind: type[Exception]) -> None:
    raise kind("at another place")


def raised(message: str) -> Any:
    try:
        fail(message)
    except RuntimeError as error:
        return type(error), error, error.__traceback__


@pytest.mark.parametrize("text", [HOSTILE, "\x00", "\x7f", "\u2066x"])
def test_what_is_escaped(text: str) -> None:
    assert escaped(text).isprintable()


def test_what_is_not() -> None:
    assert escaped("하루 é 🎲 \\n") == "하루 é 🎲 \\n"


def test_a_json_line_of_a_message() -> None:
    told = json.loads(line(JsonLines(), "it %s", (HOSTILE,), None, request_id="r-7"))
    assert told.pop("time").endswith("Z")
    assert told == {
        "level": "error",
        "logger": "haru.test",
        "message": "it " + escaped(HOSTILE),
        "requestId": "r-7",
    }


def test_a_json_line_of_a_request_is_its_facts() -> None:
    told = json.loads(line(JsonLines(), "", (), None, request={"requestId": "r-1", "code": None}, request_id="r-7"))
    assert told.pop("time").endswith("Z")
    assert told == {"level": "error", "logger": "haru.test", "requestId": "r-1", "code": None}


def test_how_often_it_came_is_told_from_the_second_time_on() -> None:
    told = [line(TextLines(), "alike", (), None, times=times).rpartition(": ")[2] for times in (1, 2)]
    assert told == ["alike", "alike (2 times)"]


def test_a_json_line_with_a_traceback_is_one_line() -> None:
    text = line(JsonLines(), "failed", (), raised(HOSTILE))
    assert "\n" not in text
    *_, last = json.loads(text)["exception"]
    assert last.isprintable()


def test_a_traceback_in_text_begins_no_line() -> None:
    first, *trace = line(TextLines(), "failed", (), raised(HOSTILE)).split("\n")
    assert first.endswith(" ERROR haru.test: failed")
    assert trace
    assert all(part.startswith("    ") and part.isprintable() for part in trace)


def test_a_message_in_text_is_one_line() -> None:
    text = line(TextLines(), "%s", (HOSTILE,), None)
    assert text.isprintable()
    assert text.endswith(escaped(HOSTILE))


def test_facts_of_a_request() -> None:
    made = record(operation=("playDice",), role="PLAYER", code="DAILY_LIMIT_REACHED", bytes=812, answers=1, status=200)
    assert facts_of(made) == {
        "requestId": "r-1",
        "traceId": None,
        "transport": "http",
        "operation": "playDice",
        "role": "PLAYER",
        "outcome": "refused",
        "code": "DAILY_LIMIT_REACHED",
        "status": 200,
        "answers": 1,
        "bytes": 812,
        "durationMs": 12.346,
    }


def test_a_request_is_measured_and_its_answers_are_counted() -> None:
    before = perf_counter()
    with Record("r-1", "sse", [], ()) as made:
        made.sent(100, 200)
        made.sent(20)
    assert 0 < made.seconds <= perf_counter() - before
    assert (made.answers, made.bytes, made.status) == (2, 120, 200)


@pytest.mark.parametrize(
    ("codes", "code", "outcome"),
    [
        ([], None, "ok"),
        (["NO_FEATURE_TODAY", "FORBIDDEN"], "NO_FEATURE_TODAY", "refused"),
        (["NO_FEATURE_TODAY", "UNAVAILABLE", "INTERNAL"], "UNAVAILABLE", "failed"),
        (["INTERNAL", "BAD_REQUEST"], "INTERNAL", "failed"),
    ],
)
def test_our_own_faults_come_first(codes: list[str], code: str | None, outcome: str) -> None:
    made = record()
    for one in codes:
        made.refuse(one)
    assert (made.code, made.outcome) == (code, outcome)


def test_who_goes_away_before_an_answer_is_gone() -> None:
    made = Record("r-1", "http", [], ())
    with pytest.raises(asyncio.CancelledError), made:
        raise asyncio.CancelledError
    assert made.outcome == "gone"
    made.sent(1)
    assert made.outcome == "ok"


@pytest.mark.parametrize(
    ("operation", "name"), [((), "none"), (("me",), "me"), (("me", "clock", "diceStatus"), "several")]
)
def test_one_name_of_few(operation: tuple[str, ...], name: str) -> None:
    assert record(operation=operation).name == name


@pytest.mark.parametrize(
    ("given", "trace_id"),
    [
        (b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "0af7651916cd43dd8448eb211c80319c"),
        (b"00-00000000000000000000000000000000-b7ad6b7169203331-01", None),
        (b"00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", None),
        (b'00-"}\n', None),
        (b"", None),
    ],
)
def test_the_trace_of_a_client(given: bytes, trace_id: str | None) -> None:
    assert Record("r", "http", [(b"traceparent", given)], ()).trace_id == trace_id


@pytest.fixture
def lines() -> io.StringIO:
    """What a handler writes of the logger haru.flood."""
    stream, handler = io.StringIO(), Handler()
    handler.setFormatter(TextLines())
    handler.setStream(stream)
    logger = logging.getLogger("haru.flood")
    logger.handlers, logger.propagate = [handler], False
    logger.setLevel(logging.INFO)
    return stream


async def test_a_flood_is_a_line_a_second_with_a_count(lines: io.StringIO) -> None:
    logger = logging.getLogger("haru.flood")

    for number in range(40):
        logger.error("request %s failed", number, exc_info=raised(f"of {number}"))
        logger.warning("the same")
        logger.info("not a fault")
    first = lines.getvalue()
    assert [first.count(text) for text in (" failed\n", "the same\n", "not a fault\n")] == [1, 1, 40]
    async with asyncio.timeout(10):
        while lines.getvalue().count(" times)") < 2:
            await asyncio.sleep(0.02)
    assert first.count("RuntimeError: of") == 1
    assert lines.getvalue().count("(39 times)") == 2


async def test_bugs_are_alike_that_are_of_one_kind_and_place(lines: io.StringIO) -> None:
    logger = logging.getLogger("haru.flood")

    def elsewhere(kind: type[Exception]) -> Any:
        try:
            fail_as(kind)
        except kind as error:
            return kind, error, error.__traceback__

    bugs = [raised("a"), elsewhere(RuntimeError), elsewhere(ValueError), raised("b"), elsewhere(ValueError)]
    for bug in bugs:
        logger.error("a request failed", exc_info=bug)
    never_raised = (RuntimeError, RuntimeError("never raised"), None)
    for _ in range(2):
        logger.error("a request failed", exc_info=never_raised)
    assert lines.getvalue().count("a request failed") == 4


def test_outside_of_a_loop_each_kind_is_told(lines: io.StringIO) -> None:
    for text in ("one", "two", "one"):
        logging.getLogger("haru.flood").error(text)
    assert [told.rpartition(": ")[2] for told in lines.getvalue().splitlines()] == ["one", "two"]


def test_requests_are_told_where_that_is_wanted(lines: io.StringIO, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "haru.requests"):
        log_request(record())
    assert not caplog.records
    with caplog.at_level(logging.INFO, "haru.requests"):
        log_request(record(operation=("me", "clock"), code="FORBIDDEN", bytes=10))
        log_request(record())
    assert caplog.messages == [
        "me,clock refused (FORBIDDEN), 12.3 ms, 10 bytes, request r-1",
        "http ok, 12.3 ms, 0 bytes, request r-1",
    ]


@contextmanager
def unconfigured() -> Iterator[logging.Logger]:
    """The root of all loggers, as a process begins with it; put back before pytest comes for its own handlers."""
    root = logging.getLogger()
    handlers, levels = root.handlers, {one: one.level for one in (root, *map(logging.getLogger, OURS))}
    root.handlers = []
    try:
        yield root
    finally:
        root.handlers = handlers
        for one, level in levels.items():
            one.setLevel(level)


@pytest.mark.parametrize(
    ("environment", "serving", "as_json"),
    [("local", True, False), ("stage", False, False), ("stage", True, True)],
)
def test_programs_read_what_a_server_logs_that_is_for_real(
    monkeypatch: pytest.MonkeyPatch, environment: str, serving: bool, as_json: bool
) -> None:
    given = {"ENV": environment, "SECRET": "x" * 32, "SEED_KEYS": SEED_KEYS, "LOG_LEVEL": "info"}
    for name, value in given.items():
        monkeypatch.setenv(f"HARU_{name}", value)
    monkeypatch.setenv("DATABASE_URL", "postgresql://haru@127.0.0.1:1/haru")
    written = io.StringIO()
    with unconfigured() as root:
        settings_or_exit(serving=serving)
        [handler] = root.handlers
        assert isinstance(handler, Handler)
        handler.setStream(written)
        for name in ("haru.somewhere", "uvicorn.error", "somebody.else"):
            for level in (logging.DEBUG, logging.INFO, logging.WARNING):
                logging.getLogger(name).log(level, "%s tells %s", name, level)
    told = written.getvalue().splitlines()
    assert [one.startswith("{") for one in told] == [as_json] * 5
    assert [json.loads(one)["message"] if as_json else one.rpartition(": ")[2] for one in told] == [
        "haru.somewhere tells 20",
        "haru.somewhere tells 30",
        "uvicorn.error tells 20",
        "uvicorn.error tells 30",
        "somebody.else tells 30",
    ]
