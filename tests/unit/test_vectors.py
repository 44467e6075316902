"""The vectors in docs/draws.json: they are up to date, and haru agrees with each."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import msgspec
import pytest

from services.rules.draws import Stream, commitment_of, day_root, key_of, leaf_of
from services.rules.proofs import OPERATIONS, ProofText, check
from tests.docs.vectors import VECTORS, page

TOLD: dict[str, Any] = json.loads(VECTORS.read_text(encoding="utf-8"))


def test_they_are_as_they_are_made() -> None:
    assert VECTORS.read_text(encoding="utf-8") == page(), "make docs"


def test_commitments_keys_and_streams() -> None:
    told = TOLD["commitment"]
    date, seed = dt.date.fromisoformat(told["date"]), bytes.fromhex(told["seed"])
    assert commitment_of(date, seed) == told["commitment"]
    for one in TOLD["keys"]:
        assert key_of(date, seed, one["shuffle"]).hex() == one["key"]
    stream = TOLD["stream"]
    for bound, integers in (
        (2**64, stream["words"]),
        (int(stream["skipping"]["bound"]), stream["skipping"]["integers"]),
    ):
        source = Stream(bytes.fromhex(stream["key"]), stream["message"])
        assert [str(source.below(bound)) for _ in integers] == integers


def test_every_proof_holds() -> None:
    leaves = []
    for told in TOLD["proofs"]:
        assert check(msgspec.convert(told, ProofText)) == []
        game = OPERATIONS[told["message"].split("\n")[2]]
        assert game.outcome(told["drawnFrom"], told["rolls"]) == told["outcome"]
        leaves.append(leaf_of(told["message"], told["rolls"]))
    assert day_root(sorted(leaves)) == TOLD["proofs"][0]["root"]


@pytest.mark.parametrize("wrong", TOLD["wrong"], ids=lambda wrong: str(wrong["change"]))
def test_every_change_is_named(wrong: dict[str, Any]) -> None:
    faults = check(msgspec.convert(wrong["proof"], ProofText))
    assert wrong["fault"] in {fault.partition(":")[0] for fault in faults}


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"message": "haru draw 1"}, "message: it is not that of a draw"),
        ({"message": TOLD["proofs"][0]["message"].replace("playDice", "stamp")}, "message: it is not that of a draw"),
        ({"message": TOLD["proofs"][0]["message"][:-1] + "0"}, "message: it is not that of a draw"),
        ({"message": TOLD["proofs"][0]["message"].replace("-03-", "-3-")}, "message: it is not that of a draw"),
        ({"seed": "no digits"}, "seed: the commitment is not to it, on the day of the message"),
        ({"root": "no digits"}, "inclusion: it is not hexadecimal"),
        ({"inclusion": ["no digits"]}, "inclusion: it is not hexadecimal"),
        ({"rolls": [6, 0, 0, 0]}, "rolls: they are out of the bounds of drawnFrom"),
    ],
)
def test_what_is_no_proof_is_told(change: dict[str, Any], fault: str) -> None:
    assert fault in check(msgspec.convert(TOLD["proofs"][0] | change, ProofText))
