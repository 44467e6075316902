"""What any text that comes in may hold: one rule, the same on every interpreter."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pytest
from graphql import GraphQLInputObjectType, GraphQLString, get_named_type
from hypothesis import given
from hypothesis import strategies as st

from resolvers.schema import schema
from schema.inputs import EXACT, TextInput
from services.request_errors import BadRequest
from services.rules import texts
from services.rules.texts import broken_rule, external_id, idempotency_key, nfc

TITLES = json.loads((Path(__file__).parents[1] / "cases" / "titles.json").read_text(encoding="utf-8"))

ACCEPTED = TITLES["accept"] | {
    "Hangul": "하늘",
    "Hangul, decomposed": "\u1112\u1161\u1102\u1173\u11af",
    "old Hangul with its filler": "\u1112\u1160\u119e",
    "Latin": "José Nuñez",
    "Greek, Cyrillic, Han, Kana": "Ωμέγα Жанна 金 さくら",
    "Persian with its joiner": "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
    "Hebrew with a mark of direction": "\u05e9\u05dc\u05d5\u05dd!\u200f",
    "an isolate that ends": "\u2068\u05e9\u05dc\u05d5\u05dd\u2069 1",
    "an embedding in an override": "\u202da\u202bb\u202c\u202c",
    "a family": "👨\u200d👩\u200d👧",
    "a heart, a keycap, a skin": "❤️ 1️⃣ 👍🏽",
    "the flag of Scotland": "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
    "unassigned in every version so far": "a\u0378\U0001fadf\U00030000\U0003fffd",
    "an ideographic space within": "하늘\u3000바다",
    "a space that does not break": "5\u00a0€",
    "a filler within": "하\u3164늘",
    "punctuation and symbols": "<b>\"'&;=+-@#%\\|~`",
    "as long as can be": "가" * 100,
    "as long as can be, of two units each": "😀" * 100,
    "as long as can be, once composed": "é" * 100,
    "a mark alone": "\u0301",
}

REFUSED = TITLES["refuse"] | {
    "nothing": "",
    "a space": " ",
    "an ideographic space": "\u3000",
    "a space that does not break": "\u00a0",
    "a zero-width space": "\u200b",
    "a joiner": "\u200d",
    "joiners and spaces": "\u200c \u200d",
    "a mark of direction": "\u200f",
    "blank Braille": "\u2800",
    "Jamo fillers": "\u115f\u1160",
    "a halfwidth filler": "\uffa0",
    "a variation selector": "\ufe0f",
    "a grapheme joiner": "\u034f",
    "an empty isolate": "\u2067\u2069",
    "a byte order mark": "\ufeffa",
    "a zero-width space within": "a\u200bb",
    "a soft hyphen": "a\u00adb",
    "a word joiner": "a\u2060b",
    "a null": "a\0",
    "a tab": "a\tb",
    "a line break": "a\nb",
    "an escape": "\x1b[31ma",
    "a delete": "a\x7f",
    "a next line": "a\x85b",
    "a line separator": "a\u2028b",
    "a paragraph separator": "a\u2029b",
    "half a character": "a\ud83d",
    "the other half": "a\ude00",
    "private use": "a\ue000",
    "private use beyond": "a\U000f0000",
    "no character": "a\ufffe",
    "no character beyond": "a\U0001ffff",
    "an override": "a\u202eb",
    "an isolate": "a\u2066b",
    "an end of nothing": "a\u202c",
    "an end of an isolate that is none": "a\u2069",
    "an embedding that ends as an isolate": "\u202ba\u2069",
    "an isolate around the end of its embedding": "\u202b\u2067a\u202cb\u2069",
    "tags of nothing": "a\U000e0062\U000e007f",
    "tags without an end": "🏴\U000e0067\U000e0062",
    "a tag of languages": "\U000e0001a",
    "annotation": "\ufff9a\ufffbb",
    "a space at the beginning": " a",
    "a space at the end": "a\u3000",
    "too long": "가" * 101,
    "too long, composed": "q\u0323" * 51,
}


@pytest.fixture(params=[unicodedata, unicodedata.ucd_3_2_0], ids=["this interpreter's", "Unicode 3.2"])
def tables(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The interpreter's tables, and those of one of 2002."""
    monkeypatch.setattr(texts, "unicodedata", request.param)


