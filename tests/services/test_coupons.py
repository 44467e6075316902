"""The pools of coupon codes: reading a file, importing it, serving who waits; the commands of all that."""

from __future__ import annotations

import asyncio
import codecs
import json
import os
import pty
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from server.cli.main import main
from services import coupon_files, coupons
from services.audit import Actor
from services.coupon_files import Code, read_codes
from services.coupons import Imported, import_codes, pools, rehearse
from services.errors import ValidationFailed
from services.transaction import Transaction
from tests.conftest import Haru
from tests.goods import COFFEE, admin, grant, grant_of
from tests.races.test_publishing import until_somebody_waits
from tests.world import World, forge

CASES = Path(__file__).parents[1] / "cases"
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
        (b"1\n2\n3\n", ["1", "2", "3"]),
        (b"1,10 %\n", ["1"]),
        (b"WELCOME\nA1\n", ["WELCOME", "A1"]),
    ],
)
def test_codes_of_a_file(content: bytes, expected: list[str]) -> None:
    found = read_codes(content)
    assert (list(found.codes), found.header) == ([Code(n, text) for n, text in enumerate(expected, start=1)], None)


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (b"A\n  \nB\n,x\n", [4]),
        (b"A;1\nB;2\n", [1, 2]),
        (b"A|1\nB\n", [1]),
        (b"A\t1\nB\t2\n", [1, 2]),
        (b"A1\n=B2\n", [2]),
        (b"A1\n1.23457E+17\n1e+20\n1.2345678901234568e+17\n", [2, 3, 4]),
        (b"A1\n1001.0\n#N/A\n########\n", [2, 3, 4]),
        ("A1\n02월 01일\n1-Feb\n".encode(), [2, 3]),
        (b"123456789012345000\n123456789012346000\n", [1, 2]),
        (b"A1\nB2\nCode\nC3\n", [3]),
        (b"gift\nA1\nB2\n", [1]),
        ("A1\n\ufeffB2\n".encode(), [2]),
        ("A1\nB\u200b2\n".encode(), [2]),
        ("쿠폰-1\n쿠\u1111".encode() + "\u3164\n\u3164\n".encode(), [3]),
        (b"A\nB\nA\nC\nB\n", [3, 5]),
        (b"A\n" + b"x" * 129, [2]),
        (b"A\nB\x07\n", [2]),
        (b"A\nB\n\x7f\n", [3]),
    ],
)
def test_bad_lines_are_named(content: bytes, lines: list[int]) -> None:
    assert faults_of(content) == [("lines", str(line)) for line in lines]


def test_a_line_after_one_that_spans_several(tmp_path: Path) -> None:
    assert read_codes(b'A,"a\nb"\nB\n').codes == [Code(1, "A"), Code(3, "B")]
    assert faults_of(b'A,"a\nb"\nA\n') == [("lines", "3")]


@pytest.mark.parametrize("content", [b"", codecs.BOM_UTF8, b"\n\n,,\n", b"code\n", "쿠폰번호\r\n".encode()])
def test_no_code_at_all(content: bytes) -> None:
    assert faults_of(content) == [("lines",)]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"A\nB\n\xff\n", "not UTF-8 (line 3)"),
        (b'A\n"B"x\n', "not CSV: line 2"),
        (b'A\nB\n"never closed', "not CSV: line 3"),
        (b"A\n" + b"x" * 200_000, "not CSV: line 2"),
        (b"PK\x03\x04" + b"\0" * 26 + b"[Content_Types].xml", "an Excel workbook (.xlsx)"),
        ("A1\nB2\n".encode("utf-16-le"), "UTF-16 without its mark"),
        ("큐티-1\n".encode("cp949"), "reads as UTF-8 and as Korean"),
        (b"sep=|\nA|1\n", "names '|' as the separator"),
        (b"1,HD-1001\n2,HD-1002\n", "The first column counts the rows"),
        ("A1\nB\ufffd\n".encode(), "Line 2 holds U+FFFD"),
    ],
)
def test_what_is_no_file_of_codes(content: bytes, told: str) -> None:
    with pytest.raises(ValidationFailed) as failed:
        read_codes(content)
    assert [issue.path for issue in failed.value.issues] == [["lines"]]
    assert told in failed.value.issues[0].message


@pytest.mark.parametrize(
    "content",
    [
        b"code\nA1\nB2\n",
        b"Coupon Code,discount\r\nA1,10%\r\nB2,10%\r\n",
        b"no,code,discount\n1,A1,10%\n2,B2,10%\n",
        b"Code;discount\nA1;10%\nB2;10%\n",
        b"sep=;\r\nCODE;discount\r\nA1;10%\r\nB2;10%\r\n",
        "쿠폰번호\t할인\r\nA1\t10%\r\nB2\t10%\r\n".encode("utf-16"),
        codecs.BOM_UTF8 + "\r\n쿠폰 번호\r\n\r\n ,\r\nA1\r\nB2\r\n".encode(),
        b'="code"\n="A1"\n"=""B2"""\n',
    ],
)
def test_names_above_the_codes_are_left_out(content: bytes) -> None:
    found = read_codes(content)
    assert [code.text for code in found.codes] == ["A1", "B2"]
    assert found.header is not None


