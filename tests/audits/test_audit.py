"""The audit finds nothing where everything happened by the rules, and each check its own corruption, alone."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.pool import NullPool

from models import LEAVES_OF_A_CHUNK
from services.audits import draws, plays, rankings, seals
from services.audits.check import Check, Snapshot
from services.audits.registry import CHECKS
from services.audits.run import look
from services.audits.stocks import adjustments
from services.database import create_engine
from services.published import MOMENT
from services.seals import SEALS, Seal
from tests.audits import seal_corruptions, season_corruptions  # noqa: F401 (they are noted as they are read)
from tests.audits.corruptions import CORRUPTIONS, Row, line
from tests.audits.draw_corruptions import DAY, keep
from tests.audits.insider import Insider
from tests.audits.story import Story

NEWEST = "SELECT date, max(revision) AS revision FROM ranking_revision GROUP BY date"
MORE_ROWS = (
    "ALTER TABLE ranking_revision DROP CONSTRAINT ck_ranking_revision_deleted_is_empty; "
    "UPDATE ranking_revision SET total_entries = total_entries + 1"
)
OTHER_DRAWS = "UPDATE draw_root SET root = repeat('0', 64), draws = draws + 1"
Found = list[tuple[str, str, dict[str, Any]]]


@pytest.fixture
async def connection(story: Story) -> AsyncIterator[AsyncConnection]:
    """A connection in a transaction that comes to nothing."""
    engine = create_engine(story.url, pool={"poolclass": NullPool})
    async with engine.connect() as connection:
        yield connection
        await connection.rollback()
    await engine.dispose()


async def audited(story: Story, connection: AsyncConnection, checks: Sequence[Check] = CHECKS) -> Found:
    """What an audit of what the connection sees finds: the check, the table, and the row's key."""
    looked = await look([Snapshot(connection, story.calendar, story.now)], checks)
    return [(one.check.name, finding.table, finding.key) for one in looked for finding in one.findings]


async def test_nothing_is_found_where_everything_happened_by_the_rules(
    story: Story, connection: AsyncConnection
) -> None:
    assert await audited(story, connection) == []


HAPPENED = {"ranking_revision": "published_at", "ledger_seal": "sealed_at", "draw_root": "made_at"}
"""When a row was written, where the column is no `created_at`."""

OF_ANY_AGE = {"seals.chain", "seals.lines", "alarms.told", "stamps.progress", "rankings.numbers"} | {
    check.name for check in CHECKS if check.name.startswith(("coupons.", "staff.", "integrity."))
} - {"coupons.given"}
"""Checks that trust nothing because of its age."""


async def written_at(insider: Insider, check: str, table: str, key: dict[str, Any]) -> dt.datetime | None:
    """When what is corrupt was written, or revealed."""
    pairs = ", ".join(f"'{name}', {name}" for name in key)
    row = await insider.row(f'SELECT * FROM "{table}" WHERE jsonb_build_object({pairs}) = $1', json.dumps(key))
    if check == "draws.seeds":
        row = await insider.row("SELECT revealed_at AS created_at FROM draw_seed WHERE date = $1", row.business_date)
    instant: dt.datetime | None = getattr(row, HAPPENED.get(table, "created_at"), None)
    return instant


@pytest.mark.parametrize("check", CHECKS, ids=[check.name for check in CHECKS])
async def test_each_check_finds_its_corruption_alone(story: Story, connection: AsyncConnection, check: Check) -> None:
    """Unless it is older than what is looked at: what is as old as that is looked at."""
    insider = Insider(connection)
    await insider.set_triggers_aside()
    table, key = await CORRUPTIONS[check.name](insider)
    assert await audited(story, connection) == [(check.name, table, key)]
    written = await written_at(insider, check.name, table, key)
    for since, is_found in ((written, True), (written and written + MOMENT, check.name in OF_ANY_AGE)):
        if since is not None and table != "user":
            (looked,) = await look([Snapshot(connection, story.calendar, story.now, since)], [check])
            assert looked.count == is_found, since


