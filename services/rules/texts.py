"""Texts: what any text that comes in may hold, whichever door it comes by.

The API's inputs, files and commands bring a text into Unicode's form NFC (`nfc`) before anybody looks at it, so that
one spelling is one player, and check it here. Lengths are in `models.base`; they count code points of the form NFC.

Which characters pass is written down as ranges instead of asked of the interpreter, whose tables know the characters of
one Unicode version only: an emoji of next year is as good here as it will be there. What no table knows yet passes.

NFC itself is the interpreter's, and safe: whatever its tables know, they bring into the form that every later table
will (https://www.unicode.org/policies/stability_policy.html#Normalization). Characters that are newer than the tables
stay as they were sent. Of those only the few that compose or are reordered, the vowel signs of scripts added since, can
come out otherwise on a newer interpreter; two spellings of such a word are two texts until then. For the same reason no
constraint of the database asks for NFC: its tables are of yet another version.
"""

from __future__ import annotations

import re
import unicodedata

from models import COUPON_CODE_LENGTH, EXTERNAL_ID_LENGTH, KEY_LENGTH
from services.request_errors import BadRequest

SPACES = " \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
"""Unicode's spaces (White_Space) but the controls and separators among them, which no text may hold."""

_BEYOND = "".join(f"{chr(plane << 16 | 0xFFFE)}{chr(plane << 16 | 0xFFFF)}" for plane in range(15))
UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # controls
    "\u2028\u2029"  # line and paragraph separators
    "\ud800-\udfff"  # halves of characters
    f"\ue000-\uf8ff\U000f0000-\U0010ffff\ufdd0-\ufdef{_BEYOND}"  # private use, and what never is a character
    "\u00ad\u200b\u2060-\u2064\ufeff"  # invisible, and of use where lines are broken or files begin
    "\u206a-\u206f\ufff9-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0001]"  # marks of other formats
)
VISIBLE = re.compile(
    f"[^{SPACES}"
    "\u034f\u061c\u200c-\u200f\u202a-\u202e\u2065-\u2069\ufff0-\ufff8"  # joiners, marks of direction
    "\u115f\u1160\u3164\uffa0\u17b4\u17b5\u2800"  # Hangul fillers, Khmer vowels that are not shown, blank Braille
    "\u180b-\u180f\ufe00-\ufe0f\U000e0000-\U000e0fff]"  # variation selectors, tags
)
DIRECTIONS = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""Overrides, embeddings and isolates (https://www.unicode.org/reports/tr9/): each turns what follows until its end."""

ENDS = {"\u202c": "\u202a\u202b\u202d\u202e", "\u2069": "\u2066\u2067\u2068"}
"""What ends them, and what each of these ends."""

TAGGED_EMOJI = re.compile(
    "[\u2190-\u2bff\U0001f000-\U0001fffd][\ufe0f\U0001f3fb-\U0001f3ff]?[\U000e0020-\U000e007e]+\U000e007f"
)
"""An emoji with its tags, as the flag of Scotland (https://www.unicode.org/reports/tr51/#def_emoji_tag_sequence)."""

PLAIN = re.compile("[!-~가-힣]+(?: [!-~가-힣]+)*")
"""Most texts: they need no closer look, which matters to a ranking of 100,000 rows."""

TAGS = re.compile("[\U000e0020-\U000e007f]")


def nfc(text: str) -> str:
    """The text in the form NFC: composed and decomposed spellings become one."""
    return unicodedata.normalize("NFC", text)


def rule(high: int) -> str:
    """What a text of up to `high` characters must be, in words."""
    return f"1 to {high} printable characters, with no space at either end"


def broken_rule(text: str, high: int) -> str | None:
    """`rule` and how a text in NFC breaks it; None where it does not."""
    if len(text) <= high and PLAIN.fullmatch(text):
        return None
    found = _fault(text, high)
    return f"{rule(high)}: {found}" if found else None


def external_id(text: str) -> str:
    """A player's external id, in NFC. Raises: BadRequest unless it is a text of 1 to 128 characters."""
    return _checked(text, EXTERNAL_ID_LENGTH, "externalId")


def coupon_code(text: str) -> str:
    """A coupon's code, in NFC. Raises: BadRequest unless it is a text of 1 to 128 characters."""
    return _checked(text, COUPON_CODE_LENGTH, "couponCode")


def _checked(text: str, high: int, name: str) -> str:
    normal = nfc(text)
    if broken := broken_rule(normal, high):
        raise BadRequest(f"{name} must be {broken}.")
    return normal


def idempotency_key(key: str) -> str:
    """A key, exactly as it was sent. Raises: BadRequest unless it is 1 to 128 printable ASCII characters."""
    if not 1 <= len(key) <= KEY_LENGTH or not key.isascii() or UNPRINTABLE.search(key):
        raise BadRequest(f"idempotencyKey must be 1 to {KEY_LENGTH} printable ASCII characters.")
    return key


def _fault(text: str, high: int) -> str | None:
    if not text:
        return "it is empty"
    if len(text) > high:
        return f"it has {len(text)}"
    if stray := UNPRINTABLE.search(text) or _lone_tag(text):
        return f"U+{ord(stray[0]):04X} is none"
    if not VISIBLE.search(text):
        return "nothing in it can be seen"
    if text != text.strip(SPACES):
        return "it begins or ends with one"
    return _lone_direction(text) if DIRECTIONS.search(text) else None


def _lone_tag(text: str) -> re.Match[str] | None:
    """A tag that belongs to no emoji."""
    return TAGS.search(text) and TAGS.search(TAGGED_EMOJI.sub("", text))


def _lone_direction(text: str) -> str | None:
    """A sign that turns the direction of text and is not ended, or ends what was not begun."""
    begun: list[str] = []
    for sign in DIRECTIONS.findall(text):
        if sign not in ENDS:
            begun.append(sign)
        elif not begun or begun.pop() not in ENDS[sign]:
            return f"U+{ord(sign):04X} ends nothing"
    return f"U+{ord(begun[-1]):04X} has no end" if begun else None
