"""Seals: what they cover, in which order, and that nobody's line is left out for good."""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import json
import os
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from models import LEDGER_START
from services import seals
from services.request_errors import Unavailable
from services.rules.merkle import root_of
from services.seal_copies import CopyError, SealCopy, copy_of, read_copies
from services.seals import NOTHING, Seal, Sealer, hash_of, leaf_of, seal
from tests.conftest import Haru
from tests.games import another_session
from tests.goods import COFFEE, POINTS, admin, grant, grant_of
from tests.ledgers import write_lines
from tests.world import NOON, World

HEADS = """
SELECT DISTINCT ON (user_id) user_id, line_no, hash FROM reward_ledger ORDER BY user_id, line_no DESC
"""
SEALED_HEADS = HEADS.replace("reward_ledger", "ledger_seal_leaf")
LEAVES = "SELECT user_id, line_no, hash FROM ledger_seal_leaf WHERE seal_no = $1 ORDER BY user_id"
SUMS = """
SELECT count(*), count(*) FILTER (WHERE reward_type = 'COUPON' AND amount = 1),
    coalesce(sum(amount) FILTER (WHERE reward_type = 'POINT'), 0),
    coalesce(sum(amount) FILTER (WHERE reward_type = 'TOKEN'), 0) FROM reward_ledger
"""


def wall_clock() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


async def sealed(world: World, **options: Any) -> Seal:
    """A seal, checked in whole: against its leaves, the sums of the ledger, and the seal before."""
    made = await seal(world.parts.database, world.clock, **options)
    assert made is not None
    stored = [row async for row in seals.seals(world.parts.database)]
    assert stored[-1] == made
    assert [one.number for one in stored] == list(range(1, made.number + 1))
    assert made.hash == hash_of(made, stored[-2].hash if made.number > 1 else LEDGER_START)
    leaves = [leaf_of(*row) for row in await world.sql.fetch(LEAVES, made.number)]
    assert (made.leaves, made.root) == (len(leaves), root_of(leaves))
    assert tuple(made[5:9]) == tuple(await world.sql.fetchrow(SUMS) or ())
    assert made.sealed_at == world.clock()
    return made


