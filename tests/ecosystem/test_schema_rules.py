"""schema.graphql keeps the rules of its ecosystem, and the promises it made before."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

from tests.outside import CLIENTS, PROJECT, node, package, unavailable

ESLINT = package("eslint", "bin/eslint.js")
SCHEMA_LINTER = package("graphql-schema-linter", "lib/cli.js")
SCHEMA = PROJECT / "schema.graphql"
DECLARED = re.compile(r"^- ((?:`[^`]+`,?\s+)*`[^`]+`):\s+\S", re.MULTILINE)


def test_lint(tmp_path: Path) -> None:
    # In a place of its own: ESLint lints nothing that lies outside of its configuration's folder.
    shutil.copy(SCHEMA, tmp_path)
    config = (CLIENTS / "eslint.config.mjs").read_text("utf-8")
    (tmp_path / "eslint.config.mjs").write_text(config.replace("'../../schema.graphql'", "'./schema.graphql'"), "utf-8")
    (tmp_path / "node_modules").symlink_to(CLIENTS / "node_modules")
    node(ESLINT, "--max-warnings=0", "schema.graphql", cwd=tmp_path)


def test_schema_linter() -> None:
    node(SCHEMA_LINTER, str(SCHEMA))


def test_nothing_breaks_undeclared(tmp_path: Path) -> None:
    policy = (PROJECT / "docs" / "breaking.md").read_text("utf-8")
    declared = {path for paths in DECLARED.findall(policy) for path in re.findall(r"`([^`]+)`", paths)}
    broken = breaking(former_schema(), SCHEMA.read_text("utf-8"), tmp_path)
    undeclared = {path: message for path, message in broken.items() if path not in declared}
    assert undeclared == {}, "what cannot be helped is declared in docs/breaking.md"


def test_what_breaks_is_found(tmp_path: Path) -> None:
    schema, field = SCHEMA.read_text("utf-8"), "  todayFeature: TodayFeatureResult\n"
    broken = schema.replace(field, "  today: TodayFeatureResult\n").replace("  level: Int!", "  level: String!")
    found = breaking(schema, broken, tmp_path)
    assert found.keys() >= {"Query.todayFeature", "ClaimRewardInput.level", "SeasonLevel.level"}
    assert breaking(schema, schema.replace(field, f"{field}  tomorrow: TodayFeatureResult\n"), tmp_path) == {}


def breaking(before: str, after: str, directory: Path) -> dict[str, str]:
    """What breaks a client, by its path in the schema."""
    (directory / "before.graphql").write_text(before, "utf-8")
    (directory / "after.graphql").write_text(after, "utf-8")
    output = node("breaking.mjs", str(directory / "before.graphql"), str(directory / "after.graphql"))
    changes = [json.loads(line) for line in output.splitlines()]
    return {change["path"]: change["message"] for change in changes}


def former_schema() -> str:
    """The schema of the last commit; where it is this very one, that of the commit before, if this clone has it."""
    last = committed("HEAD")
    if last is None:
        unavailable("no history of the schema (a clone, and git)")
    return last if last != SCHEMA.read_text("utf-8") else committed("HEAD~1") or last


def committed(revision: str) -> str | None:
    """schema.graphql as it was committed; None where there is no such revision, or no git."""
    git = shutil.which("git")
    if git is None:
        return None
    command = [git, "-c", f"safe.directory={PROJECT}", "show", f"{revision}:schema.graphql"]
    shown = subprocess.run(command, cwd=PROJECT, capture_output=True, check=False)
    return shown.stdout.decode() if shown.returncode == 0 else None
