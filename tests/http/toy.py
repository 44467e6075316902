"""A small schema that has one of everything, with healthy and with broken data behind it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock
from uuid import UUID

import strawberry
from strawberry.schema.config import StrawberryConfig

from models import Role
from schema.context import Principal
from schema.upload import UPLOAD, Upload
from services.errors import OutOfStock
from services.request_errors import RateLimited, Unauthenticated
from tests.http.animals import (
    AdoptResult,
    Animal,
    Cat,
    Colour,
    DateTime,
    Dog,
    Nothing,
    Page,
    Problems,
    Stone,
    Thing,
    Wish,
    broken_cat,
    cat,
    dog,
    menagerie,
)


class Slow(RateLimited):
    """Slow down."""

    retry_after_seconds = 1.5


@dataclass
class Context:
    principal: Principal | None = None
    request: Any = field(default_factory=Mock)
    calls: list[str] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)


Info = strawberry.Info[Context, None]

EXPIRES_AT = 1000.0
"""When every token of the toy's expires, in seconds since 1970."""

NAMES: list[str] = []

SLEEPING: list[str] = []
"""What began to sleep, was stopped, or awoke."""


def called(name: str) -> Principal:
    """The player of this name; whoever is new gets the next id."""
    if name not in NAMES:
        NAMES.append(name)
    return Principal(UUID(int=NAMES.index(name)), Role.PLAYER, EXPIRES_AT)


def name_of(principal: Principal) -> str:
    return NAMES[principal.player_id.int]


@strawberry.type
class Query:
    @strawberry.field
    async def animals(self, kind: str = "ordinary") -> list[Animal | None] | None:
        return menagerie(kind)  # type: ignore[no-any-return]

    @strawberry.field
    def strict_animals(self, kind: str = "ordinary") -> list[Animal]:
        return menagerie(kind)  # type: ignore[no-any-return]

    @strawberry.field
    async def animal(self, kind: str = "cat") -> Animal:
        kinds: dict[str, Any] = {"cat": cat(), "dog": dog(), "broken": broken_cat(), "nothing": None}
        return kinds[kind]  # type: ignore[no-any-return]

    @strawberry.field
    async def things(self) -> list[Thing]:
        return [Stone(weight=3), cat(), dog(), SimpleNamespace(weight=5)]  # type: ignore[list-item]

    @strawberry.field
    async def page(self) -> Page[Dog]:
        return Page(nodes=[dog(), dog(name="Ada")], total=2)

    @strawberry.field
    async def adopt(self, name: str = "Mia") -> AdoptResult:
        if name == "gone":
            raise OutOfStock
        if name == "bug":
            raise RuntimeError("a secret of ours")
        return cat(name=name)

    @strawberry.field
    async def matrix(self) -> list[list[int | None]]:
        return [[1, 2], [], [None, 3]]

    @strawberry.field
    def echo(
        self,
        text: str | None = "default",
        number: int = 1,
        colour: Colour = Colour.GREEN,
        wish: Wish | None = None,
        names: list[str] | None = None,
    ) -> str:
        return repr((text, number, colour, wish, names))

    @strawberry.field
    def colour(self, of: Colour) -> Colour:
        return of

    @strawberry.field
    def whoami(self, info: Info) -> str:
        if info.context.principal is None:
            raise Unauthenticated
        return name_of(info.context.principal)

    @strawberry.field
    async def fails(self, how: str = "bug", ticks: int = 1) -> str | None:
        for _ in range(ticks):
            await asyncio.sleep(0)
        raise {"bug": ValueError("a secret of ours"), "slow": Slow(), "stock": OutOfStock()}[how]

    @strawberry.field
    async def fails_hard(self, ticks: int = 1) -> str:
        for _ in range(ticks):
            await asyncio.sleep(0)
        raise ValueError("hard")

    @strawberry.field
    def fails_at_once(self) -> str | None:
        raise ValueError("at once")

    @strawberry.field
    def fails_hard_at_once(self) -> str:
        raise ValueError("hard at once")

    @strawberry.field
    async def sleeps(self, seconds: float) -> bool:
        SLEEPING.append("query")
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            SLEEPING.append("stopped")
            raise
        return True

    @strawberry.field
    async def waits(self, info: Info) -> bool:
        """Until the test opens the gate."""
        info.context.calls.append("waits")
        await info.context.gate.wait()
        return True

    @strawberry.field
    def unserializable(self) -> int:
        return "not a number"  # type: ignore[return-value]

    @strawberry.field
    async def nothing_serialized(self) -> list[Nothing | None]:
        return [Nothing("x")]

    @strawberry.field
    def miscast(self) -> Stone:
        return cat()  # type: ignore[return-value]

    @strawberry.field
    async def seen(self, info: Info) -> str:
        """What a resolver finds in its info."""
        raw = info._raw_info
        found = (info.field_name, info.python_name, raw.path.as_list(), str(raw.parent_type), str(raw.return_type))
        fields = sorted(selection.name for selection in info.selected_fields)  # type: ignore[union-attr]
        return repr((*found, fields, dict(info.variable_values), info.schema is not None, info.query is not None))


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def sleeps(self, seconds: float) -> bool:
        SLEEPING.append("mutation")
        await asyncio.sleep(seconds)
        SLEEPING.append("awoke")
        return True

    @strawberry.mutation
    async def play(self, info: Info, key: str, result: str = "ok") -> Cat | None:
        return await strict(info, key, result)

    @strawberry.mutation
    async def play_strictly(self, info: Info, key: str, result: str = "ok") -> Cat:
        return await strict(info, key, result)

    @strawberry.mutation
    def play_at_once(self, info: Info, key: str) -> str:
        info.context.calls.append(key)
        if key == "bug":
            raise ValueError("at once")
        return key

    @strawberry.mutation
    async def upload(self, file: Upload, note: str = "") -> str:
        content = await file.read()
        return f"{file.filename} {len(content)} {note}"

    @strawberry.mutation
    async def upload_many(self, files: list[Upload]) -> list[str]:
        return [str(file.filename) for file in files]


