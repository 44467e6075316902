"""The composition root: every part of the application is made and joined here, and nowhere else."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random, SystemRandom  # noqa: TID251 (the one random source is made here)
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute

from resolvers.schema import schema
from schema.context import App, Context, Principal
from schema.permissions import READERS
from server.auth import Tokens
from server.demo import demo_tokens
from server.graphiql import graphiql_routes
from server.graphql import GraphQLEndpoint
from server.limits import GraphQLLimits
from server.persisted import read_documents
from server.rates import Rates
from server.readiness import Readiness
from server.service import GraphQLOptions, GraphQLService
from server.settings import Settings, read_settings
from server.stopping import at_stop_signal, stop_with_parent
from server.subscriptions import Subscriptions
from server.web import web_routes
from server.websocket import WebSocketEndpoint
from services.calendar import Calendar, Clock
from services.database import Database
from services.events import FeatureViews
from services.lanes import Lanes
from services.live import Live
from services.signals import Signals
from services.transaction import Transactor

PLAYING_MUTATIONS = frozenset({"playDice", "spinRoulette", "drawLottery", "stamp", "claimReward"})


def wall_clock() -> dt.datetime:
    """Now, in UTC."""
    return dt.datetime.now(dt.UTC)  # noqa: TID251 (the one clock is made here)


def create_app(settings: Settings, *, clock: Clock = wall_clock, rng: Random | None = None) -> Starlette:
    """The ASGI application. `clock` and `rng` are for tests; a server has the real ones.

    The database must be at the expected revision for /readyz to say so, but it need not even be up for the start.
    """
    if settings.database_url is None:
        raise ValueError("create_app needs a database: set DATABASE_URL, or run `haru serve` for an embedded one.")
    random = rng or SystemRandom()
    calendar = Calendar(settings.zone)
    tokens = Tokens(
        settings.secrets,
        issuer=settings.token_issuer,
        audience=settings.token_audience,
        lifetime_seconds=settings.token_seconds,
        clock=clock,
    )
    database = Database(
        settings.database_url, lock_wait_seconds=settings.lock_wait_seconds, pool_size=settings.pool_size
    )
    signals = Signals(database, calendar, clock)
    lanes = Lanes(database, calendar, random, lanes=settings.lanes_per_process, stock_changed=signals.stock_changed)
    transact = Transactor(database, calendar, clock, random)
    parts = App(
        database,
        calendar,
        clock,
        lanes,
        transact,
        tokens.issue,
        signals,
        Live(database, calendar, clock),
        views=FeatureViews(database, random),
    )

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        try:
            async with lanes, signals:
                with at_stop_signal(subscriptions.stop):
                    yield
                await subscriptions.finish()
        finally:
            await database.close()

    per_player, per_address = settings.requests_per_second
    rates = Rates(per_player=per_player, per_address=per_address, monotonic=time.monotonic)
    subscriptions = Subscriptions[Principal](
        player=lambda principal: principal.player_id,
        expires_at=lambda principal: principal.expires_at,
        now=lambda: clock().timestamp(),
    )
    service = GraphQLService[Principal](
        schema,
        authenticate=tokens.authenticate,
        make_context=lambda principal, request_id: Context(parts, principal, request_id),
        admit=rates.admit,
        may_introspect=lambda principal: principal.role in READERS,
        options=GraphQLOptions(
            introspection=settings.is_local or settings.introspection,
            anonymous_may_introspect=settings.is_local,
            trusted_documents=read_documents(settings.trusted_documents) if settings.trusted_documents else None,
        ),
        limits=GraphQLLimits(playing_mutations=PLAYING_MUTATIONS),
    )
    routes: list[BaseRoute] = [
        Route("/graphql", GraphQLEndpoint(service, subscriptions)),
        WebSocketRoute("/graphql", WebSocketEndpoint(service, subscriptions)),
        Route("/healthz", healthz),
        Route("/readyz", Readiness(database.revision, monotonic=time.monotonic).readyz),
    ]
    if settings.is_local or settings.graphiql:
        routes += graphiql_routes(config=lambda: _graphiql_config(settings, tokens))
    if settings.is_local:
        routes += web_routes()
    app = Starlette(routes=routes, lifespan=lifespan, middleware=_middleware(settings))
    app.state.parts = parts
    app.state.subscriptions = subscriptions
    return app


def _middleware(settings: Settings) -> list[Middleware]:
    """CORS, where origins are configured; in the local environment any origin may call (tokens travel in a header)."""
    origins = settings.cors_origins or (("*",) if settings.is_local else ())
    if not origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type", "X-Request-ID"],
            expose_headers=["X-Request-ID", "Retry-After"],
            max_age=600,
        )
    ]


def _graphiql_config(settings: Settings, tokens: Tokens) -> dict[str, Any]:
    """What the GraphiQL page needs; tokens in the local environment alone."""
    return {
        "endpoint": "/graphql",
        "subscriptionUrl": "/graphql",
        "timeZone": settings.time_zone,
        "demoTokens": demo_tokens(tokens.issue) if settings.is_local else [],
    }


async def healthz(_request: Request) -> Response:
    """Say that the process lives, whatever the database does."""
    return PlainTextResponse("ok\n")


def application() -> Starlette:
    """The application of a worker process, configured by the environment."""
    stop_with_parent()
    return create_app(read_settings())
