"""Merkle trees of RFC 6962, section 2.1, over SHA-256: the root of a list, and the path that shows what is in it.

A leaf is hashed behind a byte 0, an inner node behind a byte 1, so that no inner node is ever taken for a leaf. A list
that is no power of two long is split at the largest power of two below its length. Nothing here holds a whole tree
but `inclusion`: `Tree` keeps one hash a level, whatever the number of leaves.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256

EMPTY_ROOT = sha256().digest()
"""The root of a list of nothing."""


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf with this content: SHA-256(0x00 + data)."""
    return sha256(b"\0" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node above two hashes: SHA-256(0x01 + left + right)."""
    return sha256(b"\1" + left + right).digest()


class Tree:
    """A tree that grows by leaves at its right end, and remembers only the roots of its full subtrees."""

    def __init__(self) -> None:
        self.size = 0
        """How many leaves it has."""
        self._full: list[bytes] = []
        """The roots of the full subtrees, largest first: one for each 1 among the size's binary digits."""

    def add(self, leaf: bytes) -> None:
        """Add a leaf, by its hash (`leaf_hash`)."""
        node, size = leaf, self.size
        while size & 1:
            node = node_hash(self._full.pop(), node)
            size >>= 1
        self._full.append(node)
        self.size += 1

    def root(self) -> bytes:
        """The root of the leaves so far."""
        if not self._full:
            return EMPTY_ROOT
        *larger, node = self._full
        for left in reversed(larger):
            node = node_hash(left, node)
        return node


def root_of(leaves: Iterable[bytes]) -> bytes:
    """The root of a list of leaves, by their hashes."""
    tree = Tree()
    for leaf in leaves:
        tree.add(leaf)
    return tree.root()


def inclusion(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The audit path of a leaf: the hashes beside its way to the root, from the bottom. Raises: IndexError."""
    if not 0 <= index < len(leaves):
        raise IndexError(index)
    path, level = [], list(leaves)
    while len(level) > 1:
        beside = index ^ 1
        if beside < len(level):
            path.append(level[beside])
        pairs = [node_hash(level[at], level[at + 1]) for at in range(0, len(level) - 1, 2)]
        level = pairs + level[len(pairs) * 2 :]
        index //= 2
    return path


def is_included(leaf: bytes, index: int, size: int, path: Iterable[bytes], root: bytes) -> bool:
    """Whether the path shows that `leaf` (its hash) is number `index`, from 0, of the `size` leaves under `root`.

    The algorithm is that of RFC 9162, section 2.1.3.2, for the same trees.
    """
    if not 0 <= index < size:
        return False
    last, node = size - 1, leaf
    for beside in path:
        if last == 0:
            return False
        if index & 1 or index == last:
            node = node_hash(beside, node)
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            node = node_hash(node, beside)
        index, last = index >> 1, last >> 1
    return last == 0 and node == root
