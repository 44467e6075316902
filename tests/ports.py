"""Ports for servers that are told theirs before they start."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from random import sample

PORTS = range(20_000, 32_000)
"""None of those that systems give to whoever asks for any: from there a connection could take it before the server."""


@contextmanager
def reserved_port() -> Iterator[int]:
    """A port of this machine on which nobody listens, and which no other process of tests is given meanwhile."""
    for port in sample(PORTS, len(PORTS)):  # not one that clients of a server that has just ended may still try
        with socket.socket(type=socket.SOCK_DGRAM) as taken:  # nobody speaks UDP there: it tells the others
            try:
                taken.bind(("127.0.0.1", port))
                socket.create_server(("127.0.0.1", port)).close()
            except OSError:
                continue
            yield port
            return
    raise AssertionError("no port is free")
