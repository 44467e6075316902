"""docs/errors.md, out of the docstrings of services/errors.py."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

from services.errors import DomainError, ErrorCode, HaruError, RequestError, public_message

HEAD = """\
# Errors

Made from `services/errors.py` by `make docs`; a test fails when it differs.

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
    """The When, Do and In of an error's docstring."""
    paragraphs = re.split(r"\n(?=When:|Do:|In:)", inspect.cleandoc(error.__doc__ or ""))[1:]
    return {label: " ".join(text.split()) for label, _, text in (part.partition(":") for part in paragraphs)}


def catalogue() -> dict[ErrorCode, type[HaruError]]:
    """The error that stands for each code, in the order of the enum."""
    by_code: dict[ErrorCode, type[HaruError]] = {}
    for error in (*classes(DomainError), *classes(RequestError)):
        if error.__module__ == "services.errors":
            by_code.setdefault(error.code, error)
    return {code: by_code[code] for code in ErrorCode}


def errors_page() -> str:
    """The whole page."""
    parts = [HEAD]
    for code, error in catalogue().items():
        where = "data" if issubclass(error, DomainError) else "top-level"
        told = sections(error)
        parts.append(
            f"\n## {code}\n\n{public_message(error)}\n\n"
            f"- When: {told['When']}\n- What to do: {told['Do']}\n- In: {told['In']}\n"
            f"- Where: {where}\n- Retryable: {'yes' if error.retryable else 'no'}\n"
        )
    return "".join(parts)
