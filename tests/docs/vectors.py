"""docs/draws.json: vectors for whoever writes the draws, or their verification, another time. `make docs` writes it.

They are made from the definition with hashlib and hmac alone, not by haru: tests hold both against each other.
"""

from __future__ import annotations

import copy
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

from server.settings import PROJECT

VECTORS = PROJECT / "docs" / "draws.json"

DATE = "2026-03-02"
SEED = bytes(range(32))
SHUFFLE = "5c" * 32
ALICE, BOB = "00000000-0000-4000-8000-00000000000a", "00000000-0000-4000-8000-00000000000b"
REVISIONS = {
    "playDice": "1d" * 32,
    "spinRoulette": "2d" * 32,
    "drawLottery": "3d" * 32,
}
TABLES = {"playDice": [6, 6, 6, 6], "spinRoulette": [40, 25, 15, 12, 6, 2], "drawLottery": [1, 0, 30, 60]}

Proof = dict[str, Any]


def digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def commitment(seed: bytes) -> str:
    return digest(f"haru seed 1\n{DATE}\n".encode() + seed).hex()


def key(seed: bytes, shuffle: str) -> bytes:
    return hmac.new(seed, f"haru day 1\n{DATE}\n{shuffle}".encode(), hashlib.sha256).digest()


def message(operation: str, player: str, play: int) -> str:
    return "\n".join(["haru draw 1", DATE, operation, REVISIONS[operation], player, str(play)])


def words(secret: bytes, text: str, count: int) -> list[int]:
    blocks = (hmac.new(secret, f"{text}\n{n}".encode(), hashlib.sha256).digest() for n in range(count // 4 + 1))
    return [int.from_bytes(block[at : at + 8], "big") for block in blocks for at in range(0, 32, 8)][:count]


def below(some: list[int], bound: int) -> int:
    """The next integer below a bound: words that would favour one are skipped."""
    while True:
        word = some.pop(0)
        if word < 2**64 // bound * bound:
            return word % bound


def rolls(secret: bytes, operation: str, text: str) -> list[int]:
    table = TABLES[operation]
    bounds = table if operation == "playDice" else [sum(table)]
    some = words(secret, text, 64)
    return [below(some, bound) for bound in bounds]


def leaf(text: str, rolled: list[int]) -> bytes:
    return digest(b"\0" + f"{text}\n{','.join(map(str, rolled))}".encode())


def outcome(operation: str, rolled: list[int]) -> dict[str, Any]:
    if operation == "playDice":
        return {"dice": [one + 1 for one in rolled]}
    place, left = 0, rolled[0]
    while left >= TABLES[operation][place]:
        left -= TABLES[operation][place]
        place += 1
    return {"slot" if operation == "spinRoulette" else "position": place}


def root(leaves: list[bytes]) -> bytes:
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return digest(b"\1" + root(leaves[:split]) + root(leaves[split:]))


def path(leaves: list[bytes], index: int) -> list[bytes]:
    if len(leaves) == 1:
        return []
    split = 1 << (len(leaves) - 1).bit_length() - 1
    if index < split:
        return [*path(leaves[:split], index), root(leaves[split:])]
    return [*path(leaves[split:], index - split), root(leaves[:split])]


def proofs() -> list[Proof]:
    """A day of seven draws, each with its proof, and what it came to."""
    secret = key(SEED, SHUFFLE)
    plays = [(operation, player, play) for operation in TABLES for player, play in ((ALICE, 1), (ALICE, 2), (BOB, 1))][
        :7
    ]
    texts = [message(*one) for one in plays]
    rolled = [rolls(secret, one[0], text) for one, text in zip(plays, texts, strict=True)]
    leaves = sorted(leaf(text, some) for text, some in zip(texts, rolled, strict=True))
    return [
        {
            "commitment": commitment(SEED),
            "committedAt": "2026-02-23T00:00:07.000+00:00",
            "shuffle": SHUFFLE,
            "seed": SEED.hex(),
            "message": text,
            "drawnFrom": TABLES[operation],
            "rolls": some,
            "revisionHash": REVISIONS[operation],
            "root": root(leaves).hex(),
            "inclusion": [one.hex() for one in path(leaves, leaves.index(leaf(text, some)))],
            "leafIndex": leaves.index(leaf(text, some)),
            "leafCount": len(leaves),
            "outcome": outcome(operation, some),
        }
        for (operation, _, _), text, some in zip(plays, texts, rolled, strict=True)
    ]


def flipped(digits: str) -> str:
    """Hexadecimal digits with their last bit changed."""
    return f"{digits[:-1]}{int(digits[-1], 16) ^ 1:x}"


def another_play(proof: Proof) -> None:
    proof["message"] = proof["message"][:-1] + str(int(proof["message"][-1]) + 1)


CHANGES: dict[str, tuple[str, Callable[[Proof], Any]]] = {
    "one bit of the seed": ("seed", lambda proof: proof.update(seed=flipped(proof["seed"]))),
    "one bit of the commitment": ("seed", lambda proof: proof.update(commitment=flipped(proof["commitment"]))),
    "one bit of the shuffle": ("rolls", lambda proof: proof.update(shuffle=flipped(proof["shuffle"]))),
    "one bit of the root": ("inclusion", lambda proof: proof.update(root=flipped(proof["root"]))),
    "one bit of the path": (
        "inclusion",
        lambda proof: proof.update(inclusion=[flipped(proof["inclusion"][0]), *proof["inclusion"][1:]]),
    ),
    "one bit of the revision": (
        "revisionHash",
        lambda proof: proof.update(revisionHash=flipped(proof["revisionHash"])),
    ),
    "another number of the play": ("rolls", another_play),
    "another roll": ("rolls", lambda proof: proof.update(rolls=[(proof["rolls"][0] + 1) % 6, *proof["rolls"][1:]])),
    "another table": ("rolls", lambda proof: proof.update(drawnFrom=[2, 2, 2, 2])),
    "a die too few": ("rolls", lambda proof: proof.update(rolls=proof["rolls"][:3])),
    "another place": ("inclusion", lambda proof: proof.update(leafIndex=proof["leafIndex"] ^ 1)),
    "not revealed": ("seed", lambda proof: proof.update(seed=None, root=None, inclusion=None)),
}
"""What is wrong with a proof after each change, by the name that its fault begins with."""


def vectors() -> dict[str, Any]:
    """All of it."""
    right = proofs()
    wrong = []
    for name, (fault, change) in CHANGES.items():
        proof = copy.deepcopy(right[1])
        change(proof)
        wrong.append({"change": name, "fault": fault, "proof": proof})
    bound = 2**63 + 1
    text = message("playDice", ALICE, 1)
    some = words(key(SEED, SHUFFLE), text, 64)
    return {
        "commitment": {"date": DATE, "seed": SEED.hex(), "commitment": commitment(SEED)},
        "keys": [{"date": DATE, "seed": SEED.hex(), "shuffle": s, "key": key(SEED, s).hex()} for s in (SHUFFLE, "")],
        "stream": {
            "key": key(SEED, SHUFFLE).hex(),
            "message": text,
            "words": [str(word) for word in some[:12]],
            "skipping": {"bound": str(bound), "integers": [str(below(some, bound)) for _ in range(12)]},
        },
        "proofs": right,
        "wrong": wrong,
    }


def page() -> str:
    """The file's text."""
    return json.dumps(vectors(), indent=1, ensure_ascii=False) + "\n"
