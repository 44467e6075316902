"""The keys that seal seeds: HARU_SEED_KEYS, or on a developer's machine one of the state directory's own."""

from __future__ import annotations

import secrets
from contextlib import suppress
from pathlib import Path

from server.settings import Settings
from services.seed_seals import KEY_BYTES, SeedKeys

LOCAL_KID = "local"
FILE = "seed.key"


def seed_keys_of(settings: Settings) -> SeedKeys:
    """The keys of a server with these settings; in the local environment, without any, the state directory's."""
    return SeedKeys(settings.seed_keys or {LOCAL_KID: _local_key(settings.state_dir)})


def _local_key(directory: Path) -> bytes:
    """The state directory's key, made by whoever comes first: it is there whole, or not at all."""
    path = directory / FILE
    if not path.exists():
        directory.mkdir(parents=True, exist_ok=True)
        made = directory / f"{FILE}.{secrets.token_hex(8)}"
        made.touch(mode=0o600)
        made.write_bytes(secrets.token_bytes(KEY_BYTES))
        with suppress(FileExistsError):
            path.hardlink_to(made)
        made.unlink()
    return path.read_bytes()
