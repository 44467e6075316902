"""What proves draws: commitments to each date's seed, and the proof of a play."""

from __future__ import annotations

import datetime as dt

import strawberry

from schema.described import described
from services import proofs

HEX = "64 hexadecimal digits"


@described
@strawberry.type
class DrawProof:
    """What shows that a play was drawn as it had to be: by docs/verify.md anybody can draw it again.

    It has no id of its own: it belongs to its play. Until its day is closed, five minutes after its end, the seed is
    secret, and all of it but `seed`, `root`, `inclusion`, `leafIndex` and `leafCount` is there.
    """

    commitment: str = strawberry.field(description=f"What the day's seed was committed to by before it: {HEX}.")
    committed_at: dt.datetime = strawberry.field(
        description="When: ahead of the day, but for the first day of an installation."
    )
    shuffle: str = strawberry.field(
        description=f"The root of all draws of two days before, which the seed was mixed with: {HEX}, or empty where "
        "there were none."
    )
    seed: str | None = strawberry.field(description=f"The day's seed: {HEX}; null until it is revealed.")
    message: str = strawberry.field(
        description="What tells this draw from every other: six lines, with the day, the game, the revision, the "
        "player and which play of the day it was."
    )
    drawn_from: list[int] = strawberry.field(
        description="The table that was drawn from, as it stood: weights by position, 0 for what could not be drawn; "
        "of dice, how many sides each has."
    )
    rolls: list[int] = strawberry.field(
        description="The integers that were drawn: one below the sum of the weights, or one for each die, shown plus 1."
    )
    revision_hash: str = strawberry.field(description=f"The revision that was played, by its `hash`: {HEX}.")
    root: str | None = strawberry.field(
        description=f"The root of all draws of the day: {HEX}; null until it is made, with the reveal."
    )
    inclusion: list[str] | None = strawberry.field(
        description="The hashes beside the way from this draw to the root, from the bottom (RFC 6962); null until then."
    )
    leaf_index: int | None = strawberry.field(
        description="Which leaf under the root this draw is, from 0; null until then."
    )
    leaf_count: int | None = strawberry.field(description="How many draws the day had; null until then.")

    @classmethod
    def of(cls, proof: proofs.Proof) -> DrawProof:
        """Convert."""
        place = proof.inclusion
        return cls(
            commitment=proof.commitment,
            committed_at=proof.committed_at,
            shuffle=proof.shuffle,
            seed=proof.seed.hex() if proof.seed else None,
            message=proof.message,
            drawn_from=list(proof.drawn_from),
            rolls=list(proof.rolls),
            revision_hash=proof.revision_hash,
            root=place.root if place else None,
            inclusion=list(place.path) if place else None,
            leaf_index=place.leaf_index if place else None,
            leaf_count=place.leaf_count if place else None,
        )


@described
@strawberry.type
class DrawCommitment:
    """What a day's seed is committed to by, and what was told of it since. It has no id: the date tells it apart."""

    date: dt.date = strawberry.field(description="The business date.")
    commitment: str = strawberry.field(description=f"The hash of the day's seed: {HEX}.")
    committed_at: dt.datetime = strawberry.field(
        description="When it was committed to: a week ahead; later on the first days of an installation."
    )
    shuffle: str | None = strawberry.field(
        description=f"The root of all draws of two days before, which the seed is mixed with: {HEX}, empty where there "
        "were none; null until it is made."
    )
    seed: str | None = strawberry.field(description=f"The seed: {HEX}; null until it is revealed.")
    revealed_at: dt.datetime | None = strawberry.field(
        description="When the seed was revealed: five minutes after the day's end, or later; null until then."
    )
    root: str | None = strawberry.field(
        description=f"The root of all draws of the day: {HEX}, empty where there were none; null until it is made."
    )

    @classmethod
    def of(cls, one: proofs.Commitment) -> DrawCommitment:
        """Convert."""
        return cls(
            date=one.date,
            commitment=one.commitment,
            committed_at=one.committed_at,
            shuffle=one.shuffle,
            seed=one.seed.hex() if one.seed else None,
            revealed_at=one.revealed_at,
            root=one.root,
        )
