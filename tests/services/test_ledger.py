"""What the database refuses of the ledger, and coupons that are given later than they were granted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from models import LEDGER_START
from services import coupons
from services.audit import Actor
from services.coupon_files import Code
from services.coupon_pool import LOCK_COUPONS
from services.coupons import Imported, import_codes
from services.errors import LockNotAcquired
from services.ledger import COLUMNS, Line, next_hash
from tests.games import another_session
from tests.goods import COFFEE, POINTS, admin, grant, grant_of, version
from tests.ledgers import LINES, Session, assert_ledger_holds, write_lines
from tests.races.test_publishing import until_somebody_waits
from tests.world import NOON, Client, World

TEA = COFFEE | {"couponType": "TEA"}
INSERT = f"""
INSERT INTO reward_ledger ({", ".join(COLUMNS)}) VALUES ({", ".join(f"${n}" for n, _ in enumerate(COLUMNS, start=1))})
"""


async def after_three_lines(world: World) -> tuple[Client, Line]:
    """A player with 100 points, 5 tokens and 100 more points; and a line of ten points that follows."""
    alice, ada = await world.player(), await admin(world)
    await grant(ada, grant_of(alice, POINTS, idempotencyKey="a"))
    await grant(ada, grant_of(alice, {"type": "TOKEN", "amount": 5}, idempotencyKey="b"))
    await grant(ada, grant_of(alice, POINTS, idempotencyKey="c"))
    line: Line = {"user_id": alice.player_id, "line_no": 4, "created_at": NOON, "cause": "DICE_PLAY"}
    line |= {"cause_id": UUID(int=9), "reward_type": "POINT", "amount": 10, "balance_after": 210}
    return alice, line | {"coupon_id": None, "coupon_type": None}


async def add(session: Session, line: Line, previous: bytes) -> None:
    """Add a line by itself, with the hash that comes after `previous`."""
    whole = {"hash": next_hash(previous, line)} | line
    await session.execute(INSERT, *(whole[name] for name in COLUMNS))


async def hashes(world: World) -> list[bytes]:
    return [line["hash"] for line in await world.sql.fetch(LINES)]


@pytest.mark.parametrize(
    "change",
    [
        {"line_no": 5},
        {"line_no": 1_000},
        {"balance_after": 209},
        {"balance_after": 10},
        {"balance_after": 15},
        {"amount": 11},
        {"amount": -10, "cause": "ADMIN_GRANT"},
        {"reward_type": "TOKEN"},
        {"hash": bytes(32)},
    ],
)
async def test_a_line_that_does_not_follow_is_refused(world: World, change: dict[str, Any]) -> None:
    """By its number, by its balance, or by its hash, however well the others are made."""
    alice, line = await after_three_lines(world)
    head, before = (await hashes(world))[-1], await world.written()
    with pytest.raises(asyncpg.CheckViolationError) as refused:
        await add(world.sql, line | change, head)
    assert refused.value.constraint_name == "reward_ledger_follows"
    assert str(alice.player_id) in str(refused.value)
    assert await world.written() == before
    async with another_session(world.settings.owner_url or "") as session, taken_back(session):
        await add(session, line, head)  # and the line itself is kept


@pytest.mark.parametrize("behind", [0, 1])
async def test_a_line_on_an_older_one_is_refused(world: World, behind: int) -> None:
    """The hash of another line than the last stands before it."""
    _, line = await after_three_lines(world)
    with pytest.raises(asyncpg.CheckViolationError):
        await add(world.sql, line, (await hashes(world))[behind])
    with pytest.raises(asyncpg.CheckViolationError):
        await add(world.sql, line, LEDGER_START)


async def test_the_first_line_of_a_chain(world: World) -> None:
    """It has the number 1, the amount as its balance, and 32 zero bytes before it."""
    _, line = await after_three_lines(world)
    bob = (await world.player("bob")).player_id
    first = line | {"user_id": bob, "line_no": 1, "balance_after": 10}
    for change, previous in (
        ({"line_no": 2}, LEDGER_START),
        ({"balance_after": 11}, LEDGER_START),
        ({}, (await hashes(world))[-1]),
    ):
        with pytest.raises(asyncpg.CheckViolationError):
            await add(world.sql, first | change, previous)
    await write_lines(world.sql, [first])
    await world.sql.execute("INSERT INTO reward_balance VALUES ($1, 'POINT', 10)", bob)


async def test_of_many_lines_at_once_one_that_does_not_follow_refuses_all(world: World) -> None:
    """A statement is checked as a whole."""
    _, line = await after_three_lines(world)
    before = await world.written()
    more = [line | {"cause_id": UUID(int=n), "balance_after": 200 + 10 * n} for n in range(1, 41)]
    with pytest.raises(asyncpg.CheckViolationError):
        await write_lines(world.sql, [*more[:30], more[30] | {"balance_after": 501}, *more[31:]])
    assert await world.written() == before
    await write_lines(world.sql, more)
    await world.sql.execute("UPDATE reward_balance SET amount = 600 WHERE reward_type = 'POINT'")


async def test_a_ledger_that_a_session_puts_before_haru_s_own_is_not_asked(world: World) -> None:
    """Temporary tables come first in every search path but the trigger's."""
    _, line = await after_three_lines(world)
    forged = line | {"line_no": 5, "balance_after": 1_010}
    async with another_session(world.settings.owner_url or "") as session, taken_back(session):
        await session.execute("CREATE TEMP TABLE reward_ledger (LIKE public.reward_ledger)")
        before = line | {"balance_after": 1_000}
        whole = before | {"hash": next_hash(LEDGER_START, before)}
        await session.execute(INSERT, *(whole[name] for name in COLUMNS))
        values = forged | {"hash": next_hash(whole["hash"], forged)}
        with pytest.raises(asyncpg.CheckViolationError):
            await session.execute(
                INSERT.replace("reward_ledger", "public.reward_ledger"), *(values[name] for name in COLUMNS)
            )


