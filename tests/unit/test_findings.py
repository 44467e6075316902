"""How what differs in a database is told, and what of it is a fault."""

from __future__ import annotations

import pytest

from server.migrations.definitions import Finding, Thing

TABLE, FUNCTION = Thing("table", "dice_log", None), Thing("function", None, "plays()")
INDEX, CHECK = Thing("index", "dice_log", "by_outcome"), Thing("constraint", "dice_log", "luck")
DEFINER = "CREATE FUNCTION plays() SECURITY DEFINER"


@pytest.mark.parametrize(
    ("finding", "told", "is_fault"),
    [
        (Finding(TABLE, "", None), "missing: table dice_log", True),
        (Finding(TABLE, None, "UNLOGGED"), "extra: table dice_log\n    found: UNLOGGED", True),
        (Finding(INDEX, "a", None), "missing: index dice_log.by_outcome\n    expected: a", True),
        (Finding(INDEX, None, "b"), "extra: index dice_log.by_outcome\n    found: b", False),
        (Finding(INDEX, "a", "b"), "differs: index dice_log.by_outcome\n    expected: a\n    found: b", True),
        (Finding(CHECK, None, "b"), "extra: constraint dice_log.luck\n    found: b", True),
        (Finding(FUNCTION, None, "\nA\n  B\n"), "extra: function plays()\n    found: A\n      B", False),
        (Finding(FUNCTION, None, DEFINER), f"extra: function plays()\n    found: {DEFINER}", True),
    ],
)
def test_what_is_told(finding: Finding, told: str, is_fault: bool) -> None:
    assert (str(finding), finding.is_fault) == (told, is_fault)