def test_names_above_many_codes() -> None:
    found = read_codes(b"no,code\n1,A1\n2,B2\n3,C3\n")
    assert [code.text for code in found.codes] == ["A1", "B2", "C3"]
    assert faults_of(b"no,code\n1,A1\n2\n") == [("lines", "3")]


def test_what_may_be_names_is_asked_for() -> None:
    assert [code.text for code in read_codes(b"gift\nA1\nB2\n", header=False).codes] == ["gift", "A1", "B2"]
    assert [code.text for code in read_codes(b"gift\nA1\nB2\n", header=True).codes] == ["A1", "B2"]
    assert [code.text for code in read_codes(b"WELCOME\nHELLO\nA1\n").codes] == ["WELCOME", "HELLO", "A1"]
    assert [code.text for code in read_codes(b"WELCOME\n").codes] == ["WELCOME"]


def test_faults_are_bounded() -> None:
    with pytest.raises(ValidationFailed) as failed:
        read_codes(b"A\n" * 101)
    assert (len(failed.value.issues), failed.value.more) == (100, False)
    with pytest.raises(ValidationFailed) as failed:
        read_codes(b"A\n" * 102)
    assert (len(failed.value.issues), failed.value.more) == (100, True)


def test_the_codes_of_one_import_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coupon_files, "MAX_CODES", 3)
    assert len(read_codes(b"A\nB\nC\n").codes) == 3
    assert faults_of(b"A\nB\nC\nD\n") == [("lines",)]


async def load(world: World, codes: list[str], coupon_type: str = "TEA", **more: Any) -> Imported:
    given = [Code(line, text) for line, text in enumerate(codes, start=1)]
    return await world.parts.transact(
        partial(import_codes, actor=Actor("test"), action="import", coupon_type=coupon_type, codes=given, **more)
    )


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
    assert await waiting(world) == {"TEA": 5}

    told: list[int] = []
    assert await load(world, ["T-1", "T-2", "T-3"], progress=told.append) == Imported(3, 3)
    assert told == [0, 2, 3]
    assert [await code_of(player) for player in players] == ["T-1", "T-2", "T-3", None, None]
    assert await load(world, ["C-1"], "COFFEE") == Imported(1, 0)
    assert await waiting(world) == {"TEA": 2}

    assert await load(world, ["T-4", "T-5", "T-6"]) == Imported(3, 2)
    assert [await code_of(player) for player in players] == ["T-1", "T-2", "T-3", "T-4", "T-5"]
    assert await waiting(world) == {}
    assert (await grant(ada, grant_of(players[0], TEA, idempotencyKey="more")))["couponCode"] == "T-6"


async def waiting(world: World) -> dict[str, int]:
    return {pool.coupon_type: pool.waiting for pool in await pools(world.parts.database) if pool.waiting}


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
    with pytest.raises(ValidationFailed) as failed:
        await load(world, ["M-1", "T-1"], "MILK")
    assert [issue.message for issue in failed.value.issues] == ['"T-1" is in the pool of TEA already.']
    assert (await world.count("coupon_code"), await world.count("audit_log")) == before


async def test_of_two_imports_of_a_code_for_two_types_one_is_told(world: World) -> None:
    """The second waits for the first, which holds the code uncommitted, and then finds it in its pool."""
    added, go = asyncio.Event(), asyncio.Event()

    async def first(tx: Transaction) -> Imported:
        codes = [Code(1, "X-1")]
        imported = await import_codes(tx, actor=Actor("test"), action="import", coupon_type="TEA", codes=codes)
        added.set()
        await go.wait()
        return imported

    one = asyncio.create_task(world.parts.transact(first))
    await added.wait()
    other = asyncio.create_task(load(world, ["Y-1", "X-1"], "MILK"))
    await until_somebody_waits(world)
    go.set()
    assert await one == Imported(1, 0)
    with pytest.raises(ValidationFailed) as failed:
        await other
    assert [(issue.path, issue.message) for issue in failed.value.issues] == [
        (("lines", "2"), '"X-1" is in the pool of TEA already.')
    ]
    assert await world.sql.fetchval("SELECT count(*) FROM coupon_code WHERE coupon_type = 'MILK'") == 0


@pytest.mark.parametrize("coupon_type", ["", " ", "x" * 65, "a\nb"])
async def test_a_type_is_checked(world: World, coupon_type: str) -> None:
    before, known = await world.count("coupon_code"), [Code(1, "COFFEE-0001")]
    for checked in (
        load(world, ["COFFEE-0001"], coupon_type),
        rehearse(world.parts.database, coupon_type=coupon_type, codes=known),
    ):
        with pytest.raises(ValidationFailed) as failed:
            await checked
        assert [issue.path for issue in failed.value.issues] == [("type",)]
    assert await world.count("coupon_code") == before


