"""A WebSocket whose client does not read: it is cut off at the second look, and not before."""

from __future__ import annotations

import asyncio
from unittest.mock import Mock

import pytest

from server.http.protocols import WebSocketConnection


@pytest.fixture
def connection() -> WebSocketConnection:
    made = object.__new__(WebSocketConnection)
    made.transport = Mock(is_closing=Mock(return_value=False))
    made.loop = Mock()
    made.writable = asyncio.Event()
    made.writable.set()
    return made


def looks(connection: WebSocketConnection, *, writable: bool) -> bool:
    """Look once; whether the connection was cut off."""
    if writable:
        connection.resume_writing()
    else:
        connection.writable.clear()
    connection._look()
    return bool(connection.transport.abort.called)  # type: ignore[attr-defined]


def test_who_reads_is_looked_at_again_and_again(connection: WebSocketConnection) -> None:
    assert [looks(connection, writable=True) for _ in range(3)] == [False] * 3
    assert connection.loop.call_later.call_count == 3  # type: ignore[attr-defined]


def test_who_does_not_read_is_cut_off_at_the_second_look(connection: WebSocketConnection) -> None:
    assert [looks(connection, writable=False) for _ in range(2)] == [False, True]
    assert connection.loop.call_later.call_count == 1  # type: ignore[attr-defined]


def test_who_reads_in_between_begins_anew(connection: WebSocketConnection) -> None:
    assert not looks(connection, writable=False)
    connection.resume_writing()
    assert [looks(connection, writable=False) for _ in range(2)] == [False, True]


def test_who_does_not_let_go_is_cut_off_too(connection: WebSocketConnection) -> None:
    connection.transport.is_closing.return_value = True  # type: ignore[attr-defined]
    assert not looks(connection, writable=True)
    connection._look()
    connection.transport.abort.assert_called_once()  # type: ignore[attr-defined]
