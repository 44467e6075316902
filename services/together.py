"""One piece of work for all who ask at the same moment: a batch has one round trip, whoever is in it.

Those who ask while a batch is under way are answered by the next one, so no answer misses what happened before it was
asked for; who asks alone waits for nobody.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Generic, TypeVar

from services.watch import NOBODY, BatchKind, Watch

KeyT = TypeVar("KeyT")
ValueT = TypeVar("ValueT")

AT_ONCE = 256
"""How many keys one batch takes."""


class Together(Generic[KeyT, ValueT]):
    """One batch at a time: `work` takes the keys that were asked for, each once."""

    def __init__(
        self,
        work: Callable[[Sequence[KeyT]], Awaitable[Mapping[KeyT, ValueT]]],
        *,
        kind: BatchKind = BatchKind.READS,
        watch: Watch = NOBODY,
    ) -> None:
        """Do `work`; `watch` is told of each batch as one of this `kind`."""
        self._work = work
        self._kind = kind
        self._watch = watch
        self._asked: dict[KeyT, list[asyncio.Future[ValueT]]] = {}
        """For each key a future of everybody who asked: who goes away takes nobody's answer along."""
        self._callers: list[Any] = []
        self._working: asyncio.Task[None] | None = None

    async def __call__(self, key: KeyT) -> ValueT:
        """The value of `key`, worked out from now on. Raises: what `work` raises."""
        return await self.ask(key)

    def ask(self, key: KeyT) -> asyncio.Future[ValueT]:
        """What will be the value of `key`, worked out from now on."""
        answer: asyncio.Future[ValueT] = asyncio.get_running_loop().create_future()
        self._asked.setdefault(key, []).append(answer)
        self._callers.append(self._watch.caller())
        if self._working is None or self._working.done():
            self._working = asyncio.create_task(self._serve())
        return answer

    async def stop(self) -> None:
        """Give up what is under way. Whoever still waits is cancelled."""
        while self._working is not None and not self._working.done():
            self._working.cancel()
            await asyncio.gather(self._working, return_exceptions=True)
        _cancel(self._asked)
        self._asked.clear()

    async def _serve(self) -> None:
        while self._asked:
            asked = {key: self._asked.pop(key) for key in list(islice(self._asked, AT_ONCE))}
            callers, self._callers = self._callers, []
            try:
                with self._watch.batch(self._kind, callers):
                    values = await self._work(list(asked))
                for key, answers in asked.items():
                    for answer in _waited_for(answers):
                        answer.set_result(values[key])
            except asyncio.CancelledError:
                _cancel(asked)
                raise
            except Exception as failure:  # noqa: BLE001 (whoever asked is told)
                for answers in asked.values():
                    for answer in _waited_for(answers):
                        answer.set_exception(failure)


def _cancel(asked: Mapping[Any, Sequence[asyncio.Future[Any]]]) -> None:
    for answers in asked.values():
        for answer in answers:
            answer.cancel()


def _waited_for(answers: Sequence[asyncio.Future[ValueT]]) -> Iterator[asyncio.Future[ValueT]]:
    """Those that somebody still waits for."""
    return (answer for answer in answers if not answer.done())
