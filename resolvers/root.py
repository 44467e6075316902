"""How a root field is declared: its row in the table says who may call it, checked first, and what it may refuse."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from functools import wraps
from types import UnionType
from typing import Any, Optional, Union, get_args, get_origin, get_type_hints

import strawberry
from strawberry.utils.str_converters import to_camel_case

from schema.described import described
from schema.errors import UserError, result
from schema.roots import ROOTS, result_name


def root(resolver: Callable[..., Awaitable[Any]]) -> Any:
    """Make a root field of `async def name(info, ...) -> Success`; its name's row in ROOTS says who may call it.

    The field's type is the union of `Success` with the refusals of the row, or `Success` where there are none; the
    docstring is its description, and that of an argument `input` is its type's.
    """
    name = to_camel_case(resolver.__name__)
    roles = ROOTS[name].roles

    @wraps(resolver)
    async def guarded(info: Any, **arguments: Any) -> Any:
        info.context.authorise(roles)
        return await resolver(info, **arguments)

    # Null where the field fails: then the other fields' answers, as the receipt of a stamp, are not lost with it.
    field = strawberry.field(resolver=guarded, graphql_type=Optional[_answer(name, resolver)])  # noqa: UP045 (of an alias)
    for argument in field.arguments:
        if argument.python_name == "input":
            argument.description = get_type_hints(resolver)["input"].__strawberry_definition__.description
    return described(field)


def live(resolver: Callable[..., AsyncGenerator[Any, None]]) -> Any:
    """Make a root field of subscriptions of `def name(info, ...)`, which makes a generator; as `root` otherwise."""
    name = to_camel_case(resolver.__name__)
    roles = ROOTS[name].roles

    @wraps(resolver)
    async def guarded(info: Any, **arguments: Any) -> Any:
        info.context.authorise(roles)
        return resolver(info, **arguments)

    return described(strawberry.subscription(resolver=guarded, graphql_type=_answer(name, resolver)))


def _answer(name: str, resolver: Callable[..., Any]) -> Any:
    """What a root field answers: a union, where its row has refusals; else what its resolver returns."""
    returned = get_type_hints(resolver, include_extras=True)["return"]
    if get_origin(returned) is AsyncGenerator:
        returned = get_args(returned)[0]
    if not ROOTS[name].refusals:
        return returned
    members = get_args(returned) if get_origin(returned) in {Union, UnionType} else (returned,)
    (success,) = (member for member in members if not issubclass(member, UserError))
    return result(result_name(name), success)
