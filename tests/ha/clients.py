"""Players as docs/clients.md wants them: each command has a key and is sent until it is answered; sockets come back."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from time import monotonic
from typing import Any
from uuid import UUID

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from models import Role
from server.auth import Tokens
from server.clock import wall_clock

PLAY = """mutation Play($key: String!) { drawLottery(input: {idempotencyKey: $key}) {
    __typename
    ... on LotteryDraw { id replayed prize { prizeId stockAfter } reward { type amount balance } }
    ... on UserError { code message retryable }
} }"""
SUBSCRIBE = (
    "subscription { lotteryStockChanged { __typename ... on LotteryStatus { config { prizes { id stock } } } } }"
)
PROTOCOL = "graphql-transport-ws"
PAUSE_SECONDS = 0.3
"""Between two plays of a player; with some chance in it."""

TIMEOUT_SECONDS = 10.0
FIRST_RETRY_SECONDS, LONGEST_RETRY_SECONDS = 1 / 3, 2.0
SOCKET_TOKEN_SECONDS = (40, 70)
"""How long a socket's token is good: an hour, elsewhere. Then it connects again, to the server with the fewest."""

GOING_AWAY = 1001
EXPIRED = 4403


class Secret:
    """Makes tokens as the servers do."""

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def token(self, player_id: UUID, role: Role = Role.PLAYER, seconds: int = 24 * 3600) -> str:
        """A token that is good for so long."""
        tokens = Tokens((self._secret,), issuer="haru", audience="haru", lifetime_seconds=seconds, clock=wall_clock)
        return tokens.issue(player_id, role).text


@dataclass
class Told:
    """What clients were told, and how often they had to ask."""

    plays: dict[tuple[UUID, str], dict[str, Any]] = field(default_factory=dict)
    """Each play that was acknowledged, by player and key."""
    failed: Counter[str] = field(default_factory=Counter)
    """Attempts without a play for an answer, by what came instead."""
    replayed: int = 0
    """Plays that had happened at an attempt whose answer did not arrive."""
    slowest_seconds: float = 0.0
    """From the first attempt of a play to its answer."""
    closed: Counter[int | str] = field(default_factory=Counter)
    """Sockets that were closed, by code (1006: without one, cut off), and subscriptions that were refused for now."""
    messages: int = 0
    open: int = 0

    def begin(self) -> None:
        """Begin to measure anew, for another fault; what was acknowledged stays."""
        self.failed.clear()
        self.closed.clear()
        self.replayed, self.slowest_seconds = 0, 0.0


class Refused(Exception):
    """Somebody was refused for good, who gave no reason for that."""


@dataclass
class Player:
    """Somebody who plays without end."""

    id: UUID
    token: str
    http: httpx.AsyncClient
    told: Told
    chance: Random
    plays: int = 0

    async def play_on(self, is_over: asyncio.Event) -> None:
        """Play until it is over. Raises: Refused."""
        while not is_over.is_set():
            self.plays += 1
            await self.play(f"play {self.plays}")
            await asyncio.sleep(self.chance.uniform(0.5, 1.5) * PAUSE_SECONDS)

    async def play(self, key: str) -> dict[str, Any]:
        """Send a play until it is answered, and note what the answer is. Raises: Refused."""
        began, pause = monotonic(), FIRST_RETRY_SECONDS
        while isinstance(answer := await self.attempt(key), str):
            self.told.failed[answer] += 1
            await asyncio.sleep(self.chance.uniform(0.5, 1.0) * pause)
            pause = min(2 * pause, LONGEST_RETRY_SECONDS)
        self.told.slowest_seconds = max(self.told.slowest_seconds, monotonic() - began)
        self.told.replayed += answer.pop("replayed")
        self.told.plays[self.id, key] = answer
        return answer

    async def attempt(self, key: str) -> dict[str, Any] | str:
        """Send a play once; its answer, or what came instead. Raises: Refused."""
        try:
            response = await self.http.post(
                "/graphql",
                json={"query": PLAY, "variables": {"key": key}},
                headers={"Authorization": f"Bearer {self.token}"},
            )
            answer = response.json()
        except httpx.TransportError as lost:
            return type(lost).__name__
        except ValueError:  # a page of the proxy's
            return f"HTTP {response.status_code}"
        if "errors" in answer:
            extensions = answer["errors"][0]["extensions"]
            if not extensions.get("retryable"):
                raise Refused(answer)
            return str(extensions["code"])
        drawn: dict[str, Any] = answer["data"]["drawLottery"]
        if drawn["__typename"] == "LotteryDraw":
            return drawn
        if not drawn["retryable"]:
            raise Refused(drawn)
        return str(drawn["code"])


@dataclass
class Subscriber:
    """Somebody who looks at the stocks all the time."""

    id: UUID
    secret: Secret
    url: str
    told: Told
    chance: Random

    async def look_on(self) -> None:
        """Look for ever: connect again whenever the connection ends. Raises: Refused."""
        while True:
            try:
                await self._look()
            except ConnectionClosed as closed:
                self.told.closed[closed.rcvd.code if closed.rcvd else 1006] += 1
            except (OSError, InvalidHandshake, TimeoutError):
                self.told.closed["no server"] += 1
            await asyncio.sleep(self.chance.uniform(0.3, 1.5))

    async def _look(self) -> None:
        async with connect(self.url, subprotocols=[PROTOCOL], ping_interval=10, ping_timeout=10) as socket:  # type: ignore[list-item]
            token = self.secret.token(self.id, seconds=self.chance.randint(*SOCKET_TOKEN_SECONDS))
            await _send(socket, "connection_init", payload={"Authorization": f"Bearer {token}"})
            await _next(socket)  # its acknowledgement
            await _send(socket, "subscribe", id="1", payload={"query": SUBSCRIBE})
            self.told.open += 1
            try:
                while (message := await _next(socket))["type"] == "next":
                    self.told.messages += 1
                self._refused(message["payload"][0]["extensions"])
            finally:
                self.told.open -= 1

    def _refused(self, extensions: dict[str, Any]) -> None:
        """Note why there is nothing to see, for now. Raises: Refused, where it is for good."""
        if not extensions["retryable"]:
            raise Refused(extensions)
        self.told.closed[extensions["code"]] += 1


async def _send(socket: ClientConnection, kind: str, **rest: Any) -> None:
    await socket.send(json.dumps({"type": kind, **rest}))


async def _next(socket: ClientConnection) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(await socket.recv())
    return message
