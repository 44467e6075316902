"""What goes on beside requests for as long as a process serves."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from typing import Self


class Upkeep(ABC):
    """Work without an end, under way while this is entered. Use as an async context manager."""

    _task: asyncio.Task[None]

    @abstractmethod
    async def _keep(self) -> None:
        """Work, until cancelled; what fails is told, and tried again."""

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._keep())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
