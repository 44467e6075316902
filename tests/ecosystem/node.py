"""Node and the packages of tests/clients: needed in CI, and without them a developer's tests are skipped."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
CLIENTS = PROJECT / "tests" / "clients"


def unavailable(reason: str) -> None:
    """Skip on a developer's machine; fail in CI, where a silent skip would be a test that never runs."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def node(*arguments: str, environment: Mapping[str, str] | None = None, seconds: float = 120) -> str:
    """Run Node in tests/clients; what it printed. Fails with it where it fails."""
    executable = shutil.which("node")
    if executable is None or not (CLIENTS / "node_modules" / ".package-lock.json").exists():
        unavailable("Node and `npm ci` in tests/clients are needed (`make clients`).")
    done = subprocess.run(
        [executable or "", *arguments],
        cwd=CLIENTS,
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
