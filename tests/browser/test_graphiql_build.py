"""The committed page is what its sources and its lock make."""

import shutil
import subprocess
from pathlib import Path

import pytest

from server.graphiql import DIST
from tests.outside import unavailable

SOURCES = DIST.parent


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_lock_names_no_registry() -> None:
    assert '"resolved"' not in (SOURCES / "package-lock.json").read_text()


@pytest.mark.graphiql_build
def test_the_committed_files_are_what_the_sources_make(tmp_path: Path) -> None:
    npm = shutil.which("npm")
    if npm is None or not (SOURCES / "node_modules" / "vite").is_dir():
        unavailable("no packages of server/graphiql (`npm ci` there)")
    build = [npm, "run", "build", "--", "--outDir", str(tmp_path), "--emptyOutDir", "--logLevel", "warn"]
    subprocess.run(build, cwd=SOURCES, check=True, timeout=300)
    rebuilt, committed = contents(tmp_path), contents(DIST)
    assert sorted(rebuilt) == sorted(committed)
    assert [name for name in rebuilt if rebuilt[name] != committed[name]] == []
