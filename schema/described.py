"""A public sentence is written once: the docstring of what is declared is its description in the schema, too."""

from __future__ import annotations

import inspect
from typing import Any, TypeVar

from strawberry.types.field import StrawberryField

DeclaredT = TypeVar("DeclaredT")


def described(declared: DeclaredT) -> DeclaredT:
    """Describe a type, or a field that has a resolver, by its docstring: `@described` above Strawberry's decorator."""
    if isinstance(declared, StrawberryField):
        assert declared.base_resolver is not None
        declared.description = docstring(declared.base_resolver.wrapped_func)
    else:
        declared.__strawberry_definition__.description = docstring(declared)  # type: ignore[attr-defined]
    return declared


def docstring(documented: Any) -> str:
    """The docstring as one line of text."""
    return " ".join(inspect.cleandoc(documented.__doc__ or "").split())
