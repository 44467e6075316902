"""The GraphiQL page at /graphiql: its files, their headers, and its configuration.

The page is built from the npm packages in this folder's lock (`npm ci && npm run build`) and committed in `dist/`,
gzipped; `server/pages/assets.py` serves it.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from server.pages.assets import BuiltPage, security_headers

DIST = Path(__file__).parent / "dist"

_SECURITY_HEADERS = security_headers(
    style_src="'self' 'unsafe-inline'",  # the editor writes its theme and positions as inline styles
    worker_src="'self'",
    img_src="'self' data:",
    font_src="'self'",
)


def graphiql_routes(
    *, config: Callable[[], Mapping[str, object]], readers: Sequence[Middleware] = ()
) -> list[BaseRoute]:
    """Make the routes of the page, its assets and `config.json`.

    `config` is asked at each request for what the page should know: `endpoint`, `subscriptionUrl`, `demoTokens`
    (a list of `label`, `role`, `token`; offer them in the local environment only) and, if wanted, `timeZone`.
    `readers` stands before it and says who may read it.

    Raises:
        FileNotFoundError: the page has not been built.

    """
    built = BuiltPage(DIST, _SECURITY_HEADERS)

    async def configuration(_request: Request) -> Response:
        headers = {**_SECURITY_HEADERS, "Cache-Control": "no-store"}
        return Response(json.dumps(dict(config())), media_type="application/json", headers=headers)

    return [
        Route("/graphiql", built.page),
        Route("/graphiql/", built.page),
        Route("/graphiql/config.json", configuration, middleware=readers),
        Route("/graphiql/assets/{name}", built.asset),
    ]
