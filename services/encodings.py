"""In which encoding a file of text is, where that is certain: UTF-8, UTF-16 with its mark, or CP949, as Korean Excel.

The same bytes can be text in two encodings, and then nobody knows which names they are: `ġ` in UTF-8 is `치` in CP949,
and so it is with 345 syllables; many others are Chinese in GBK. What cannot be told apart is refused.

UTF-8 is taken as such, unless all of the file reads as CP949, too, and not as words (`_reads_as_words`). Hangul and
whatever else takes three bytes a letter, Greek and Cyrillic but for a few letters, are no CP949. What is left is Latin
with accents: they stand among plain letters (`José`), as the letters that Hangul would become do not (`ġŲ` for `치킨`,
`ütv` for `청tv`).

What is no UTF-8 is taken as CP949 where it holds some syllables of KS X 1001 and next to nothing else: text in GBK,
Shift_JIS or Windows-1252 that decodes at all comes out as a mixture with Hanja and syllables that nobody writes.
"""

from __future__ import annotations

import codecs
import re
from collections import Counter

SAVE_AS = 'Save it as "CSV UTF-8" (with a byte order mark) and send that.'

MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
FORMATS = (
    (rb"PK\x03\x04.{26}mimetypeapplication/vnd\.oasis", "an OpenDocument spreadsheet (.ods)"),
    (rb"PK\x03\x04.*(xl/|\[Content_Types\]\.xml)", "an Excel workbook (.xlsx)"),
    (rb"PK[\x03\x05]", "a ZIP archive"),
    (rb"\xd0\xcf\x11\xe0|\x09[\x00\x02\x04\x08][\x00-\x20]\x00", "an Excel workbook (.xls, or one with a password)"),
    (rb"\x1f\x8b", "compressed (gzip)"),
    (rb"BZh[1-9]|7z\xbc\xaf|Rar!|\xfd7zXZ|\x28\xb5\x2f\xfd", "compressed"),
    (rb"%PDF", "a PDF"),
    (rb"\{\\rtf", "a document (.rtf)"),
    (rb"\s*<(?i:!doctype|html|head|meta|table|\?xml)", "a page of HTML or XML, whatever its name ends with"),
)
LOOKED_INTO = 4096

KOREAN = re.compile(
    rb"([\xb0-\xc8][\xa1-\xfe])"  # the 2,350 syllables of KS X 1001
    rb"|([\xa1-\xa3][\xa1-\xfe]|\xa4[\xa1-\xd3])"  # its signs and letters: they tell nothing
    rb"|([\x81-\xfe][\x41-\xfe])"  # rare syllables, Hanja and all else: few of them in Korean
)
FEWEST_SYLLABLES = 10
"""Of text in GBK half the characters look like syllables: of 10 all do once in 400 files."""

OTHERS_AT_MOST = 20
"""One in so many."""

WORD = re.compile("[A-Za-z\u00a1-\U0010ffff]+")
"""Letters; no controls, which no text may hold, nor the space that does not break: `혻` in CP949, of no Korean word."""

LATIN = re.compile("[A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u017f\u01a0\u01a1\u01af\u01b0\u0218-\u021b\u0300-\u036f]+")
ODD_AT_MOST = 10
"""One for so many others."""


class UnreadableError(Exception):
    """The file is not read; the message says why, and what to do."""


def encoding_of(content: bytes) -> str:
    """The name of the codec that decodes `content`. Raises: UnreadableError, also where that is not certain."""
    for mark, encoding in MARKS:
        if content.startswith(mark):
            return _checked(content, encoding)
    for beginning, name in FORMATS:
        if re.match(beginning, content[:LOOKED_INTO], re.DOTALL):
            raise UnreadableError(f"The file is {name}, not CSV. {SAVE_AS}")
    if b"\0" in content:
        raise UnreadableError(f"The file is UTF-16 without its mark, or no text at all. {SAVE_AS}")
    try:
        text = content.decode()
    except UnicodeDecodeError as bad:
        if _is_korean(content):
            return "cp949"
        line = content.count(b"\n", 0, bad.start) + 1
        message = f"The file is not UTF-8 (line {line}), and not certainly Korean (CP949). {SAVE_AS}"
        raise UnreadableError(message) from None
    if _decodes(content, "cp949") and not _reads_as_words(text):
        raise UnreadableError(f"The file reads as UTF-8 and as Korean (CP949), with other letters. {SAVE_AS}")
    return "utf-8"


def _checked(content: bytes, encoding: str) -> str:
    if not _decodes(content, encoding):
        raise UnreadableError(f"The file begins as {encoding[:6].upper().rstrip('-')} and does not go on so. {SAVE_AS}")
    return encoding


def _decodes(content: bytes, encoding: str) -> bool:
    try:
        content.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _is_korean(content: bytes) -> bool:
    """Whether bytes that are no UTF-8 are certainly CP949."""
    if not _decodes(content, "cp949"):
        return False
    kinds = Counter(found.lastindex for found in KOREAN.finditer(content))
    return kinds[1] >= max(FEWEST_SYLLABLES, OTHERS_AT_MOST * kinds[3])


def _reads_as_words(text: str) -> bool:
    """Whether the letters beyond ASCII stand in words as people write them, all but a few."""
    kinds = Counter(_kind(found[0]) for found in WORD.finditer(text) if not found[0].isascii())
    return not kinds or kinds["word"] >= max(1, kinds["odd"] * ODD_AT_MOST)


def _kind(word: str) -> str:
    """Whether it is a "word" of another script, or of Latin letters few of which have an accent; "odd", or "short"."""
    accented = [letter for letter in word if not letter.isascii()]
    if min(accented) >= "\u0370":
        return "word"
    plain = len(word) - len(accented)
    cased = word in {word.lower(), word.upper(), word[0].upper() + word[1:].lower()}
    if not LATIN.fullmatch(word) or not cased or plain < max(2, len(accented)):
        return "odd"
    return "word" if plain > 2 and plain >= 2 * len(accented) else "short"
