"""An embedded PostgreSQL that is gone afterwards."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from server.embedded_postgres import embedded_postgres


@contextmanager
def temporary_postgres() -> Iterator[str]:
    """The URL of a PostgreSQL with an empty database, removed with all its data at the end."""
    with tempfile.TemporaryDirectory(prefix="haru-", ignore_cleanup_errors=True) as directory:
        Path(directory).chmod(0o711)  # for root, PostgreSQL runs as another user, who has to get through
        with embedded_postgres(Path(directory)) as url:
            yield url
