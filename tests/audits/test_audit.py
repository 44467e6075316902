"""The audit finds nothing where everything happened by the rules, and each check its own corruption, alone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.pool import NullPool

from models import LEAVES_OF_A_CHUNK
from services.audits.check import Check, Snapshot
from services.audits.draws import leaves
from services.audits.registry import CHECKS
from services.audits.run import look
from services.audits.seals import copies
from services.audits.stocks import adjustments
from services.database import create_engine
from services.seals import SEALS, Seal
from tests.audits import seal_corruptions, season_corruptions  # noqa: F401 (they are noted as they are read)
from tests.audits.corruptions import CORRUPTIONS, Row, line
from tests.audits.draw_corruptions import DAY, keep
from tests.audits.insider import Insider
from tests.audits.story import Story

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


@pytest.mark.parametrize("check", [check.name for check in CHECKS])
async def test_each_check_finds_its_corruption_alone(story: Story, connection: AsyncConnection, check: str) -> None:
    insider = Insider(connection)
    await insider.set_triggers_aside()
    table, key = await CORRUPTIONS[check](insider)
    assert await audited(story, connection) == [(check, table, key)]


def test_every_corruption_is_of_a_check() -> None:
    assert CORRUPTIONS.keys() == {check.name for check in CHECKS}


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
    assert await audited(story, connection, [copies(copied)]) == [("seals.copies", "ledger_seal", n) for n in numbers]


async def test_a_tail_that_is_gone_with_its_seals_is_found_by_the_copy(
    story: Story, connection: AsyncConnection
) -> None:
    insider = Insider(connection)
    await insider.set_triggers_aside()
    copied = await sealed(connection)
    assert await audited(story, connection, [copies(copied)]) == []
    assert await audited(story, connection, [copies(copied[:1])]) == []
    await connection.exec_driver_sql("DELETE FROM ledger_seal_leaf WHERE seal_no = 2")
    await insider.run("DELETE FROM ledger_seal WHERE number = 2")
    assert await audited(story, connection) == []
    assert await audited(story, connection, [copies(copied)]) == [("seals.copies", "ledger_seal", {"number": 2})]


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
    (looked,) = await look([Snapshot(connection, story.calendar, story.now)], [leaves])
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
