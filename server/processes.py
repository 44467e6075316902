"""Other processes of this machine."""

from __future__ import annotations

import os
from contextlib import suppress


def is_alive(pid: int) -> bool:
    """Whether a process has this number, whoever runs it."""
    try:
        with suppress(PermissionError):  # somebody else's
            os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
