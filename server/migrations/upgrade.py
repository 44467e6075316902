"""Bringing a database to the expected revision; `server.migrations.verification` tells whether it is there."""

from __future__ import annotations

from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory

from alembic import command
from server.settings import PROJECT


def alembic_config(url: str | None = None) -> Config:
    """Alembic's configuration, for the database at `url`."""
    config = Config(str(Path(PROJECT) / "alembic.ini"))
    config.attributes["url"] = url
    return config


def _head() -> str:
    head = ScriptDirectory.from_config(alembic_config()).get_current_head()
    if head is None:
        raise RuntimeError("there are no migrations beside this installation")
    return head


EXPECTED_REVISION = _head()


def upgrade(url: str) -> None:
    """Bring the database to the expected revision; several deployments at once take turns."""
    command.upgrade(alembic_config(url), "head")


def downgrade(url: str) -> None:
    """Remove every table of haru's, with all data."""
    command.downgrade(alembic_config(url), "base")
