"""Typed clients out of schema.graphql: they compile, run, and have the types that docs/clients.md promises."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from models import FeatureType
from tests.docs.examples import PAGES
from tests.games import GameUnderTest, another_session, every_game
from tests.outside import CLIENTS, PROJECT, ariadne, node, package, run
from tests.serving import Served
from tests.world import forge

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


def test_the_example_in_typescript_uses_the_packages_of_tests_clients() -> None:
    wanted = _dependencies(PROJECT / "examples" / "typescript" / "package.json")
    assert wanted.items() <= _dependencies(CLIENTS / "package.json").items()


@pytest.fixture(scope="module", params=["python", "typescript"])
def example(request: pytest.FixtureRequest, project: Path) -> Callable[..., str]:
    """An example, built: runs it in an environment, and answers what it printed."""
    cwd = project / "examples" / request.param
    if request.param == "python":
        run(ariadne("ariadne-codegen"), cwd=cwd)
        return partial(run, ariadne("python"), "play.py", cwd=cwd)
    node(CODEGEN, cwd=cwd)
    node(TSC, cwd=cwd)
    return partial(node, "dist/play.js", cwd=cwd)


@pytest.mark.parametrize("limit", [3, 0], ids=["limited", "unlimited"])
@every_game
async def test_an_example_plays_the_days_game(
    example: Callable[..., str], served: Served, game: GameUnderTest, limit: int
) -> None:
    async with _day_of(served, game, limit):
        title, *lines = example(environment=await _player(served)).splitlines()
    assert re.fullmatch(r"\d{4}-\d\d-\d\d: \S.*", title)
    left = ["2 left", "1 left", "0 left"] if limit else ["no limit"] * 3
    won = rf"{game.played}: \d+ (POINT|TOKEN|COUPON|NONE), "
    assert [re.sub(won, "", line) for line in lines[:3]] == left, lines
    if limit:
        assert lines.pop(3).startswith("come back at "), lines
    assert lines[3].startswith("season pass: level 1, "), lines
    assert re.fullmatch(r"\S+ has [1-9]\d* POINT", lines[-2]), lines


def test_an_example_tells_in_one_line_that_its_token_is_not_valid(example: Callable[..., str], served: Served) -> None:
    with pytest.raises(AssertionError) as failed:
        example(environment={"HARU_URL": served.url, "TOKEN": "nonsense"})
    assert re.fullmatch(r"\n.*token.*\n", str(failed.value))


@asynccontextmanager
async def _day_of(served: Served, game: GameUnderTest, limit: int) -> AsyncIterator[None]:
    """Today is the day of `game`, with this daily limit; afterwards all is as it was."""
    today = "UPDATE feature_schedule SET feature_type = $1 WHERE date = (now() AT TIME ZONE $2)::date"
    plays = f"UPDATE {game.config} SET {game.limit} = $1"
    zone = served.environment["HARU_TIME_ZONE"]
    async with another_session(served.database_url) as sql:
        before = await sql.fetchval(f"SELECT {game.limit} FROM {game.config} ORDER BY revision DESC")
        assert await sql.execute(today, game.feature, zone) == "UPDATE 1"
        await forge(sql, plays, limit)
        try:
            yield
        finally:
            await forge(sql, plays, before)
            await sql.execute(today, FeatureType.DICE, zone)


async def _player(served: Served) -> dict[str, str]:
    """The environment of an example's player, who is new."""
    (player,) = await served.players(1)
    return {"HARU_URL": served.url, "TOKEN": str(player.token)}


def _dependencies(package_json: Path) -> dict[str, Any]:
    declared = json.loads(package_json.read_text("utf-8"))
    return {**declared["dependencies"], **declared.get("devDependencies", {})}