async def test_a_seal_covers_the_chains_that_grew(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their heads, in the order of the players' ids; and not those that did not grow."""
    monkeypatch.setattr(seals, "CHUNK", 2)
    ada, players = await admin(world), [await world.player(f"player {n}") for n in range(5)]
    for player in players:
        await grant(ada, grant_of(player, POINTS, idempotencyKey="a"))
        await grant(ada, grant_of(player, COFFEE | {"couponType": "TEA"}, idempotencyKey="b"))
    heads = await world.sql.fetch(HEADS)
    first = await sealed(world)
    assert (first.number, first.leaves, first.lines, first.coupons, first.points) == (1, 5, 10, 5, 500)
    assert await world.sql.fetch(LEAVES, 1) == heads
    assert await seal(world.parts.database, world.clock) is None

    world.clock.advance(minutes=5)
    await grant(ada, grant_of(players[3], {"type": "POINT", "amount": -40}, idempotencyKey="c"))
    await grant(ada, grant_of(players[0], {"type": "TOKEN", "amount": 3}, idempotencyKey="d"))
    second = await sealed(world)
    assert (second.leaves, second.lines, second.points, second.tokens) == (2, 12, 460, 3)
    grown = {row["user_id"]: row["line_no"] for row in await world.sql.fetch(LEAVES, 2)}
    assert grown == {players[0].player_id: 3, players[3].player_id: 3}


@pytest.mark.parametrize(("chains", "leaves"), [(1, [1]), (2, [2]), (3, [2, 1]), (4, [2, 2]), (5, [2, 2, 1])])
async def test_very_many_chains_are_sealed_in_turn(
    world: World, monkeypatch: pytest.MonkeyPatch, chains: int, leaves: list[int]
) -> None:
    """Each by one seal, and none is forgotten whose chain grows meanwhile or later."""
    monkeypatch.setattr(seals, "CHAINS_AT_ONCE", 2)
    ada, players = await admin(world), [await world.player(f"player {n}") for n in range(chains)]
    for number, key in enumerate("abc"):
        for player in players:
            await grant(ada, grant_of(player, POINTS, idempotencyKey=key))
        last = await sealed(world)
        assert last.number == (number + 1) * len(leaves)
        told = await world.sql.fetch("SELECT leaves FROM ledger_seal ORDER BY number")
        assert [row["leaves"] for row in told] == leaves * (number + 1)
        assert await world.sql.fetch(HEADS) == await world.sql.fetch(SEALED_HEADS)
        settled = await world.sql.fetch("SELECT settled_at, max(number) FROM ledger_seal GROUP BY 1 ORDER BY 1")
        assert settled[-1]["max"] == last.number
        assert settled[-1]["settled_at"] > world.clock() - dt.timedelta(minutes=5)
        assert await seal(world.parts.database, world.clock) is None
        world.clock.advance(minutes=10)


async def test_there_is_no_seal_of_nothing(world: World) -> None:
    assert await seal(world.parts.database, world.clock) is None
    assert await world.count("ledger_seal") == 0


async def test_a_seal_that_is_young_is_enough(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each server asks once a minute; the ledger is sealed once. What came in the instant of a seal is in the next."""
    monkeypatch.setattr(seals, "LATE", dt.timedelta(0))
    alice, ada = await world.player(), await admin(world)
    minute = dt.timedelta(minutes=1)
    await grant(ada, grant_of(alice, POINTS, idempotencyKey="a"))
    await sealed(world, unless_within=minute)
    await grant(ada, grant_of(alice, POINTS, idempotencyKey="b"))
    assert await seal(world.parts.database, world.clock, unless_within=minute) is None
    world.clock.advance(minutes=1)
    assert (await sealed(world, unless_within=minute)).number == 2


async def test_who_seals_at_once_takes_turns(world: World) -> None:
    alice, ada = await world.player(), await admin(world)
    await grant(ada, grant_of(alice, POINTS))
    made = await asyncio.gather(*(seal(world.parts.database, world.clock) for _ in range(4)))
    assert [one.number for one in made if one is not None] == [1]
    assert await world.count("ledger_seal_leaf") == 1


async def test_a_line_that_was_under_way_is_in_the_next_seal(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """However old it is: the seal notes since when transactions were under way that it does not see."""
    monkeypatch.setattr(seals, "LATE", dt.timedelta(0))
    alice, bob = await world.player(), await world.player("bob")

    async def add(session: asyncpg.Connection[asyncpg.Record], player_id: UUID | None) -> None:
        line = {"user_id": player_id, "reward_type": "POINT", "amount": 1, "balance_after": 1, "cause": "ADMIN_GRANT"}
        await write_lines(session, [line | {"cause_id": uuid4(), "created_at": wall_clock()}])
        await session.execute("INSERT INTO reward_balance VALUES ($1, 'POINT', 1)", player_id)

    async with another_session(world.settings.database_url or "") as session:
        async with session.transaction():
            await add(session, alice.player_id)
            await asyncio.sleep(0.05)
            await add(world.sql, bob.player_id)
            first = await seal(world.parts.database, wall_clock)
        second = await seal(world.parts.database, wall_clock)
    assert (first and first.leaves, second and second.leaves) == (1, 1)
    assert [row["user_id"] for row in await world.sql.fetch(LEAVES, 2)] == [alice.player_id]


async def test_a_server_seals_by_itself_and_goes_on_after_trouble(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Once a minute; here more often."""
    monkeypatch.setattr(seals, "SEAL_SECONDS", 0.02)
    alice, ada = await world.player(), await admin(world)
    await grant(ada, grant_of(alice, POINTS))
    failures: list[Exception] = [Unavailable(), ValueError("nobody thought of this")]

    async def troubled(*given: Any, **options: Any) -> Seal | None:
        assert options == {"unless_within": dt.timedelta(seconds=0.01)}  # another server's of this time is enough
        if failures:
            raise failures.pop(0)
        return await seal(*given, **options)

    monkeypatch.setattr(seals, "seal", troubled)
    async with Sealer(world.parts.database, world.clock), asyncio.timeout(20):
        while not await world.count("ledger_seal"):
            await asyncio.sleep(0.02)
    assert caplog.text.count("the ledger could not be sealed; it will be tried again") == 2


@pytest.mark.parametrize("is_long", [False, True])
async def test_a_stop_lets_a_seal_be_finished_unless_it_takes_long(
    world: World, monkeypatch: pytest.MonkeyPatch, is_long: bool
) -> None:
    """A server that stops waits for it for a moment, and not for one that waits for another database."""
    monkeypatch.setattr(seals, "SEAL_SECONDS", 0.0)
    monkeypatch.setattr(seals, "STOP_SECONDS", 0.05 if is_long else 20.0)
    begun, ended = asyncio.Event(), list[str]()

    async def slow(*_: Any, **__: Any) -> None:
        begun.set()
        try:
            await asyncio.sleep(60 if is_long else 0.05)
            ended.append("finished")
        except asyncio.CancelledError:
            ended.append("given up")
            raise

    monkeypatch.setattr(seals, "seal", slow)
    async with asyncio.timeout(10), Sealer(world.parts.database, world.clock):
        await begun.wait()
        monkeypatch.setattr(seals, "SEAL_SECONDS", 60.0)
    assert ended == ["given up" if is_long else "finished"]


# Copies


def test_a_seal_is_literally_this() -> None:
    """Its texts are for ever: whoever keeps a copy checks it by them."""
    leaf = b"haru leaf 1\n00000000-0000-0000-0000-000000000001\n7\n" + b"ab" * 32
    assert leaf_of(UUID(int=1), 7, b"\xab" * 32) == hashlib.sha256(b"\0" + leaf).digest()
    made = Seal(4, NOON, NOON, 2, b"\xcd" * 32, 30, 1, 100, 5, hash=b"")
    text = b"haru seal 1\n4\n2026-03-02T03:00:00.000000Z\n2\n" + b"cd" * 32 + b"\n30\n1\n100\n5"
    assert hash_of(made, b"\xef" * 32) == hashlib.sha256(b"\xef" * 32 + text).digest()


def chained(count: int) -> list[Seal]:
    """So many seals, each after the one before."""
    made, previous = [], LEDGER_START
    for number in range(1, count + 1):
        one = Seal(number, NOON, NOON, 1, bytes([number]) * 32, number, 0, number * 10, 0, hash=b"")
        made.append(one._replace(hash=hash_of(one, previous)))
        previous = made[-1].hash
    return made


def copies(made: list[Seal]) -> list[str]:
    before = [LEDGER_START, *(one.hash for one in made)]
    return [copy_of(one, previous) for one, previous in zip(made, before, strict=False)]


def test_a_copy_is_read_as_it_was_written() -> None:
    made = chained(3)
    assert list(read_copies(copies(made))) == made
    assert list(read_copies([])) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda lines: lines[1:], "line 1 is not the seal that follows"),
        (lambda lines: [lines[0], lines[2]], "line 2 is not the seal that follows"),
        (lambda lines: [*lines, lines[2]], "line 4 is not the seal that follows"),
        (lambda lines: [lines[0], lines[1].replace('"points":20', '"points":21')], "line 2 is not the seal"),
        (lambda lines: [lines[0], lines[1][:-9]], "line 2 is no seal"),
        (lambda lines: [lines[0].replace('"root":"01', '"root":"zz')], "line 1 is no seal"),
        (lambda lines: [lines[0].replace("2026", "then")], "line 1 is no seal"),
        (lambda lines: [""], "line 1 is no seal"),
    ],
)
def test_what_is_no_copy_is_told_by_its_line(change: Any, told: str) -> None:
    with pytest.raises(CopyError, match=told):
        list(read_copies(change(copies(chained(3)))))