@pytest.mark.usefixtures("tables")
@pytest.mark.parametrize("text", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_texts(text: str) -> None:
    assert broken_rule(nfc(text), 100) is None


@pytest.mark.usefixtures("tables")
@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_text(text: str) -> None:
    broken = broken_rule(nfc(text), 100)
    assert broken is not None
    assert broken.startswith("1 to 100 printable characters, with no space at either end: ")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "it is empty"),
        ("x" * 101, "it has 101"),
        ("a\u202eb", "U+202E has no end"),
        ("a\u2069", "U+2069 ends nothing"),
        ("\u202a\u202b\u2067a", "U+2067 has no end"),
        ("\u202b\u2067a\u202cb\u2069", "U+202C ends nothing"),
        ("a\U000e0062", "U+E0062 is none"),
        ("a\nb", "U+000A is none"),
        ("\u3164", "nothing in it can be seen"),
        ("a ", "it begins or ends with one"),
    ],
)
def test_a_refusal_says_why(text: str, told: str) -> None:
    assert broken_rule(text, 100) == f"1 to 100 printable characters, with no space at either end: {told}"


def test_nothing_is_asked_of_the_interpreter_s_tables_but_nfc() -> None:
    """What passes is a matter of ranges: every code point that is no character in Unicode 3.2 is decided alike."""
    allowed = [chr(code) for code in range(0x110000) if broken_rule(f"a{chr(code)}b", 3) is None]
    assert sum(unicodedata.ucd_3_2_0.category(one) == "Cn" for one in allowed) > 700_000
    assert {unicodedata.category(one) for one in allowed} >= {"Lu", "Ll", "Lo", "Mn", "Mc", "Me", "Nd", "No", "Po"}
    assert not {unicodedata.category(one) for one in allowed} & {"Cc", "Cs", "Co", "Zl", "Zp"}
    assert not [hex(ord(one)) for one in allowed if ord(one) & 0xFFFE == 0xFFFE], "the last two of a plane are none"


@given(st.text(max_size=20))
def test_what_passes_can_be_stored_and_said_again(text: str) -> None:
    normal = nfc(text)
    assert nfc(normal) == normal
    if broken_rule(normal, 20) is None:
        assert normal.encode().decode() == normal
        assert "\0" not in normal


def test_one_player_however_their_id_is_spelt() -> None:
    assert external_id("\u1112\u1161\u1102\u1173\u11af") == external_id("하늘") == "하늘"
    assert external_id("e\u0301" * 128) == "é" * 128
    with pytest.raises(BadRequest, match=r"^externalId must be 1 to 128 printable .*: it has 129\.$"):
        external_id("é" * 129)


def test_a_key_is_taken_as_it_was_sent() -> None:
    for good in ("k", "!~ " * 42, "x" * 128):
        assert idempotency_key(good) == good
    for bad in ("", "x" * 129, "é", "\u212a", "a\n", "a\x7f", "a\0"):  # U+212A is K in NFC
        with pytest.raises(BadRequest, match="idempotencyKey must be 1 to 128 printable ASCII"):
            idempotency_key(bad)


def test_every_input_with_texts_normalises_them() -> None:
    """Each String of an input is brought into NFC as the input is made, or has a rule of its own."""
    for named in schema._schema.type_map.values():
        if not isinstance(named, GraphQLInputObjectType):
            continue
        definition = named.extensions["strawberry-definition"]
        strings = {
            field.python_name
            for field in definition.fields
            if get_named_type(named.fields[schema.config.name_converter.from_field(field)].type) is GraphQLString
        }
        if strings - EXACT:
            assert issubclass(definition.origin, TextInput), f"{named.name} takes texts: it must be a TextInput"
