"""Whether requests can be served: the database answers, and is at the expected revision.

Anybody may ask, and each look is a statement of the database: so whoever asks at once shares one look, and an answer
holds for a second.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from server.database import EXPECTED_REVISION
from services.errors import Unavailable

FRESH_SECONDS = 1.0
PATIENCE_SECONDS = 3.0
"""A database that is frozen holds its connections, and answers nothing."""


class Readiness:
    """The answers of /readyz. `revision` asks the database, and raises Unavailable where there is none."""

    def __init__(self, revision: Callable[[], Awaitable[str | None]], *, monotonic: Callable[[], float]) -> None:
        self._revision = revision
        self._monotonic = monotonic
        self._look: asyncio.Task[tuple[int, dict[str, Any]]] | None = None
        self._stale_at = 0.0

    async def readyz(self, _request: Request) -> Response:
        """Answer 200 when requests can be served, and 503 when they cannot."""
        now = self._monotonic()
        if self._look is None or (self._look.done() and now >= self._stale_at):
            self._look = asyncio.create_task(self._ask())
            self._stale_at = now + FRESH_SECONDS
        status, body = await asyncio.shield(self._look)  # whoever goes away does not take the others' answer along
        return JSONResponse(body, status_code=status)

    async def _ask(self) -> tuple[int, dict[str, Any]]:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                revision = await self._revision()
        except (Unavailable, TimeoutError):
            return 503, {"ready": False, "reason": "the database does not answer"}
        except Exception:
            logging.getLogger("haru").exception("readyz failed")
            return 503, {"ready": False, "reason": "the database does not answer as expected"}
        ready = revision == EXPECTED_REVISION
        return 200 if ready else 503, {"ready": ready, "revision": revision, "expectedRevision": EXPECTED_REVISION}
