"""Global object identification (https://graphql.org/learn/global-object-identification/): ids that are for ever.

An id is the number of its kind and what tells one of that kind from another, packed and in base64url. It needs no
secret and no table, so it is the same on every server and after every restart; clients are told that it is opaque.
Numbers of kinds are never used again.
"""

from __future__ import annotations

import datetime as dt
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from enum import IntEnum
from functools import lru_cache
from typing import Any
from uuid import UUID

import strawberry

from models import FeatureType
from schema.described import described
from services.paging import LAST_ROW

Part = UUID | int | dt.date | FeatureType

FEATURE_NUMBERS = {
    FeatureType.ROULETTE: 1,
    FeatureType.DICE: 2,
    FeatureType.LOTTERY: 3,
    FeatureType.RANKING: 4,
    FeatureType.SEASON_PASS: 5,
}
FEATURES = {number: feature for feature, number in FEATURE_NUMBERS.items()}


class Kind(IntEnum):
    """What an id is of, and the types of what tells one from another. What causes a reward is called as its cause."""

    parts: tuple[type, ...]

    def __new__(cls, number: int, *parts: type) -> Kind:
        """Make a kind of this number."""
        kind = int.__new__(cls, number)
        kind._value_ = number
        kind.parts = parts
        return kind

    PLAYER = 1, UUID
    DICE_PLAY = 2, UUID, UUID
    ROULETTE_SPIN = 3, UUID, UUID
    LOTTERY_DRAW = 4, UUID, UUID
    SEASON_LEVEL = 5, UUID, UUID
    ADMIN_GRANT = 6, UUID, UUID
    REWARD_ENTRY = 7, UUID, int
    USER_EVENT = 8, UUID, UUID
    DICE_CONFIG = 9, int
    ROULETTE_CONFIG = 10, int
    LOTTERY_CONFIG = 11, int
    ROULETTE_SEGMENT = 12, int
    LOTTERY_PRIZE = 13, int
    LOTTERY_STOCK = 14, int
    DICE_STATUS = 15, UUID, dt.date
    ROULETTE_STATUS = 16, UUID, dt.date
    LOTTERY_STATUS = 17, UUID, dt.date
    SEASON = 18, int
    SEASON_PASS_STATUS = 19, UUID, int
    RANKING_SNAPSHOT = 20, dt.date, int
    SCHEDULED_DAY = 21, dt.date
    FEATURE_CONFIG = 22, FeatureType
    AUDIT_ENTRY = 23, int
    ODDS_SHEET = 24, FeatureType, int


@described
@strawberry.interface
class Node:
    """Something that has an id: unique over all types, opaque, and the same for ever. `node(id)` finds it again."""

    id: strawberry.ID = strawberry.field(description="The id.")


@lru_cache(maxsize=16_384)
def node_id(kind: Kind, *parts: Part) -> strawberry.ID:
    """The id of one of `kind`."""
    packed = bytes([kind]) + b"".join(map(_pack, parts))
    return strawberry.ID(urlsafe_b64encode(packed).rstrip(b"=").decode())


def parts_of(text: str, kind: Kind) -> Sequence[Any] | None:
    """What an id of `kind` was made of; none where it is no id of that kind."""
    found = read_id(text)
    return found[1] if found is not None and found[0] is kind else None


def read_id(text: str) -> tuple[Kind, Sequence[Any]] | None:
    """The kind and the parts of an id; none where it is none of ours."""
    try:
        packed = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        kind = Kind(packed[0])
        parts, rest = [], packed[1:]
        for type_ in kind.parts:
            part, rest = _unpack(type_, rest)
            parts.append(part)
    except (ValueError, IndexError, KeyError, OverflowError):
        return None
    # Base64 is read generously: what is not written as it would be here was written by somebody else.
    return (kind, parts) if not rest and node_id(kind, *parts) == text else None


def _pack(part: Part) -> bytes:
    match part:
        case UUID():
            return part.bytes
        case FeatureType():
            return bytes([FEATURE_NUMBERS[part]])
        case dt.date():
            return part.toordinal().to_bytes(3)
        case _:
            return part.to_bytes(8)


def _unpack(type_: type, packed: bytes) -> tuple[Part, bytes]:
    """The first part of `packed`, of `type_`, and the rest. Raises: ValueError, IndexError, KeyError, OverflowError."""
    if type_ is UUID:
        return UUID(bytes=packed[:16]), packed[16:]
    if type_ is FeatureType:
        return FEATURES[packed[0]], packed[1:]
    if type_ is dt.date:
        return dt.date.fromordinal(int.from_bytes(packed[:3])), packed[3:]
    number = int.from_bytes(packed[:8])
    if number >= LAST_ROW:  # one more must still be a number of PostgreSQL
        raise ValueError("no row has this number")
    return number, packed[8:]


NOTHING = 0
"""No row has this number."""


def number_of(text: str, kind: Kind) -> int:
    """The number of a row out of the API's id of `kind`; another id is that of no row."""
    parts = parts_of(text, kind)
    return parts[0] if parts else NOTHING


NOBODY = UUID(int=0)
"""No player has this id."""


def player_of(text: str) -> UUID:
    """A player's key out of the API's id; another id is nobody's, like every other that does not exist."""
    parts = parts_of(text, Kind.PLAYER)
    return parts[0] if parts else NOBODY
