"""Tables as files: rows of cells, out of whatever a spreadsheet makes of CSV, where that is certain.

Read are: UTF-8, UTF-16 and CP949 (`encodings`); commas, or semicolons and tabs where the header or a first line `sep=;`
shows them; any line breaks; cells in quotes, also behind a space; rows and columns without content, which are left out;
cells written as `="..."`, which Excel takes for text. Everything else is refused, by its line where it has one.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from io import BytesIO, TextIOWrapper
from itertools import chain
from typing import NamedTuple

from services.encodings import UnreadableError, encoding_of
from services.rules.texts import SPACES, nfc

SEPARATORS = ",;\t"
NAMED_SEPARATOR = re.compile(r'"?sep=(.)"?[,;\t]*\s*', re.IGNORECASE)
QUOTED_FORMULA = re.compile(r'="([^"]*)"')
BLANKS = SPACES + "\t\r\n"
LOST = "\ufffd"


class Row(NamedTuple):
    """A row that has content: the line on which it starts, and its cells, in NFC and without spaces about them."""

    line: int
    cells: list[str]


def rows_of(content: bytes, is_header: Callable[[Sequence[str]], bool]) -> Iterator[Row]:
    """The rows of a file. `is_header` tells by the cells of the first row whether they are names of columns.

    Raises: UnreadableError.
    """
    # Line by line is cell by cell: what lies between cells composes with nothing.
    lines = map(nfc, TextIOWrapper(BytesIO(content), encoding_of(content), newline=""))
    head: list[str] = []
    for line in lines:
        head.append(line)
        if line.strip(SEPARATORS + " \r\n"):
            break
    named = NAMED_SEPARATOR.fullmatch(head[-1]) if head else None
    if named and named[1] not in SEPARATORS:
        raise UnreadableError(f"The first line names {named[1]!r} as the separator: use a comma, semicolon or tab.")
    if named:
        return _rows(lines, named[1], len(head))
    return _rows(chain(head, lines), _separator(head, is_header), 0)


def _separator(head: Sequence[str], is_header: Callable[[Sequence[str]], bool]) -> str:
    """The separator with which the first row is a header, or else the comma."""
    with suppress(csv.Error):  # it comes again where the rows are read
        for separator in SEPARATORS:
            first = next(csv.reader(head[-1:], delimiter=separator, skipinitialspace=True), [])
            if is_header([_unquoted(field.strip(BLANKS)) for field in first]):
                return separator
    return ","


def _rows(lines: Iterable[str], separator: str, lines_before: int) -> Iterator[Row]:
    reader = csv.reader(lines, delimiter=separator, skipinitialspace=True, strict=True)
    line = lines_before + 1
    try:
        for fields in reader:
            cells = [field.strip(BLANKS) for field in fields]
            content = "".join(cells)
            if '="' in content:
                cells = [_unquoted(cell) for cell in cells]
            if LOST in content:
                message = f"Line {line} holds U+FFFD, where an earlier program lost a letter. Export it again."
                raise UnreadableError(message)
            if content:
                yield Row(line, cells)
            line = lines_before + reader.line_num + 1
    except csv.Error as error:
        # Told from its first line: a quote that is never closed takes the rest of the file with it.
        raise UnreadableError(f"The file is not CSV: line {line}: {error}.") from None


def _unquoted(cell: str) -> str:
    """A cell's text, where it is written as a formula that is one."""
    formula = QUOTED_FORMULA.fullmatch(cell)
    return formula[1].strip(BLANKS) if formula else cell


# What a spreadsheet does to ids and codes

REWRITTEN = re.compile(
    r"-?[0-9](?:[.,][0-9]+)?[Ee]\+[0-9]{2,}"  # 1.23457E+17
    r"|-?[0-9]+\.0+"  # 1001.0
    r"|[0-9]{1,2}월 ?[0-9]{1,2}일"  # 2-1, as a date
    r"|[0-9]{1,2}-(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
)
ERROR = re.compile(r"#(?:N/A|REF!|VALUE!|NAME\?|DIV/0!|NULL!|NUM!|#+)")
"""What it writes where it has no value, or no room to show it."""

LONG_NUMBER = re.compile(r"[0-9]{16,}")
DIGITS_KEPT = 15
"""Digits that a spreadsheet keeps of a number; those behind it turns into zeros."""

ZEROS_OF_ROUNDING = 3
"""So many zeros in the places behind, in all, are no chance."""


def is_error(text: str) -> bool:
    """Whether it stands where a spreadsheet had no value."""
    return text[:1] == "#" and bool(ERROR.fullmatch(text))


def is_rewritten(text: str) -> bool:
    """Whether a spreadsheet made this of an id or a code that was something else."""
    return bool(REWRITTEN.fullmatch(text)) or is_error(text)


def rounded(ids: Iterable[tuple[int, str]]) -> list[int]:
    """The lines of long numbers that a spreadsheet rounded: none of the file has a digit where it keeps none."""
    long = [(line, text[DIGITS_KEPT:]) for line, text in ids if LONG_NUMBER.fullmatch(text)]
    tails = "".join(tail for _, tail in long)
    return [line for line, _ in long] if len(tails) >= ZEROS_OF_ROUNDING and not tails.strip("0") else []
