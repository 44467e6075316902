"""The list of the audit's checks in docs/verify.md, out of their docstrings."""

from __future__ import annotations

import re

from server.cli.audit import DEFINITIONS
from services.audits.registry import CHECKS
from services.audits.seals import copies
from tests.docs.examples import DOCS

VERIFY = DOCS / "verify.md"
BEGIN, END = "<!-- checks: made by `make docs` -->", "<!-- end of checks -->"


def page_with_checks(text: str) -> str:
    """The page with the list as the code makes it."""
    promises = {check.name: check.promise for check in (*CHECKS, copies(()))} | {"database.definitions": DEFINITIONS}
    rows = "\n".join(f"| `{name}` | {promise} |" for name, promise in promises.items())
    made = f"{BEGIN}\n| check | what holds |\n|---|---|\n{rows}\n{END}"
    page, places = re.subn(f"{re.escape(BEGIN)}.*?{re.escape(END)}", lambda _: made, text, flags=re.DOTALL)
    assert places == 1, "docs/verify.md has one place for the checks"
    return page
