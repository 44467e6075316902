"""The committed page to play is what its sources, its lock and schema.graphql make."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from graphql import build_schema, parse, validate

from server.pages.web import DIST
from tests.outside import unavailable

SOURCES = DIST.parent
SCHEMA = SOURCES.parents[1] / "schema.graphql"
DOCUMENT = re.compile(r"graphql\(\s*`([^`]*)`")


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_every_operation_is_valid() -> None:
    texts = [text for path in sorted((SOURCES / "src").rglob("*.ts*")) for text in DOCUMENT.findall(path.read_text())]
    assert len(texts) >= 12
    assert validate(build_schema(SCHEMA.read_text()), parse("\n".join(texts))) == []


def test_the_lock_names_no_registry() -> None:
    lock = (SOURCES / "package-lock.json").read_text()
    assert '"resolved"' not in lock
    assert "registry" not in lock


def test_only_compressed_files_are_committed() -> None:
    files = [path for path in DIST.rglob("*") if path.is_file()]
    assert {path.suffix for path in files} == {".gz"}
    assert sum(path.stat().st_size for path in files) < 150_000


@pytest.mark.graphiql_build
def test_the_committed_files_are_what_the_sources_make(tmp_path: Path) -> None:
    npm = shutil.which("npm")
    if npm is None or not (SOURCES / "node_modules" / "vite").is_dir():
        unavailable("no packages of examples/web (`npm ci` there)")
    build = [npm, "run", "build", "--", "--outDir", str(tmp_path), "--emptyOutDir", "--logLevel", "warn"]
    subprocess.run(build, cwd=SOURCES, check=True, timeout=300)
    assert contents(tmp_path) == contents(DIST)
