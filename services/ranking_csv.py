"""Rankings as files: a table (`sheets`) with the columns `rank,display_name,score,external_id`.

Columns may come in any order; their names may be written with spaces and capitals. What cannot be read is refused as a
file, bad rows by their lines. What is in memory is bounded by MAX_FILE_BYTES and MAX_RANKING_ROWS.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from io import SEEK_END
from operator import itemgetter
from typing import BinaryIO

from models import MAX_RANKING_ROWS
from services.encodings import UnreadableError
from services.errors import InvalidRankingUpload
from services.rules.ranking import RankingContent, RankingRows
from services.sheets import Row, is_error, is_rewritten, rounded, rows_of

COLUMNS = ("rank", "display_name", "score", "external_id")
MAY_BE_LEFT_OUT = "external_id"
MAX_FILE_BYTES = 10 * 1024 * 1024
WHOLE_NUMBER = re.compile(r"([+-]?[0-9]{1,18})(?:\.0+)?", re.ASCII)
NAMED_COLUMNS = 5
NAMED_LENGTH = 40
REWRITTEN = "A spreadsheet made this of what was there before: make the column text, and fill it again."


def read_csv(file: BinaryIO) -> RankingContent:
    """The content of a ranking file; takes a while, so call it in a thread. The file stays open.

    Raises: InvalidRankingUpload (too large, no table, wrong header, no rows, too many), ValidationFailed.
    """
    if file.seek(0, SEEK_END) > MAX_FILE_BYTES:
        raise InvalidRankingUpload("The file is larger than 10 MiB.")
    file.seek(0)
    try:
        return _content(file.read())
    except UnreadableError as unreadable:
        raise InvalidRankingUpload(str(unreadable)) from None


def _content(content: bytes) -> RankingContent:
    table = rows_of(content, _is_header)
    columns = _Columns([_column(cell) for cell in next(table, Row(1, [])).cells])
    rows, count, external_ids = RankingRows(COLUMNS, "line"), 0, list[tuple[int, str]]()
    for line, cells in table:
        count += 1
        if count > MAX_RANKING_ROWS:
            raise InvalidRankingUpload(f"The file has more than {MAX_RANKING_ROWS} rows.")
        if misfit := columns.misfit(cells):
            rows.fault(misfit, line)
        else:
            external_ids.append((line, _take(rows, line, columns.in_order(cells))))
    for line in rounded(external_ids):
        rows.fault(REWRITTEN, line, "external_id")
    if count == 0:
        raise InvalidRankingUpload("The file has no rows below its header.")
    return rows.content()


def _take(rows: RankingRows, line: int, cells: Sequence[str]) -> str:
    """Take a row's cells in the order of COLUMNS; its external id."""
    rank, display_name, score, external_id = cells
    if is_error(display_name):
        rows.fault(REWRITTEN, line, "display_name")
    if is_rewritten(external_id):
        rows.fault(REWRITTEN, line, "external_id")
    rows.add(line, _whole(rank), display_name, _whole(score), external_id)
    return external_id


class _Columns:
    """Where the columns are. Raises: InvalidRankingUpload, for a header that does not tell."""

    def __init__(self, header: Sequence[str]) -> None:
        _check_header(header)
        self._width = len(header)
        self._needed = 1 + max(header.index(column) for column in COLUMNS if column != MAY_BE_LEFT_OUT)
        self._nameless = [index for index, name in enumerate(header) if not name]
        self._pick = itemgetter(*(header.index(column) for column in COLUMNS))

    def misfit(self, cells: Sequence[str]) -> str | None:
        """How a row does not fit: it ends before a column that it needs, or has content where no column is."""
        if len(cells) < self._needed:
            return f"Has {len(cells)} columns instead of {self._width}."
        if not self._nameless and len(cells) <= self._width:
            return None
        for index in (*self._nameless, *range(self._width, len(cells))):
            if index < len(cells) and cells[index]:
                return f"Has content in column {index + 1}, which has no name in the header."
        return None

    def in_order(self, cells: list[str]) -> tuple[str, ...]:
        """A row's cells in the order of COLUMNS; spreadsheets leave out empty ones at a row's end."""
        if len(cells) < self._width:
            cells = cells + [""] * (self._width - len(cells))
        picked: tuple[str, ...] = self._pick(cells)
        return picked


def _column(cell: str) -> str:
    """The column that a cell of the header names, be it `Display Name`; or what it says."""
    plain = re.sub(r"[\s_-]", "", cell).lower()
    return next((column for column in COLUMNS if column.replace("_", "") == plain), cell)


def _is_header(cells: Sequence[str]) -> bool:
    return set(COLUMNS) <= {_column(cell) for cell in cells}


def _check_header(header: Sequence[str]) -> None:
    """Check the names of the columns. Raises: InvalidRankingUpload, naming every one that is wrong."""
    faults = {
        "missing": [column for column in COLUMNS if column not in header],
        "unknown": [name[:NAMED_LENGTH] for name in header if name and name not in COLUMNS],
        "there twice": [column for column in COLUMNS if header.count(column) > 1],
    }
    told = [f"{what}: {', '.join(map(repr, names[:NAMED_COLUMNS]))}" for what, names in faults.items() if names]
    if told:
        raise InvalidRankingUpload(f"The header must be {','.join(COLUMNS)} ({'; '.join(told)}).")


def _whole(text: str) -> int | None:
    """The whole number that `text` writes, as 9100 or 9100.0, or None."""
    written = WHOLE_NUMBER.fullmatch(text)
    return int(written[1]) if written else None
