"""The odds and the commitments, for everybody to read without a token.

`/odds` (HTML) and `/odds.json`: what is on now, what is left and the chances now, what is announced, what was;
`/odds/<hash>`: one revision, the same for ever; `/odds/<hash>.json`: the very bytes that the hash is of; `/draws.json`:
commitments, seeds and roots by date. What a crowd of readers costs is bounded: a few questions to the database a
second, and one for each revision that is not kept here.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import re
from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping
from hashlib import sha256
from math import inf
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import Scope

from models import FeatureType, Language
from schema.context import App, Principal
from server.http.rates import TooManyRequests
from server.pages.assets import security_headers
from server.pages.sheets import STYLE, canonical, overview_page, sheet_page
from services import odds, proofs
from services.errors import DomainError
from services.odds import GameOdds
from services.proofs import Commitment
from services.recent import RecentlyUsed
from services.request_errors import BadRequest, Unavailable
from services.rules.game import Game, Rules
from services.rules.odds import Item
from services.schedule import MAX_DAYS

Admit = Callable[[Scope, Principal | None], None]
Page = tuple[bytes, str]
"""A body and its media type."""

HTML, JSON = "text/html; charset=utf-8", "application/json"
FOR_EVER = "public, max-age=31536000, immutable"
FRESH_SECONDS = 1.0
"""How old what is told as of now may be."""

KEPT_SHEETS = 256
DAYS_AHEAD = 7
"""How far ahead dates are committed to."""

HASH = re.compile(r"[0-9a-f]{64}")
HEADERS = {
    **security_headers(
        script_src="'none'",
        connect_src="'none'",
        img_src="'none'",
        style_src=f"'sha256-{b64encode(sha256(STYLE.encode()).digest()).decode()}'",
    ),
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Access-Control-Allow-Origin": "*",
}


class OddsPages:
    """The public pages of one process. `admit` counts a request for its sender; `monotonic` is in seconds."""

    def __init__(self, app: App, *, admit: Admit, monotonic: Callable[[], float]) -> None:
        self._app = app
        self._admit = admit
        self._monotonic = monotonic
        self._sheets: RecentlyUsed[str, Mapping[str, Page]] = RecentlyUsed(KEPT_SHEETS)
        self._asking = asyncio.Lock()
        self._asked_at = -inf
        self._overview: Mapping[str, Page] = {}

    def routes(self) -> list[BaseRoute]:
        """The routes of the pages."""
        return [
            Route("/odds", self._served(self._page)),
            Route("/odds.json", self._served(self._overview_json)),
            Route("/odds/{name}", self._served(self._sheet)),
            Route("/draws.json", self._served(self._draws)),
        ]

    def _served(self, answer: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def serve(request: Request) -> Response:
            try:
                self._admit(request.scope, None)
                return await answer(request)
            except TooManyRequests as many:
                return _refusal(many, 429, {"Retry-After": str(int(many.retry_after_seconds) + 1)})
            except BadRequest as bad:
                return _refusal(bad, 400)
            except Unavailable as down:
                return _refusal(down, 503, {"Retry-After": "1"})

        return serve

    async def _page(self, request: Request) -> Response:
        """Answer with all games' odds in the reader's language."""
        language = language_of(request.query_params.get("lang"), request.headers.get("accept-language", ""))
        return _answer((await self._now())[language], "no-cache", {"Vary": "Accept-Language"})

    async def _overview_json(self, _request: Request) -> Response:
        """Answer with all games' odds for programs."""
        return _answer((await self._now())["json"], "no-cache")

    async def _now(self) -> Mapping[str, Page]:
        """The odds as they stood at most a second ago; who comes while they are asked for waits for the same answer."""
        async with self._asking:
            if self._monotonic() - self._asked_at >= FRESH_SECONDS:
                self._overview, self._asked_at = await self._read(), self._monotonic()
        return self._overview

    async def _read(self) -> Mapping[str, Page]:
        now, zone = self._app.clock(), self._app.calendar.zone
        found = await odds.at_a_glance(self._app.database, now)
        today = await self._today(now)
        pages: dict[str, Page] = {
            language: (overview_page(found, today, now, zone, language).encode(), HTML) for language in Language
        }
        last = self._app.calendar.business_date(now) + dt.timedelta(days=DAYS_AHEAD)
        draws = await self._commitments(last - dt.timedelta(days=MAX_DAYS - 1), last)
        return pages | {"json": (msgspec.json.encode(overview_json(found, today, now)), JSON), "draws": draws}

    async def _today(self, now: dt.datetime) -> FeatureType | None:
        try:
            return (await self._app.reads.day(now)).day.feature().feature_type
        except DomainError:
            return None

    async def _draws(self, request: Request) -> Response:
        """Answer with what each day is committed to: of a year up to a week ahead, or `?from` a date `to` another."""
        asked = request.query_params
        if not asked:
            return _answer((await self._now())["draws"], "no-cache")
        try:
            first, last = (dt.date.fromisoformat(asked[name]) for name in ("from", "to"))
        except (KeyError, ValueError):
            raise BadRequest("from and to must be dates, such as ?from=2026-03-01&to=2026-03-31.") from None
        return _answer(await self._commitments(first, last), "no-cache")

    async def _commitments(self, first: dt.date, last: dt.date) -> Page:
        found = await proofs.commitments(self._app.database, first, last)
        return msgspec.json.encode({"days": [commitment_json(one) for one in found]}), JSON

    async def _sheet(self, request: Request) -> Response:
        """Answer with one revision: what it was is what it is."""
        digest, dot, kind = request.path_params["name"].partition(".")
        if not HASH.fullmatch(digest) or (dot and kind != JSON.partition("/")[2]):
            return _not_found()
        pages = self._sheets.get(digest) or await self._made(digest)
        if pages is None:
            return _not_found()
        return _answer(pages["json" if dot else "html"], FOR_EVER, {"ETag": f'"{digest}"'})

    async def _made(self, digest: str) -> Mapping[str, Page] | None:
        found = await odds.sheet_of(self._app.database, digest)
        if found is None:
            return None
        page = sheet_page(*found, self._app.calendar.zone)
        pages = {"html": (page.encode(), HTML), "json": (canonical(*found), JSON)}
        self._sheets.put(digest, pages)
        return pages


