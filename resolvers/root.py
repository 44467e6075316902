"""How a root field is declared: with a row in the permission table, checked before anything else."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from functools import wraps
from typing import Any, TypeVar

import strawberry
from strawberry.utils.str_converters import to_camel_case

from schema.permissions import PERMISSIONS
from services.errors import BadRequest

Resolver = TypeVar("Resolver", bound=Callable[..., Awaitable[Any]])
Source = TypeVar("Source", bound=Callable[..., AsyncGenerator[Any, None]])


def root(description: str) -> Callable[[Resolver], Any]:
    """Make a root field of `async def name(info, ...)`; its name's row in PERMISSIONS says who may call it."""

    def declare(resolver: Resolver) -> Any:
        roles = PERMISSIONS[to_camel_case(resolver.__name__)]

        @wraps(resolver)
        async def guarded(info: Any, **arguments: Any) -> Any:
            info.context.authorise(roles)
            return await resolver(info, **arguments)

        return strawberry.field(resolver=guarded, description=description)

    return declare


def live(description: str) -> Callable[[Source], Any]:
    """Make a root field of subscriptions of `def name(info, ...)`, which makes a generator; guarded as by `root`."""

    def declare(resolver: Source) -> Any:
        roles = PERMISSIONS[to_camel_case(resolver.__name__)]

        @wraps(resolver)
        async def guarded(info: Any, **arguments: Any) -> Any:
            info.context.authorise(roles)
            return resolver(info, **arguments)

        return strawberry.subscription(resolver=guarded, description=description)

    return declare


def idempotency_key(key: str) -> str:
    """A key, checked. Raises: BadRequest unless it is 1 to 128 printable ASCII characters."""
    if not 1 <= len(key) <= 128 or not key.isascii() or not key.isprintable():
        raise BadRequest("idempotencyKey must be 1 to 128 printable ASCII characters.")
    return key


def external_id(text: str) -> str:
    """A player's external id, checked. Raises: BadRequest unless it is 1 to 128 printable characters."""
    if not 1 <= len(text) <= 128 or not text.isprintable() or text != text.strip():
        raise BadRequest("externalId must be 1 to 128 printable characters, with no space at either end.")
    return text
