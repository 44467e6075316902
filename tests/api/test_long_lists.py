"""Lists that nobody would want to read to their ends: a page far behind costs what the first costs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from hashlib import md5
from typing import Any
from uuid import UUID

import pytest

from models import Role
from schema.connections import encode_cursor
from schema.nodes import Kind, node_id
from tests.api.test_history import EVENTS as MY_EVENTS
from tests.api.test_history import PLAYS
from tests.api.test_lookups import AUDIT, EVENTS, PLAYERS, auditor, many_players, read
from tests.conftest import run_sql
from tests.ledgers import write_lines
from tests.roles import EMPTY
from tests.statements import watched
from tests.world import Client, World, running


async def many_events(world: World, count: int) -> None:
    """Plays of ten players, all but every thousandth of the dice, and as many grants, which belong to no feature."""
    await world.sql.execute(
        """
        INSERT INTO user_event_log (user_id, id, feature_type, event_name, business_date, meta_json, created_at)
        SELECT md5((n % 10 + 10)::text)::uuid, gen_random_uuid(),
            CASE n % 1000 WHEN 0 THEN 'LOTTERY' WHEN 1 THEN NULL ELSE 'DICE' END,
            CASE n % 1000 WHEN 1 THEN 'REWARD_GRANT' ELSE 'PLAY' END,
            '2026-03-02', '{}', $2::timestamptz + n / 3 * interval '1 second'
        FROM generate_series(1, $1) n
        """,
        count,
        world.clock(),
    )


async def many_plays(world: World, count: int) -> None:
    """A game of dice a day, and a ledger line for each, of the tenth player."""
    await world.sql.execute(
        """
        INSERT INTO dice_log (user_id, id, business_date, play_no, daily_max, created_at, reward_type, reward_amount,
            config_id, user_dice_1, user_dice_2, dealer_dice_1, dealer_dice_2, outcome, drawn_from, rolls)
        SELECT md5('10')::uuid, gen_random_uuid(),
            '2026-03-02'::date + n, 1, 3, $2::timestamptz + n * interval '1 day', 'POINT', 1,
            (SELECT max(id) FROM dice_config), 6, 6, 1, 1, 'WIN', '{6,6,6,6}', '{5,5,0,0}'
        FROM generate_series(1, $1) n
        """,
        count,
        world.clock(),
    )
    plays = await world.sql.fetch("SELECT user_id, id AS cause_id, created_at FROM dice_log ORDER BY created_at")
    point = {"reward_type": "POINT", "amount": 1, "cause": "DICE_PLAY"}
    await write_lines(
        world.sql, [dict(play) | point | {"balance_after": number} for number, play in enumerate(plays, start=1)]
    )


@pytest.fixture(scope="module")
async def long_lists(database_url: str) -> AsyncIterator[World]:
    """A world with lists that nobody would want to read to their ends. The tests change nothing."""
    await run_sql(database_url, EMPTY)
    async with running(database_url) as world:
        await many_players(world, 30_000)
        await many_events(world, 60_000)
        await many_plays(world, 20_000)
        await world.sql.execute(
            """
            INSERT INTO audit_log (actor, action, target, created_at)
            SELECT 'a', 'b', 'c', $1::timestamptz + n * interval '1 second' FROM generate_series(1, 30000) n
            """,
            world.clock(),
        )
        await world.sql.execute("ANALYZE")
        yield world
    await run_sql(database_url, EMPTY)


async def cursor_of(world: World, middle: str) -> str:
    """The cursor of the row that `middle` finds the key of."""
    row = await world.sql.fetchrow(middle)
    assert row is not None
    return encode_cursor(list(row.values()))


TENTH = UUID(md5(b"10", usedforsecurity=False).hexdigest())
"""The tenth of `many_players`."""

MIDDLE = "SELECT {} FROM {} t WHERE {} ORDER BY t.created_at OFFSET {} LIMIT 1"
EVENT_KEY = "created_at, id"


@pytest.mark.parametrize(
    ("document", "variables", "middle"),
    [
        (PLAYERS, {}, MIDDLE.format("created_at, id", '"user"', "true", 15_000)),
        (PLAYERS, {"search": "p-0"}, MIDDLE.format("external_id", '"user"', "true", 15_000)),
        (EVENTS, {}, MIDDLE.format(EVENT_KEY, "user_event_log", "true", 30_000)),
        (EVENTS, {"filter": {"eventName": "PLAY"}}, MIDDLE.format(EVENT_KEY, "user_event_log", "true", 30_000)),
        (
            EVENTS,
            {"filter": {"featureType": "LOTTERY"}},
            MIDDLE.format(EVENT_KEY, "user_event_log", "feature_type = 'LOTTERY'", 30),
        ),
        (
            EVENTS,
            {"filter": {"eventName": "REWARD_GRANT"}},
            MIDDLE.format(EVENT_KEY, "user_event_log", "feature_type IS NULL", 30),
        ),
        (
            EVENTS,
            {"filter": {"playerId": node_id(Kind.PLAYER, TENTH)}},
            MIDDLE.format(EVENT_KEY, "user_event_log", f"user_id = '{TENTH}'", 3_000),
        ),
        (AUDIT, {}, MIDDLE.format("created_at, id", "audit_log", "true", 15_000)),
    ],
)
async def test_a_page_far_behind_costs_what_the_first_costs(
    long_lists: World, document: str, variables: dict[str, Any], middle: str
) -> None:
    staff = await auditor(long_lists)
    cursor = await cursor_of(long_lists, middle)
    costs = []
    for after in (None, cursor):
        with watched(long_lists) as statements:
            assert len((await read(staff, document, after=after, **variables))["nodes"]) == 20
        costs.append(await statements.blocks(long_lists))
    first, behind = costs
    assert behind <= first + 50, costs
    assert first <= 400, costs


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        ({"featureType": "LOTTERY"}, 20),
        ({"featureType": "LOTTERY", "eventName": "PLAY"}, 20),
        ({"eventName": "REWARD_GRANT"}, 0),
        ({"featureType": "ROULETTE"}, 0),
    ],
)
async def test_a_rare_kind_of_a_heavy_player_costs_little(long_lists: World, kind: dict[str, str], found: int) -> None:
    staff, of_player = await auditor(long_lists), {"playerId": node_id(Kind.PLAYER, TENTH)}
    with watched(long_lists) as statements:
        assert len((await read(staff, EVENTS, filter=of_player | kind))["nodes"]) == found
    assert await statements.blocks(long_lists) <= 150  # the player's 6,000 events are some hundred blocks of an index


@pytest.mark.parametrize(
    ("document", "middle"),
    [
        (PLAYS, MIDDLE.format("created_at, id", "dice_log", "true", 10_000)),
        ("query L($after: String) { me { rewards(after: $after) { nodes { id } } } }", "SELECT 10000"),
        (MY_EVENTS, MIDDLE.format(EVENT_KEY, "user_event_log", f"user_id = '{TENTH}'", 3_000)),
    ],
)
async def test_a_player_s_page_far_behind_costs_what_the_first_costs(
    long_lists: World, document: str, middle: str
) -> None:
    player = Client(long_lists.http, long_lists.parts.issue_token(TENTH, Role.PLAYER).text)
    cursor = await cursor_of(long_lists, middle)
    costs = []
    for after in (None, cursor):
        with watched(long_lists) as statements:
            (page,) = [one for one in (await read(player, document, after=after)).values() if isinstance(one, dict)]
        assert len(page["nodes"]) == 20
        costs.append(await statements.blocks(long_lists))
    first, behind = costs
    assert behind <= first + 50, costs
    assert first <= 1000, costs
