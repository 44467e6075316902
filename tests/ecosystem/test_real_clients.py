"""Clients from npm, and the one that ariadne-codegen generates, against a running server.

Each check of their scripts is a test here; a script runs once.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from tests.outside import CLIENTS, PROJECT, ariadne, node, run
from tests.serving import Served

SCRIPTS = ("urql.mjs", "apollo.mjs", "subscriptions.mjs", "python/checks.py")
NAME = re.compile(r"^(?:check\('|async def (?=check_))([^'(]+)", re.MULTILINE)
CHECKS = [(script, name) for script in SCRIPTS for name in NAME.findall((CLIENTS / script).read_text("utf-8"))]

Results = dict[str, dict[str, Any]]


@pytest.fixture(scope="session")
def results(served: Served, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Results]:
    """What the checks of a script came to, by name."""
    environment = {"HARU_URL": served.url, "HARU_TOKENS": json.dumps(served.tokens)}

    @cache
    def results_of(script: str) -> Results:
        if script.endswith(".mjs"):
            output = node(script, environment=environment)
        else:
            directory = tmp_path_factory.mktemp("ariadne")
            shutil.copy(PROJECT / "schema.graphql", directory)
            package = shutil.copytree(CLIENTS / "python", directory / "python")
            run(ariadne("ariadne-codegen"), cwd=package)
            output = run(ariadne("python"), "checks.py", cwd=package, environment=environment)
        checks = [json.loads(line) for line in output.splitlines()]
        return {check["name"]: check for check in checks}

    return results_of


@pytest.mark.parametrize(("script", "name"), CHECKS)
def test_client(script: str, name: str, results: Callable[[str], Results]) -> None:
    result = results(script)[name]
    assert result["ok"], result["reason"]
