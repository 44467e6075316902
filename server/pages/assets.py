"""Built pages: files that lie gzipped in a folder, served as they are under a strict policy.

A page is built beforehand and committed, so that serving it needs neither Node nor another host. Each file goes out as
it lies there, or unpacked to a client that takes no gzip. The policy on every answer lets a page load and call nothing
but its own origin.
"""

import gzip
import hashlib
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

_IMMUTABLE = "public, max-age=31536000, immutable"
_MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".ttf": "font/ttf",
    ".txt": "text/plain; charset=utf-8",
}


def security_headers(**directives: str) -> dict[str, str]:
    """The headers of a page that needs no other host; `directives` replaces parts of its policy (`style_src`)."""
    policy = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "connect-src": "'self'",
        "img-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    } | {name.replace("_", "-"): value for name, value in directives.items()}
    return {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
    }


@dataclass(frozen=True, slots=True)
class _File:
    media_type: str
    gzipped: bytes
    etag: str


class BuiltPage:
    """A page that vite built into `dist`: `index.html`, and `assets/` whose names tell their content.

    Raises: FileNotFoundError when the page has not been built.
    """

    def __init__(self, dist: Path, headers: Mapping[str, str]) -> None:
        if not (dist / "index.html.gz").is_file():
            raise FileNotFoundError(f"{dist} holds no page: run `npm ci && npm run build` in {dist.parent}")
        self._headers = dict(headers)
        self._files = _load(dist)

    async def page(self, request: Request) -> Response:
        """Answer with the page, which is asked for again each time."""
        return self._answer(request, self._files["index.html"], cache_control="no-cache")

    async def asset(self, request: Request) -> Response:
        """Answer with the asset that the path's `name` names, to be kept for good."""
        file = self._files.get(f"assets/{request.path_params['name']}")
        if file is None:
            raise HTTPException(404)
        hashed = not file.media_type.startswith("text/plain")  # the licences alone keep their name from build to build
        return self._answer(request, file, cache_control=_IMMUTABLE if hashed else "no-cache")

    def _answer(self, request: Request, file: _File, *, cache_control: str) -> Response:
        compressed = _takes_gzip(request.headers.get("accept-encoding", ""))
        etag = f'"{file.etag}-gzip"' if compressed else f'"{file.etag}"'
        headers = {**self._headers, "Cache-Control": cache_control, "ETag": etag, "Vary": "Accept-Encoding"}
        if etag in _entity_tags(request.headers.get("if-none-match", "")):
            return Response(status_code=304, headers=headers)
        if compressed:
            return Response(file.gzipped, media_type=file.media_type, headers={**headers, "Content-Encoding": "gzip"})
        return Response(gzip.decompress(file.gzipped), media_type=file.media_type, headers=headers)


def _load(dist: Path) -> dict[str, _File]:
    files = {}
    for path in dist.rglob("*.gz"):
        name = path.relative_to(dist).with_suffix("").as_posix()
        content = path.read_bytes()
        files[name] = _File(_media_type(name), content, hashlib.sha256(content).hexdigest())
    return files


def _media_type(name: str) -> str:
    return _MEDIA_TYPES.get(Path(name).suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"


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
