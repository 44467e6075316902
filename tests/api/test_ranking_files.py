"""Rankings out of files: what is read, and what is refused with the line that says why."""

from __future__ import annotations

import resource
from pathlib import Path
from typing import Any

import pytest

from tests.api.test_ranking import HEADER, PAST, delete, operator, read, upload, written
from tests.world import World

CASES = Path(__file__).parents[1] / "cases"


async def test_a_file_with_mark_crlf_quotes_and_commas(world: World) -> None:
    content = (
        "\ufeffrank,display_name,score,external_id\r\n"
        '1,"하늘, ""the"" sky",100,alice\r\n'
        '2,"two, lines", 90 ,\r\n'
        "\r\n"
        "3,plain,-7,carol"
    ).encode()
    published = await upload(await operator(world), content)
    assert [(e["rank"], e["displayName"], e["score"]) for e in published["entries"]["nodes"]] == [
        (1, '하늘, "the" sky', 100),
        (2, "two, lines", 90),
        (3, "plain", -7),
    ]
    assert (await read(await world.player("alice")))["me"]["rank"] == 1
    assert await world.sql.fetchval("SELECT action FROM audit_log") == "uploadRanking"


async def test_bad_lines_are_named_by_their_numbers_in_the_file(world: World) -> None:
    staff = await operator(world)
    before = await written(world)
    content = HEADER + b'1,"two\nlines",1,\n1,again,x,\n\n2,short\n3,,4.5,\n'
    refused = await upload(staff, content)
    assert [issue["path"] for issue in refused["issues"]] == [
        ["rows", "2", "display_name"],
        ["rows", "4", "rank"],
        ["rows", "4", "score"],
        ["rows", "6"],
        ["rows", "7", "display_name"],
        ["rows", "7", "score"],
    ]
    assert refused["issues"][1]["message"] == "Rank 1 is in line 2 already."
    assert await written(world) == before


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "missing: 'rank', 'display_name', 'score', 'external_id'"),
        (b"rank,name,score,external_id\n1,a,1,\n", "missing: 'display_name'; unknown: 'name'"),
        (b"rank,rank,display_name,score,external_id\n", "there twice: 'rank'"),
        (b"a,b,c,d,e,f," + HEADER, "(unknown: 'a', 'b', 'c', 'd', 'e')."),
        (b"x" * 50 + b"," + HEADER, f"(unknown: '{'x' * 40}')."),
        (HEADER, "no rows"),
        (HEADER + b'1,"open,1,\n', "not CSV: line 2"),
        (HEADER + b"1,\xff,1,\n", "not UTF-8"),
        ("rank,display_name,score,external_id\n1,a,1,\n".encode("utf-16-le"), "UTF-16 without its mark"),
        (b"PK\x03\x04" + b"\0" * 26 + b"[Content_Types].xml" + b"\0" * 99, "an Excel workbook (.xlsx)"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 99, "an Excel workbook (.xls, or"),
        (HEADER + b"1,a,1,\n" + b"\n" * 10 * 1024 * 1024, "larger than 10 MiB"),
        (HEADER + b"".join(b"%d,a,1,\n" % rank for rank in range(1, 200_002)), "more than 200000 rows"),
    ],
    ids=[
        "empty",
        "header",
        "twice",
        "many",
        "long",
        "no rows",
        "quote",
        "latin",
        "utf-16",
        "xlsx",
        "xls",
        "10 MiB",
        "200,001 rows",
    ],
)
async def test_what_is_no_ranking_file_is_refused(world: World, content: bytes, told: str) -> None:
    before = await written(world)
    refused = await upload(await operator(world), content)
    assert refused["code"] == "INVALID_RANKING_UPLOAD"
    assert told in refused["message"]
    assert await written(world) == before


CASE_ANSWERS: dict[str, Any] = {
    "ranking-cp949-read-as-utf8.csv": "The file reads as UTF-8 and as Korean (CP949), with other letters. "
    'Save it as "CSV UTF-8" (with a byte order mark) and send that.',
    "ranking-blank-rows.csv": [(1, "하늘", 9100), (2, "바다", 8700)],
    "ranking-spaces-and-quotes.csv": [(1, "하늘", 9100)],
    "ranking-invisible-names.csv": {
        ("rows", "2", "display_name"): "Must be 1 to 100 printable characters, with no space at either end: "
        "nothing in it can be seen."
    },
    "ranking-nfd-twice.csv": {("rows", "3", "external_id"): "This external id is in line 2 already."},
}


@pytest.mark.parametrize(("case", "expected"), CASE_ANSWERS.items(), ids=CASE_ANSWERS.keys())
async def test_files_as_they_came(world: World, case: str, expected: Any) -> None:
    staff = await operator(world)
    before = await written(world)
    answer = await upload(staff, (CASES / case).read_bytes())
    if isinstance(expected, list):
        assert [(e["rank"], e["displayName"], e["score"]) for e in answer["entries"]["nodes"]] == expected
        assert answer["totalEntries"] == len(expected)
        return
    if isinstance(expected, dict):
        assert {tuple(issue["path"]): issue["message"] for issue in answer["issues"]} == expected
    else:
        assert (answer["code"], answer["message"]) == ("INVALID_RANKING_UPLOAD", expected)
    assert await written(world) == before


@pytest.mark.parametrize(
    ("separator", "encoding"),
    [(",", "utf-8-sig"), (";", "utf-8"), ("\t", "utf-16"), (",", "cp949"), (";", "utf-16-be")],
)
async def test_what_spreadsheets_save(world: World, separator: str, encoding: str) -> None:
    text = "rank,display_name,score,external_id\r\n1,하늘나라공주,9100,alice\r\n2,바다의왕자,8700,bob\r\n3,구름★,1,\r\n"
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    answer = await upload(await operator(world), (mark + text.replace(",", separator)).encode(encoding))
    assert [entry["displayName"] for entry in answer["entries"]["nodes"]] == ["하늘나라공주", "바다의왕자", "구름★"]
    assert (await read(await world.player("bob")))["me"]["score"] == 8700


async def test_a_hundred_thousand_rows_in_one_request(world: World) -> None:
    lines = (f"{rank},플레이어 {rank},{1_000_000 - rank},p{rank}\n" for rank in range(1, 100_001))
    content = HEADER + "".join(lines).encode()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    published = await upload(await operator(world), content)
    assert published["totalEntries"] == 100_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 160 * 1024
    assert await world.sql.fetchval("SELECT count(*) FROM ranking_daily WHERE date = $1::text::date", PAST) == 100_000
    assert (await read(await world.player("p77777")))["me"]["rank"] == 77777
    replaced = await upload(await operator(world), content.replace(b",p1\n", b",q1\n"), expected="1")
    assert replaced["revision"] == 2
    assert await delete(await operator(world), expected=2) == {
        "__typename": "DeletedRanking",
        "date": PAST,
        "deletedEntries": 100_000,
    }


async def test_a_file_is_needed_where_a_file_is_asked_for(world: World) -> None:
    staff = await operator(world)
    query = 'mutation U($file: Upload!) { uploadRanking(input: {date: "2025-06-01", file: $file}) { __typename } }'
    answer = await staff.execute(query, file="rank,display_name")
    assert answer["errors"][0]["extensions"]["code"] == "BAD_REQUEST"
