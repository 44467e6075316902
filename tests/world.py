"""A running haru for tests: the whole application in this process, a clock and dice that the test holds in its hand."""

from __future__ import annotations

import asyncio
import copy
import datetime as dt
import json
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any
from uuid import UUID

import asyncpg
import httpx
from starlette.applications import Starlette

from models import FeatureType, LotteryPrize, Role, RouletteSegment, SeasonLevel
from schema.context import App
from schema.nodes import Kind, node_id
from server.app import create_app
from server.demo import load_demo
from server.migrations.changes import FACTS, STATE
from server.settings import Settings
from services.database import connect_arguments
from tests.roles import GUARDED, as_application

NOBODY = UUID(int=0)
"""No player has this id."""

SEED_KEYS = f"tests:{b64encode(bytes(range(32))).decode()}"
PATIENT = {"HARU_LOCK_WAIT_SECONDS": 4.0, "HARU_REQUEST_SECONDS": 30.0}
"""Tests tell what is answered, not how soon: the machine may have other things to do."""

DEFAULTS: dict[str, Any] = {"HARU_TIME_ZONE": "Asia/Seoul", "HARU_SEED_KEYS": SEED_KEYS, **PATIENT}

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
    player_id: UUID = NOBODY
    keys: int = 0

    @property
    def id(self) -> str:
        """The player's id in the API."""
        return node_id(Kind.PLAYER, self.player_id)

    async def post(self, query: str, variables: Mapping[str, Any] | None = None) -> httpx.Response:
        """Send a document; the whole HTTP response."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        body = {"query": query, "variables": dict(variables or {})}
        return await self.http.post("/graphql", json=body, headers=headers)

    async def execute(self, query: str, **variables: Any) -> dict[str, Any]:
        """Send a document; its whole answer, errors included."""
        response = await self.post(query, variables)
        assert "json" in response.headers["content-type"], (response.status_code, response.text)
        answer: dict[str, Any] = response.json()
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
        """Stamp today: the result union's member, with the receipt's fields as if they were its own."""
        variables = {"idempotencyKey": key or self.new_key(), "sourceFeature": source}
        answer: dict[str, Any] = (await self.data(STAMP, input=variables))["stamp"]
        return {**answer.pop("receipt", {}), **answer}

    async def claim(self, level: int, key: str | None = None) -> dict[str, Any]:
        """Claim a level: the result union's member, with the reward's fields as if they were its own."""
        variables = {"idempotencyKey": key or self.new_key(), "level": level}
        answer: dict[str, Any] = (await self.data(CLAIM, input=variables))["claimReward"]
        return {**answer.pop("levelReward", {}), **answer}


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
    "drawLottery": "... on LotteryDraw { prize { prizeId label stockAfter odds { weight totalWeight } } }",
}
STAMP = f"""
mutation Stamp($input: StampInput!) {{
  stamp(input: $input) {{
    __typename
    ... on StampPayload {{ replayed receipt {RECEIPT} }}
    ... on UserError {{ code message retryable }}
  }}
}}
{GRANTED}
"""
CLAIM = f"""
mutation Claim($input: ClaimRewardInput!) {{
  claimReward(input: $input) {{
    __typename
    ... on ClaimRewardPayload {{ replayed levelReward {{ level claimedAt reward {{ ...granted }} }} }}
    ... on UserError {{ code message retryable }}
  }}
}}
{GRANTED}
"""


@dataclass
class World:
    """A running application, its database, and the clock and random source that it was given. `sql` is the owner's."""

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
                INSERT INTO "user" (id, external_id, created_at) VALUES (md5($1)::uuid, $1, $2)
                ON CONFLICT DO NOTHING RETURNING id
            ) SELECT id FROM made UNION ALL SELECT id FROM "user" WHERE external_id = $1
            """,
            external_id,
            self.clock(),
        )
        client = self.clients.setdefault(external_id, Client(self.http))
        client.player_id, client.token = player_id, self.parts.issue_token(player_id, role).text
        return client

    async def today(self, feature: FeatureType | None) -> None:
        """Schedule a feature for the clock's business date; None: nothing. Whoever reads meanwhile misses neither."""
        date = self.parts.calendar.business_date(self.clock())
        async with self.sql.transaction():
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


async def forge(sql: asyncpg.Connection[asyncpg.Record], statement: str, *arguments: object) -> None:
    """Change what nothing in haru can change, as the owner: the tables' triggers are off for the one statement."""
    async with forging(sql, *(table for table in GUARDED if table in statement or "CASCADE" in statement)):
        await sql.execute(statement, *arguments)


@asynccontextmanager
async def forging(sql: asyncpg.Connection[asyncpg.Record], *tables: str) -> AsyncIterator[None]:
    """Change what is append-only in these tables, in one transaction, with those triggers off that refuse it."""
    async with sql.transaction():
        await sql.execute("SET CONSTRAINTS ALL IMMEDIATE")  # a table that waits for its triggers is not altered
        for table in tables:
            kinds = [kind for kind, tables_of in (("facts", FACTS), ("version", STATE)) if table in tables_of]
            enabled = "".join(
                f", ENABLE TRIGGER {table}_{kind}, ENABLE TRIGGER {table}_{kind}_truncated" for kind in kinds
            )
            await sql.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER{enabled}")
        yield
        for table in tables:
            await sql.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


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
    """A world on an empty database; with `demo` the demo data is there and today is the day of the dice.

    `url` is the owner's, as which the test reads and forges (`World.sql`); haru is the application.
    """
    addresses = {"DATABASE_URL": as_application(url), "HARU_OWNER_URL": url}
    settings = Settings(**(DEFAULTS | addresses | overrides))
    clock, rng = TestClock(), Random(20241206)
    app = create_app(settings, clock=clock, rng=rng)
    before = asyncio.all_tasks()
    app.state.parts.seeds.rng = Random(20260302)  # what is drawn does not depend on who asked for an id before
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
                await shuffle(connection)
            await started(world)
            yield world
    finally:
        await connection.close()
    if left := {task for task in asyncio.all_tasks() - before if is_of_haru(task)}:
        _, left = await asyncio.wait(left, timeout=5)  # what ends is another server's
    assert not left, f"The server ended, and left these: {left}"


def is_of_haru(task: asyncio.Task[Any]) -> bool:
    """Whether a task is under way that haru, not a test, has begun."""
    frame = getattr(task.get_coro(), "cr_frame", None)
    return frame is not None and frame.f_globals["__name__"].partition(".")[0] in {"server", "services"}


async def started(world: World) -> None:
    """Wait until nothing of the start is under way: tests count rows, statements and signals."""
    await asyncio.sleep(0)  # the start's own look at the seeds comes first, and this one waits for it
    await world.parts.seeds.look()
    await world.parts.signals.listening()


async def shuffle(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    """Store what has an order of its own in another one, and number it in that: who forgets to sort it is told."""
    for table, order in ((SeasonLevel, "level"), (RouletteSegment, "slot"), (LotteryPrize, "position")):
        columns = ", ".join(column.name for column in table.__table__.columns if column.name != "id")
        await forge(
            connection,
            f"WITH gone AS (DELETE FROM {table.__tablename__} RETURNING *)"
            f" INSERT INTO {table.__tablename__} ({columns}) SELECT {columns} FROM gone ORDER BY md5({order}::text)",
        )
