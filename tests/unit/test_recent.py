"""The bounded cache."""

from __future__ import annotations

from services.recent import RecentlyUsed


def test_what_is_used_stays() -> None:
    kept: RecentlyUsed[str, int] = RecentlyUsed(2)
    kept.put("a", 1)
    kept.put("b", 2)
    assert kept.get("a") == 1
    kept.put("c", 3)
    assert (kept.get("a"), kept.get("b"), kept.get("c")) == (1, None, 3)
    assert len(kept) == 2


def test_what_is_put_again_is_used() -> None:
    kept: RecentlyUsed[str, int] = RecentlyUsed(2)
    for key, value in (("a", 1), ("b", 2), ("a", 3), ("c", 4)):
        kept.put(key, value)
    assert (kept.get("a"), kept.get("b"), kept.get("c")) == (3, None, 4)


def test_what_is_dropped_is_gone_and_its_place_is_free() -> None:
    kept: RecentlyUsed[str, int] = RecentlyUsed(2)
    for key, value in (("a", 1), ("b", 2)):
        kept.put(key, value)
    kept.drop("b")
    kept.drop("b")  # which is there no more
    kept.put("c", 3)
    assert (kept.get("a"), kept.get("b"), kept.get("c")) == (1, None, 3)
