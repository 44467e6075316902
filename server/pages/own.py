"""What only a page of this very server may read: what hands out tokens.

No other origin is let in (there is no CORS here), and the server has to be called by a name of its own: a page whose
name is made to lead to this machine (DNS rebinding) has the same origin, but not such a name.
"""

from __future__ import annotations

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from server.origins import is_own
from server.wire import header

FOREIGN = "Only a page of this server may read this.\n"
UNKNOWN = "This server is not known by this name; HARU_HOSTS adds names.\n"


class OwnPages:
    """Serves `app` to the pages of this server alone; `names`: what it is called beside localhost and its addresses."""

    def __init__(self, app: ASGIApp, names: frozenset[str]) -> None:
        self.app = app
        self.names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        hosts = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
        app = self.app
        if len(hosts) != 1 or not is_own(hosts[0], self.names):
            app = PlainTextResponse(UNKNOWN, 403, {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"})
        elif header(scope["headers"], b"sec-fetch-site") in {b"cross-site", b"same-site"}:
            app = PlainTextResponse(FOREIGN, 403, {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"})
        await app(scope, receive, send)
