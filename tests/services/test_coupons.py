"""The pools of coupon codes: reading a file, importing it, serving who waits; the commands of all that."""

from __future__ import annotations

import asyncio
import codecs
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from server.cli import main
from services import coupons
from services.coupons import Code, Imported, Waiting, import_codes, read_codes, waiting_grants
from services.errors import ValidationFailed
from tests.conftest import Haru
from tests.goods import COFFEE, admin, grant, grant_of
from tests.world import World

TEA = COFFEE | {"couponType": "TEA"}


def faults_of(content: bytes) -> list[tuple[str, ...]]:
    with pytest.raises(ValidationFailed) as failed:
        read_codes(content)
    return [tuple(issue.path) for issue in failed.value.issues]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"A-1\nA-2\n", ["A-1", "A-2"]),
        (b"A-1\r\nA-2\r\n", ["A-1", "A-2"]),
        (b"A-1\nA-2", ["A-1", "A-2"]),
        (codecs.BOM_UTF8 + b"A-1\nA-2", ["A-1", "A-2"]),
        (b"A-1,10 %\nA-2,20 %\n", ["A-1", "A-2"]),
        (b' A-1 \n"A,2"\n', ["A-1", "A,2"]),
        ("쿠폰-1\n".encode(), ["쿠폰-1"]),
        (b"x" * 128, ["x" * 128]),
    ],
)
def test_codes_of_a_file(content: bytes, expected: list[str]) -> None:
    assert read_codes(content) == [Code(line, text) for line, text in enumerate(expected, start=1)]


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (b"A\n\nB\n", [2]),
        (b"A\n  \nB\n,x\n", [2, 4]),
        (b"A\nB\nA\nC\nB\n", [3, 5]),
        (b"A\n" + b"x" * 129, [2]),
        (b"A\nB\x07\n", [2]),
        (b"A\nB\n\xff\n", [3]),
        (b'A\n"B"x\n', [2]),
        (b'A\nB\n"never closed', [3]),
        (b"A\n" + b"x" * 200_000, [2]),
    ],
)
def test_bad_lines_are_named(content: bytes, lines: list[int]) -> None:
    assert faults_of(content) == [("lines", str(line)) for line in lines]


def test_a_line_after_one_that_spans_several(tmp_path: Path) -> None:
    assert read_codes(b'A,"a\nb"\nB\n') == [Code(1, "A"), Code(3, "B")]
    assert faults_of(b'A,"a\nb"\nA\n') == [("lines", "3")]


@pytest.mark.parametrize("content", [b"", codecs.BOM_UTF8])
def test_no_code_at_all(content: bytes) -> None:
    assert faults_of(content) == [("lines",)]


def test_faults_are_bounded() -> None:
    assert len(faults_of(b"A\n" * 1000)) == 100


def test_the_codes_of_one_import_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coupons, "MAX_CODES", 3)
    assert len(read_codes(b"A\nB\nC\n")) == 3
    assert faults_of(b"A\nB\nC\nD\n") == [("lines",)]


async def load(world: World, codes: list[str], coupon_type: str = "TEA") -> Imported:
    given = [Code(line, text) for line, text in enumerate(codes, start=1)]
    return await world.parts.transact(lambda tx: import_codes(tx, actor="test", coupon_type=coupon_type, codes=given))


async def test_an_import_fills_the_pool_in_the_order_of_the_file(world: World) -> None:
    alice, ada = await world.player(), await admin(world)
    codes = [f"T-{number}" for number in (3, 1, 2)]
    assert await load(world, codes) == Imported(3, 0)
    given = [(await grant(ada, grant_of(alice, TEA, idempotencyKey=str(n))))["couponCode"] for n in range(4)]
    assert given == [*codes, None]
    (entry,) = await world.sql.fetch("SELECT * FROM audit_log WHERE target = 'coupon TEA'")
    assert (entry["actor"], json.loads(entry["after"])) == ("test", {"codes": 3, "served": 0})


