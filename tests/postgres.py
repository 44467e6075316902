"""An embedded PostgreSQL that is gone afterwards."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from sqlalchemy import make_url

from server.postgres import embedded
from server.postgres.embedded import as_its_owner, binary_directories, embedded_postgres
from tests.doors import place_of
from tests.outside import unavailable
from tests.roles import EMBEDDED_PLACES

IN_MEMORY = "/dev/shm"
ROOM = 4 << 30


def place_for_databases() -> str | None:
    """The directory for databases that end with their tests: in memory, where there is room, and no disk is waited for.

    None for the usual one.
    """
    with suppress(OSError):
        free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        return IN_MEMORY if min(free, shutil.disk_usage(IN_MEMORY).free) > ROOM else None
    return None


@contextmanager
def temporary_postgres() -> Iterator[str]:
    """The owner's URL of a PostgreSQL with an empty database, removed with all its data at the end."""
    place = place_for_databases()
    with tempfile.TemporaryDirectory(prefix="haru-", dir=place, ignore_cleanup_errors=True) as directory:
        Path(directory).chmod(0o711)  # for root, PostgreSQL runs as another user, who has to get through
        with embedded_postgres(Path(directory)) as url:
            EMBEDDED_PLACES.add(place_of(url))
            yield as_its_owner(url)


def wal_directory(url: str) -> Path | None:
    """Where the embedded server at this address keeps its write-ahead log; none for a server of somebody's own."""
    directory = Path(str(make_url(url).query.get("host", ""))).parent / "data" / "pg_wal"
    return directory if directory.is_dir() else None


@contextmanager
def temporary_postgres_of_the_system() -> Iterator[str]:
    """The same with the distribution's PostgreSQL, such as Debian's 15, in place of the wheel's."""
    of_the_system = [path for path in binary_directories() if "pginstall" not in path.parts]
    if not of_the_system:
        unavailable("no PostgreSQL of the system's (Debian: apt-get install postgresql)")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(embedded, "binary_directories", lambda: of_the_system[:1])
        with temporary_postgres() as url:
            yield url
