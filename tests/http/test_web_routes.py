"""Where the page to play is served, how, and where it is not."""

import gzip
import re
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from server.app import create_app
from server.pages.web import web_routes
from server.settings import Settings
from tests.world import SEED_KEYS

SECRET = "a secret of this test, at least 32 bytes long"


async def get(app: Starlette, path: str) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://haru") as client:
        return await client.get(path)


@pytest.fixture
def app() -> Starlette:
    return Starlette(routes=web_routes())


async def test_the_page_and_all_it_names_come_from_here(app: Starlette) -> None:
    page = await get(app, "/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["cache-control"] == "no-cache"
    linked = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(linked) == 3
    for path in linked:
        asset = await get(app, path)
        assert asset.status_code == 200
        assert asset.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert asset.headers["content-security-policy"] == page.headers["content-security-policy"]
    assert (await get(app, "/web/assets/nothing.js")).status_code == 404


async def test_the_policy_allows_nothing_inline_and_no_other_host(app: Starlette) -> None:
    policy = (await get(app, "/")).headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; ")
    assert "unsafe" not in policy
    assert "http" not in policy


@pytest.mark.parametrize(("environment", "status"), [("local", 200), ("stage", 404), ("production", 404)])
async def test_it_is_there_in_the_local_environment_alone(environment: str, status: int) -> None:
    settings = {
        "HARU_ENV": environment,
        "HARU_SECRET": SECRET,
        "HARU_SEED_KEYS": SEED_KEYS,
        "DATABASE_URL": "postgresql+asyncpg://nobody@127.0.0.1:1/x",
    }
    app = create_app(Settings(**settings))  # type: ignore[arg-type]
    assert (await get(app, "/")).status_code == status
    assert (await get(app, "/graphiql")).status_code == status


async def test_a_file_is_of_the_type_that_its_name_tells(tmp_path: Path) -> None:
    types = {
        "a.css": "text/css; charset=utf-8",
        "a.js": "text/javascript; charset=utf-8",
        "a.svg": "image/svg+xml",
        "a.ttf": "font/ttf",
        "a.png": "image/png",
        "a.of-nobody": "application/octet-stream",
    }
    (tmp_path / "assets").mkdir()
    for name in ("index.html", *(f"assets/{name}" for name in types)):
        (tmp_path / f"{name}.gz").write_bytes(gzip.compress(name.encode()))
    app = Starlette(routes=web_routes(tmp_path))
    answers = {name: await get(app, f"/web/assets/{name}") for name in types}
    assert {name: answer.headers["content-type"] for name, answer in answers.items()} == types
    assert {name: answer.text for name, answer in answers.items()} == {name: f"assets/{name}" for name in types}
    assert len({answer.headers["etag"] for answer in answers.values()}) == len(types)


def test_a_page_that_was_not_built_says_how_to(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as missing:
        web_routes(tmp_path)
    assert str(missing.value) == f"{tmp_path} holds no page: run `npm ci && npm run build` in {tmp_path.parent}"


def test_an_installation_without_examples_serves_no_page(tmp_path: Path) -> None:
    assert web_routes(tmp_path / "dist") == []
