"""Rows of cells, out of whatever a spreadsheet makes of CSV."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from services.encodings import UnreadableError
from services.sheets import rows_of


def is_header(cells: Sequence[str]) -> bool:
    return {"a", "b"} <= set(cells)


def rows(text: str) -> list[tuple[int, list[str]]]:
    return [(row.line, row.cells) for row in rows_of(text.encode("utf-8-sig"), is_header)]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_separators_and_line_breaks(separator: str, end: str) -> None:
    text = end.join(["a,b", "1,", "", ",", "2,x"]).replace(",", separator)
    assert rows(text) == [(1, ["a", "b"]), (2, ["1", ""]), (5, ["2", "x"])]


@pytest.mark.parametrize("header", ["a;b", '"a"; "b"', ' a ;="b"', "\n ;\na;b"])
def test_a_header_shows_the_separator(header: str) -> None:
    assert [cells for _, cells in rows(f"{header}\n1;2,3\n")] == [["a", "b"], ["1", "2,3"]]


@pytest.mark.parametrize("line", ["sep=;", "SEP=;", '"sep=;"', "sep=;;;", "sep=; "])
def test_a_line_that_names_the_separator(line: str) -> None:
    assert rows(f"{line}\r\nx;y,z\r\n") == [(2, ["x", "y,z"])]
    assert rows(f"\r\n{line}\r\nx;y,z\r\n") == [(3, ["x", "y,z"])]


def test_a_separator_that_is_none_of_ours() -> None:
    with pytest.raises(UnreadableError, match=r"names '\|' as the separator: use a comma, semicolon or tab\."):
        rows("sep=|\na|b\n")


def test_without_a_header_it_is_the_comma() -> None:
    assert rows("x;y\n1;2\n") == [(1, ["x;y"]), (2, ["1;2"])]
    assert rows("") == rows("\n\n,,\n \n") == []


def test_quotes() -> None:
    text = 'a, "b"\n"1,""x""" , 2\n'
    with pytest.raises(UnreadableError, match=r"not CSV: line 2: ',' expected after"):
        rows(text)
    assert rows('a, "b"\n"1,""x""", 2\n"two\nlines",3\n4,5\n') == [
        (1, ["a", "b"]),
        (2, ['1,"x"', "2"]),
        (3, ["two\nlines", "3"]),
        (5, ["4", "5"]),
    ]


def test_a_quote_that_is_not_closed_is_told_by_its_line() -> None:
    with pytest.raises(UnreadableError, match=r"not CSV: line 3: unexpected end of data"):
        rows('a,b\n1,2\n"3,4\n' + "5,6\n" * 9)


@pytest.mark.parametrize(
    ("cell", "read"),
    [
        ('="00123"', "00123"),
        ('"=""00123"""', "00123"),
        ('=" x "', "x"),
        ("=A1", "=A1"),
        ("\u00a0x\u3000", "x"),
        ("\u1112\u1161\u1102\u1173\u11af", "하늘"),
        ("'x'", "'x'"),
    ],
)
def test_cells(cell: str, read: str) -> None:
    assert rows(f"a,b\n{cell},1\n")[1] == (2, [read, "1"])


def test_a_letter_that_was_lost() -> None:
    with pytest.raises(UnreadableError, match=r"^Line 3 holds U\+FFFD"):
        rows("a,b\n1,2\nx\ufffd,3\n")
