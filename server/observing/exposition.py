"""The port that Prometheus asks: one for all workers, which write what they count into files of one directory.

It is served by a thread of the process that starts the workers, with an event loop and sessions of its own: whoever is
busy, or hangs, or is being restarted, it answers.
"""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.observing.facts import Facts
from server.processes import is_alive
from server.settings import Settings
from services.calendar import Calendar, Clock
from services.database import Database

LIVE = re.compile(r"gauge_live\w+_(\d+)\.db")
STOP_SECONDS = 5.0
ANSWER_SECONDS = 1
"""How long an answer that is under way may take once the port is to be closed."""

CONNECTIONS = 1


def metrics_app(facts: Facts, directory: Path) -> Starlette:
    """The application behind the port: /metrics, of what is in `directory` and of `facts`."""
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=str(directory))  # type: ignore[no-untyped-call]
    registry.register(facts)

    async def metrics(_request: Request) -> Response:
        await facts.look()
        forget_dead(directory)
        return Response(generate_latest(registry), headers={"content-type": CONTENT_TYPE_LATEST})

    return Starlette(routes=[Route("/metrics", metrics)])


def forget_dead(directory: Path) -> None:
    """Leave out what processes that are gone held; what they counted stays counted."""
    for file in directory.iterdir():
        if (found := LIVE.fullmatch(file.name)) and not is_alive(int(found[1])):
            mark_process_dead(int(found[1]), str(directory))  # type: ignore[no-untyped-call]


@contextmanager
def metrics_served(settings: Settings, clock: Clock, directory: Path) -> Iterator[None]:
    """Serve the port meanwhile, with what is counted into `directory`."""
    port = _Port(settings, clock, directory)
    port.start()
    try:
        yield
    finally:
        port.stop()


class _Port(threading.Thread):
    """The thread behind the port."""

    def __init__(self, settings: Settings, clock: Clock, directory: Path) -> None:
        super().__init__(name="metrics", daemon=True)
        assert settings.database_url is not None
        assert settings.metrics_port is not None
        database = Database(settings.database_url, pool_size=CONNECTIONS)
        self._facts = Facts(database, Calendar(settings.zone), clock, time.monotonic)
        config = uvicorn.Config(
            metrics_app(self._facts, directory),
            host=settings.metrics_host,
            port=settings.metrics_port,
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="off",
            timeout_graceful_shutdown=ANSWER_SECONDS,
        )
        self._server = uvicorn.Server(config)

    def run(self) -> None:
        """Serve until told to stop."""
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        try:
            await self._server.serve()
        finally:
            await self._facts.close()

    def stop(self) -> None:
        """Stop serving, and wait for that a while."""
        self._server.should_exit = True
        self.join(STOP_SECONDS)
