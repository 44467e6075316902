"""The rules of a ranking's rows and of ranking files, without a database."""

from __future__ import annotations

import tracemalloc
from io import BytesIO
from tempfile import SpooledTemporaryFile

import pytest

from models import MAX_AMOUNT, MAX_RANKING_ROWS, MAX_SAFE_INTEGER
from services.error_codes import ErrorCode
from services.errors import InvalidRankingUpload, ValidationFailed
from services.ranking_csv import MAX_FILE_BYTES, read_csv
from services.rules.ranking import MAX_ISSUES, RankingContent, RankingRow, RankingRows, content_of

COLUMNS = ("rank", "display_name", "score", "external_id")


def file_of(*lines: str) -> BytesIO:
    return BytesIO("\n".join((",".join(COLUMNS), *lines)).encode())


def faults(*lines: str) -> list[tuple[str, ...]]:
    with pytest.raises(ValidationFailed) as refused:
        read_csv(file_of(*lines))
    return [tuple(issue.path[1:]) for issue in refused.value.issues]


def test_rows_are_content_whatever_their_order() -> None:
    rows = [RankingRow(1, "a", 5, None), RankingRow(2, "b", 4, "x")]
    content = content_of(rows)
    assert content == content_of(rows[::-1])
    assert content.rows == rows


@pytest.mark.parametrize(
    "other",
    [
        RankingRow(3, "b", 4, "x"),
        RankingRow(2, "c", 4, "x"),
        RankingRow(2, "b", 5, "x"),
        RankingRow(2, "b", 4, "y"),
        RankingRow(2, "b", 4, None),
    ],
)
def test_every_value_makes_another_content(other: RankingRow) -> None:
    first = RankingRow(1, "a", 5, None)
    assert content_of([first, other]).digest != content_of([first, RankingRow(2, "b", 4, "x")]).digest


@pytest.mark.parametrize(
    ("line", "row"),
    [
        (f"{MAX_AMOUNT},a,{MAX_SAFE_INTEGER},", RankingRow(MAX_AMOUNT, "a", MAX_SAFE_INTEGER, None)),
        (f" 1 ,a,-{MAX_SAFE_INTEGER},", RankingRow(1, "a", -MAX_SAFE_INTEGER, None)),
        ("+01,a,-0,x", RankingRow(1, "a", 0, "x")),
        ("1.0,a,9100.00,x", RankingRow(1, "a", 9100, "x")),
        ("1,\u00a0a\u00a0,1,\u3000x", RankingRow(1, "a", 1, "x")),
        ('1, "하늘", 1, "x"', RankingRow(1, "하늘", 1, "x")),
        ('="1",="a",="5",="00123"', RankingRow(1, "a", 5, "00123")),
        ('1,"=""a""",5,"=""00123"""', RankingRow(1, "a", 5, "00123")),
        ("1,=_=,5,", RankingRow(1, "=_=", 5, None)),
        (f"1,{'가' * 100},0,{'x' * 128}", RankingRow(1, "가" * 100, 0, "x" * 128)),
        ('1,"a, ""b""",0,""', RankingRow(1, 'a, "b"', 0, None)),
    ],
)
def test_good_rows(line: str, row: RankingRow) -> None:
    assert read_csv(file_of(line)).rows == [row]


@pytest.mark.parametrize(
    "rank",
    ["", "0", "-1", "1.5", "1.", '"1,0"', "1e3", "\u0661", "\uff11", "x", str(MAX_AMOUNT + 1), "9" * 5000],
)
def test_bad_ranks(rank: str) -> None:
    assert faults(f"{rank},a,1,") == [("2", "rank")]


@pytest.mark.parametrize(
    "score", ["", "1.5", '"1,234"', "1e5", "--1", "NaN", str(MAX_SAFE_INTEGER + 1), str(-MAX_SAFE_INTEGER - 1)]
)
def test_bad_scores(score: str) -> None:
    assert faults(f"1,a,{score},") == [("2", "score")]


@pytest.mark.parametrize("name", ["", " ", "\u3000", "#N/A", "x" * 101, "a\x01", "a\x1b[0m", "a\x85", "a\tb", "\u3164"])
def test_bad_names(name: str) -> None:
    assert faults(f"1,{name},1,") == [("2", "display_name")]


@pytest.mark.parametrize(
    "external_id",
    [
        "x" * 129,
        "a\x01",
        "a\u200b",
        "1.23457E+17",
        "1E+20",
        "1.2345678901234568e+17",
        "1001.0",
        "#N/A",
        "#REF!",
        "#######",
        "02월 01일",
        "1-Feb",
    ],
)
def test_bad_external_ids(external_id: str) -> None:
    assert faults(f"1,a,1,{external_id}") == [("2", "external_id")]


@pytest.mark.parametrize(
    "external_id", ["1e5", "12e34", "1.0.1", "p-1", "#1", "00123", "-1", "a=b", "1E-05", "12-February"]
)
def test_what_no_spreadsheet_made(external_id: str) -> None:
    assert read_csv(file_of(f"1,a,1,{external_id}")).rows == [RankingRow(1, "a", 1, external_id)]


def test_long_numbers_that_were_rounded() -> None:
    assert faults("1,a,1,123456789012345000", "2,b,1,p", "3,c,1,123456789012346000") == [
        ("2", "external_id"),
        ("4", "external_id"),
    ]
    assert faults("1,a,1,123456789012345000") == [("2", "external_id")]
    for ids in (
        ["123456789012345000", "123456789012346001"],
        ["123456789012345100", "123456789012346100"],
        ["1234567890123450", "1234567890123460"],
        ["12345678901234500"],
        ["123456789012345"],
    ):
        lines = [f"{rank},a,1,{external_id}" for rank, external_id in enumerate(ids, start=1)]
        assert [row.external_id for row in read_csv(file_of(*lines)).rows] == ids


