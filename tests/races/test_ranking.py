"""Rankings under concurrency: one publisher wins, and every reader sees one whole revision."""

from __future__ import annotations

import asyncio
from typing import Any

from models import Role
from services.revisions import take_turn
from services.transaction import Transaction
from tests.api.test_ranking import PAST, delete, publish, upload
from tests.world import Client, World, forge, running

READ = """
query R($date: Date!, $after: String!) {
  rankingSnapshot(date: $date) {
    ... on RankingSnapshot {
      revision totalEntries
      me { score }
      top: entries(first: 100) { nodes { score } pageInfo { hasNextPage endCursor } }
      rest: entries(first: 100, after: $after) { nodes { score } pageInfo { hasNextPage } }
    }
    ... on UserError { code }
  }
}
"""


def rows_of(tag: int, count: int) -> list[dict[str, Any]]:
    """Rows of which each tells the publication that it belongs to."""
    return [
        {"rank": n, "displayName": f"n{n}", "score": tag, "externalId": "alice" if n == 1 else None}
        for n in range(1, count + 1)
    ]


async def operators(world: World, count: int) -> list[Client]:
    return [await world.player(f"operator-{n}", Role.OPERATOR) for n in range(count)]


async def test_of_many_publishers_one_wins_and_the_others_conflict(world: World) -> None:
    staff = await operators(world, 6)
    for current in (None, 1, 2):
        contents = [rows_of(100 * (current or 0) + n, 20) for n in range(len(staff))]
        answers = await asyncio.gather(
            *(publish(one, rows, expectedRevision=current) for one, rows in zip(staff, contents, strict=True))
        )
        codes = sorted(answer.get("code", "published") for answer in answers)
        assert codes == ["REVISION_CONFLICT"] * (len(staff) - 1) + ["published"]
        assert await world.count("audit_log") == await world.sql.fetchval(
            "SELECT count(*) FROM ranking_revision WHERE date = $1::text::date", PAST
        )


async def test_the_same_publication_many_times_at_once_is_one(world: World) -> None:
    staff = await operators(world, 6)
    answers = await asyncio.gather(*(publish(one, rows_of(1, 20)) for one in staff))
    assert [answer["revision"] for answer in answers] == [1] * len(staff)
    assert await world.count("audit_log") == 1


async def test_publishing_and_removing_at_once_leaves_a_whole_history(world: World) -> None:
    staff = await operators(world, 4)
    for tag in range(10):
        await asyncio.gather(*(publish(one, rows_of(tag, 5)) for one in staff[:2]), *(delete(one) for one in staff[2:]))
    history = await world.sql.fetch(
        "SELECT revision, total_entries, is_deleted FROM ranking_revision WHERE date = $1::text::date ORDER BY 1", PAST
    )
    assert [row["revision"] for row in history] == list(range(1, len(history) + 1))
    kept = await world.sql.fetchval("SELECT count(*) FROM ranking_daily WHERE date = $1::text::date", PAST)
    assert kept == history[-1]["total_entries"]
    assert await world.count("audit_log") == len(history)


async def test_a_reader_during_publications_sees_one_whole_revision(world: World) -> None:
    (staff,), alice = await operators(world, 1), await world.player("alice")
    await publish(staff, rows_of(1, 150))
    first = (await alice.data(READ, date=PAST, after="WyIxMDAiXQ"))["rankingSnapshot"]
    assert [len(first[page]["nodes"]) for page in ("top", "rest")] == [100, 50]
    seen, done = set[int](), asyncio.Event()

    async def read() -> None:
        while not done.is_set():
            answer = (await alice.data(READ, date=PAST, after="WyIxMDAiXQ"))["rankingSnapshot"]
            revision, scores = answer["revision"], answer["top"]["nodes"] + answer["rest"]["nodes"]
            # Publication n has n as every score, and 150 rows or 160 in turn.
            assert {entry["score"] for entry in scores} == {revision} == {answer["me"]["score"]}
            assert len(scores) == answer["totalEntries"] == 150 + 10 * (revision % 2 == 0)
            seen.add(revision)

    readers = [asyncio.create_task(read()) for _ in range(3)]
    for revision in range(2, 21):
        content = rows_of(revision, 150 + 10 * (revision % 2 == 0))
        assert (await publish(staff, content, expectedRevision=revision - 1))["revision"] == revision
    done.set()
    await asyncio.gather(*readers)
    assert len(seen) > 3


async def test_who_waits_too_long_for_a_date_is_told_to_come_again(empty_database: str) -> None:
    async with running(empty_database, HARU_LOCK_WAIT_SECONDS="0.5") as world:
        first, second = await operators(world, 2)
        held, waited = asyncio.Event(), asyncio.Event()

        async def hold(tx: Transaction) -> None:
            await take_turn(tx, f"ranking_daily {PAST}")
            held.set()
            await waited.wait()

        holder = asyncio.create_task(world.parts.transact(hold))
        await held.wait()
        refused = await publish(first, rows_of(1, 5))
        assert refused["code"] == "LOCK_NOT_ACQUIRED"
        assert refused["retryable"] is True
        assert (await publish(second, rows_of(1, 5), date="2025-06-02"))["revision"] == 1
        waited.set()
        await holder
        assert await world.sql.fetchval("SELECT count(*) FROM ranking_daily WHERE date = $1::text::date", PAST) == 0
        assert (await publish(first, rows_of(1, 5)))["revision"] == 1


async def test_a_publication_cut_off_in_its_middle_leaves_the_former_one(world: World) -> None:
    (staff,) = await operators(world, 1)
    await publish(staff, rows_of(1, 5))
    lines = "".join(f"{n},n{n},2,\n" for n in range(1, 30_001))
    content = b"rank,display_name,score,external_id\n" + lines.encode()
    task = asyncio.create_task(upload(staff, content, expected="1"))
    while not await world.sql.fetchval("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE query LIKE 'COPY%')"):
        assert not task.done()
        await asyncio.sleep(0.005)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    answer = (await staff.data(READ, date=PAST, after="WyIxMDAiXQ"))["rankingSnapshot"]
    assert (answer["revision"], answer["totalEntries"], len(answer["top"]["nodes"])) == (1, 5, 5)
    assert (await upload(staff, content, expected="1"))["totalEntries"] == 30_000


async def test_a_row_that_somebody_holds_is_waited_for_but_not_for_long(empty_database: str) -> None:
    async with running(empty_database, HARU_LOCK_WAIT_SECONDS="0.5") as world:
        (staff,) = await operators(world, 1)
        async with world.sql.transaction():
            await world.sql.execute(
                "INSERT INTO ranking_revision VALUES ($1::text::date, 99, 1, 'x', false, now())", PAST
            )
            await world.sql.execute("INSERT INTO ranking_daily VALUES ($1::text::date, 1, 99, 'x', 1, NULL)", PAST)
            assert (await publish(staff, rows_of(1, 5)))["code"] == "LOCK_NOT_ACQUIRED"
            await world.sql.execute("DELETE FROM ranking_daily WHERE date = $1::text::date", PAST)
            await forge(world.sql, "DELETE FROM ranking_revision WHERE date = $1::text::date", PAST)
        assert await world.count("audit_log") == 0
        assert (await publish(staff, rows_of(1, 5)))["revision"] == 1