async def test_the_commands(world: World, haru: Haru, tmp_path: Path) -> None:
    alice, ada = await world.player(), await admin(world)
    await grant(ada, grant_of(alice, TEA))
    await grant(ada, grant_of(alice, COFFEE, idempotencyKey="coffee"))
    await grant(ada, grant_of(alice, TEA | {"couponType": "MILK"}, idempotencyKey="milk"))
    listed = await haru("coupons", "list")
    assert (listed.exit_code, listed.stdout) == (
        0,
        "type        left     given   waiting\n"
        "COFFEE        99         1         0\n"
        "MILK           0         0         1\n"
        "TEA            0         0         1\n",
    )
    file = tmp_path / "codes.csv"
    file.write_bytes(codecs.BOM_UTF8 + b"code,discount\r\n" + b"".join(b"T-%d,10%%\r\n" % n for n in range(1, 8)))
    before = await world.count("coupon_code"), await world.count("audit_log")
    rehearsed = await haru("coupons", "import", str(file), "--type", "TEA", "--dry-run")
    assert (rehearsed.exit_code, rehearsed.stdout) == (
        0,
        "would import: 7\nwould serve:  1\nheader:       code, discount\n"
        "line 2: T-1\nline 3: T-2\nline 4: T-3\nline 5: T-4\nline 6: T-5\n"
        "Nothing was imported: this was a dry run.\n",
    )
    assert (await world.count("coupon_code"), await world.count("audit_log")) == before
    imported = await haru("coupons", "import", str(file), "--type", "TEA")
    assert (imported.exit_code, imported.stdout) == (0, "imported: 7\nserved:   1\n")
    assert "TEA            6         1         0\n" in (await haru("coupons", "list")).output
    known = await haru("coupons", "import", str(file), "--type", "MILK", "--dry-run")
    assert (known.exit_code, known.stderr.splitlines()[0]) == (1, 'line 2: "T-1" is in the pool of TEA already.')
    file.write_bytes(b"M-1\nM-2")
    rehearsed = await haru("coupons", "import", str(file), "--type", "MILK", "--dry-run")
    assert rehearsed.stdout.startswith("would import: 2\nwould serve:  1\nline 1: M-1\n")


async def test_no_pools(world: World, haru: Haru) -> None:
    await forge(world.sql, "DELETE FROM coupon_code")
    assert (await haru("coupons", "list")).output == "There are no coupons.\n"


@pytest.mark.parametrize(
    ("case", "output", "left"),
    [
        ("coupons-header.csv", "imported: 2\nserved:   0\n", ["HD-1001", "HD-1002"]),
        (
            "coupons-semicolon.csv",
            "line 1: This holds ';': separate columns by commas, or name the separator in a first line, as sep=;\n"
            "line 2: This holds ';': separate columns by commas, or name the separator in a first line, as sep=;\n"
            "Error: Nothing was imported.\n",
            [],
        ),
    ],
)
async def test_files_as_they_came(world: World, haru: Haru, case: str, output: str, left: list[str]) -> None:
    ran = await haru("coupons", "import", str(CASES / case), "--type", "NEW")
    assert ran.output == output
    codes = await world.sql.fetch("SELECT code FROM coupon_code WHERE coupon_type = 'NEW' ORDER BY id")
    assert [row["code"] for row in codes] == left


async def test_faults_beyond_those_that_are_told(world: World, haru: Haru, tmp_path: Path) -> None:
    file = tmp_path / "codes"
    file.write_bytes(b"A\n" * 102)
    refused = await haru("coupons", "import", str(file), "--type", "NEW")
    assert refused.stderr.endswith("There are more; these are the first 100.\nError: Nothing was imported.\n")


async def test_a_terminal_sees_how_far_an_import_is(world: World, tmp_path: Path) -> None:
    """A real terminal at standard error, and none: then nothing is shown."""
    file = tmp_path / "codes"
    file.write_text("".join(f"N-{number}\n" for number in range(12_000)))
    ours, theirs = pty.openpty()
    environment = dict(os.environ) | {"DATABASE_URL": world.settings.database_url or "", "TERM": "xterm"}
    command = [str(Path(sys.executable).with_name("haru")), "coupons", "import", str(file), "--type", "NEW"]
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=theirs, env=environment
    )
    os.close(theirs)
    printed, _ = await process.communicate()
    shown = whole(ours).decode()
    os.close(ours)
    assert (process.returncode, printed) == (0, b"imported: 12000\nserved:   0\n"), shown
    assert "importing" in shown
    assert "12000/12000" in shown


def whole(terminal: int) -> bytes:
    """All that was written to a terminal that nobody writes to any more: it is handed over in pieces."""
    read = b""
    with suppress(OSError):  # so Linux tells its end
        while piece := os.read(terminal, 4096):
            read += piece
    return read


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
        assert complaint in refused.stderr
        assert refused.stderr.endswith("Error: Nothing was imported.\n")
    assert await world.count("coupon_code") == before


@pytest.mark.parametrize(
    "arguments", [("coupons", "list"), ("db", "prune"), ("db", "verify"), ("coupons", "import", "FILE")]
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
    assert result.exit_code == (2 if arguments[1] in {"list", "verify"} else 1)
    assert result.stderr.startswith("Error: The database cannot be used: the database is out of reach")