async def test_who_waits_is_served_first_come_first_served(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coupons, "CHUNK", 2)
    ada = await admin(world)
    players = [await world.player(f"player-{number}") for number in range(5)]
    for player in players:
        assert (await grant(ada, grant_of(player, TEA)))["couponCode"] is None
    assert await waiting_grants(world.parts.database) == [Waiting("TEA", 5)]

    assert await load(world, ["T-1", "T-2", "T-3"]) == Imported(3, 3)
    assert [await code_of(player) for player in players] == ["T-1", "T-2", "T-3", None, None]
    assert await load(world, ["C-1"], "COFFEE") == Imported(1, 0)
    assert await waiting_grants(world.parts.database) == [Waiting("TEA", 2)]

    assert await load(world, ["T-4", "T-5", "T-6"]) == Imported(3, 2)
    assert [await code_of(player) for player in players] == ["T-1", "T-2", "T-3", "T-4", "T-5"]
    assert await waiting_grants(world.parts.database) == []
    assert (await grant(ada, grant_of(players[0], TEA, idempotencyKey="more")))["couponCode"] == "T-6"


async def code_of(player: Any) -> str | None:
    (line,) = (await player.data("{ me { rewards { nodes { couponCode } } } }"))["me"]["rewards"]["nodes"]
    code: str | None = line["couponCode"]
    return code


async def test_a_code_of_the_pool_is_named_and_nothing_is_imported(world: World) -> None:
    alice, ada = await world.player(), await admin(world)
    await load(world, ["T-1", "T-2"])
    await grant(ada, grant_of(alice, TEA))
    before = await world.count("coupon_code"), await world.count("audit_log")
    with pytest.raises(ValidationFailed) as failed:
        await load(world, ["T-3", "T-1", "T-4", "T-2"])
    assert [issue.path for issue in failed.value.issues] == [("lines", "2"), ("lines", "4")]
    assert (await world.count("coupon_code"), await world.count("audit_log")) == before
    assert (await load(world, ["T-1"], "MILK")).codes == 1


@pytest.mark.parametrize("coupon_type", ["", " ", "x" * 65, "a\nb"])
async def test_a_type_is_checked(world: World, coupon_type: str) -> None:
    before = await world.count("coupon_code")
    with pytest.raises(ValidationFailed):
        await load(world, ["T-1"], coupon_type)
    assert await world.count("coupon_code") == before


async def test_the_commands(world: World, haru: Haru, tmp_path: Path) -> None:
    alice, ada = await world.player(), await admin(world)
    nobody = await haru("coupons", "waiting")
    assert (nobody.exit_code, nobody.output) == (0, "No grant waits for a code.\n")
    await grant(ada, grant_of(alice, TEA))
    await grant(ada, grant_of(alice, TEA | {"couponType": "MILK"}, idempotencyKey="milk"))
    waiting = await haru("coupons", "waiting")
    assert (waiting.exit_code, waiting.output) == (0, "MILK: 1\nTEA: 1\n")

    file = tmp_path / "codes.csv"
    file.write_bytes(codecs.BOM_UTF8 + b"T-1\nT-2\n")
    imported = await haru("coupons", "import", str(file), "--type", "TEA")
    assert (imported.exit_code, imported.output) == (0, "imported: 2\nserved:   1\n")
    assert (await haru("coupons", "waiting")).output == "MILK: 1\n"


async def test_what_an_import_refuses(world: World, haru: Haru, tmp_path: Path) -> None:
    file = tmp_path / "codes"
    before = await world.count("coupon_code")
    for content, coupon_type, complaint in (
        (b"COFFEE-0001\nNEW\nNEW\n", "COFFEE", 'line 3: "NEW" is on line 2 already.'),
        (b"NEW\nCOFFEE-0007\n", "COFFEE", 'line 2: "COFFEE-0007" is in the pool already.'),
        (b"", "COFFEE", "the file: There is no code."),
        (b"NEW\n", "", "--type: Must be 1 to 64"),
    ):
        file.write_bytes(content)
        refused = await haru("coupons", "import", str(file), "--type", coupon_type)
        assert refused.exit_code == 1
        assert complaint in refused.output
        assert refused.output.endswith("Error: Nothing was imported.\n")
    assert await world.count("coupon_code") == before


@pytest.mark.parametrize(
    "arguments", [("coupons", "waiting"), ("db", "prune"), ("db", "verify"), ("coupons", "import", "FILE")]
)
async def test_a_database_out_of_reach(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"postgresql://nobody@/nothing?host={tmp_path}")
    if "FILE" in arguments:
        file = tmp_path / "codes"
        file.write_bytes(b"A\n")
        arguments = (*arguments[:2], str(file), "--type", "TEA")
    result = await asyncio.to_thread(CliRunner().invoke, main, arguments)
    assert result.exit_code == 1
    assert result.output.startswith("Error: The database does not answer")
