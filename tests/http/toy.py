"""A small schema that has one of everything, with healthy and with broken data behind it."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from itertools import count
from types import SimpleNamespace
from typing import Annotated, Any, Generic, NewType, TypeVar

import strawberry
from strawberry.schema.config import StrawberryConfig

from schema.upload import UPLOAD, Upload
from services.errors import DomainError, OutOfStock, RateLimited, Unauthenticated

DateTime = NewType("DateTime", dt.datetime)
Nothing = NewType("Nothing", str)
NOON = DateTime(dt.datetime(2024, 12, 6, 12, tzinfo=dt.UTC))
T = TypeVar("T")


class Slow(RateLimited):
    """Slow down."""

    retry_after_seconds = 1.5


@dataclass
class Context:
    principal: str | None = None
    request_id: str = "r"
    calls: list[str] = field(default_factory=list)


Info = strawberry.Info[Context, None]


@strawberry.enum
class Colour(Enum):
    RED = "red"
    GREEN = "green"


@strawberry.type
class Toy:
    label: str
    price: float | None = None
    broken: int = 1
    "Holds a string where the data is broken."


@strawberry.interface
class Animal:
    id: strawberry.ID
    name: str
    colour: Colour | None
    toys: list[Toy]
    friend: Animal | None = None
    legs: int | None = 4


@strawberry.type
class Cat(Animal):
    lives: int = 9
    born: DateTime = NOON

    @strawberry.field
    def purr(self, times: int = 1, loud: bool | None = None) -> str:
        return "pur" + "r" * times + ("!" if loud else "")


@strawberry.type
class Dog(Animal):
    good: bool = True

    @strawberry.field
    async def walks(self, info: Info, first: int = 2) -> list[Walk | None]:
        info.context.calls.append(f"walks {self.name}")
        await asyncio.sleep(0)
        if first > 10:
            raise ValueError("too long a walk")
        return [Walk(metres=n * 100, dog=self) if n != 3 else None for n in range(1, first + 1)]


@strawberry.type
class Walk:
    metres: int
    dog: Dog

    @strawberry.field
    async def company(self, names: list[str] | None = None) -> list[str]:
        await asyncio.sleep(0)
        return [*(names or []), self.dog.name]


@strawberry.type
class Stone:
    weight: int

    @classmethod
    def is_type_of(cls, value: Any, _info: Any) -> bool:
        return isinstance(value, Stone) or hasattr(value, "weight")


Thing = Annotated[Cat | Dog | Stone, strawberry.union("Thing")]


@strawberry.type
class Page(Generic[T]):
    nodes: list[T]
    total: int


@strawberry.type
class Problem:
    code: str
    message: str


class Problems(strawberry.ExceptionHandler[DomainError, Problem]):
    def handle(self, exception: DomainError, *, field: Any, info: Any) -> Problem:
        return Problem(code=exception.code, message=exception.message)


AdoptResult = Annotated[Cat | Problem, strawberry.union("AdoptResult")]


@strawberry.input
class Wish:
    name: str
    colour: Colour = Colour.RED
    toys: list[str] = strawberry.field(default_factory=list)
    friend: Wish | None = None


def cat(name: str | None = "Mia", **over: Any) -> Cat:
    toys = [Toy(label="ball", price=1.5), Toy(label="yarn")]
    values: dict[str, Any] = {"id": strawberry.ID("c1"), "name": name, "colour": Colour.RED, "toys": toys}
    return Cat(**values | over)


def dog(name: str = "Rex", **over: Any) -> Dog:
    values: dict[str, Any] = {"id": strawberry.ID("d1"), "name": name, "colour": None, "toys": [], "friend": cat()}
    return Dog(**values | over)


def broken_cat() -> Cat:
    """A null where none may be, two leaves that do not serialize, and a friend that is an exception."""
    toys: Any = [Toy(label="ok"), Toy(label=None, broken="x"), Toy(label="b", price="dear")]  # type: ignore[arg-type]
    return cat(name="Broken", toys=toys, friend=cat(name=None, friend=RuntimeError("friend"), legs=2**40))


def menagerie(kind: str) -> Any:
    ordinary: list[Any] = [cat(), dog(), None, dog(name="Ada", friend=dog(name="Bo", colour=Colour.GREEN))]
    match kind:
        case "broken":
            return [*ordinary, broken_cat()]
        case "iterator":
            return iter(ordinary)
        case "tuple":
            return tuple(ordinary)
        case "scalar":
            return 5
        case "awaitables":
            return [awaitable(cat()), dog()]
        case "strange":
            return [cat(), SimpleNamespace(name="nobody")]
        case "none":
            return None
        case "sleepy":
            return [dog(), broken_cat()]
        case "stone":
            return [cat(), Stone(weight=1)]
        case "cast":
            return [strawberry.cast(Cat, SimpleNamespace(**vars(cat(name="Cast")))), cat()]
    return ordinary


async def awaitable(value: T) -> T:
    return value


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
        return info.context.principal

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
        await asyncio.sleep(seconds)
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
        yield info.context.principal

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
