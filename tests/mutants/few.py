"""Of a test with many cases that takes a world for each, three tell which lines it runs."""

from __future__ import annotations

from collections import defaultdict

import hypothesis
import pytest

hypothesis.settings.register_profile("few", max_examples=5, deadline=None)
hypothesis.settings.load_profile("few")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the first case of each such test, the one in the middle, and the last."""
    cases: defaultdict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        if "empty_database" in getattr(item, "fixturenames", ()):
            cases[item.nodeid.partition("[")[0]].append(item)
    kept = {id(those[at]) for those in cases.values() for at in (0, len(those) // 2, -1)}
    items[:] = [item for item in items if id(item) in kept or item.nodeid.partition("[")[0] not in cases]
