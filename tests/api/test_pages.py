"""A page reads one row more than it shows, which tells whether there is a next one, and nothing of what is behind."""

from __future__ import annotations

from typing import Any

from tests.api.test_long_lists import many_events
from tests.api.test_lookups import auditor, many_players
from tests.api.test_ranking import operator, publish
from tests.staff import upsert, valid
from tests.statements import watched
from tests.world import Client, World, forge

GAMES = ("Dice", "Roulette", "Lottery")


async def rows_read(world: World, client: Client, document: str, **variables: Any) -> list[int]:
    """How many rows each of the statements of a query reads."""
    with watched(world) as statements:
        await client.data(document, **variables)
    return statements.rows


async def test_lists_of_the_staff(world: World) -> None:
    await many_players(world, 20)
    await many_events(world, 60)
    alice = await world.player()
    await forge(world.sql, "UPDATE dice_config SET max_daily_plays = 0")
    for _ in range(5):
        await alice.play()
    for action in "abcde":
        await world.sql.execute(
            "INSERT INTO audit_log (actor, action, target, created_at) VALUES ('a', $1, 'c', now())", action
        )
    staff = await auditor(world)
    for document in (
        "{ players(first: 2) { nodes { id } } }",
        '{ players(first: 2, search: "p-") { nodes { id } } }',
        "{ userEvents(first: 2) { nodes { id } } }",
        "{ userEvents(first: 2, filter: {eventName: PLAY}) { nodes { id } } }",
        "{ auditLog(first: 2) { nodes { id } } }",
    ):
        assert await rows_read(world, staff, document) == [3], document
    alice_s = '{{ player(by: {{externalId: "alice"}}) {{ {}(first: 2) {{ nodes {{ id }} }} }} }}'
    for name in ("plays", "rewards", "events"):
        assert await rows_read(world, staff, alice_s.format(name)) == [1, 3], name


async def test_what_is_published(world: World) -> None:
    """Neither what is played on other days nor the parts of what is not shown are read."""
    olive = await operator(world)
    for name in GAMES:
        given = valid(f"upsert{name}Config")
        for revision in range(1, 5):
            ahead = {"effectiveFrom": "2026-03-09T00:00:00+09:00"} if revision == 4 else {}
            await upsert(olive, f"upsert{name}Config", given | {"expectedRevision": revision} | ahead)
            world.clock.advance(seconds=1)
        await forge(
            world.sql,
            f"INSERT INTO {name.lower()}_withdrawal (config_id, effective_from, withdrawn_at, reason)"
            f" SELECT id, effective_from, effective_from - interval '1 s', 'ended'"
            f" FROM {name.lower()}_config WHERE revision < 4",
        )
    for month in (6, 7, 8):
        season = valid("upsertSeason", name=f"{month}", startDate=f"2026-0{month}-01", endDate=f"2026-0{month}-20")
        await upsert(olive, "upsertSeason", season)
    await publish(olive, [{"rank": rank, "displayName": "a", "score": 1} for rank in range(1, 9)])
    ranked = 'date: "2025-06-01") { ... on RankingSnapshot { entries(first: 2) { nodes { rank } } } }'
    for query, read in {
        "diceConfigs(first: 2) { nodes { isActive } }": [3, 1, 1],
        "rouletteConfigs(first: 2) { nodes { isActive } }": [3, 3 * 6, 1, 1],
        "lotteryConfigs(first: 2) { nodes { isActive } }": [3, 3 * 3, 1, 1],
        "seasons(first: 1) { nodes { name } }": [2, 2 * 2],
        f"rankingSnapshot({ranked}": [1, 1, 0, 3],
        'scheduleIssues(from: "2026-03-10", to: "2026-03-10") { code }': [1, 5, 1, 10, 1, 1, 6, 1, 3, 0, 0, 0],
    }.items():
        assert await rows_read(world, olive, f"{{ {query} }}") == read, query
