"""In which encoding a file is: certain, or refused; never other letters than were written."""

from __future__ import annotations

import codecs
import gzip
import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.encodings import UnreadableError, encoding_of

HEADER = "rank,display_name,score,external_id\n"
KOREAN = "1,하늘나라공주,9100,p-1\n2,바다의왕자ㅋㅋ,8700,p-2\n3,구름★,1,\n"
BOTH = [bytes((lead, trail)) for lead in range(0xC2, 0xC9) for trail in range(0x80, 0xC0)]
SYLLABLES = [pair.decode("cp949") for pair in BOTH if "\ud7a3" >= pair.decode("cp949", "ignore")[:1] >= "가"]
"""The syllables whose bytes in CP949 are a character in UTF-8, too."""

WRITTEN = [one for one in SYLLABLES if one.encode("cp949") > b"\xc2\xa0"]
"""All but those that are controls, which no text may hold, and one that is a space, and in no Korean word."""


def read(content: bytes) -> str:
    return content.decode(encoding_of(content))


def refusal(content: bytes) -> str:
    with pytest.raises(UnreadableError) as refused:
        encoding_of(content)
    return str(refused.value)


def test_korean_that_could_be_utf_8_is_never_other_letters() -> None:
    assert len(SYLLABLES) == 345
    for one in WRITTEN:
        for name in (one, one * 2, f"{one}1", f"TV{one}", f"{one}tv", f"{one} vip", f"({one})"):
            assert "reads as UTF-8 and as Korean" in refusal(f"{HEADER}1,{name},9100,p-1\n".encode("cp949"))


@given(st.lists(st.text(st.sampled_from(WRITTEN), min_size=1, max_size=6), min_size=1, max_size=20))
def test_names_of_such_syllables(names: list[str]) -> None:
    refusal((HEADER + "".join(f"{rank},{name},1,\n" for rank, name in enumerate(names))).encode("cp949"))


@given(st.lists(st.text(st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3), min_size=1, max_size=9), min_size=1))
def test_korean_is_read_as_it_was_written_or_refused(names: list[str]) -> None:
    text = HEADER + "".join(f"{rank},{name},1,\n" for rank, name in enumerate(names))
    assert read(text.encode()) == text
    for content in (text.encode("cp949"), text.encode("utf-16"), text.encode("utf-8-sig")):
        try:
            assert read(content).lstrip("\ufeff") == text
        except UnreadableError:
            assert content == text.encode("cp949")


@pytest.mark.parametrize(
    "text",
    [
        "plain,a,1\n",
        HEADER + KOREAN,
        "1,José\n2,Zoë Müller\n3,Ñandú\n4,JOSÉ\n",
        "1,Jiří Dvořák\n2,Šárka\n3,Łukasz\n",
        "1,Ştefan\n2,Ionuț\n3,Gülşah\n",
        "1,Ωμέγα\n2,\u03b1\n",
        "1,Жанна\n2,ж\n",
        "1,각각\n",
        "1,さくら\n2,張偉\n",
        "1,😀\n",
        "1,a\u00a0b\n",
        "1,Jose\u0301\n",
        "".join(f"{n},José{n}\n" for n in range(20)) + "21,Łódź\n",
    ],
)
def test_honest_utf_8(text: str) -> None:
    assert encoding_of(text.encode()) == "utf-8"
    for encoding in ("utf-8-sig", "utf-16", "utf-32"):
        assert read(text.encode(encoding)) == text
    assert read(codecs.BOM_UTF16_BE + text.encode("utf-16-be")) == text
    assert read(codecs.BOM_UTF32_BE + text.encode("utf-32-be")) == text


@pytest.mark.parametrize("text", ["1,José\n", "1,Ω\n", "1,\u0370\n"])
def test_a_single_word_is_enough(text: str) -> None:
    assert encoding_of(text.encode()) == "utf-8"


def is_read(*words: str) -> bool:
    try:
        return encoding_of("\n".join(words).encode()) == "utf-8"
    except UnreadableError:
        return False


@pytest.mark.parametrize("word", ["José", "JOSÉ", "josé", "Éléane", "\u0370"])
def test_a_word_stands_for_a_tenth_of_an_odd_one(word: str) -> None:
    assert is_read(*["José"] * 9, word, "Łódź")
    assert not is_read(*["José"] * 8, word, "Łódź")


@pytest.mark.parametrize("word", ["Zoé", "Noéé", "Éléa"])
def test_a_short_word_tells_nothing(word: str) -> None:
    assert is_read(*["José"] * 10, "Łódź", *[word] * 5)
    assert not is_read(*["José"] * 9, "Łódź", *[word] * 5)
    assert not is_read(word)