@pytest.mark.parametrize(
    ("check", "change", "found"),
    [
        (seals.roots, "UPDATE ledger_seal SET root = sha256(root)", "SELECT number FROM ledger_seal"),
        (rankings.contents, MORE_ROWS, NEWEST),
        (draws.roots, OTHER_DRAWS, "SELECT date FROM draw_root"),
        (draws.leaves, "DELETE FROM draw_leaves", "SELECT date FROM draw_root WHERE draws > 0"),
    ],
    ids=lambda given: given.name if isinstance(given, Check) else "",
)
async def test_of_many_each_is_told(
    story: Story, connection: AsyncConnection, check: Check, change: str, found: str
) -> None:
    """The first of them, and the last, each by its key."""
    insider = Insider(connection)
    await insider.set_triggers_aside()
    for statement in change.split("; "):
        await connection.exec_driver_sql(statement)
    rows = (await connection.exec_driver_sql(f"{found} ORDER BY 1")).mappings()
    keys = [{name: value if type(value) is int else str(value) for name, value in row.items()} for row in rows]
    assert [key for _, _, key in await audited(story, connection, [check])] == keys


def test_every_corruption_is_of_a_check() -> None:
    assert CORRUPTIONS.keys() == {check.name for check in CHECKS}


async def test_a_day_s_draws_are_shuffled_by_the_root_of_two_days_before(
    story: Story, connection: AsyncConnection
) -> None:
    insider = Insider(connection)
    await insider.set_triggers_aside()
    day = await insider.row(f"{DAY} AND date IN (SELECT date FROM draw_seed WHERE seed IS NOT NULL)")
    other = "UPDATE draw_root SET root = repeat('0', 64), draws = 1 WHERE date = $1"
    await insider.run(other, day.date - dt.timedelta(days=2))
    (looked,) = await look([Snapshot(connection, story.calendar, story.now)], [draws.seeds])
    assert looked.count == day.draws > 0


async def test_what_is_not_sealed_is_told(story: Story, connection: AsyncConnection) -> None:
    copied = await sealed(connection)
    lines = (await connection.exec_driver_sql("SELECT count(*) FROM reward_ledger")).scalar_one()
    told = await seals.unseen(Snapshot(connection, story.calendar, story.now), has_copy=True)
    assert len(copied) == 2
    assert told == [f"what is not sealed yet, {lines - copied[-1].lines} lines"]


LOST = "SELECT * FROM dice_log WHERE outcome <> 'WIN' ORDER BY created_at LIMIT 1"
WON = """
UPDATE dice_log SET user_dice_1 = 6, user_dice_2 = 6, dealer_dice_1 = 1, dealer_dice_2 = 1, outcome = 'WIN',
    rolls = '{5,5,0,0}', reward_amount = 100 WHERE id = $1
"""


async def a_loss_becomes_a_win(insider: Insider) -> Row:
    """By the rules in all that tells of it: the log, the line, the event, the answer, balances and the chain.

    But for its seed, which is revealed, and the root of its day with the leaves that are kept.
    """
    play = await insider.row(LOST)
    roll = {"userDice": [6, 6], "dealerDice": [1, 1], "outcome": "WIN"}
    paid = await insider.row("SELECT line_no FROM reward_ledger WHERE cause_id = $1", play.id)
    await insider.run(WON, play.id)
    await insider.run("UPDATE reward_ledger SET amount = 100 WHERE cause_id = $1", play.id)
    await insider.tell(play.user_id, "PLAY", "playId", play.id, reward={"type": "POINT", "amount": 100})
    await insider.answer(play.user_id, play.id, "drawn", {"type": "dice", **roll})
    await insider.forge(play.user_id)
    return line(play.user_id, paid.line_no)


async def sealed(connection: AsyncConnection) -> list[Seal]:
    """The seals, as a copy has them."""
    rows: Any = (await connection.exec_driver_sql(SEALS, (1,))).all()
    return [Seal(*row) for row in rows]