@asynccontextmanager
async def taken_back(session: Session) -> AsyncIterator[None]:
    """A transaction that is rolled back."""
    transaction = session.transaction()
    await transaction.start()
    yield
    await transaction.rollback()


# Coupons


async def load(world: World, *codes: str) -> Imported:
    given = [Code(line, text) for line, text in enumerate(codes, start=1)]
    return await world.parts.transact(
        lambda tx: import_codes(tx, actor=Actor("test"), action="import", coupon_type="TEA", codes=given)
    )


REWARDS = "{ me { rewards { nodes { id type amount cause causeId couponCode } } } }"


async def test_a_coupon_given_later_is_a_line_of_its_own_and_the_grant_tells_its_code(world: World) -> None:
    """The API shows one reward, before and after; the player's state is another, so that nobody decides on the old."""
    alice, ada = await world.player(), await admin(world)
    await grant(ada, grant_of(alice, TEA, idempotencyKey="a"))
    await grant(ada, grant_of(alice, TEA, idempotencyKey="b"))
    kept = await world.sql.fetch(LINES)
    before, waiting = await version(world, alice), (await alice.data(REWARDS))["me"]["rewards"]["nodes"]
    assert [node["couponCode"] for node in waiting] == [None, None]

    assert await load(world, "T-1", "T-2", "T-3") == Imported(3, 2)
    after = await version(world, alice)
    assert after[0] > before[0]
    assert after[1] == 4
    lines = await world.sql.fetch(LINES)
    assert lines[:2] == kept  # what is written stays as it is
    codes = {row["id"]: row["code"] for row in await world.sql.fetch("SELECT id, code FROM coupon_code")}
    given = [(line["cause"], line["amount"], line["cause_id"], codes[line["coupon_id"]]) for line in lines[2:]]
    assert given == [
        ("COUPON_GIVEN", 0, lines[0]["cause_id"], "T-1"),
        ("COUPON_GIVEN", 0, lines[1]["cause_id"], "T-2"),
    ]
    shown = (await alice.data(REWARDS))["me"]["rewards"]["nodes"]
    assert shown == [waiting[0] | {"couponCode": "T-2"}, waiting[1] | {"couponCode": "T-1"}]
    assert (await alice.play())["__typename"] == "DicePlay"


async def waits(session: Session, player: Client) -> None:
    """Give a player a coupon that waits, past haru."""
    line = {"user_id": player.player_id, "reward_type": "COUPON", "amount": 1, "coupon_type": "TEA"}
    await write_lines(session, [line | {"cause": "ADMIN_GRANT", "cause_id": player.player_id, "created_at": NOON}])
    await session.execute(
        "INSERT INTO coupon_waiting (coupon_type, user_id, line_no, created_at) VALUES ('TEA', $1, 1, $2)",
        player.player_id,
        NOON,
    )


HOLD = 'SELECT FROM "user" WHERE id = $1 FOR NO KEY UPDATE'


@pytest.mark.parametrize("rounds", [1, 10])
async def test_who_begins_to_wait_meanwhile_and_is_held_is_waited_for_without_the_type(
    world: World, monkeypatch: pytest.MonkeyPatch, rounds: int
) -> None:
    """Whoever holds the player may wait for the coupon type: the import lets go of it, and nobody is deadlocked."""
    monkeypatch.setattr(coupons, "ROUNDS", rounds)
    alice, bob, ada = await world.player(), await world.player("bob"), await admin(world)
    await grant(ada, grant_of(alice, TEA))
    url = world.settings.owner_url or ""
    async with another_session(url) as first, another_session(url) as second:
        taking = first.transaction()
        await taking.start()
        await first.execute(LOCK_COUPONS, "TEA")
        loading = asyncio.create_task(load(world, "T-1", "T-2"))
        await until_somebody_waits(world)
        await waits(world.sql, bob)
        async with second.transaction():
            await second.execute(HOLD, bob.player_id)
            await taking.commit()
            if rounds == 1:
                with pytest.raises(LockNotAcquired):
                    await loading
                assert await world.count("coupon_waiting") == 2
                return
            await until_somebody_waits(world)
            await second.execute(LOCK_COUPONS, "TEA")  # which the import has let go of
        assert await loading == Imported(2, 2)
    await assert_ledger_holds(world.sql)
