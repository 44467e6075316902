"""The clients that frontends use, from npm, against a running server: each check of their scripts is a test."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from tests.ecosystem.conftest import Served
from tests.ecosystem.outside import CLIENTS, node

SCRIPTS = ("urql.mjs", "apollo.mjs", "subscriptions.mjs")
NAME = re.compile(r"^check\('([^']+)'", re.MULTILINE)
CHECKS = [(script, name) for script in SCRIPTS for name in NAME.findall((CLIENTS / script).read_text("utf-8"))]

Results = dict[str, dict[str, Any]]


@pytest.fixture(scope="session")
def results(served: Served) -> Callable[[str], Results]:
    """What the checks of a script came to, by name; each script runs once."""
    environment = {"HARU_URL": served.url, "HARU_TOKENS": json.dumps(served.tokens)}

    @cache
    def run(script: str) -> Results:
        checks = [json.loads(line) for line in node(script, environment=environment).splitlines()]
        return {check["name"]: check for check in checks}

    return run


@pytest.mark.parametrize(("script", "name"), CHECKS)
def test_client(script: str, name: str, results: Callable[[str], Results]) -> None:
    result = results(script)[name]
    assert result["ok"], result["reason"]
