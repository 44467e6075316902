"""Which processes live: those of others, too."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from server.processes import is_alive


def test_one_lives_until_it_is_over() -> None:
    assert is_alive(os.getpid())
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    assert not is_alive(process.pid)


def test_one_that_is_somebody_else_s_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_pid: int, _signal: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "kill", refuse)
    assert is_alive(1)
