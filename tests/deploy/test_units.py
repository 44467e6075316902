"""The units that deploy/ has for systemd, as systemd reads them."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from tests.outside import PROJECT, run, unavailable

UNITS = PROJECT / "deploy" / "systemd"


def test_units_are_clean(tmp_path: Path) -> None:
    if not shutil.which("systemd-analyze"):
        unavailable("no systemd-analyze (package systemd)")
    for unit in UNITS.iterdir():
        # Where haru is here is the only change: a command that is not there would be told.
        text = unit.read_text().replace("/opt/haru/bin", str(Path(sys.executable).parent))
        (tmp_path / unit.name).write_text(text)
    said = run("systemd-analyze", "verify", "--man=no", *map(str, sorted(tmp_path.iterdir())), cwd=tmp_path)
    assert said == ""
