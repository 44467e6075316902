"""A small schema of types that a class alone does not tell, one for each way in which Strawberry lets others decide."""

from __future__ import annotations

from collections.abc import Generator
from enum import Enum
from types import SimpleNamespace
from typing import Annotated, Any, Generic, NewType, TypeVar

import strawberry
from strawberry.schema.config import StrawberryConfig
from strawberry.types.field import StrawberryField

T = TypeVar("T")


class Shout(StrawberryField):
    """A field that does more than read its attribute."""

    def get_result(self, source: Any, info: Any, args: Any, kwargs: Any) -> Any:
        """The attribute, in capitals."""
        return str(super().get_result(source, info, args, kwargs)).upper()


@strawberry.type
class Sign:
    quiet: str
    loud: str = Shout(python_name="loud")  # type: ignore[assignment]


@strawberry.type
class Poster:
    """It reads like a sign and is none."""

    quiet: str
    loud: str


@strawberry.interface
class Shape:
    """A class whose instances are of several types."""

    size: int
    corners: strawberry.Private[int] = 0

    @classmethod
    def resolve_type(cls, value: Any, _info: Any, _type: Any) -> Any:
        return {0: "Circle", 4: "Square", 9: "Crate", 10: 5}.get(value.corners)


@strawberry.type
class Circle(Shape):
    """A shape."""


@strawberry.type
class Square(Circle):
    """A shape, and as a class the other one, too."""


@strawberry.type
class Crate:
    """It looks like a shape and is none."""

    size: int


@strawberry.interface
class Plant:
    name: str


@strawberry.type
class Tree(Plant):
    tall: bool = True


@strawberry.type
class Bonsai(Tree):
    tall: bool = False


@strawberry.type
class Moss(Plant):
    """Whether it is one, a value tells; `grows` is what it answers."""

    grows: strawberry.Private[Any] = True

    @classmethod
    def is_type_of(cls, value: Any, _info: Any) -> Any:
        return isinstance(value, Moss) and value.grows


@strawberry.type
class Fern:
    """It takes its time to say whether it is one."""

    name: str

    @classmethod
    async def is_type_of(cls, value: Any, _info: Any) -> bool:
        return isinstance(value, Fern)


@strawberry.interface
class Slow:
    """It takes its time to say which type it is."""

    name: str

    @classmethod
    async def resolve_type(cls, _value: Any, _info: Any, _type: Any) -> str:
        return "Snail"


@strawberry.type
class Snail(Slow):
    """As slow."""


@strawberry.interface
class Holder:
    size: int


@strawberry.type
class Box(Holder, Generic[T]):
    content: T


@strawberry.type
class Bag(Generic[T]):
    content: T


@strawberry.type
class Leaf:
    green: bool = True


@strawberry.enum
class Colour(Enum):
    RED = "red"


class Mood(Enum):
    RED = "red"


class Later:
    """What has to be awaited, as often as one likes."""

    def __await__(self) -> Generator[None, None, str]:
        yield
        return "5"


Whatever = NewType("Whatever", object)


@strawberry.type
class Leaves:
    """One of each kind of leaf, whatever is in it."""

    text: str | None = None
    number: int | None = None
    amount: float | None = None
    flag: bool | None = None
    key: strawberry.ID | None = None
    colour: Colour | None = None
    whatever: Whatever | None = None
    strict_text: str = ""
    strict_number: int = 0
    strict_flag: bool = False
    strict_colour: Colour = Colour.RED
    strict_whatever: Whatever = Whatever(0)


HELD: list[Any] = []
"""What the leaf that is asked for holds."""

Anything = Annotated[Bag[Sign] | Bag[Leaf] | Leaf, strawberry.union("Anything")]
Greenery = Annotated[Tree | Moss, strawberry.union("Greenery")]


class Oak(Tree):
    """A class of nobody's type: it is of its base's."""


SIGN, POSTER, LEAF = Sign(quiet="a", loud="b"), Poster(quiet="a", loud="b"), Leaf()
PLANTS: dict[str, list[Any]] = {
    "plain": [Tree(name="a"), Bonsai(name="b"), Oak(name="c"), Tree(name="d")],
    "cast": [Tree(name="a"), strawberry.cast(Tree, SimpleNamespace(name="b", tall=False)), Tree(name="c")],
    "recast": [Tree(name="a"), strawberry.cast(Bonsai, Tree(name="b")), Tree(name="c")],
    "moss": [Moss(name="a"), Moss(name="b", grows=False)],
    "almost": [Moss(name="a", grows=1), Moss(name="b", grows="yes")],
    "garden": [Tree(name="a"), Moss(name="b"), Tree(name="c")],
    "nobody": [Tree(name="a"), SimpleNamespace(name="b")],
}


@strawberry.type
class Query:
    @strawberry.field
    def sign(self) -> Sign:
        return SIGN

    @strawberry.field
    def shapes(self, corners: list[int]) -> list[Shape]:
        return [Square(size=number, corners=number) for number in corners]

    @strawberry.field
    def plants(self, of: str) -> list[Plant | None]:
        return PLANTS[of]

    @strawberry.field
    def trees(self, of: str) -> list[Tree | None]:
        return PLANTS[of]

    @strawberry.field
    def greenery(self, of: str) -> list[Greenery | None]:
        return PLANTS[of]

    @strawberry.field
    def ferns(self) -> list[Fern]:
        return [Fern(name="a"), Fern(name="b")]

    @strawberry.field
    def slow(self) -> list[Slow]:
        return [Snail(name="a"), Snail(name="b")]

    @strawberry.field
    def boxes(self, mixed: bool) -> list[Box[Sign]]:
        return [Box(size=1, content=SIGN), Box(size=2, content=POSTER if mixed else SIGN)]  # type: ignore[arg-type]

    @strawberry.field
    def bags(self) -> list[Bag[Sign]]:
        return [Bag(content=SIGN), Bag(content=SIGN)]

    @strawberry.field
    def anything(self) -> list[Anything]:
        return [Bag(content=SIGN), LEAF, Bag(content=LEAF), Bag(content=SIGN)]

    @strawberry.field
    def held(self, leaf: str) -> Leaves:
        return Leaves(**{leaf: HELD[-1]})

    @strawberry.field
    def held_leaf(self) -> Leaf | None:
        held: Leaf = HELD[-1]
        return held

    @strawberry.field
    def leaves(self) -> list[Leaf]:
        """Whatever it is: a type of no interface is not asked for."""
        return [LEAF, SimpleNamespace(green=False), strawberry.cast(Sign, Leaf()), LEAF]  # type: ignore[list-item]


schema = strawberry.Schema(
    query=Query,
    types=[Circle, Square, Crate, Sign, Poster, Tree, Bonsai, Moss, Fern, Snail],
    config=StrawberryConfig(auto_camel_case=False, scalar_map={Whatever: strawberry.scalar(name="Whatever")}),
)
