"""The page's files: what comes back, how compressed, how long kept, under which policy."""

import gzip
import re
from collections.abc import Iterator

import httpx
import pytest
from starlette.applications import Starlette

from server.graphiql import DIST, graphiql_routes

CONFIG = {"endpoint": "/graphql", "subscriptionUrl": "/graphql", "demoTokens": []}


@pytest.fixture
def app() -> Starlette:
    return Starlette(routes=graphiql_routes(config=lambda: CONFIG))


async def get(app: Starlette, path: str, *, method: str = "GET", **headers: str) -> httpx.Response:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://toy") as client:
        return await client.request(method, path, headers={"accept-encoding": "", **names})


def assets() -> Iterator[str]:
    return (f"/graphiql/assets/{path.name.removesuffix('.gz')}" for path in sorted((DIST / "assets").iterdir()))


@pytest.mark.parametrize("path", ["/graphiql", "/graphiql/", "/graphiql/config.json", next(assets())])
async def test_every_answer_carries_the_policy(app: Starlette, path: str) -> None:
    answer = await get(app, path)
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; ")
    assert "frame-ancestors 'none'" in policy
    assert "http" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"


async def test_the_page_is_asked_for_again_each_time(app: Starlette) -> None:
    answer = await get(app, "/graphiql", accept_encoding="gzip, br")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["cache-control"] == "no-cache"
    assert '<div id="root">' in answer.text
    again = await get(
        app, "/graphiql", accept_encoding="gzip, br", if_none_match=f'"other", W/{answer.headers["etag"]}'
    )
    assert again.status_code == 304
    assert again.content == b""
    assert again.headers["etag"] == answer.headers["etag"]
    unpacked = await get(app, "/graphiql", if_none_match=answer.headers["etag"])
    assert (unpacked.status_code, unpacked.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert unpacked.text == answer.text
    assert (await get(app, "/graphiql", if_none_match=unpacked.headers["etag"])).status_code == 304


async def test_assets_are_kept_for_good_and_named_by_their_content(app: Starlette) -> None:
    page = (await get(app, "/graphiql")).text
    linked = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert linked
    assert all(path.startswith("/graphiql/assets/") for path in linked)
    for path in assets():
        answer = await get(app, path)
        assert answer.status_code == 200
        kept = "no-cache" if path.endswith("LICENSES.txt") else "public, max-age=31536000, immutable"
        assert answer.headers["cache-control"] == kept
        assert "octet-stream" not in answer.headers["content-type"]


async def test_only_compressed_files_are_committed() -> None:
    files = [path for path in DIST.rglob("*") if path.is_file()]
    assert {path.suffix for path in files} == {".gz"}
    assert sum(path.stat().st_size for path in files) < 3_000_000


@pytest.mark.parametrize(
    ("accepted", "compressed"),
    [
        ("gzip", True),
        ("GZIP;q=0.1", True),
        ("br, *", True),
        ("*;q=0.5, gzip;q=0", False),
        ("gzip;q=0.000", False),
        ("gzip;q=much", False),
        ("identity", False),
        ("br", False),
        ("", False),
    ],
)
async def test_a_client_that_takes_no_gzip_gets_the_file_unpacked(
    app: Starlette, accepted: str, *, compressed: bool
) -> None:
    path = next(path for path in assets() if path.endswith(".js"))
    packed = (DIST / "assets" / f"{path.rpartition('/')[2]}.gz").read_bytes()
    answer = await get(app, path, accept_encoding=accepted)
    assert answer.headers["vary"] == "Accept-Encoding"
    assert ("content-encoding" in answer.headers) is compressed
    assert answer.content == gzip.decompress(packed)  # httpx has unpacked what came packed
    assert int(answer.headers["content-length"]) == (len(packed) if compressed else len(answer.content))


async def test_a_head_request_has_the_headers_alone(app: Starlette) -> None:
    answer = await get(app, "/graphiql", method="HEAD")
    assert answer.status_code == 200
    assert answer.content == b""


@pytest.mark.parametrize(
    "path", ["/graphiql/assets/nothing.js", "/graphiql/assets/..%2Findex.html", "/graphiql/assets/%2Fetc%2Fpasswd"]
)
async def test_nothing_else_is_served(app: Starlette, path: str) -> None:
    assert (await get(app, path)).status_code == 404


async def test_the_configuration_is_made_anew_and_never_kept() -> None:
    answers = iter([CONFIG, {**CONFIG, "endpoint": "/elsewhere"}])
    app = Starlette(routes=graphiql_routes(config=lambda: next(answers)))
    first = await get(app, "/graphiql/config.json")
    assert first.json() == CONFIG
    assert first.headers["cache-control"] == "no-store"
    assert first.headers["cross-origin-resource-policy"] == "same-origin"
    assert (await get(app, "/graphiql/config.json")).json()["endpoint"] == "/elsewhere"
