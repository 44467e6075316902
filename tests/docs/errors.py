"""docs/errors.md, out of the docstrings of the error catalogue and the table of root fields."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

from schema.roots import EVERYBODY, MUTATIONS, ROOTS
from services.error_codes import ErrorCode
from services.errors import DomainError, HaruError, public_message
from services.request_errors import Forbidden, RequestError

HEAD = """\
# Errors

Made from `services/errors.py`, `services/request_errors.py` and `schema/roots.py` by `make docs`; a test fails when it
differs.

Expected refusals are data: members of the field's result union, all of them `UserError`s. `... on UserError
{ code message retryable }` catches every one. Faults of the request itself are in the top-level `errors` list, with the
code in `extensions.code`. *Retryable* means that the very same request, with the same idempotency key, may succeed when
it is sent again.
"""


def classes(family: type[HaruError]) -> Iterator[type[HaruError]]:
    """Every error of a family, in the order of the catalogue."""
    for error in family.__subclasses__():
        if "code" in vars(error):
            yield error
        yield from classes(error)


def sections(error: type[HaruError]) -> dict[str, str]:
    """The When and Do of an error's docstring."""
    paragraphs = re.split(r"\n(?=When:|Do:)", inspect.cleandoc(error.__doc__ or ""))[1:]
    return {label: " ".join(text.split()) for label, _, text in (part.partition(":") for part in paragraphs)}


def catalogue() -> dict[ErrorCode, type[HaruError]]:
    """The error that stands for each code, in the order of the enum."""
    by_code: dict[ErrorCode, type[HaruError]] = {}
    for error in (*classes(DomainError), *classes(RequestError)):
        if error.__module__ in {"services.errors", "services.request_errors"}:
            by_code.setdefault(error.code, error)
    return {code: by_code[code] for code in ErrorCode}


def places(error: type[HaruError]) -> str:
    """Who answers an error, by the table."""
    if error is Forbidden:
        return f"every field but {', '.join(name for name, root in ROOTS.items() if root.roles == EVERYBODY)}"
    if issubclass(error, RequestError):
        return "every field"
    answering = [name for name, root in ROOTS.items() if any(issubclass(one, error) for one in root.refusals)]
    if set(answering) >= set(MUTATIONS):
        answering = ["every mutation", *(name for name in answering if name not in MUTATIONS)]
    telling = [name for name, root in ROOTS.items() if error in root.tells]
    return ", ".join(answering) + (f"; told by {', '.join(telling)}" if telling else "")


def errors_page() -> str:
    """The whole page."""
    parts = [HEAD]
    for code, error in catalogue().items():
        where = "data" if issubclass(error, DomainError) else "top-level"
        told = sections(error)
        parts.append(
            f"\n## {code}\n\n{public_message(error)}\n\n"
            f"- When: {told['When']}\n- What to do: {told['Do']}\n- In: {places(error)}\n"
            f"- Where: {where}\n- Retryable: {'yes' if error.retryable else 'no'}\n"
        )
    return "".join(parts)