@pytest.mark.parametrize("word", ["JoSé", "JosÉ", "José\u03b1", "Jé", "Nòééa", "é", "José°"])
def test_an_odd_word_takes_ten_that_are_not(word: str) -> None:
    assert is_read(*["José"] * 10, word)
    assert not is_read(*["José"] * 9, word)


@pytest.mark.parametrize("text", ["1,é\n", "1,Łódź\n", "1,5°\n"])
def test_what_cannot_be_told_apart_passes_with_a_mark(text: str) -> None:
    assert "reads as UTF-8 and as Korean" in refusal(text.encode())
    assert read(text.encode("utf-8-sig")) == text


def test_korean_of_a_few_lines_is_certain() -> None:
    assert encoding_of((HEADER + KOREAN).encode("cp949")) == "cp949"
    rare = KOREAN.replace("구름", "뷁뷁") + "4,별들의고향으로떠나는기차여행,1,\n" * 4
    assert read(rare.encode("cp949")) == rare


@pytest.mark.parametrize(
    ("fewest", "others"), [("하" * 10, ""), ("하" * 20, "뷁"), ("하" * 40, "뷁鷗"), ("하" * 10, "ㅋㅋ★")]
)
def test_korean_has_so_many_syllables_and_few_rare_ones(fewest: str, others: str) -> None:
    assert encoding_of((fewest + others).encode("cp949")) == "cp949"
    assert "not certainly Korean" in refusal((fewest[1:] + others).encode("cp949"))


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("1,하늘\n", "cp949"),
        ("1,张伟\n2,李娜\n3,王芳\n4,刘洋\n5,陈静\n6,杨勇\n", "gbk"),
        ("1,田中さくら\n2,佐藤ミキ\n3,鈴木\n4,高橋\n5,渡辺\n", "shift_jis"),
        ("1,田中さくら\n2,佐藤ミキ\n3,鈴木\n4,高橋\n5,渡辺\n", "euc-jp"),
        ("1,張偉\n2,李娜\n3,王芳\n4,劉洋\n5,陳靜\n", "big5"),
        ("1,Ärger\n2,Österreich\n3,Åsa\n" * 9, "cp1252"),
        ("1,José\n2,Müller\n", "latin-1"),
        ("1,Жанна\n2,Иван\n", "cp1251"),
    ],
)
def test_what_is_certain_in_no_encoding(text: str, encoding: str) -> None:
    told = refusal(text.encode(encoding))
    assert "not UTF-8 (line 1), and not certainly Korean (CP949)" in told
    assert told.endswith('Save it as "CSV UTF-8" (with a byte order mark) and send that.')


def archive(*names: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        for name in names:
            packed.writestr(name, "application/vnd.oasis.opendocument.spreadsheet")
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (archive("[Content_Types].xml", "xl/workbook.xml"), "an Excel workbook (.xlsx)"),
        (archive("mimetype", "content.xml"), "an OpenDocument spreadsheet (.ods)"),
        (archive("Index/Document.iwa"), "a ZIP archive"),
        (archive(), "a ZIP archive"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512), "an Excel workbook (.xls, or one with a password)"),
        (b"\x09\x08\x10\x00\x00\x06\x05\x00", "an Excel workbook (.xls, or one with a password)"),
        (gzip.compress(b"rank", mtime=0), "compressed (gzip)"),
        (b"BZh91AY", "compressed"),
        (b"%PDF-1.7", "a PDF"),
        (b"{\\rtf1", "a document (.rtf)"),
        (b"\r\n<html xmlns:x=", "a page of HTML or XML, whatever its name ends with"),
        (b"<?xml version='1.0'?>", "a page of HTML or XML, whatever its name ends with"),
    ],
)
def test_other_files_are_refused_by_their_names(content: bytes, name: str) -> None:
    assert refusal(content).startswith(f"The file is {name}, not CSV. Save it as")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (codecs.BOM_UTF8 + b"a,\xff\n", "begins as UTF-8 and does not go on so"),
        (codecs.BOM_UTF16_LE + b"a\0b", "begins as UTF-16 and does not go on so"),
        (codecs.BOM_UTF32_LE + b"a\0\0", "begins as UTF-32 and does not go on so"),
        ("a,b\n".encode("utf-16-be"), "UTF-16 without its mark"),
        ("하늘\n".encode() + b"a\n\xff\n", "not UTF-8 (line 3)"),
        (b"\na\xff\n", "not UTF-8 (line 2)"),
    ],
)
def test_what_is_broken(content: bytes, told: str) -> None:
    assert told in refusal(content)
