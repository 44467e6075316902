"""What `haru serve` says to a developer before it serves."""

from __future__ import annotations

import pytest

from server.cli.serve import _print_welcome
from server.settings import read_settings


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "::"])
def test_addresses_and_tokens(host: str, capsys: pytest.CaptureFixture[str]) -> None:
    _print_welcome(read_settings(HOST=host, PORT="8123"))
    said = capsys.readouterr().out
    assert "http://127.0.0.1:8123/graphql\n" in said
    assert all(f"({role}):\n" in said for role in ("PLAYER", "OPERATOR", "ADMIN"))


def test_it_warns_where_other_machines_may_come(capsys: pytest.CaptureFixture[str]) -> None:
    _print_welcome(read_settings(HOST="127.0.0.1"))
    assert capsys.readouterr().err == ""
    _print_welcome(read_settings(HOST="0.0.0.0"))
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("WARNING: whoever reaches 0.0.0.0:8000 can be an administrator")
    assert "HARU_ENV=stage or production" in line
