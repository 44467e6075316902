"""The directory that the processes of one server count into: gone when the server ends, however it ends.

Whoever makes one holds a lock on it, which the kernel takes back when the process dies. So a server that was killed
leaves a directory that nobody holds, and the next one to start takes it away.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

if sys.platform != "win32":
    import fcntl

PREFIX = "haru-metrics-"


@contextmanager
def scratch() -> Iterator[Path]:
    """A directory of this process's own, in the one for temporary files; those of killed servers are removed first."""
    if sys.platform == "win32":  # which removes nothing that a process has open
        with tempfile.TemporaryDirectory(prefix=PREFIX) as directory:
            yield Path(directory)
        return
    remove_leftovers()
    descriptor, made = _held()
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)
        os.close(descriptor)


if sys.platform != "win32":

    def remove_leftovers() -> None:
        """Remove what servers of this account left that were killed."""
        for directory in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
            with suppress(OSError):  # somebody else's, or just gone
                descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
                try:
                    if os.fstat(descriptor).st_uid == os.geteuid():
                        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                        shutil.rmtree(directory)
                finally:
                    os.close(descriptor)

    def _held() -> tuple[int, Path]:
        """Make a directory and hold it: the descriptor that does so, and its path."""
        while True:
            made = Path(tempfile.mkdtemp(prefix=PREFIX))
            descriptor = os.open(made, os.O_RDONLY | os.O_DIRECTORY)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if made.exists():
                return descriptor, made
            os.close(descriptor)  # another server took it for a leftover, before it was held
