"""What the toy schema is about: types of every kind, and animals healthy and broken."""

from __future__ import annotations

import asyncio
import datetime as dt
from enum import Enum
from types import SimpleNamespace
from typing import Annotated, Any, Generic, NewType, TypeVar

import strawberry

from services.errors import DomainError

DateTime = NewType("DateTime", dt.datetime)
Nothing = NewType("Nothing", str)
NOON = DateTime(dt.datetime(2024, 12, 6, 12, tzinfo=dt.UTC))
T = TypeVar("T")


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
    async def walks(self, info: strawberry.Info[Any, None], first: int = 2) -> list[Walk | None]:
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