async def strict(info: Info, key: str, result: str) -> Cat:
    info.context.calls.append(key)
    await asyncio.sleep(0)
    if result == "bug":
        raise ValueError("a secret of ours")
    return {"ok": cat(name=key), "broken": broken_cat(), "null": None}[result]  # type: ignore[return-value]


SOURCES: list[object] = []
"""The sources of events that are open."""


@contextmanager
def source() -> Iterator[None]:
    one = object()
    SOURCES.append(one)
    try:
        yield
    finally:
        SOURCES.remove(one)


@strawberry.type
class Contexts:
    """Which context two fields of one event see."""

    @strawberry.field
    def first(self, info: Info) -> str:
        return context_number(info)

    @strawberry.field
    def second(self, info: Info) -> str:
        return context_number(info)


def context_number(info: Info) -> str:
    if not info.context.calls:
        info.context.calls.append(str(next(NUMBERS)))
    return info.context.calls[0]


NUMBERS = count()


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def ticks(self) -> AsyncIterator[int]:
        yield 1

    @strawberry.subscription
    async def count(self, to: int) -> AsyncIterator[int]:
        with source():
            for number in range(1, to + 1):
                yield number

    @strawberry.subscription
    async def never(self) -> AsyncIterator[int]:
        with source():
            await asyncio.Event().wait()
            yield 1

    @strawberry.subscription
    async def things(self) -> AsyncIterator[Cat]:
        yield broken_cat()
        yield cat()

    @strawberry.subscription
    async def contexts(self) -> AsyncIterator[Contexts]:
        for _ in range(3):
            yield Contexts()

    @strawberry.subscription
    async def whose(self, info: Info) -> AsyncIterator[str]:
        if info.context.principal is None:
            raise Unauthenticated
        yield name_of(info.context.principal)

    @strawberry.subscription
    async def breaks(self, how: str) -> AsyncIterator[int]:
        yield 1
        raise {
            "bug": ValueError("a secret of ours"),
            "slow": Slow(),
            "stock": OutOfStock(),
            "time": TimeoutError(),
        }[how]


SCALARS: dict[Any, Any] = {
    Upload: UPLOAD,
    Nothing: strawberry.scalar(name="Nothing", serialize=lambda _: None, parse_value=str),
    DateTime: strawberry.scalar(name="DateTime", serialize=lambda value: value.isoformat(), parse_value=str),
}


schema = strawberry.Schema(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    types=[Cat, Dog],
    exception_handlers=[Problems()],
    config=StrawberryConfig(scalar_map=SCALARS),
)
