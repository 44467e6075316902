"""Typed clients out of schema.graphql: they compile, run, and have the types that docs/clients.md promises."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.docs.examples import PAGES
from tests.outside import CLIENTS, PROJECT, ariadne, node, package, run
from tests.serving import Served

CODEGEN = package("@graphql-codegen/cli", "esm/bin.js")
TADA = package("gql.tada", "bin/cli.js")
TSC = package("typescript", "bin/tsc")

SCHEMA = (PROJECT / "schema.graphql").read_text("utf-8")
SCALARS: dict[str, str] = json.loads((CLIENTS / "typed" / "scalars.json").read_text("utf-8"))
MAPPED = re.compile(r"\b([A-Z]\w+): '?(string|number|unknown|File)\b")
DOCUMENT = re.compile(r"```graphql\n(.*?)```", re.DOTALL)
NAME = re.compile(r"\b(?:query|mutation|subscription) (\w+)")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy to generate in: the schema, the examples, and the sources of tests/clients/typed with all packages."""
    root = tmp_path_factory.mktemp("project")
    shutil.copy(PROJECT / "schema.graphql", root)
    generated = shutil.ignore_patterns("node_modules", "gql", "dist", "haru_client", ".venv")
    for name in ("python", "typescript"):
        shutil.copytree(PROJECT / "examples" / name, root / "examples" / name, ignore=generated)
    shutil.copytree(CLIENTS / "typed", root / "typed", ignore=generated)
    (root / "node_modules").symlink_to(CLIENTS / "node_modules")
    return root


def test_every_scalar_is_mapped_and_documented() -> None:
    clients = (PROJECT / "docs" / "clients.md").read_text("utf-8")
    section = clients.partition("## Typed clients\n")[2].partition("\n## ")[0]
    blocks = [dict(MAPPED.findall(block)) for block in re.findall(r"```ts\n(.*?)```", section, re.DOTALL)]
    assert set(SCALARS) == set(re.findall(r"^scalar (\w+)", SCHEMA, re.MULTILINE))
    assert blocks == [SCALARS, SCALARS]
    assert dict(MAPPED.findall((PROJECT / "examples" / "typescript" / "codegen.ts").read_text("utf-8"))) == SCALARS


def test_types_of_codegen_and_gql_tada(project: Path) -> None:
    documents: dict[str, str] = {}
    for page in PAGES:
        for document in DOCUMENT.findall(page.read_text("utf-8")):
            name = NAME.search(document)
            assert name, document
            documents.setdefault(name[1], document)
    (project / "typed" / "documented.graphql").write_text("\n".join(documents.values()), "utf-8")
    node(CODEGEN, "--config", "codegen.mjs", cwd=project / "typed")
    node(TADA, "generate-output", cwd=project / "typed")
    node(TSC, "--strict", "--project", ".", cwd=project / "typed")


async def test_example_in_typescript(project: Path, served: Served) -> None:
    example = project / "examples" / "typescript"
    wanted, provided = _dependencies(example / "package.json"), _dependencies(CLIENTS / "package.json")
    assert wanted.items() <= provided.items()
    node(CODEGEN, cwd=example)
    node(TSC, cwd=example)
    output = node("dist/play.js", cwd=example, environment=await _player(served))
    assert_day_played(output)


async def test_example_in_python(project: Path, served: Served) -> None:
    example = project / "examples" / "python"
    run(ariadne("ariadne-codegen"), cwd=example)
    output = run(ariadne("python"), "play.py", cwd=example, environment=await _player(served))
    assert_day_played(output)


def assert_day_played(output: str) -> None:
    """Three games of dice, the season pass, and the balances."""
    lines = output.splitlines()
    assert re.fullmatch(r"\d{4}-\d\d-\d\d: \S.*", lines[0]), output
    assert [re.sub(r"(WIN|DRAW|LOSE): \d+ POINT", "played", line) for line in lines[1:4]] == [
        "played, 2 left",
        "played, 1 left",
        "played, 0 left",
    ], output
    assert lines[4].startswith("come back at "), output
    assert lines[5].startswith("season pass: level 1, "), output
    assert re.fullmatch(r"\S+ has [1-9]\d* POINT", lines[-2]), output


async def _player(served: Served) -> dict[str, str]:
    """The environment of an example's player, who is new."""
    (player,) = await served.players(1)
    return {"HARU_URL": served.url, "TOKEN": str(player.token)}


def _dependencies(package_json: Path) -> dict[str, Any]:
    declared = json.loads(package_json.read_text("utf-8"))
    return {**declared["dependencies"], **declared.get("devDependencies", {})}