def language_of(asked: str | None, accepted: str) -> Language:
    """The language that is asked for, or else the first that a browser accepts and the pages have; else Korean."""
    for tag in [asked or "", *accepted.split(",")]:
        for language in Language:
            if tag.strip().lower().startswith(language.lower()):
                return language
    return Language.KO


def overview_json(found: list[GameOdds], today: FeatureType | None, now: dt.datetime) -> dict[str, Any]:
    """All games' odds: what `/odds` tells, for programs."""
    return {"now": _z(now), "today": today, "games": [_game_json(one) for one in found]}


def commitment_json(one: Commitment) -> dict[str, Any]:
    """What a date is committed to by, and what was told of it since."""
    return {
        "date": one.date,
        "commitment": one.commitment,
        "committedAt": _z(one.committed_at),
        "shuffle": one.shuffle,
        "seed": None if one.seed is None else one.seed.hex(),
        "revealedAt": _z(one.revealed_at),
        "root": one.root,
    }


def _game_json(one: GameOdds) -> dict[str, Any]:
    current = one.current
    return {
        "featureType": one.game.feature,
        "current": None if current is None else sheet_json(one.game, current, current.items(current.stocks())),
        "announced": [sheet_json(one.game, rules) for rules in one.announced],
        "played": [
            {"from": _z(stretch.since), "until": _z(stretch.until), "hash": stretch.rules.hash}
            for stretch in one.played
        ],
    }


def sheet_json(game: Game[Any, Any], rules: Rules, now: Any = None) -> dict[str, Any]:
    """A sheet; `now`: the items among what can be drawn, where it is on."""
    items = [_item_json(item) for item in rules.items()]
    for item, left in zip(items, now or (), strict=False):
        item |= {"left": left.left, "now": {"weight": left.weight, "totalWeight": left.total_weight}}
    return {
        "featureType": game.feature,
        "revision": rules.revision,
        "hash": rules.hash,
        "announcedAt": _z(rules.published_at),
        "effectiveFrom": _z(rules.effective_from),
        "effectiveUntil": _z(rules.effective_until),
        "noticeHours": rules.notice_hours,
        "emergencyReason": rules.emergency_reason,
        "cost": rules.cost,
        "items": items,
    }


def _item_json(item: Item) -> dict[str, Any]:
    reward = {"type": item.reward.type, "amount": item.reward.amount, "couponType": item.reward.coupon_type}
    return {
        "label": item.label,
        "labels": item.labels,
        "reward": reward,
        "weight": item.weight,
        "totalWeight": item.total_weight,
        "quantity": item.quantity,
    }


def _z(instant: dt.datetime | None) -> str | None:
    """An instant in UTC, with milliseconds."""
    if instant is None:
        return None
    return instant.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _answer(page: Page, cache_control: str, headers: Mapping[str, str] | None = None) -> Response:
    body, media_type = page
    return Response(body, media_type=media_type, headers={**HEADERS, "Cache-Control": cache_control, **(headers or {})})


def _refusal(error: Exception, status: int, headers: Mapping[str, str] | None = None) -> Response:
    return PlainTextResponse(f"{error}\n", status, {**HEADERS, "Cache-Control": "no-store", **(headers or {})})


def _not_found() -> Response:
    return PlainTextResponse("No revision has this hash.\n", 404, {**HEADERS, "Cache-Control": "no-store"})
