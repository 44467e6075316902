"""The GraphiQL page at /graphiql: its files, their headers, and its configuration.

The page is built from the npm packages in this folder's lock (`npm ci && npm run build`) and committed in `dist/`,
gzipped, so that serving it needs neither Node nor another host. Each file goes out as it lies there, or unpacked to
a client that takes no gzip. The policy on every answer lets the page load and call nothing but its own origin.
"""

import gzip
import hashlib
import json
import mimetypes
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

DIST = Path(__file__).parent / "dist"

_SECURITY_HEADERS = {
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self' 'unsafe-inline'",  # the editor writes its theme and positions as inline styles
            "worker-src 'self'",
            "connect-src 'self'",
            "img-src 'self' data:",
            "font-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_IMMUTABLE = "public, max-age=31536000, immutable"
_MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".ttf": "font/ttf",
    ".txt": "text/plain; charset=utf-8",
}


@dataclass(frozen=True, slots=True)
class _File:
    media_type: str
    gzipped: bytes
    etag: str


def graphiql_routes(*, config: Callable[[], Mapping[str, object]]) -> list[BaseRoute]:
    """Make the routes of the page, its assets and `config.json`.

    `config` is asked at each request for what the page should know: `endpoint`, `subscriptionUrl`, `demoTokens`
    (a list of `label`, `role`, `token`; offer them in the local environment only) and, if wanted, `timeZone`.

    Raises:
        FileNotFoundError: the page has not been built.

    """
    files = _load(DIST)

    async def page(request: Request) -> Response:
        return _answer(request, files["index.html"], cache_control="no-cache")

    async def asset(request: Request) -> Response:
        file = files.get(f"assets/{request.path_params['name']}")
        if file is None:
            raise HTTPException(404)
        hashed = not file.media_type.startswith("text/plain")  # the licences alone keep their name from build to build
        return _answer(request, file, cache_control=_IMMUTABLE if hashed else "no-cache")

    async def configuration(_request: Request) -> Response:
        headers = {**_SECURITY_HEADERS, "Cache-Control": "no-store"}
        return Response(json.dumps(dict(config())), media_type="application/json", headers=headers)

    return [
        Route("/graphiql", page),
        Route("/graphiql/", page),
        Route("/graphiql/config.json", configuration),
        Route("/graphiql/assets/{name}", asset),
    ]


def _load(dist: Path) -> dict[str, _File]:
    if not (dist / "index.html.gz").is_file():
        raise FileNotFoundError(f"{dist} holds no page: run `npm ci && npm run build` in {dist.parent}")
    files = {}
    for path in sorted(dist.rglob("*.gz")):
        name = path.relative_to(dist).with_suffix("").as_posix()
        content = path.read_bytes()
        digest = hashlib.sha256(content).hexdigest()[:32]
        files[name] = _File(_media_type(name), content, digest)
    return files


def _media_type(name: str) -> str:
    return _MEDIA_TYPES.get(Path(name).suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"


def _answer(request: Request, file: _File, *, cache_control: str) -> Response:
    compressed = _takes_gzip(request.headers.get("accept-encoding", ""))
    etag = f'"{file.etag}-gzip"' if compressed else f'"{file.etag}"'
    headers = {**_SECURITY_HEADERS, "Cache-Control": cache_control, "ETag": etag, "Vary": "Accept-Encoding"}
    if etag in _entity_tags(request.headers.get("if-none-match", "")):
        return Response(status_code=304, headers=headers)
    if compressed:
        return Response(file.gzipped, media_type=file.media_type, headers={**headers, "Content-Encoding": "gzip"})
    return Response(gzip.decompress(file.gzipped), media_type=file.media_type, headers=headers)


def _entity_tags(if_none_match: str) -> set[str]:
    return {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}


def _takes_gzip(accept_encoding: str) -> bool:
    """Whether gzip has a weight above 0; `*` speaks for it where it is not named."""
    weights: dict[str, float] = {}
    for part in accept_encoding.split(","):
        coding, _, parameters = part.partition(";")
        name, _, weight = parameters.strip().partition("=")
        try:
            weights[coding.strip().lower()] = float(weight) if name.strip().lower() == "q" else 1.0
        except ValueError:
            weights[coding.strip().lower()] = 0.0
    return weights.get("gzip", weights.get("x-gzip", weights.get("*", 0.0))) > 0
