"""Clients from npm, and the one that ariadne-codegen generates, against a running server.

Each check of their scripts is a test here; a script runs once.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.outside import CLIENTS, PROJECT, ariadne, node, package, run
from tests.serving import Served

SCRIPTS = ("urql.mjs", "apollo.mjs", "subscriptions.mjs", "stores.mjs", "python/checks.py")
NAME = re.compile(r"^(?:(?:await )?check\('|async def (?=check_))([^'(]+)", re.MULTILINE)
RELAY = package("relay-compiler", "cli.js")
CHECKS = [(script, name) for script in SCRIPTS for name in NAME.findall((CLIENTS / script).read_text("utf-8"))]

Results = dict[str, dict[str, Any]]


@pytest.fixture(scope="session")
def results(served: Served, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Results]:
    """What the checks of a script came to, by name."""
    environment = {"HARU_URL": served.url, "HARU_TOKENS": json.dumps(served.tokens)}

    @cache
    def results_of(script: str) -> Results:
        if script == "stores.mjs":
            output = node(script, cwd=_compiled(tmp_path_factory.mktemp("stores")), environment=environment)
        elif script.endswith(".mjs"):
            output = node(script, environment=environment)
        else:
            directory = tmp_path_factory.mktemp("ariadne")
            shutil.copy(PROJECT / "schema.graphql", directory)
            client = shutil.copytree(CLIENTS / "python", directory / "python")
            run(ariadne("ariadne-codegen"), cwd=client, environment={"PYTHONPATH": "."})  # where its plugin is
            output = run(ariadne("python"), "checks.py", cwd=client, environment=environment)
        checks = [json.loads(line) for line in output.splitlines()]
        return {check["name"]: check for check in checks}

    return results_of


def _compiled(root: Path) -> Path:
    """A copy of tests/clients, beside its schema and packages, with what Relay's compiler makes of its documents."""
    shutil.copy(PROJECT / "schema.graphql", root)
    scripts = root / "tests" / "clients"
    generated = shutil.ignore_patterns("node_modules", "typed", "python", "__generated__")
    shutil.copytree(CLIENTS, scripts, ignore=generated)
    (scripts / "node_modules").symlink_to(CLIENTS / "node_modules")
    artifacts = scripts / "stores" / "__generated__"
    artifacts.mkdir()
    (artifacts / "package.json").write_text('{ "type": "commonjs" }', "utf-8")
    node(RELAY, "compiler", "--noWatchman", "relay.config.json", cwd=scripts / "stores")
    return scripts


@pytest.mark.parametrize(("script", "name"), CHECKS)
def test_client(script: str, name: str, results: Callable[[str], Results]) -> None:
    result = results(script)[name]
    assert result["ok"], result["reason"]


def test_the_lock_names_no_registry() -> None:
    lock = (CLIENTS / "package-lock.json").read_text("utf-8")
    assert '"resolved"' not in lock
    assert "registry" not in lock


def test_the_set_ups_of_caches_are_those_that_the_documentation_shows() -> None:
    documented = (PROJECT / "docs" / "clients.md").read_text("utf-8")
    set_ups = re.split(r"^// --- .+\n", (CLIENTS / "stores" / "caches.mjs").read_text("utf-8"), flags=re.MULTILINE)[1:]
    assert len(set_ups) == 4
    assert [set_up for set_up in set_ups if f"```js\n{set_up.strip()}\n```" not in documented] == []
