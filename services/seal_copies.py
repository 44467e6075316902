"""Copies of seals, kept where the database's owner cannot reach: a seal a line of JSON, to be appended and compared."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncGenerator, Iterable, Iterator
from contextlib import aclosing

import msgspec
from msgspec import Struct

from models import LEDGER_START
from services.database import Database
from services.ledger import instant
from services.seals import Seal, hash_of, seals


class SealCopy(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A seal as it is kept elsewhere: hashes in hex, the time in UTC to the microsecond; `previous`: hash before."""

    number: int
    sealed_at: str
    leaves: int
    root: str
    lines: int
    coupons: int
    points: int
    tokens: int
    previous: str
    hash: str

    @property
    def seal(self) -> Seal:
        """The seal that this is the copy of. Raises: ValueError where it cannot be one."""
        at = dt.datetime.fromisoformat(self.sealed_at)
        root, hash_ = bytes.fromhex(self.root), bytes.fromhex(self.hash)
        sums = self.lines, self.coupons, self.points, self.tokens
        return Seal(self.number, at, at, self.leaves, root, *sums, hash=hash_)


class CopyError(ValueError):
    """What is no copy of seals, or of others: the message names the line and what is wrong with it."""


_decode = msgspec.json.Decoder(SealCopy).decode


def copy_of(seal: Seal, previous: bytes) -> str:
    """A seal as a line of JSON, after one whose hash is `previous`."""
    made = SealCopy(
        seal.number,
        instant(seal.sealed_at),
        seal.leaves,
        seal.root.hex(),
        seal.lines,
        seal.coupons,
        seal.points,
        seal.tokens,
        previous.hex(),
        seal.hash.hex(),
    )
    return msgspec.json.encode(made).decode()


def read_copies(lines: Iterable[str]) -> Iterator[Seal]:
    """The seals of a copy, from the first, each checked: by its number, its hash, and the seal before.

    `settled_at` is in no copy; it is given as `sealed_at`.

    Raises: CopyError.
    """
    previous = LEDGER_START
    for number, line in enumerate(lines, start=1):
        try:
            copy = _decode(line)
            seal = copy.seal
        except (ValueError, msgspec.MsgspecError) as broken:
            raise CopyError(f"line {number} is no seal: {broken}") from None
        if seal.number != number or copy.previous != previous.hex() or seal.hash != hash_of(seal, previous):
            raise CopyError(f"line {number} is not the seal that follows the line before")
        previous = seal.hash
        yield seal


async def lacking(database: Database, last: Seal) -> AsyncGenerator[str, None]:
    """The lines that a copy lacks whose last seal is `last`, or NOTHING.

    Raises: CopyError where the database's seal of that number is another one, or gone; Unavailable.
    """
    previous, is_known = last.hash, last.number == 0
    async with aclosing(seals(database, since=max(last.number, 1))) as stored:
        async for seal in stored:
            if is_known:
                yield copy_of(seal, previous)
                previous = seal.hash
            elif (seal.number, seal.hash) == (last.number, last.hash):
                is_known = True
            else:
                break
    if not is_known:
        raise CopyError(f"the database's seal {last.number} is not the copy's")
