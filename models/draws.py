"""What makes draws checkable: each date's seed, its commitment, and what was drawn on it as a tree of hashes."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import CheckConstraint, ForeignKey, PrimaryKeyConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, text_length

KEY_ID_LENGTH = 64
"""The longest name of a key that seals seeds."""

LEAVES_OF_A_CHUNK = 1024
"""How many leaves of a day's tree one row holds: a power of two, so that a chunk is a subtree."""

_HASHED = "'haru seed 1' || chr(10) || to_char(date, 'YYYY-MM-DD') || chr(10)"


class DrawSeed(Base):
    """What a business date's draws come from: committed to before the first, revealed after the last.

    A row never changes but for its reveal, once (a trigger refuses all else). That takes the row's lock, and every
    store of a draw shares it: so none is stored after the reveal, and what is told with it has all of them.
    """

    __tablename__ = "draw_seed"
    __table_args__ = (
        CheckConstraint("commitment ~ '^[0-9a-f]{64}$'", name="commitment"),
        CheckConstraint(
            f"commitment = encode(sha256(convert_to({_HASHED}, 'UTF8') || seed), 'hex')", name="seed_committed_to"
        ),
        CheckConstraint("octet_length(seed) = 32", name="seed"),
        CheckConstraint("(seed IS NULL) = (revealed_at IS NULL)", name="revealed_whole"),
        # No zone is further ahead than 14 hours; which one the event's is, the database does not know.
        CheckConstraint("revealed_at >= (date + time '10:05') AT TIME ZONE 'UTC'", name="revealed_after_the_day"),
        UniqueConstraint("commitment"),
    )

    date: Mapped[dt.date] = mapped_column(primary_key=True)
    commitment: Mapped[str]
    committed_at: Mapped[dt.datetime]
    seed: Mapped[bytes | None]
    revealed_at: Mapped[dt.datetime | None]


class SealedSeed(Base):
    """A seed until it is revealed: AES-256-GCM under the key `kid`, with the date and the commitment beside it."""

    __tablename__ = "draw_seed_sealed"
    __table_args__ = (
        text_length("kid", KEY_ID_LENGTH),
        CheckConstraint("octet_length(nonce) = 12", name="nonce"),
        CheckConstraint("octet_length(sealed) = 48", name="sealed"),
    )

    date: Mapped[dt.date] = mapped_column(ForeignKey("draw_seed.date"), primary_key=True)
    kid: Mapped[str]
    nonce: Mapped[bytes]
    sealed: Mapped[bytes]


class DrawRoot(Base):
    """The root of all draws of a date, in hexadecimal digits; empty where there were none."""

    __tablename__ = "draw_root"
    __table_args__ = (
        CheckConstraint("root ~ '^([0-9a-f]{64})?$'", name="root"),
        CheckConstraint("draws >= 0 AND (draws = 0) = (root = '')", name="draws"),
    )

    date: Mapped[dt.date] = mapped_column(primary_key=True)
    root: Mapped[str]
    draws: Mapped[int]
    made_at: Mapped[dt.datetime]


class DrawLeaves(Base):
    """A chunk of a date's tree: leaves in ascending order, 32 bytes each, the least of them, and their root.

    `chunk` counts from 0; all but the last hold LEAVES_OF_A_CHUNK.
    """

    __tablename__ = "draw_leaves"
    __table_args__ = (
        PrimaryKeyConstraint("date", "chunk"),
        UniqueConstraint("date", "least"),
        CheckConstraint("chunk >= 0", name="chunk"),
        CheckConstraint(
            f"octet_length(leaves) BETWEEN 32 AND {LEAVES_OF_A_CHUNK * 32} AND mod(octet_length(leaves), 32) = 0",
            name="leaves",
        ),
        CheckConstraint("least = substr(leaves, 1, 32)", name="least"),
        CheckConstraint("octet_length(root) = 32", name="root"),
    )

    date: Mapped[dt.date] = mapped_column(ForeignKey("draw_root.date"))
    chunk: Mapped[int]
    least: Mapped[bytes]
    leaves: Mapped[bytes]
    root: Mapped[bytes]
