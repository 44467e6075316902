"""What servers count into: gone with them, and with the next one where a server was killed."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from server.observing.scratch import PREFIX, scratch
from server.settings import PROJECT

HOLD = """
from server.observing.scratch import scratch
with scratch() as directory:
    (directory / "counter.db").touch()
    print(directory, flush=True)
    input()
"""


@pytest.fixture(autouse=True)
def apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)


@contextmanager
def server() -> Iterator[tuple[Path, subprocess.Popen[str]]]:
    """A process that has such a directory."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD], cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield Path(process.stdout.readline().strip()), process
        finally:
            process.kill()


def test_it_goes_with_its_server() -> None:
    with scratch() as mine:
        assert mine.is_dir()
        with scratch() as another:
            assert mine.is_dir()
            assert mine != another
    assert not mine.exists()


def test_what_a_killed_server_leaves_goes_with_the_next_one(tmp_path: Path) -> None:
    others = tmp_path / f"{PREFIX}of-another-kind"
    others.write_text("a file")
    with server() as (left, killed), server() as (kept, _):
        killed.kill()
        killed.wait()
        assert left.is_dir()
        with scratch() as mine:
            assert not left.exists()
            assert (kept / "counter.db").exists()
            assert mine.is_dir()
    assert others.exists()
