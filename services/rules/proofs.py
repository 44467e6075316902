"""Checking a draw by its proof alone: whoever played needs to trust nobody for it."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from services.rules.draws import WORDS, DaySeed, Message, commitment_of, key_of, leaf_of, read_message, roll
from services.rules.game import Game
from services.rules.merkle import is_included
from services.rules.registry import GAMES

OPERATIONS = {game.operation: game for game in GAMES.values()}


class ProofText(Struct, rename="camel"):
    """A proof as the API answers it, every hash in hexadecimal digits."""

    commitment: str
    shuffle: str
    message: str
    drawn_from: list[int]
    rolls: list[int]
    revision_hash: str
    seed: str | None = None
    root: str | None = None
    inclusion: list[str] | None = None
    leaf_index: int | None = None
    leaf_count: int | None = None


def check(proof: ProofText) -> list[str]:
    """All that is wrong with a proof, each with the name of what does not fit; empty where the draw had to be so."""
    try:
        message = read_message(proof.message)
        game = OPERATIONS[message.operation]
    except (ValueError, KeyError):
        return ["message: it is not that of a draw"]
    faults = (
        [] if message.revision_hash == proof.revision_hash else ["revisionHash: the message names another revision"]
    )
    faults += check_rolls(game, proof.drawn_from, proof.rolls)
    if faults:
        return faults
    if proof.seed is None:
        return ["seed: it is not revealed yet"]
    return _seed_faults(proof, message, game) + _root_faults(proof)


def check_rolls(game: Game[Any, Any], drawn_from: list[int], rolls: list[int]) -> list[str]:
    """Whether rolls are such as a table asks for; none is drawn below more than a word has values."""
    bounds = game.bounds(drawn_from)
    within = zip(rolls, bounds, strict=True)
    if len(rolls) != len(bounds) or not all(0 <= one < bound <= WORDS for one, bound in within):
        return ["rolls: they are out of the bounds of drawnFrom"]
    return []


def seed_of(commitment: str, seed: str, message: Message, shuffle: str) -> DaySeed | None:
    """What a date was drawn from, by a seed that it was committed to; none by another."""
    try:
        secret = bytes.fromhex(seed)
    except ValueError:
        return None
    if commitment_of(message.date, secret) != commitment:
        return None
    return DaySeed(message.date, commitment, key_of(message.date, secret, shuffle))


def _seed_faults(proof: ProofText, message: Message, game: Game[Any, Any]) -> list[str]:
    assert proof.seed is not None
    seed = seed_of(proof.commitment, proof.seed, message, proof.shuffle)
    if seed is None:
        return ["seed: the commitment is not to it, on the day of the message"]
    if roll(seed.stream(proof.message), game.bounds(proof.drawn_from)) != proof.rolls:
        return ["rolls: seed, shuffle and message draw others"]
    return []


def _root_faults(proof: ProofText) -> list[str]:
    try:
        root, path = bytes.fromhex(proof.root or ""), [bytes.fromhex(one) for one in proof.inclusion or ()]
    except ValueError:
        return ["inclusion: it is not hexadecimal"]
    leaf = leaf_of(proof.message, proof.rolls)
    if not is_included(leaf, proof.leaf_index or 0, proof.leaf_count or 0, path, root):
        return ["inclusion: it does not lead from this draw to the root"]
    return []
