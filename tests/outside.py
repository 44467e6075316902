"""Programs that tests drive from outside: Node with the packages of tests/clients, ariadne-codegen, and Chromium.

CI has them all; without them a developer's tests are skipped, and the run ends with one line that says so.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NoReturn

import pytest

PROJECT = Path(__file__).parents[1]
CLIENTS = PROJECT / "tests" / "clients"
NODE = 20


def unavailable(reason: str) -> NoReturn:
    """Skip for want of what the reason names; fail in CI, where a silent skip would be a test that never runs."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def node(
    *arguments: str, cwd: Path = CLIENTS, environment: Mapping[str, str] | None = None, seconds: float = 240
) -> str:
    """Run Node, in tests/clients; what it printed. Fails with it where it fails."""
    if node_major() < NODE or not (CLIENTS / "node_modules" / ".package-lock.json").exists():
        unavailable(f"no Node {NODE} or newer with the packages of tests/clients (`make clients`)")
    return run("node", *arguments, cwd=cwd, environment=environment, seconds=seconds)


@cache
def node_major() -> int:
    """Which Node there is; 0 for none."""
    version = shutil.which("node") and run("node", "--version", cwd=CLIENTS)
    return int(version.removeprefix("v").partition(".")[0]) if version else 0


def run(*command: str, cwd: Path, environment: Mapping[str, str] | None = None, seconds: float = 240) -> str:
    """Run a command; what it printed. Fails with it where it fails."""
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def package(name: str, command: str) -> str:
    """The file of a command that a package of tests/clients brings."""
    return str(CLIENTS / "node_modules" / name / command)


ARIADNE = PROJECT / ".venv-ariadne"
ARIADNE_LOCK = CLIENTS / "python" / "requirements.lock"
ARIADNE_MADE = ARIADNE / "requirements.lock"


def ariadne(command: str) -> str:
    """A command of the environment that ariadne-codegen has to itself, since it needs another graphql-core than haru.

    `make clients` makes it; so does CI, where it is missing or not of this lock.
    """
    if not ARIADNE_MADE.exists() or ARIADNE_MADE.read_bytes() != ARIADNE_LOCK.read_bytes():
        if os.environ.get("CI") != "true":
            unavailable("no ariadne-codegen (`make clients`)")
        make = ("make", "--silent", "--always-make", f"PYTHON={sys.executable}")
        run(*make, str(ARIADNE_MADE.relative_to(PROJECT)), cwd=PROJECT, seconds=300)
    return str(ARIADNE / "bin" / command)


def chromium() -> str:
    """Where Chromium is."""
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        if (found := shutil.which(name)) is not None:
            return found
    unavailable("no Chromium (Debian: apt-get install chromium)")


@cache
def axe() -> str:
    """The source of axe, which looks for what keeps people from using a page."""
    source = Path(package("axe-core", "axe.min.js"))
    if not source.exists():
        unavailable("no packages of tests/clients (`make clients`)")
    return source.read_text()
