"""A running haru for tests: the whole application in this process, a clock and dice that the test holds in its hand."""

from __future__ import annotations

import copy
import datetime as dt
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

import asyncpg
import httpx
from starlette.applications import Starlette

from models import FeatureType, Role
from schema.context import App
from server.app import create_app
from server.demo import load_demo
from server.settings import Settings
from services.database import connect_arguments

NOON = dt.datetime(2026, 3, 2, 3, 0, tzinfo=dt.UTC)
"""Monday, 2 March 2026, 12:00 in Seoul."""


@dataclass
class TestClock:
    """A clock that stands still until it is set."""

    __test__ = False

    now: dt.datetime = NOON

    def __call__(self) -> dt.datetime:
        return self.now

    def advance(self, **delta: float) -> None:
        """Move on, as `timedelta(**delta)`."""
        self.now += dt.timedelta(**delta)


@dataclass
class Client:
    """Somebody with a token (or without one) who sends GraphQL."""

    http: httpx.AsyncClient
    token: str | None = None
    player_id: int = 0
    keys: int = 0

    async def post(self, query: str, variables: Mapping[str, Any] | None = None) -> httpx.Response:
        """Send a document; the whole HTTP response."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        body = {"query": query, "variables": dict(variables or {})}
        return await self.http.post("/graphql", json=body, headers=headers)

    async def execute(self, query: str, **variables: Any) -> dict[str, Any]:
        """Send a document; its whole answer, errors included."""
        answer: dict[str, Any] = (await self.post(query, variables)).json()
        return answer

    async def data(self, query: str, **variables: Any) -> dict[str, Any]:
        """Send a document that must have no top-level errors; its data."""
        answer = await self.execute(query, **variables)
        assert "errors" not in answer, answer["errors"]
        data: dict[str, Any] = answer["data"]
        return data

    async def error_code(self, query: str, **variables: Any) -> str:
        """Send a document that must fail at the top level; the first error's code."""
        answer = await self.execute(query, **variables)
        code: str = answer["errors"][0]["extensions"]["code"]
        return code

    async def upload(
        self, query: str, content: bytes, variable: str = "file", variables: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Send a document with a file as `$file`, or as what `variable` names (such as `input.file`)."""
        target = variables = copy.deepcopy(dict(variables or {}))
        *path, last = variable.split(".")
        for name in path:
            target = target.setdefault(name, {})
        target[last] = None
        response = await self.http.post(
            "/graphql",
            data={
                "operations": json.dumps({"query": query, "variables": variables}),
                "map": json.dumps({"0": [f"variables.{variable}"]}),
            },
            files={"0": ("ranking.csv", content, "text/csv")},
            headers={"Authorization": f"Bearer {self.token}"} if self.token else {},
        )
        answer: dict[str, Any] = response.json()
        return answer

    def new_key(self) -> str:
        """An idempotency key not used before by this client."""
        self.keys += 1
        return f"{self.player_id}-{self.keys}"

    async def play(self, game: str = "playDice", key: str | None = None) -> dict[str, Any]:
        """playDice, spinRoulette or drawLottery: the result union's member, with every common field."""
        query = PLAY.replace("GAME", game).replace("DRAWN", DRAWN[game])
        answer: dict[str, Any] = (await self.data(query, key=key or self.new_key()))[game]
        return answer

    async def stamp(self, source: str = "SEASON_PASS", key: str | None = None) -> dict[str, Any]:
        """Stamp today."""
        variables = {"idempotencyKey": key or self.new_key(), "sourceFeature": source}
        answer: dict[str, Any] = (await self.data(STAMP, input=variables))["stamp"]
        return answer

    async def claim(self, level: int, key: str | None = None) -> dict[str, Any]:
        """Claim a level."""
        variables = {"idempotencyKey": key or self.new_key(), "level": level}
        answer: dict[str, Any] = (await self.data(CLAIM, input=variables))["claimReward"]
        return answer


RECEIPT = "{ addedStamp xpAdded currentXp currentLevel leveledUp rewards { level claimedAt reward { ...granted } } }"
GRANTED = "fragment granted on GrantedReward { type amount balance couponCode }"
PLAY = f"""
mutation Play($key: String!) {{
  GAME(input: {{idempotencyKey: $key}}) {{
    __typename
    ... on GamePlay {{
      id businessDate playedAt replayed
      reward {{ ...granted }}
      dailyLimit {{ max used remaining unlimited resetsAt }}
      seasonPass {RECEIPT}
    }}
    DRAWN
    ... on UserError {{ code message retryable }}
    ... on DailyLimitReached {{ dailyLimit {{ max used remaining unlimited resetsAt }} }}
  }}
}}
{GRANTED}
"""
DRAWN = {
    "playDice": "... on DicePlay { userDice userSum dealerDice dealerSum outcome }",
    "spinRoulette": "... on RouletteSpin { segment { id slot label isJackpot odds { weight totalWeight } } }",
    "drawLottery": "... on LotteryDraw { prize { id label stock odds { weight totalWeight } } }",
}
STAMP = f"""
mutation Stamp($input: StampInput!) {{
  stamp(input: $input) {{ __typename ... on StampReceipt {RECEIPT} ... on UserError {{ code message retryable }} }}
}}
{GRANTED}
"""
CLAIM = f"""
mutation Claim($input: ClaimRewardInput!) {{
  claimReward(input: $input) {{
    __typename
    ... on LevelReward {{ level claimedAt reward {{ ...granted }} }}
    ... on UserError {{ code message retryable }}
  }}
}}
{GRANTED}
"""


@dataclass
class World:
    """A running application, its database, and the clock and random source that it was given."""

    app: Starlette
    settings: Settings
    clock: TestClock
    rng: Random
    sql: asyncpg.Connection[asyncpg.Record]
    http: httpx.AsyncClient
    clients: dict[str, Client] = field(default_factory=dict)

    @property
    def parts(self) -> App:
        """The application's parts."""
        parts: App = self.app.state.parts
        return parts

    @property
    def nobody(self) -> Client:
        """A client without a token."""
        return Client(self.http)

    async def player(self, external_id: str = "alice", role: Role = Role.PLAYER) -> Client:
        """A client with a token; the account is made on first sight."""
        player_id = await self.sql.fetchval(
            """
            WITH made AS (
                INSERT INTO "user" (external_id, created_at) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING id
            ) SELECT id FROM made UNION ALL SELECT id FROM "user" WHERE external_id = $1
            """,
            external_id,
            self.clock(),
        )
        client = self.clients.setdefault(external_id, Client(self.http))
        client.player_id, client.token = player_id, self.parts.issue_token(player_id, role).text
        return client

    async def today(self, feature: FeatureType | None) -> None:
        """Schedule a feature for the clock's business date; None: nothing."""
        date = self.parts.calendar.business_date(self.clock())
        await self.sql.execute("DELETE FROM feature_schedule WHERE date = $1", date)
        if feature is not None:
            await self.sql.execute(
                "INSERT INTO feature_schedule (date, feature_type, updated_at) VALUES ($1, $2, $3)",
                date,
                feature,
                self.clock(),
            )

    async def count(self, table: str) -> int:
        """How many rows a table has."""
        rows: int = await self.sql.fetchval(f'SELECT count(*) FROM "{table}"')
        return rows

    async def written(self) -> dict[str, int]:
        """How many rows each table has that a player's command may write: equal before and after a refusal."""
        return {table: await self.count(table) for table in WRITTEN_BY_PLAYERS}


WRITTEN_BY_PLAYERS = (
    "dice_log",
    "roulette_log",
    "lottery_log",
    "reward_ledger",
    "reward_balance",
    "user_event_log",
    "idempotency_key",
    "season_pass_progress",
    "season_pass_stamp_log",
    "season_pass_reward_log",
    "coupon_waiting",
)


@asynccontextmanager
async def running(url: str, *, demo: bool = True, **overrides: Any) -> AsyncIterator[World]:
    """A world on an empty database; with `demo` the demo data is there and today is the day of the dice."""
    settings = Settings(**({"DATABASE_URL": url, "HARU_TIME_ZONE": "Asia/Seoul"} | overrides))
    clock, rng = TestClock(), Random(20241206)
    app = create_app(settings, clock=clock, rng=rng)
    connection = await asyncpg.connect(**connect_arguments(url))
    transport = httpx.ASGITransport(app=app)
    try:
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://haru.test") as http,
        ):
            world = World(app, settings, clock, rng, connection, http)
            if demo:
                await world.parts.transact(lambda tx: load_demo(tx, FeatureType.DICE))
            yield world
    finally:
        await connection.close()


