"""The page at /verify: whoever played checks a draw in their own browser, and trusts no server for it.

One file, with its script and its style in it, that asks for nothing: saved, it works without a network. It does what
`haru verify draws` does, and says it in the same words; a test holds one against the other.
"""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from server.pages.assets import security_headers

PAGE = (Path(__file__).parent / "verify.html").read_text("utf-8")


def _source(tag: str) -> str:
    """The one inline element of this name, as a policy names it: by the hash of what is in it."""
    found = re.search(rf"<{tag}>(.*)</{tag}>", PAGE, re.DOTALL)
    assert found is not None, tag
    return f"'sha256-{b64encode(sha256(found[1].encode()).digest()).decode()}'"


HEADERS = {
    **security_headers(
        script_src=_source("script"), style_src=_source("style"), connect_src="'none'", img_src="'none'"
    ),
    "Cache-Control": "no-cache",
    "ETag": f'"{sha256(PAGE.encode()).hexdigest()[:32]}"',
}


def verify_routes() -> list[BaseRoute]:
    """Make the route of the page."""
    return [Route("/verify", _page)]


async def _page(_request: Request) -> Response:
    return Response(PAGE, media_type="text/html; charset=utf-8", headers=HEADERS)
