"""Trees of RFC 6962, beside the vectors that Certificate Transparency publishes for them (merkle_tree_test.cc)."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.audits.draws import _KeptDay
from services.rules.merkle import EMPTY_ROOT, Tree, inclusion, is_included, leaf_hash, node_hash, root_of

CONTENTS = ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
LEAVES = [leaf_hash(bytes.fromhex(content)) for content in CONTENTS]
ROOTS = (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
PATHS = [
    (0, 1, ()),
    (
        0,
        8,
        (
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ),
    ),
    (
        5,
        8,
        (
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ),
    ),
    (2, 3, ("fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",)),
    (
        1,
        5,
        (
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ),
    ),
]


def test_roots_are_the_published_ones() -> None:
    """Of every length from none to eight."""
    assert [root_of(LEAVES[:size]).hex() for size in range(9)] == list(ROOTS)


def test_a_tree_tells_its_root_while_it_grows() -> None:
    """The root of what was added so far, as often as it is asked."""
    tree, roots = Tree(), [EMPTY_ROOT]
    for leaf in LEAVES:
        tree.add(leaf)
        roots.append(tree.root())
    assert [root.hex() for root in roots] == list(ROOTS)
    assert tree.size == 8


@pytest.mark.parametrize(("index", "size", "path"), PATHS)
def test_inclusion_paths_are_the_published_ones(index: int, size: int, path: tuple[str, ...]) -> None:
    """And they verify."""
    made = inclusion(LEAVES[:size], index)
    assert [node.hex() for node in made] == list(path)
    assert is_included(LEAVES[index], index, size, made, bytes.fromhex(ROOTS[size]))


@pytest.mark.parametrize(("size", "index"), [(0, 0), (3, 3), (3, -1)])
def test_what_is_not_in_the_list_has_no_path(size: int, index: int) -> None:
    """Neither before its first leaf nor after its last."""
    with pytest.raises(IndexError):
        inclusion(LEAVES[:size], index)
    assert not is_included(LEAVES[0], index, size, [], root_of(LEAVES[:size]))


def _root_by_definition(leaves: list[bytes]) -> bytes:
    """MTH as section 2.1 of the RFC defines it."""
    if len(leaves) < 2:
        return leaves[0] if leaves else EMPTY_ROOT
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return node_hash(_root_by_definition(leaves[:split]), _root_by_definition(leaves[split:]))


@given(size=st.integers(1, 70), data=st.data())
def test_a_path_shows_its_leaf_at_its_place_and_nothing_else(size: int, data: st.DataObject) -> None:
    """Another leaf, place or root shows nothing, nor does a path that is bent, cut or longer."""
    leaves = [leaf_hash(bytes([number])) for number in range(size)]
    index = data.draw(st.integers(0, size - 1))
    root, path = root_of(leaves), inclusion(leaves, index)
    assert root == _root_by_definition(leaves)
    assert is_included(leaves[index], index, size, path, root)
    assert not is_included(leaf_hash(b"another"), index, size, path, root)
    assert not is_included(leaves[index], index, size, path, EMPTY_ROOT)
    assert not is_included(leaves[index], index, size, [*path, root], root)
    for other in range(size):
        assert other == index or not is_included(leaves[index], other, size, path, root)
    for at in range(len(path)):
        assert not is_included(leaves[index], index, size, path[:at], root)
        bent = [*path[:at], bytes(32), *path[at + 1 :]]
        assert not is_included(leaves[index], index, size, bent, root)


@pytest.mark.parametrize(
    ("numbers", "wrong"),
    [
        ([1, 2], []),
        ([2, 1], [0]),
        ([2, 2], [0]),
        ([1, 2, 3, 4, 5], []),
        ([1, 4, 3, 5], [1]),
        ([1, 4, 4, 5], [1]),
        ([1, 2, 2, 2, 1], [1, 2]),
    ],
)
def test_of_leaves_that_are_kept_each_is_greater_than_the_one_before(
    monkeypatch: pytest.MonkeyPatch, numbers: list[int], wrong: list[int]
) -> None:
    """Here two to a chunk; the last leaf of a chunk is before the first of the next."""
    monkeypatch.setattr("services.audits.draws.LEAVES_OF_A_CHUNK", 2)
    leaves = [number.to_bytes(32) for number in numbers]
    day, found = _KeptDay(dt.date(2026, 3, 2), "", len(leaves)), []
    for chunk, at in enumerate(range(0, len(leaves), 2)):
        found += day.add(chunk, b"".join(leaves[at : at + 2]), root_of(leaves[at : at + 2]))
    assert [(finding.key["chunk"], finding.fault) for finding in found] == [
        (chunk, "has leaves that do not ascend") for chunk in wrong
    ]
