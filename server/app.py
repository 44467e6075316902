"""The composition root: every part of the application is made and joined here, and nowhere else."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from random import Random, SystemRandom  # noqa: TID251 (the one random source is made here)
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute

from resolvers.schema import schema
from schema.context import App, Context
from schema.roots import PLAYING, READERS, ROOTS
from server.auth import Tokens, tokens_of
from server.clock import wall_clock
from server.demo import demo_tokens
from server.graphiql import graphiql_routes
from server.graphql.limits import GraphQLLimits
from server.graphql.service import GraphQLOptions, GraphQLService
from server.http.cors import cors
from server.http.endpoint import GraphQLEndpoint
from server.http.places import Places
from server.http.rates import Rates
from server.http.websocket import WebSocketEndpoint
from server.logs import configure_logs, log_request
from server.observing.observers import Observers, Sample, observers_of
from server.pages.odds import OddsPages
from server.pages.own import OwnPages
from server.pages.verify import verify_routes
from server.pages.web import web_routes
from server.postgres.suitability import Suitability
from server.readiness import Readiness
from server.seed_keys import seed_keys_of
from server.settings import Settings, read_settings
from server.stopping import at_stop_signal, stop_with_parent
from server.tidying import collect_when_idle, settle
from server.trusted import read_documents
from services.calendar import Calendar, Clock
from services.database import Database
from services.days import Days
from services.feature_views import FeatureViews
from services.health import Health
from services.lanes import Lanes
from services.live import Live
from services.maintenance import Pruner
from services.memory import Memory
from services.odds_watch import OddsWatch
from services.reads import Reads
from services.seals import Sealer
from services.seeds import Seeds
from services.signals import Signals
from services.standing import Standing
from services.transaction import Transactor
from services.watch import Watch


def create_app(settings: Settings, *, clock: Clock = wall_clock, rng: Random | None = None) -> Starlette:
    """The ASGI application. `clock` and `rng` are for tests; a server has the real ones.

    The database must be at the expected revision for /readyz to say so, but it need not even be up for the start.
    """
    tokens = tokens_of(settings, clock)
    observers = observers_of(settings, frozenset(ROOTS))
    parts = _parts(settings, tokens, clock, rng or SystemRandom(), observers.watch)
    health = Health(parts.database)
    readiness = _readiness(settings, parts, health)
    places = Places(now=lambda: clock().timestamp(), holds=parts.standing.holds)
    parts.standing.when_changed = places.look
    per_player, per_address = settings.requests_per_second
    rates = Rates(per_player=per_player, per_address=per_address, monotonic=time.monotonic)
    service = _service(settings, parts, tokens, rates, observers)
    app = Starlette(
        routes=_routes(settings, parts, tokens, service, rates, places=places, readiness=readiness),
        lifespan=_lifespan(
            parts, places, service, observers, health=health, readiness=readiness, pauses=settings.pause_on_alarm
        ),
    )
    app.state.parts = parts
    app.state.places = places
    return app


def _parts(settings: Settings, tokens: Tokens, clock: Clock, rng: Random, watch: Watch) -> App:
    """What resolvers reach."""
    if settings.database_url is None:
        raise ValueError("create_app needs a database: set DATABASE_URL, or run `haru serve` for an embedded one.")
    calendar = Calendar(settings.zone)
    database = Database(
        settings.database_url,
        lock_wait_seconds=settings.lock_wait_seconds,
        pool_size=settings.pool_size,
        watch=watch,
    )
    memory = Memory(Days(calendar))
    signals = Signals(database, calendar, clock)
    reads = Reads(database, memory, FeatureViews(database, rng))
    seeds = Seeds(database, calendar, clock, rng, seed_keys_of(settings))
    lanes = Lanes(
        database, memory, clock, seeds, rng, lanes=settings.lanes_per_process, stock_changed=signals.stock_changed
    )
    return App(
        database,
        calendar,
        clock,
        lanes,
        Transactor(database, calendar, clock, rng),
        tokens.issue,
        signals,
        Standing(database, signals, clock),
        reads,
        Live(reads, database, calendar, clock, signals.wake_at),
        odds_notice_hours=settings.odds_notice_hours,
        seeds=seeds,
    )


def _lifespan(
    parts: App,
    places: Places,
    service: GraphQLService,
    observers: Observers,
    *,
    health: Health,
    readiness: Readiness,
    pauses: bool,
) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    """What runs while the application does, and what a stop waits for; `pauses`: whether a draw alarm does."""

    def look() -> Sample:
        database = parts.database
        return Sample(
            queued=parts.lanes.waiting,
            connections_in_use=database.in_use,
            connections_max=database.pool_size,
            open=places.open,
            subscribers=parts.signals.subscribers,
        )

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        tidying = asyncio.create_task(collect_when_idle(lambda: service.is_idle))
        try:
            watch = OddsWatch(parts.database, parts.clock, parts.transact, pauses=pauses)
            upkeep = (parts.seeds, Sealer(parts.database, parts.clock), watch, Pruner(parts.transact))
            async with observers.running(look), AsyncExitStack() as stack:
                # Lanes are left first: they finish what was accepted, for which they need seeds.
                for worker in (*upkeep, parts.signals, parts.standing, parts.lanes):
                    await stack.enter_async_context(worker)
                stack.push_async_callback(readiness.stop)
                with at_stop_signal(places.stop):
                    yield
                await places.finish()
        finally:
            tidying.cancel()
            await parts.reads.stop()
            health.close()
            await parts.database.close()

    return lifespan


def _service(settings: Settings, parts: App, tokens: Tokens, rates: Rates, observers: Observers) -> GraphQLService:
    """The schema, and who may do what with it."""
    return GraphQLService(
        schema,
        authenticate=tokens.authenticate,
        make_context=lambda principal, record: Context(parts, principal, record),
        admit=rates.admit,
        meter=rates.meter,
        vouch=parts.standing.check,
        may_introspect=lambda principal: principal.role in READERS,
        told=(log_request, *observers.told),
        begun=observers.begun,
        options=GraphQLOptions(
            deadline_seconds=settings.execution_seconds,
            introspection=settings.is_local or settings.introspection,
            anonymous_may_introspect=settings.is_local,
            trusted_documents=read_documents(settings.trusted_documents) if settings.trusted_documents else None,
        ),
        limits=GraphQLLimits(playing_mutations=PLAYING),
    )


def _routes(
    settings: Settings,
    parts: App,
    tokens: Tokens,
    service: GraphQLService,
    rates: Rates,
    *,
    places: Places,
    readiness: Readiness,
) -> list[BaseRoute]:
    over_http, over_websocket = GraphQLEndpoint(service, places), WebSocketEndpoint(service, places)
    # In the local environment any origin may call: tokens travel in a header.
    browsers = cors(settings.cors_origins or (("*",) if settings.is_local else ()), settings.cors_headers)
    routes: list[BaseRoute] = [Route("/healthz", healthz), Route("/readyz", readiness.readyz)]
    for path in ("/graphql", "/graphql/"):
        routes += [Route(path, over_http, middleware=browsers), WebSocketRoute(path, over_websocket)]
    routes += OddsPages(parts, admit=rates.admit, monotonic=time.monotonic).routes() + verify_routes()
    if settings.is_local or settings.graphiql:
        routes += graphiql_routes(config=lambda: _graphiql_config(settings, tokens), readers=_config_readers(settings))
    if settings.is_local:
        routes += web_routes()
    return routes


def _readiness(settings: Settings, parts: App, health: Health) -> Readiness:
    """What /readyz asks; the machine's clock is compared, whatever a test makes of the application's."""
    others = [parts.seeds.fault]
    if not settings.is_local:
        assert settings.database_url is not None
        others = [Suitability(settings.database_url, time.monotonic).fault, *others]
    return Readiness(health.look, others, clock=wall_clock, monotonic=time.monotonic)


def _config_readers(settings: Settings) -> list[Middleware]:
    """Who may read GraphiQL's configuration: this server's pages, where there are tokens in it."""
    return (
        [Middleware(OwnPages, names=frozenset({settings.host.lower(), *settings.hosts}))] if settings.is_local else []
    )


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
    settings = read_settings()
    configure_logs(settings.log_level, as_json=not settings.is_local)
    return settled(create_app(settings))


def settled(app: Starlette) -> Starlette:
    """Have the garbage collector leave alone what a serving process is made of, which lives as long as it does."""
    settle()
    return app
