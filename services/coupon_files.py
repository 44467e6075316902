"""Coupon codes as files: one a line, or a column of a table (`sheets`).

A row of names above the codes is left out where it says which column holds them (`code`, `쿠폰번호`). Everything else
in the first column is a code, or a fault that names its line: a code goes to a player as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from models import COUPON_CODE_LENGTH
from services.encodings import UnreadableError
from services.errors import ValidationFailed, ValidationIssue
from services.rules.texts import broken_rule
from services.rules.validation import Faults
from services.sheets import Row, is_rewritten, rounded, rows_of

MAX_CODES = 1_000_000
MAX_FAULTS = 100

NAME = re.compile(
    "(?:coupon|voucher|gift|promo|promotion|redeem|serial|pin)?codes?|(?:coupon|voucher|serial|pin)(?:numbers?|nos?|s)?"
    "|(?:쿠폰|시리얼|핀|상품권|바)?코드|(?:쿠폰|일련|시리얼|핀|상품권|인증|코드)번호|쿠폰|시리얼|핀"
)
"""What the column of the codes is called, in lower case and without what separates words."""


@dataclass(frozen=True)
class Code:
    """A code of a file, and its line there."""

    line: int
    text: str


@dataclass(frozen=True)
class CodeFile:
    """The codes of a file in its order, and the row of names above them, if there was one."""

    codes: Sequence[Code]
    header: Sequence[str] | None


def read_codes(content: bytes, *, header: bool | None = None) -> CodeFile:
    """The codes of a file; `header` tells whether its first row holds names, None: it shows.

    Raises: ValidationFailed, which names each bad line: what is no code or does not look like one, or is there twice.
    """
    try:
        return _code_file(content, header=header)
    except UnreadableError as unreadable:
        raise ValidationFailed([ValidationIssue(["lines"], str(unreadable))]) from None


def _code_file(content: bytes, *, header: bool | None) -> CodeFile:
    rows = rows_of(content, lambda cells: _column(cells) is not None)
    first = next(rows, None)
    if first is None:
        raise ValidationFailed([ValidationIssue(["lines"], "There is no code.")])
    column = _column(first.cells)
    is_header = column is not None if header is None else header
    codes = _codes(rows if is_header else chain([first], rows), column or 0 if is_header else 0)
    if header is None and not is_header:
        _refuse_what_looks_otherwise(first, codes)
    return CodeFile(codes, first.cells if is_header else None)


def _column(cells: Sequence[str]) -> int | None:
    """Which column a row of names says holds the codes; None where it does not say so, or of two."""
    found = [index for index, cell in enumerate(cells) if _is_name(cell)]
    return found[0] if len(found) == 1 else None


def _is_name(cell: str) -> bool:
    return bool(NAME.fullmatch(re.sub(r"[\W_]", "", cell).lower()))


def _codes(rows: Iterator[Row] | chain[Row], column: int) -> list[Code]:
    faults, lines = Faults(), dict[str, int]()
    for line, cells in rows:
        code = cells[column] if column < len(cells) else ""
        if wrong := _wrong(code):
            note(faults, wrong, line)
        elif code in lines:
            note(faults, f'"{code}" is on line {lines[code]} already.', line)
        else:
            lines[code] = line
        if len(lines) > MAX_CODES:
            raise ValidationFailed([ValidationIssue(["lines"], f"At most {MAX_CODES} codes can be imported at once.")])
    for line in rounded((line, code) for code, line in lines.items()):
        note(faults, "A spreadsheet rounded this number: make the column text, and fill it again.", line)
    if not lines and not faults.issues:
        faults.add("There is no code.", "lines")
    faults.refuse()
    return [Code(line, text) for text, line in lines.items()]


def _wrong(code: str) -> str | None:
    """What is wrong with a code by itself."""
    if broken := broken_rule(code, COUPON_CODE_LENGTH):
        return f"A code has {broken}."
    if _is_name(code):
        return "This is the name of a column."
    if code.startswith("="):
        return "This is a formula, not its value."
    if is_rewritten(code):
        return "A spreadsheet made this of what was there before: make the column text, and fill it again."
    if separator := next((sign for sign in ";|\t" if sign in code), None):
        return f"This holds {separator!r}: separate columns by commas, or name the separator in a first line, as sep=;"
    return None


def note(faults: Faults, message: str, line: int) -> None:
    """Note a fault of a line. Raises: ValidationFailed at the first that is not told any more."""
    if len(faults.issues) == MAX_FAULTS:
        raise ValidationFailed(faults.issues, more=True)
    faults.add(message, "lines", str(line))


def _refuse_what_looks_otherwise(first: Row, codes: Sequence[Code]) -> None:
    """Refuse a first row that may be names, and a first column that counts. Raises: ValidationFailed."""
    others = [code.text for code in codes[1:]]
    if len(first.cells) > 1 and [code.text for code in codes] == [str(n) for n in range(1, len(codes) + 1)] and others:
        raise ValidationFailed([ValidationIssue(["lines"], "The first column counts the rows: put the codes there.")])
    if len(others) > 1 and not _digits(first.cells[0]) and all(_digits(code) for code in others):
        message = (
            f'"{first.cells[0]}" looks like the name of a column, not like the codes below: say --header if it is one, '
            "or --no-header if it is a code."
        )
        raise ValidationFailed([ValidationIssue(["lines", str(first.line)], message)])


def _digits(code: str) -> bool:
    return any(character.isdecimal() for character in code)