LEDGER_FAULTS = """
SELECT 'balance' AS what, b.user_id FROM reward_balance b
WHERE b.amount <> (SELECT coalesce(sum(l.amount), 0) FROM reward_ledger l
                   WHERE l.user_id = b.user_id AND l.reward_type = b.reward_type)
UNION ALL
SELECT 'line without a balance', l.user_id FROM reward_ledger l
WHERE l.reward_type IN ('POINT', 'TOKEN') AND NOT EXISTS (
    SELECT FROM reward_balance b WHERE b.user_id = l.user_id AND b.reward_type = l.reward_type)
UNION ALL
SELECT 'chain', c.user_id FROM (
    SELECT user_id, balance_after,
        sum(amount) OVER (PARTITION BY user_id, reward_type ORDER BY line_no) AS expected
    FROM reward_ledger WHERE reward_type IN ('POINT', 'TOKEN')) c
WHERE c.balance_after <> c.expected
UNION ALL
SELECT 'line numbers', u.id FROM "user" u
WHERE u.ledger_lines <> (SELECT count(*) FROM reward_ledger l WHERE l.user_id = u.id)
"""


async def assert_ledger_holds(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    """Every balance is the sum of its lines, and the lines chain."""
    faults = await connection.fetch(LEDGER_FAULTS)
    assert not faults, faults
