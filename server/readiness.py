"""Whether requests can be served: the database answers, can be written to, has the right time and the right revision.

And it keeps what it confirms, and what today's and tomorrow's draws come from can be read.

Anybody may ask, and each look is a statement of the database: so whoever asks at once shares one look, and an answer
holds for a second.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from server.migrations.upgrade import EXPECTED_REVISION
from services.calendar import Clock
from services.health import State
from services.outages import why
from services.request_errors import Unavailable

FRESH_SECONDS = 1.0

CLOCK_SECONDS = 5.0
"""How far the clocks may be apart: who is a day ahead gives tomorrow's rewards today."""

logger = logging.getLogger("haru.readiness")


class Readiness:
    """The answers of /readyz.

    `look` asks the database, within a second, and raises Unavailable where there is none; so does each of `others`,
    which tells why requests cannot be served otherwise, or none.
    """

    def __init__(
        self,
        look: Callable[[], Awaitable[State]],
        others: Sequence[Callable[[], Awaitable[str | None]]],
        *,
        clock: Clock,
        monotonic: Callable[[], float],
    ) -> None:
        self._ask_database = look
        self._others = others
        self._clock = clock
        self._monotonic = monotonic
        self._look: asyncio.Task[tuple[int, dict[str, Any]]] | None = None
        self._stale_at: float
        self._told: str | None = None

    async def readyz(self, _request: Request) -> Response:
        """Answer 200 when requests can be served, and 503 when they cannot."""
        now = self._monotonic()
        if self._look is None or (self._look.done() and now >= self._stale_at):
            self._look = asyncio.create_task(self._ask())
            self._stale_at = now + FRESH_SECONDS
        status, body = await asyncio.shield(self._look)  # whoever goes away does not take the others' answer along
        return JSONResponse(body, status_code=status)

    async def stop(self) -> None:
        """Give up the look that is under way."""
        if self._look is not None:
            self._look.cancel()
            await asyncio.gather(self._look, return_exceptions=True)

    async def _ask(self) -> tuple[int, dict[str, Any]]:
        try:
            state = await self._ask_database()
            reason = self._fault(state)
            for fault in self._others:
                reason = reason or await fault()
        except Unavailable as away:
            return self._not_ready("the database does not answer", why(away))
        except Exception as failure:
            if self._told is None:
                logger.exception("readyz failed")
            return self._not_ready("the database does not answer as expected", repr(failure))
        revisions = {"revision": state.revision, "expectedRevision": EXPECTED_REVISION}
        if reason is not None:
            return self._not_ready(reason, reason, **revisions)
        if self._told is not None:
            logger.warning("ready again")
            self._told = None
        return 200, {"ready": True} | revisions

    def _fault(self, state: State) -> str | None:
        """Why haru cannot serve on such a database."""
        apart = abs((self._clock() - state.now).total_seconds())
        if state.revision != EXPECTED_REVISION:
            return "the database is at another revision"
        if not state.is_writable:
            return "the database is read-only"
        if apart > CLOCK_SECONDS:
            return f"the clocks of this server and of the database are {apart:.0f} s apart"
        return None

    def _not_ready(self, reason: str, cause: str, **told: Any) -> tuple[int, dict[str, Any]]:
        """Answer, and tell the log whenever the reason is another one."""
        if self._told != reason:
            logger.error("not ready: %s", cause)
            self._told = reason
        return 503, {"ready": False, "reason": reason} | told