async def test_seals_are_kept_in_a_file(
    world: World, haru: Haru, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that it lacks are added, and are on the disk; a file of other seals is left as it is."""
    world.clock.now = wall_clock()  # the command's
    alice, ada, out = await world.player(), await admin(world), tmp_path / "seals"
    on_disk: list[str] = []
    monkeypatch.setattr(os, "fsync", lambda _: on_disk.append(out.read_text(encoding="utf-8")))
    assert (await haru("seal")).output == "Nothing was added since the last seal.\n"
    for number in range(3):
        await grant(ada, grant_of(alice, POINTS, idempotencyKey=f"{number}"))
        if number < 2:
            assert (await haru("seal")).output.startswith(f"seal {number + 1}: 1 chains, {number + 1} lines in all, ")
    ran = await haru("seal", "--out", str(out))
    assert ran.output.endswith(f"added to {out}: 3\n"), ran.output
    assert (await haru("seal", "--out", str(out))).output.endswith(f"added to {out}: 0\n")
    stored = [one async for one in seals.seals(world.parts.database)]
    kept = out.read_text(encoding="utf-8")
    assert on_disk == [kept, kept]
    assert [one.hash for one in read_copies(kept.splitlines())] == [one.hash for one in stored]
    await grant(ada, grant_of(alice, POINTS, idempotencyKey="more"))
    assert (await haru("seal", "--out", str(out))).output.endswith(f"added to {out}: 1\n")
    assert json.loads((await haru("seal", "--json")).stdout) == {"seal": None, "added": None}
    await grant(ada, grant_of(alice, POINTS, idempotencyKey="and more"))
    made = json.loads((await haru("seal", "--json", "--out", str(out))).stdout)
    last = [one async for one in seals.seals(world.parts.database)][-1]
    assert made == {"seal": {"number": 5, "chains": 1, "lines": 5, "hash": last.hash.hex()}, "added": 1}

    for other, told in (
        ("".join(f"{line}\n" for line in copies(chained(2))), "the database's seal 2 is not the copy's"),
        ("".join(f"{line}\n" for line in copies(chained(9))), "the database's seal 9 is not the copy's"),
        ("nonsense\n", "line 1 is no seal"),
    ):
        out.write_text(other, encoding="utf-8")
        refused = await haru("seal", "--out", str(out))
        assert refused.exit_code == 1
        assert told in refused.stderr
        assert out.read_text(encoding="utf-8") == other


def test_a_copy_holds_what_an_auditor_needs() -> None:
    assert SealCopy.__struct_fields__ == (
        "number",
        "sealed_at",
        "leaves",
        "root",
        "lines",
        "coupons",
        "points",
        "tokens",
        "previous",
        "hash",
    )
    assert NOTHING.hash == LEDGER_START
