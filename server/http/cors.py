"""Browsers on other origins: which of them may call, and which headers they may send along (CORS).

Tokens travel in a header and there are no cookies, so a header that nobody here reads costs nothing: what common
clients and their instruments send passes, or else a browser would refuse the whole request for it.
"""

from __future__ import annotations

from collections.abc import Sequence

from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

OURS = ("Authorization", "Content-Type", "X-Request-ID")
OF_CLIENTS = (
    # Apollo: https://www.apollographql.com/docs/graphos/platform/insights/client-segmentation
    "ApolloGraphQL-Client-Name",
    "ApolloGraphQL-Client-Version",
    "Apollo-Require-Preflight",
    "X-Apollo-Operation-ID",
    "X-Apollo-Operation-Name",
    "X-Apollo-Operation-Type",
    # Others that name themselves, or show that they need a preflight
    "GraphQL-Client-Name",
    "GraphQL-Client-Version",
    "X-GraphQL-Client-Name",
    "X-GraphQL-Client-Version",
    "GraphQL-Require-Preflight",
    "X-Requested-With",
    # What fetch, event streams and older libraries add by themselves
    "Cache-Control",
    "Pragma",
    "If-None-Match",
    "If-Modified-Since",
    "Last-Event-ID",
    "User-Agent",
    "Content-Encoding",  # refused with a status that the page gets to see
)
OF_TRACES = (
    # https://www.w3.org/TR/trace-context, https://www.w3.org/TR/baggage
    "Traceparent",
    "Tracestate",
    "Baggage",
    "Sentry-Trace",
    # OpenTelemetry's other propagators: https://github.com/openzipkin/b3-propagation, Jaeger, X-Ray
    "B3",
    "X-B3-TraceId",
    "X-B3-SpanId",
    "X-B3-ParentSpanId",
    "X-B3-Sampled",
    "X-B3-Flags",
    "Uber-Trace-Id",
    "X-Amzn-Trace-Id",
    # Agents of monitoring products
    "X-Datadog-Origin",
    "X-Datadog-Parent-Id",
    "X-Datadog-Sampling-Priority",
    "X-Datadog-Trace-Id",
    "Newrelic",
    "Elastic-Apm-Traceparent",
    "X-Correlation-ID",
)


def cors(origins: Sequence[str], headers: Sequence[str] = ()) -> list[Middleware]:
    """What lets pages of `origins` (`*`: of all) call, with `headers` beside the common ones; nothing without any."""
    if not origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=["GET", "POST"],
            allow_headers=[*OURS, *OF_CLIENTS, *OF_TRACES, *headers],
            expose_headers=["X-Request-ID", "Retry-After"],
            max_age=600,
        )
    ]
