"""What servers count into: gone with them, and with the next one where a server was killed."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
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


def held(directory: Path) -> list[Path]:
    """What this process has open there, whether or not it is there still."""
    found = []
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # the one that looks
            found.append(Path(str(descriptor.readlink()).removesuffix(" (deleted)")))
    return [path for path in found if path.parent == directory]


def test_nothing_is_held_afterwards(tmp_path: Path) -> None:
    """Neither of its own nor of what others left; also where somebody has taken it away."""
    (tmp_path / f"{PREFIX}left").mkdir()
    with scratch() as mine:
        assert held(tmp_path) == [mine]
        shutil.rmtree(mine)
    assert held(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_one_that_another_server_takes_before_it_is_held_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken, really = list[Path](), fcntl.flock

    def flock(descriptor: int, how: int) -> None:
        if not taken:
            taken.append(Path(f"/proc/self/fd/{descriptor}").readlink())
            taken[0].rmdir()
        really(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", flock)
    with scratch() as mine:
        assert mine.is_dir()
        assert held(tmp_path) == [mine] != taken
