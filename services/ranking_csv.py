"""Rankings as files: CSV with the header `rank,display_name,score,external_id`.

UTF-8 with or without a byte order mark, any line breaks; quoted fields may hold commas and line breaks; columns may
come in any order; empty lines are skipped. What cannot be read as such is refused as a file, bad rows by their lines.
The file is read as a stream: what is in memory is bounded by MAX_FILE_BYTES and MAX_RANKING_ROWS.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from io import SEEK_END, TextIOWrapper
from operator import itemgetter
from typing import TYPE_CHECKING, BinaryIO

from models import MAX_RANKING_ROWS
from services.errors import InvalidRankingUpload
from services.rules.ranking import RankingContent, RankingRows

if TYPE_CHECKING:
    from _csv import Reader

COLUMNS = ("rank", "display_name", "score", "external_id")
MAX_FILE_BYTES = 10 * 1024 * 1024
WHOLE_NUMBER = re.compile(r"\s*([+-]?[0-9]{1,18})\s*", re.ASCII)
NAMED_COLUMNS = 5
NAMED_LENGTH = 40


def read_csv(file: BinaryIO) -> RankingContent:
    """The content of a ranking file; takes a while, so call it in a thread. The file stays open.

    Raises: InvalidRankingUpload (too large, not UTF-8, not CSV, wrong header, no rows, too many), ValidationFailed.
    """
    if file.seek(0, SEEK_END) > MAX_FILE_BYTES:
        raise InvalidRankingUpload("The file is larger than 10 MiB.")
    file.seek(0)
    text = TextIOWrapper(file, encoding="utf-8-sig", newline="")
    reader = csv.reader(text, strict=True)
    try:
        return _content(reader)
    except UnicodeDecodeError:
        raise InvalidRankingUpload("The file is not UTF-8.") from None
    except csv.Error as error:
        raise InvalidRankingUpload(f"The file is not CSV: line {reader.line_num}: {error}.") from None
    finally:
        text.detach()


def _content(reader: Reader) -> RankingContent:
    header = [name.strip() for name in next(reader, [])]
    _check_header(header)
    in_order = itemgetter(*(header.index(column) for column in COLUMNS))
    rows, count = RankingRows(COLUMNS, "line"), 0
    for line, fields in _numbered(reader):
        count += 1
        if count > MAX_RANKING_ROWS:
            raise InvalidRankingUpload(f"The file has more than {MAX_RANKING_ROWS} rows.")
        if len(fields) != len(COLUMNS):
            rows.fault(f"Has {len(fields)} columns instead of {len(COLUMNS)}.", line)
            continue
        rank, display_name, score, external_id = in_order(fields)
        rows.add(line, _whole(rank), display_name, _whole(score), external_id)
    if count == 0:
        raise InvalidRankingUpload("The file has no rows below its header.")
    return rows.content()


def _check_header(header: Sequence[str]) -> None:
    """Check the names of the columns. Raises: InvalidRankingUpload, naming every one that is wrong."""
    faults = {
        "missing": [column for column in COLUMNS if column not in header],
        "unknown": [name[:NAMED_LENGTH] for name in header if name not in COLUMNS],
        "there twice": [column for column in COLUMNS if header.count(column) > 1],
    }
    told = [f"{what}: {', '.join(map(repr, names[:NAMED_COLUMNS]))}" for what, names in faults.items() if names]
    if told:
        raise InvalidRankingUpload(f"The header must be {','.join(COLUMNS)} ({'; '.join(told)}).")


def _numbered(reader: Reader) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not empty, each with the number of the line on which it starts."""
    line = reader.line_num + 1
    for fields in reader:
        if fields:
            yield line, fields
        line = reader.line_num + 1


def _whole(text: str) -> int | None:
    """The whole number that `text` writes, or None."""
    written = WHOLE_NUMBER.fullmatch(text)
    return int(written[1]) if written else None