@pytest.mark.parametrize("seals_too", [False, True])
async def test_what_agrees_with_everything_but_the_seals_is_found_by_them(
    story: Story, connection: AsyncConnection, *, seals_too: bool
) -> None:
    copied = await sealed(connection)
    insider = Insider(connection, seals_too=seals_too)
    await insider.set_triggers_aside()
    _, key = await a_loss_becomes_a_win(insider)
    found = {(check, table) for check, table, _ in await audited(story, connection)}
    assert found >= {("draws.seeds", "dice_log"), ("draws.roots", "draw_root")}
    found -= {("draws.seeds", "dice_log"), ("draws.roots", "draw_root")}
    if not seals_too:
        assert found == {("seals.lines", "reward_ledger"), ("seals.sums", "ledger_seal")}
        sealed_lines = [row for check, _, row in await audited(story, connection) if check == "seals.lines"]
        assert {row["user_id"] for row in sealed_lines} == {key["user_id"]}
        assert min(row["line_no"] for row in sealed_lines) >= key["line_no"]
        return
    assert found == set()
    numbers = [{"number": seal.number} for seal in copied]
    assert await audited(story, connection, [seals.copies(copied)]) == [
        ("seals.copies", "ledger_seal", n) for n in numbers
    ]


async def test_a_tail_that_is_gone_with_its_seals_is_found_by_the_copy(
    story: Story, connection: AsyncConnection
) -> None:
    insider = Insider(connection)
    await insider.set_triggers_aside()
    copied = await sealed(connection)
    assert await audited(story, connection, [seals.copies(copied)]) == []
    assert await audited(story, connection, [seals.copies(copied[:1])]) == []
    await connection.exec_driver_sql("DELETE FROM ledger_seal_leaf WHERE seal_no = 2")
    await insider.run("DELETE FROM ledger_seal WHERE number = 2")
    assert await audited(story, connection) == []
    assert await audited(story, connection, [seals.copies(copied)]) == [("seals.copies", "ledger_seal", {"number": 2})]


# What is kept of a day's tree, in chunks

OTHER_ROOT = "UPDATE draw_leaves SET root = sha256(root) WHERE chunk = 1"
ANOTHER_LEAF = (
    "UPDATE draw_leaves SET leaves = set_byte(leaves, 3 * 32 + 31, 255 - get_byte(leaves, 3 * 32 + 31)) WHERE chunk = 1"
)
TURNED_ROUND = """
UPDATE draw_leaves SET leaves = substr(leaves, 1, 32) || substr(leaves, 65, 32) || substr(leaves, 33, 32)
    || substr(leaves, 97) WHERE chunk = 1
"""


@pytest.mark.parametrize(
    ("change", "found", "told"),
    [
        ("SELECT", [], ""),
        (OTHER_ROOT, [("draw_leaves", 1)], "has another root than its leaves"),
        (ANOTHER_LEAF, [("draw_leaves", 1)], "has another root than its leaves"),
        (TURNED_ROUND, [("draw_leaves", 1)], "has leaves that do not ascend"),
        (
            "DELETE FROM draw_leaves WHERE chunk = 0",
            [("draw_leaves", 1), ("draw_leaves", 2)],
            "is due, with 1024",
        ),
        ("DELETE FROM draw_leaves WHERE chunk = 2", [("draw_root", None)], "the leaves that are kept make"),
        ("DELETE FROM draw_leaves", [("draw_root", None)], "the leaves that are kept make ''"),
        ("UPDATE draw_root SET draws = draws - 1 WHERE draws > 0", [("draw_leaves", 2)], "chunk 2 is due, with 1"),
    ],
)
async def test_each_chunk_of_a_day_s_tree_is_looked_at(
    story: Story, connection: AsyncConnection, change: str, found: list[tuple[str, int | None]], told: str
) -> None:
    insider = Insider(connection)
    await insider.set_triggers_aside()
    date = (await insider.row(DAY)).date
    await connection.exec_driver_sql("DELETE FROM draw_leaves")
    await connection.exec_driver_sql("DELETE FROM draw_root WHERE draws > 0 AND date <> $1", (date,))
    await keep(insider, date, [(number << 64).to_bytes(32) for number in range(1, 2 * LEAVES_OF_A_CHUNK + 3)])
    await connection.exec_driver_sql(change)
    (looked,) = await look([Snapshot(connection, story.calendar, story.now)], [draws.leaves])
    assert [(finding.table, finding.key.get("chunk")) for finding in looked.findings] == found
    assert {finding.key["date"] for finding in looked.findings} <= {str(date)}
    assert all(told in finding.fault for finding in looked.findings), looked.findings