def test_a_row_s_every_fault_is_told_and_counts_against_the_rows_behind_it() -> None:
    assert faults("1,,x,e", "1,a,1,e") == [
        ("2", "display_name"),
        ("2", "score"),
        ("3", "rank"),
        ("3", "external_id"),
    ]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("1", "Has 1 columns instead of 4."),
        ("1,a", "Has 2 columns instead of 4."),
        ("1,a,1,x,y", "Has content in column 5, which has no name in the header."),
        ("1,a,1,x,,y", "Has content in column 6, which has no name in the header."),
    ],
)
def test_rows_of_another_width(line: str, told: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        read_csv(file_of(line))
    assert [(issue.path, issue.message) for issue in refused.value.issues] == [(("rows", "2"), told)]


@pytest.mark.parametrize("line", ["1,a,1", "1,a,1,,", "1,a,1,,,,"])
def test_columns_without_content(line: str) -> None:
    assert read_csv(file_of(line, line.replace("1,a", "2,b"))).rows[0] == RankingRow(1, "a", 1, None)


def test_columns_without_a_name() -> None:
    header = ",rank,,display_name,score,external_id,,"
    for row in (",1,,a,5,x,,", ",1,,a,5,x,", ",1,,a,5,x"):
        assert read_csv(BytesIO(f"{header}\n{row}\n".encode())).rows == [RankingRow(1, "a", 5, "x")]
    with pytest.raises(ValidationFailed) as refused:
        read_csv(BytesIO(f"{header}\n,1,,a,5,x,,\n,2,note,b,4,y,,\n".encode()))
    assert [(issue.path, issue.message) for issue in refused.value.issues] == [
        (("rows", "3"), "Has content in column 3, which has no name in the header.")
    ]


def test_at_most_a_hundred_faults_are_told_and_that_there_are_more() -> None:
    assert faults(*["0,,x,"] * 40) == [
        (str(2 + n // 3), ("rank", "display_name", "score")[n % 3]) for n in range(MAX_ISSUES)
    ]
    for lines, message in (
        (100, "The input has faults; `issues` lists every one."),
        (101, "The input has faults; `issues` lists the first 100, and there are more."),
    ):
        with pytest.raises(ValidationFailed) as refused:
            read_csv(file_of(*["0,a,1,"] * lines))
        assert (len(refused.value.issues), refused.value.message) == (100, message)


def test_rows_without_content_are_no_faults_and_do_not_use_up_the_list() -> None:
    assert faults(*[",,,", "", " , ,,"] * 200, "0,a,1,") == [("602", "rank")]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_breaks_and_byte_order_marks(end: str, mark: str) -> None:
    text = f"{mark}rank,display_name,score,external_id{end}1,a,1,{end}{end}2,b,2,{end}"
    assert [row.display_name for row in read_csv(BytesIO(text.encode())).rows] == ["a", "b"]


def test_columns_in_another_order_with_spaces_about_their_names() -> None:
    for header in (b"external_id, score ,rank,display_name", b"External ID,SCORE,Rank,displayName"):
        assert read_csv(BytesIO(header + b"\nx,5,1,a\n")).rows == [RankingRow(1, "a", 5, "x")]


def test_a_header_of_semicolons() -> None:
    for header in ("rank;display_name;score;external_id", "rank;Display Name;score;external_id;"):
        assert read_csv(BytesIO(f"{header}\n1;a,b;5;x\n".encode())).rows == [RankingRow(1, "a,b", 5, "x")]


def test_a_file_of_ten_mebibytes_is_read_and_one_of_a_byte_more_is_not() -> None:
    blank = b" " * 99_999 + b"\n"
    file = BytesIO((file_of("1,a,5,x\n").getvalue() + blank * 200)[: 10 * 1024 * 1024])
    assert read_csv(file).rows == [RankingRow(1, "a", 5, "x")]
    file.write(b" ")
    with pytest.raises(InvalidRankingUpload, match=r"^The file is larger than 10 MiB\.$"):
        read_csv(file)


def test_the_file_stays_open_and_can_be_read_again() -> None:
    with SpooledTemporaryFile(max_size=16) as file:
        file.write(file_of("1,a,1,").getvalue())
        assert read_csv(file) == read_csv(file)  # type: ignore[arg-type]
        assert not file.closed
        file.write(b"\xff")
        with pytest.raises(InvalidRankingUpload):
            read_csv(file)  # type: ignore[arg-type]
        assert not file.closed


def test_a_header_of_anything_is_quoted_in_part() -> None:
    with pytest.raises(InvalidRankingUpload) as refused:
        read_csv(BytesIO(b",".join(b"c" * 1000 for _ in range(1000))))
    assert refused.value.code is ErrorCode.INVALID_RANKING_UPLOAD
    assert len(refused.value.message) < 500


def test_rows_have_a_limit_however_they_come() -> None:
    rows = RankingRows(COLUMNS, "row")
    for rank in range(1, MAX_RANKING_ROWS + 2):
        rows.add(rank, rank, "a", 0, None)
    with pytest.raises(ValidationFailed) as refused:
        rows.content()
    assert [issue.path for issue in refused.value.issues] == [("rows",)]


def test_the_largest_file_is_read_in_bounded_memory() -> None:
    width = MAX_FILE_BYTES // MAX_RANKING_ROWS - len("200000,,200000,p200000\n")
    file = file_of(*(f"{n},{'x' * width},{n},p{n}" for n in range(1, MAX_RANKING_ROWS + 1)))
    tracemalloc.start()
    try:
        content: RankingContent = read_csv(file)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(content.rows) == MAX_RANKING_ROWS
    assert peak < 12 * MAX_FILE_BYTES, peak
