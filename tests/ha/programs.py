"""Programs that run on machines: started, asked to stop, and killed with all that they started."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

STOP_SECONDS = 60


@dataclass
class Program:
    """A program on a machine. `account` runs it, instead of root."""

    machine: str
    command: Sequence[str]
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    account: str | None = None
    stops_by: signal.Signals = signal.SIGTERM
    process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it; what it says is added to the log."""
        as_account = () if self.account is None else ("setpriv", *_account(self.account))
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *("ip", "netns", "exec", self.machine, *as_account, *self.command),
                env=_inherited() | dict(self.environment),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    @property
    def runs(self) -> bool:
        """Whether it was started, and has not ended."""
        return self.process is not None and self.process.returncode is None

    async def stop(self) -> int:
        """Ask it to stop; its exit code."""
        assert self.process is not None
        if self.runs:
            self.process.send_signal(self.stops_by)
        async with asyncio.timeout(STOP_SECONDS):
            return await self.process.wait()

    async def kill(self) -> None:
        """Kill it and all that it started at once (SIGKILL)."""
        assert self.process is not None
        if self.runs:
            os.killpg(self.process.pid, signal.SIGKILL)
        await self.process.wait()


def _account(name: str) -> Sequence[str]:
    return (f"--reuid={name}", f"--regid={name}", "--clear-groups")


def _inherited() -> dict[str, str]:
    """The environment without what would be a setting of haru's."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("HARU_") and name not in {"DATABASE_URL", "HOST", "PORT", "WORKERS"}
    }


async def command(*arguments: str, account: str | None = None, **environment: str) -> tuple[int, str]:
    """Run a command to its end, where players are; its exit code, and what it printed."""
    as_account = () if account is None else ("setpriv", *_account(account))
    process = await asyncio.create_subprocess_exec(
        *(*as_account, *arguments),
        env=_inherited() | environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return process.returncode or 0, said.decode()


async def done(*arguments: str, account: str | None = None, **environment: str) -> str:
    """Run a command that has to succeed; what it printed. Raises: RuntimeError."""
    code, said = await command(*arguments, account=account, **environment)
    if code:
        raise RuntimeError(f"{' '.join(arguments)} exited with {code}:\n{said}")
    return said