# Adjustments of stocks

LATE_ONE = """
INSERT INTO lottery_adjustment (stock_id, date, by, after_no, taken_on, created_at)
SELECT stock_id, date + 1, -{taken}, 0, date, created_at + interval '1 day' FROM lottery_adjustment
"""
AGAIN = """
INSERT INTO lottery_adjustment (stock_id, date, by, after_no, created_at)
SELECT stock_id, date, by, after_no, created_at FROM lottery_adjustment
"""


@pytest.mark.parametrize(
    ("change", "table", "told"),
    [
        ("DELETE FROM lottery_adjustment", "audit_log", "changed the stock by 0; the audit log says 2"),
        (AGAIN, "lottery_adjustment", "changed the stock by 2; the audit log says 0"),
        (
            "UPDATE lottery_adjustment SET date = date + 1, after_no = 0",
            "lottery_adjustment",
            "which is not on 2026-03-05",
        ),
        ("UPDATE lottery_adjustment SET after_no = 4", "lottery_adjustment", ""),
        ("UPDATE lottery_adjustment SET after_no = 5", "lottery_adjustment", "came after draw 5 of a day that has 4"),
        (LATE_ONE.format(taken=4), "lottery_adjustment", ""),
        (
            LATE_ONE.format(taken=5),
            "lottery_adjustment",
            "with it 5 were taken on 2026-03-04 a moment late; 4 were drawn",
        ),
    ],
)
async def test_adjustments_are_as_the_audit_log_and_late_draws_say(
    story: Story, connection: AsyncConnection, change: str, table: str, told: str
) -> None:
    insider = Insider(connection)
    await insider.set_triggers_aside()
    await insider.run(change)
    (looked,) = await look([Snapshot(connection, story.calendar, story.now)], [adjustments])
    assert [(finding.table, told in finding.fault) for finding in looked.findings] == [(table, True)] * bool(told)
    for finding in looked.findings:
        written = await written_at(insider, "stocks.adjustments", table, finding.key)
        for since in (written, written and written + MOMENT):
            assert since is not None
            (again,) = await look([Snapshot(connection, story.calendar, story.now, since)], [adjustments])
            assert again.findings == (looked.findings if since == written else [])


async def test_each_is_of_the_day_that_holds_its_instant(story: Story, connection: AsyncConnection) -> None:
    """From its first instant to before the first of the next, and of a day that there is."""
    insider = Insider(connection)
    await insider.set_triggers_aside()
    last = "(SELECT max(created_at) FROM user_event_log)"
    event = await insider.row(f"SELECT * FROM user_event_log WHERE created_at = {last} LIMIT 1")
    starts_at, ends_at = story.calendar.starts_at(event.business_date), story.calendar.ends_at(event.business_date)

    async def found(date: dt.date, instant: dt.datetime) -> int:
        moved = "UPDATE user_event_log SET business_date = $1, created_at = $2 WHERE id = $3"
        await connection.exec_driver_sql(moved, (date, instant, event.id))
        (looked,) = await look([Snapshot(connection, story.calendar, story.now)], [plays.dates])
        return looked.count

    assert await found(event.business_date, starts_at) == 0
    assert await found(event.business_date, ends_at - MOMENT) == 0
    assert await found(event.business_date, ends_at) == 1
    assert await found(event.business_date, starts_at - MOMENT) == 1
    assert await found(dt.date.max, starts_at) == 1


async def test_what_is_newest_is_right_where_nothing_else_is_looked_at(
    story: Story, connection: AsyncConnection
) -> None:
    for table, _ in plays.DATED:
        newest = f"SELECT max(created_at) FROM {table.__tablename__}"
        since = (await connection.exec_driver_sql(newest)).scalar_one()
        (looked,) = await look([Snapshot(connection, story.calendar, story.now, since)], [plays.dates])
        assert looked.findings == []
