"""Cursors: what was encoded is decoded, and nothing else is."""

from __future__ import annotations

import datetime as dt
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.connections import decode_cursor, encode_cursor, external_id, instant, row_number
from schema.ranking import page_request
from services.request_errors import BadRequest
from services.rules.texts import broken_rule

Parts = tuple[Callable[[str], object], ...]
INSTANT, ID = "2026-03-02 03:00:00+00:00", "019cabf0-a000-7000-8000-000000000000"
LISTS: dict[str, tuple[Parts, tuple[str, ...]]] = {
    "players, audit log": ((instant, row_number), (INSTANT, "7")),
    "plays, events, user events": ((instant, UUID), (INSTANT, ID)),
    "rewards": ((row_number,), ("7",)),
    "players by name": ((external_id,), ("alice",)),
}
TEXTS = [
    "",
    " ",
    " 7",
    "+7",
    "07",
    "1_0",
    "-1",
    "\u0667",  # a digit, but not of ASCII
    "9" * 30,
    "9" * 5000,
    "1e3",
    "NaN",
    "a\0",
    "a\x7f",
    "a\u0085",
    "a\u2028",
    "null",
    "2026-03-02T03:00:00+00:00",
    "2026-03-02 03:00:00",
    "2026-03-02 12:00:00+09:00",
    "2026-03-02 03:00:00Z",
    "2026-W10-1 03:00:00+00:00",
    "0001-01-01 00:00:00+14:00",
    "9999-12-31 23:59:59-12:00",
    "10000-01-01 00:00:00+00:00",
    ID.replace("-", ""),
    ID.upper(),
    "{" + ID + "}",
    "urn:uuid:" + ID,
]
OTHERS = [None, True, 5, 2**70, 1.5, float("nan"), [], ["7"], {}, {"7": "7"}, INSTANT.encode().hex()]


def cursor_of(content: bytes) -> str:
    return urlsafe_b64encode(content).decode().rstrip("=")


def cursor_with(keys: object) -> str:
    return cursor_of(json.dumps(keys, ensure_ascii=False, separators=(",", ":")).encode())


def decode(cursor: str, parts: Parts) -> Any:
    return decode_cursor(cursor, *parts)


def refuses(cursor: str, parts: Parts) -> None:
    with pytest.raises(BadRequest, match=r"^after is not a cursor of this list\.$"):
        decode(cursor, parts)


every_list = pytest.mark.parametrize(("parts", "key"), LISTS.values(), ids=LISTS.keys())


@every_list
def test_what_was_encoded_is_decoded(parts: Parts, key: tuple[str, ...]) -> None:
    found = decode(encode_cursor(key), parts)
    assert tuple(str(part) for part in found) == key
    assert decode(encode_cursor(found), parts) == found
    assert decode_cursor(None, row_number) is None


@every_list
def test_hostile_keys_are_no_cursors(parts: Parts, key: tuple[str, ...]) -> None:
    for position in range(len(key)):
        for bad in TEXTS + OTHERS:
            if isinstance(bad, str) and parts[position] is external_id and broken_rule(bad, 128) is None:
                continue
            refuses(cursor_with([*key[:position], bad, *key[position + 1 :]]), parts)


@every_list
def test_hostile_forms_are_no_cursors(parts: Parts, key: tuple[str, ...]) -> None:
    good = encode_cursor(key)
    for keys in ([], [*key, "7"], key[1:], dict.fromkeys(key, 1), "".join(key), 7, None, [[part] for part in key]):
        refuses(cursor_with(keys), parts)
    for content in (
        b"", b"[", b"\xff", b"[NaN]", b"[Infinity]", b"[1e999]", b'["\\ud800"]', b'["\\udc00\\ud800"]', b"[" * 9000,
        b'["\xed\xa0\x80"]', b'["a\x00"]', json.dumps(key).encode() + b" ", b" " + json.dumps(key).encode(),
    ):  # fmt: skip
        refuses(cursor_of(content), parts)
    for cursor in ("", "=", "A", "x", "\0", "\ud800", "ä", good + "=", good + "!", "\n" + good, good + good):
        refuses(cursor, parts)


def test_the_first_and_the_last_that_a_list_may_have() -> None:
    for number in (0, 2**63 - 1):
        assert decode_cursor(encode_cursor([number]), row_number) == (number,)
    for number in (-1, 2**63):
        refuses(encode_cursor([number]), (row_number,))
    for size, rank in ((1, 1), (100, 1_000_000_000)):
        assert page_request(size, encode_cursor([rank])) == (size, rank)
    for rank in (0, 1_000_000_001):
        with pytest.raises(BadRequest, match=r"^after is not a cursor of this list\.$"):
            page_request(10, encode_cursor([rank]))
    for size in (0, 101):
        with pytest.raises(BadRequest, match=r"^first must be 1 to 100\.$"):
            page_request(size, None)


@every_list
@given(keys=st.lists(st.text(max_size=3) | st.integers() | st.none() | st.sampled_from(TEXTS), max_size=3))
def test_a_cursor_is_decoded_to_what_encodes_it_or_not_at_all(
    parts: Parts, key: tuple[str, ...], keys: list[Any]
) -> None:
    cursor = cursor_with(keys)
    try:
        found = decode(cursor, parts)
    except BadRequest:
        return
    assert encode_cursor(found) == cursor


@given(st.datetimes(timezones=st.just(dt.UTC)), st.uuids())
def test_every_instant_and_id_comes_back(at: dt.datetime, id_: UUID) -> None:
    assert decode_cursor(encode_cursor([at, id_]), instant, UUID) == (at, id_)
