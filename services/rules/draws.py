"""Draws that can be checked: what a seed is committed to by, and every integer that is drawn from it.

Each business date has one seed, 32 random bytes. Its commitment is public before the first draw, the seed itself after
the last. What draws is a key made of the seed and of the root of what was drawn two days before (the *shuffle*), so
that nobody could have chosen a seed for its outcomes. A draw takes its integers from a stream that is a function of
this key, the date, the game, the revision, the player and the number of the play: nothing in it is free to choose, and
whatever decides a play again draws the same.

`docs/draws.json` has vectors for whoever writes this a second time; `docs/verify.md` explains it.
"""

from __future__ import annotations

import datetime as dt
import hmac
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from struct import Struct as Layout
from typing import NamedTuple, Protocol
from uuid import UUID

from msgspec import Struct

from services.rules.merkle import leaf_hash, root_of

SEED_BYTES = 32
WORDS = 2**64
"""How many values a word of a stream has."""

NO_DRAWS = ""
"""The root of a day on which nothing was drawn."""

_WORDS_OF_A_BLOCK = Layout(">4Q").unpack


class Source(Protocol):
    """Where a game draws integers from."""

    def below(self, bound: int) -> int:
        """The next integer of [0, bound)."""


class Stream:
    r"""The integers of one draw: a `Source`. The words of block i are HMAC-SHA256(key, message + "\n" + i)."""

    def __init__(self, key: bytes, message: str) -> None:
        self._words = _words(key, message)

    def below(self, bound: int) -> int:
        """The next integer of [0, bound): the next word modulo `bound`, of those that favour none."""
        limit = WORDS // bound * bound
        return next(word for word in self._words if word < limit) % bound


def _words(key: bytes, message: str) -> Iterator[int]:
    number = 0
    while True:
        yield from _WORDS_OF_A_BLOCK(block_of(key, message, number))
        number += 1


def block_of(key: bytes, message: str, number: int) -> bytes:
    """A block of a stream: four words of 64 bits, most significant byte first."""
    return hmac.digest(key, f"{message}\n{number}".encode(), "sha256")


class DaySeed(Struct, frozen=True):
    """What a business date's draws come from. `key` tells outcomes ahead: it is never shown, logged or stored."""

    date: dt.date
    commitment: str
    key: bytes

    def stream(self, message: str) -> Source:
        """What the draw with this message takes its integers from."""
        return Stream(self.key, message)

    def __repr__(self) -> str:
        return f"DaySeed({self.date}, {self.commitment})"


def commitment_of(date: dt.date, seed: bytes) -> str:
    r"""What a date's seed is committed to by: SHA-256("haru seed 1\n" + date + "\n" + seed), in hexadecimal digits."""
    return sha256(f"haru seed 1\n{date}\n".encode() + seed).hexdigest()


def key_of(date: dt.date, seed: bytes, shuffle: str) -> bytes:
    """The key that a date's draws are made with; `shuffle` is the root of two days before."""
    return hmac.digest(seed, f"haru day 1\n{date}\n{shuffle}".encode(), "sha256")


def shuffled_by(date: dt.date) -> dt.date:
    """The date whose draws shuffle those of `date`: two days before, so that its root has a day to be made."""
    return date - dt.timedelta(days=2)


class Message(NamedTuple):
    """What a draw's message says."""

    date: dt.date
    operation: str
    revision_hash: str
    player_id: UUID
    play_no: int


def read_message(text: str) -> Message:
    """What a message says. Raises: ValueError where it is none, or not written as one is."""
    _, date, operation, revision_hash, player_id, play_no = text.split("\n")
    message = Message(dt.date.fromisoformat(date), operation, revision_hash, UUID(player_id), int(play_no))
    if message.play_no < 1 or message_of(*message) != text:
        raise ValueError(text)
    return message


def message_of(date: dt.date, operation: str, revision_hash: str, player_id: UUID, play_no: int) -> str:
    """What tells a draw from every other: six lines.

    `operation`: the root field that was called; `play_no`: which play of the player, in that game, on that date.
    """
    return f"haru draw 1\n{date}\n{operation}\n{revision_hash}\n{player_id}\n{play_no}"


def leaf_of(message: str, rolls: Sequence[int]) -> bytes:
    r"""The leaf of a draw in its day's tree: SHA-256(0x00 + message + "\n" + rolls, by commas)."""
    return leaf_hash(f"{message}\n{','.join(map(str, rolls))}".encode())


def day_root(leaves: Iterable[bytes]) -> str:
    """The root of a day's draws, by their leaves in ascending order; NO_DRAWS of none."""
    ordered = list(leaves)
    return root_of(ordered).hex() if ordered else NO_DRAWS


def roll(source: Source, bounds: Iterable[int]) -> list[int]:
    """Draw an integer below each of the bounds, in their order."""
    return [source.below(bound) for bound in bounds]
